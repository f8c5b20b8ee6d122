"""The report of a run, where `--report` asks for one: its directory is tried before the load, its files come last.

They are made by a process of their own, from `result.json` alone: drawing would hold this one up for seconds.
"""

import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfsload.analysis import exit_codes
from tfsload.analysis.result import Asked, Course, RunResult
from tfsload.analysis.totals import Totals
from tfsload.analysis.verdict import Reason, Rule, Verdict
from tfsload.records.record import Record
from tfsload.report import directory, json_file
from tfsload.run.asked import as_asked
from tfsload.run.surroundings import machine, made_by
from tfsload.settings.refusal import RunRefused
from tfsload.settings.settings import Settings, SettingsError
from tfsload.suite import streams
from tfsload.suite.new_directories import NewDirectories
from tfsload.suite.outcome import Outcome
from tfsload.target.child_process import ChildProcess, own_program
from tfsload.transport.words import quoted, redacted, shell_word

# Far beyond what a report takes; a run is not to hang for one.
_LIMIT_S = 300.0
_TOO_LATE = "it was not ready within"
_STARTS = "the run can start"


class RunReport:
    """The reports of one process that leads runs."""

    def __init__(self) -> None:
        """Write nothing yet."""
        self._given = self._directory = self._written = ""
        self._new = NewDirectories(None)
        self._is_replaced = False  # whether what lies there is this run's, if not all of it

    def faults(self, options: Mapping[str, Any]) -> list[str]:
        """Return why the next run's report cannot be written, a sentence each; its directory is made, else none is.

        Args:
            options: Locust's and the suite's, by name.
        """
        given = str(options.get("report", ""))
        if not _is_text(given):  # the check of all settings refuses it, and nothing is made of it
            given = ""
        self._given = directory.place_of(given)
        # A locustfile may go to another directory meanwhile.
        self._directory = str(Path(self._given).absolute()) if self._given else ""
        self._new = NewDirectories(Path(self._directory) if self._directory else None)
        self._is_replaced = False
        if given and not self._given:
            return [f"--report {quoted(given)}: it names no directory: name one, or leave it out"]
        fault = directory.fault(self._directory) if self._given else ""
        if fault:
            self.leave_no_directory()
        return [f"--report {quoted(self._given)}: {fault}"] if fault else []

    @property
    def written(self) -> str:
        """The directory of the report that was written last; empty: none was asked for, or it could not be written."""
        return self._written

    @property
    def _page(self) -> str:
        """The page of the report that was written last, as its directory was given; empty as `written`."""
        return str(Path(self._given) / directory.PAGE) if self._written else ""

    def leave_no_directory(self) -> None:
        """Take away the directories made for a report that is not written after all, where nothing is in them."""
        self._new.take_away()

    def write(self, result: RunResult) -> tuple[str, ...]:
        """Write a run's report, in the place of an older one; return what of it could not be written, and why."""
        self._written = ""
        if not self._given:
            return ()
        fault = ""
        try:
            with directory.replaced(self._directory) as making:
                directory.write_data(result, making)
                fault = make_others(making)
                fault += f"; {_again(self._given)}" if fault else ""
            self._is_replaced = True
        except OSError as error:
            fault = f"{error.strerror or error}{self._beside_older()}"
        self._written = "" if fault else self._directory
        return (f"--report {quoted(self._given)}: it could not be written: {fault}",) if fault else ()

    def _beside_older(self) -> str:
        """Say of a report that was not put there that it is not the one that lies there, if one does."""
        holds_one = not self._is_replaced and json_file.is_one(Path(self._directory) / json_file.NAME)
        return f"; the report of an earlier run is still in {quoted(self._given)}" if holds_one else ""

    def write_outcome(self, outcome: Outcome) -> Outcome:
        """Write the report of a run that has ended; return its outcome, which failed where that could not be done.

        What can be written then says so, too.
        """
        faults = self.write(outcome.result)
        if _are_worth_another_try(faults):  # what draws may have been killed
            faults = self.write(outcome.result)
        if not faults:
            return replace(outcome, page=self._page)
        failed, ended = outcome.failed_by(faults), outcome.result.process_exit
        if ended is not None and ended.code == outcome.exit_code:  # nobody else has set it
            failed = failed.ended_with(failed.exit_code)
        if _are_worth_another_try(faults):
            self.write(failed.result)
        return replace(failed, page=self._page)

    def write_refusal(self, refused: RunRefused, options: Mapping[str, Any]) -> None:
        """Write the report of a run that was not started; say what could not be written of it, and why."""
        if self.faults(options) or not self._given:
            return  # nothing of a place that is refused itself is touched
        for fault in self.write(refused_result(refused, options)):
            streams.say(f"tfsload: {fault}")
            self.leave_no_directory()


def refused_result(refused: RunRefused, options: Mapping[str, Any]) -> RunResult:
    """Return the result of a run that was not started.

    Args:
        refused: why.
        options: what was asked for, by name.
    """
    now_s = time.time()
    code, faults = refused.exit_code, tuple(refused.faults)
    asked = as_asked(options, options.get("host"))
    return RunResult(
        made_by=made_by(),
        machine=machine(),
        asked=asked,
        notes=_notes(asked),
        course=Course(begun_unix_s=now_s, ended_unix_s=now_s),
        totals=Totals.of(Record(), 0.0, is_timed=False),
        verdict=Verdict(
            code, tuple(map(Reason, faults)), code_without_failures=code, rules=(Rule(_STARTS, code, faults),)
        ),
    )


def _notes(asked: Asked) -> Mapping[str, str]:
    """Return what `--note` says, where that can be read: it may be what was refused."""
    try:
        settings = Settings.parse({"note": asked.options.get("note", "")}, None)
    except SettingsError:
        return {}
    return {redacted(key): redacted(note) for key, note in settings.report.notes}


def make_others(making: Path) -> str:
    """Have all files but the result made by a process of their own; return what went wrong."""
    child = ChildProcess(own_program("tfsload", "report", directory.HERE, str(making)))
    try:
        if not child.wait(_LIMIT_S):
            return f"{_TOO_LATE} {_LIMIT_S:g} s"
        if child.exit_code == exit_codes.PASS:
            return ""
        if (child.exit_code or 0) < 0:
            return _ended_by(-(child.exit_code or 0))
        return child.said.splitlines()[-1].removeprefix("tfsload report: ")
    finally:
        child.stop()


def _is_text(given: str) -> bool:
    """Whether it holds no bytes of the command line that are not UTF-8."""
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def _are_worth_another_try(faults: tuple[str, ...]) -> bool:
    return bool(faults) and not any(_TOO_LATE in fault for fault in faults)  # which would take as long


def _ended_by(number: int) -> str:
    """Return what ended the process that draws, in words."""
    try:
        name = signal.Signals(number).name
    except ValueError:  # one of real time
        name = f"signal {number}"
    maybe = " (of want of memory, maybe)" if number == signal.SIGKILL else ""
    return f"what draws it was ended by {name}{maybe}"


def _again(given: str) -> str:
    return f"`tfsload report {shell_word(given)}` makes what is missing of it"
