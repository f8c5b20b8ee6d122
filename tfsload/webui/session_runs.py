"""The runs of this session: what each was asked to do, what it came to, and where its files lie."""

import os
import shutil
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tfsload.analysis import judged
from tfsload.analysis.result import RunResult
from tfsload.report import directory, json_file, next_run, states
from tfsload.report.load import load
from tfsload.report.page.cards import Card, images_rate
from tfsload.report.page.first_screen import FirstScreen, first_screen
from tfsload.report.states import State
from tfsload.report.sweep_answer import in_short
from tfsload.transport.numerals import whole_number
from tfsload.webui.own_directory import OwnDirectory

# Older ones are forgotten, files and all: a web UI may be left running for weeks.
MOST_RUNS = 50
_IN_ORDER = (directory.PAGE, *(name for name in directory.NAMES if name != directory.PAGE))


@dataclass(frozen=True)
class CameTo:
    """What a run came to, in short.

    Attributes:
        subject: what was tested.
        load: with what load.
        state: of its verdict.
        cards: the figures that matter; empty: nothing was measured.
        in_parallel: whether the server runs requests in parallel, in a word or two; empty: the run was no sweep.
        judged: what a pass without thresholds means, in a few words; empty: it is another run.
        images_rate: images a second, where `cards` has requests a second; empty: it has none.
        has_several_images: whether a request held several.
        next_changes: options of the run that would tell more, where they are others, as texts by name; empty: none.
        first: what its report says first; None: it came to no result.
    """

    subject: str
    load: str
    state: State
    cards: tuple[Card, ...]
    in_parallel: str = ""
    judged: str = ""
    images_rate: str = ""
    has_several_images: bool = False
    next_changes: Mapping[str, str] = field(default_factory=dict)
    first: FirstScreen | None = None

    @classmethod
    def of(cls, result: RunResult) -> "CameTo":
        """Return it in short."""
        first = first_screen(result)
        return cls(
            first.subject,
            load(result),
            states.of_run(result),
            first.cards,
            in_short(result),
            judged.in_short(result),
            images_rate(result),
            result.totals.predictions != result.totals.requests,
            next_run.changes(result),
            first,
        )


@dataclass
class SessionRun:
    """A run of this session.

    Attributes:
        number: from 1 on.
        fields: what the start form held, by name.
        begun_unix_s: when it began.
        directory: where its files lie, once it has ended.
        came_to: what it came to; None: it is under way.
        has_all_files: whether all its files are there; the result's own comes first.
        fault: why they could not be made; empty: nothing went wrong.
    """

    number: int
    fields: Mapping[str, str]
    begun_unix_s: float
    directory: Path
    came_to: CameTo | None = None
    has_all_files: bool = False
    fault: str = ""

    @property
    def has_several_images(self) -> bool:
        """Whether it has ended, and a request of it held several images: requests a second do not tell how many."""
        return self.came_to is not None and self.came_to.has_several_images

    @property
    def is_settled(self) -> bool:
        """Whether nothing more of it is to come."""
        return self.has_all_files or bool(self.fault)

    @property
    def file_names(self) -> tuple[str, ...]:
        """Its files that are there, the page first."""
        if self.directory == Path():
            return ()
        try:
            with os.scandir(self.directory) as entries:
                found = {one.name for one in entries if one.is_file() and not one.name.endswith(directory.PART)}
        except OSError:  # not there yet, or no more
            return ()
        return (*(name for name in _IN_ORDER if name in found), *sorted(found - set(_IN_ORDER)))

    def know_page_is_gone(self) -> None:
        """Know that its page is there no more, which was."""
        self.has_all_files = False
        self.fault = self.fault or self._are_gone

    @property
    def _are_gone(self) -> str:
        """That its files were removed, and what one can do."""
        return f"something has removed them from {self.directory}: Run again makes others"

    def why_not_made(self, fault: str) -> str:
        """Return why its files are not there, where making them came to a fault: nothing can be made of no result."""
        return fault if json_file.NAME in self.file_names else self._are_gone


class SessionRuns:
    """All runs since the process began; their files lie in a directory that goes with it."""

    def __init__(self, make_others: Callable[[Path], str], clock_s: Callable[[], float] = time.time) -> None:
        """Have none.

        Args:
            make_others: makes all files but the result's own in a directory that holds that; returns what went wrong.
            clock_s: seconds since 1970.
        """
        self._make_others = make_others
        self._clock_s = clock_s
        self._runs: OrderedDict[int, SessionRun] = OrderedDict()
        self._n = 0
        self._root = OwnDirectory("tfsload-session-")

    @property
    def newest_first(self) -> list[SessionRun]:
        """All that are remembered."""
        return [*reversed(self._runs.values())]

    @property
    def last(self) -> SessionRun | None:
        """The one under way, or the last that ended; None: there was none."""
        return next(reversed(self._runs.values()), None)

    @property
    def under_way(self) -> SessionRun | None:
        """The one that has begun and come to nothing yet; None: there is none."""
        last = self.last
        return last if last is not None and last.came_to is None else None

    @property
    def next_number(self) -> int:
        """The number that the next run will have."""
        return self._n + 1

    def get(self, number: int) -> SessionRun | None:
        """Return the one of this number; None: there is none, or it is forgotten."""
        return self._runs.get(number)

    def named(self, text: str) -> SessionRun | None:
        """Return the one whose number a text is; None: it is no number, or that of no run that is remembered."""
        number = whole_number(text)
        return self.get(number) if number is not None else None

    def begin(self, fields: Mapping[str, str]) -> None:
        """Know that a run begins, which the form's fields asked for."""
        self._n += 1
        run = SessionRun(self._n, dict(fields), self._clock_s(), Path())
        self._runs[self._n] = run
        try:
            run.directory = self._root.path() / str(self._n)
        except OSError as error:  # the run is not to fail for that
            run.fault = f"no directory for them: {error.strerror or error}"
        while len(self._runs) > MOST_RUNS:
            _, forgotten = self._runs.popitem(last=False)
            if forgotten.directory != Path():
                shutil.rmtree(forgotten.directory, ignore_errors=True)

    def conclude(self, result: RunResult, report: str = "") -> None:
        """Know what the run under way came to; its result is kept at once.

        Args:
            result: of the run.
            report: a directory with all its files, where no other run has put its own meanwhile; empty: they are to be
                made.
        """
        run = self.last
        assert run is not None  # it has begun
        run.came_to = CameTo.of(result)
        if run.fault:
            return
        try:
            run.directory = self._root.path() / str(run.number)  # it may have been removed since the run began
            written = directory.as_bytes(json_file.write(result))
            if report and directory.copied(Path(report), run.directory, written):
                run.has_all_files = True
            else:  # or another run has put its own report there
                run.directory.mkdir(mode=0o700)
                directory.write_data(result, run.directory)
        except FileNotFoundError as error:
            run.fault = run.why_not_made(error.strerror or str(error))
        except OSError as error:
            run.fault = error.strerror or str(error)

    def make_files(self) -> None:
        """Make what is missing of the last run's files; a fault that somebody tells meanwhile stays."""
        run = self.last
        if run is None or run.came_to is None or run.has_all_files or run.fault:
            return
        fault = "making them was broken off"
        try:
            fault = self._make_others(run.directory)
            if fault or directory.PAGE not in run.file_names:
                fault = run.why_not_made(fault or f"they are not in {run.directory}")
        except OSError as error:  # no process could be started for it
            fault = error.strerror or str(error)
        finally:
            run.fault = run.fault or fault
            run.has_all_files = not run.fault

    def settle(self, came_to: CameTo, why: str) -> None:
        """Know that the run under way is over, and that there will be no files of it.

        Args:
            came_to: what can be said of it.
            why: there are none.
        """
        run = self.last
        assert run is not None  # it has begun
        run.came_to, run.fault = came_to, run.fault or why

    def close(self) -> None:
        """Leave no files behind."""
        self._root.close()
