"""How a process ends: what is left to interrupt, and the last word on its run, once and wherever it can be said."""

import logging
from typing import Any

import gevent
from locust.runners import Runner

from tfsload.report.screen import LOG, Screen
from tfsload.suite import locust_files, process_exit, streams
from tfsload.suite.outcome import Outcome

logger = logging.getLogger("tfsload")  # a name for people

# How long after a headless run's end Locust may take to quit by itself.
QUIT_GRACE_S = 2.0
STILL_ENDING = "tfsload: the run is ending, its summary comes next (Ctrl-\\ ends it at once, without one)"
_NO_WORDS = "its summary could not be put into words"
_IN_WORDS = {"stdout": "standard output", "stderr": "standard error"}


class Ending:
    """A process on its way out.

    Attributes:
        is_interrupted: a signal asked for it.
        is_shutting_down: Locust has begun with it.
    """

    def __init__(self) -> None:
        self.is_interrupted = False
        self.is_shutting_down = False
        self._has_said_it_ends = False

    @property
    def has_begun(self) -> bool:
        """Whether the process is on its way out, so that nothing is left to interrupt."""
        return self.is_interrupted or self.is_shutting_down

    def say_it_ends(self) -> None:
        """Tell somebody who asks again that it has been heard; once."""
        if not self._has_said_it_ends:
            self._has_said_it_ends = True
            streams.say(STILL_ENDING)


def judge_reports(outcome: Outcome) -> Outcome:
    """Return the outcome of a run with what could not be written for it: a report that was asked for fails it."""
    reasons = tuple(fault for fault in locust_files.faults() if fault not in outcome.verdict.sentences)
    return outcome.failed_by(reasons) if reasons else outcome


def judge_words(outcome: Outcome) -> Outcome:
    """Return the outcome of a run; one whose summary cannot be put into words, which is a fault of ours, has failed."""
    try:
        assert outcome.text
    except Exception as error:
        logger.exception("The summary of the run cannot be shown")
        return outcome.failed_by((f"{_NO_WORDS}: {type(error).__name__}: {error}",))
    return outcome


def words_of(outcome: Outcome, exit_code: Any, screen: Screen = LOG) -> str:
    """Return the text of a run for a process that ends with an exit code; where there is none, at least a line.

    Args:
        outcome: of the run, as `judge_words` has it.
        exit_code: what the process ends with.
        screen: what the text is written on.
    """
    try:
        return outcome.text_ended_with(exit_code, screen)
    except Exception as error:
        logger.debug("The summary cannot be shown", exc_info=error)  # `judge_words` has said it
        seen = process_exit.seen_by_shell(exit_code)
        reasons = "; ".join(outcome.verdict.sentences) or f"{_NO_WORDS}: {error}"
        return f"{outcome.verdict.word} (exit code {seen}): {reasons}"


def say(text: str, to: str) -> None:
    """Say how a run went, on "stdout" or "stderr"; where that cannot be written, on the other one, with the reason."""
    if streams.say(text, to):
        return
    other = "stderr" if to == "stdout" else "stdout"
    streams.say(f"tfsload: {_IN_WORDS[to]} could not be written ({streams.fault_of(to)}):\n{text}", other)


def log_words(outcome: Outcome) -> None:
    """Put what a run came to into the log, whose tab in the web UI makes a line of each record."""
    for line in words_of(outcome, outcome.exit_code).splitlines():
        logger.info("%s", line)


def quit_soon(runner: Runner) -> None:
    """Quit once a headless run has ended, where Locust does not by itself.

    It only stops, and waits, when its last worker is lost or a user has asked it to quit.
    """
    gevent.spawn_later(QUIT_GRACE_S, runner.quit)
