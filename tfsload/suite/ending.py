"""How a process ends: what is left to interrupt, and the last word on its run, once and wherever it can be said."""

from tfsload.suite import locust_files, streams
from tfsload.suite.outcome import Outcome

STILL_ENDING = "tfsload: the run is ending, its summary comes next (Ctrl-\\ ends it at once, without one)"
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


def say(text: str, to: str) -> None:
    """Say how a run went, on "stdout" or "stderr"; where that cannot be written, on the other one, with the reason."""
    if streams.say(text, to):
        return
    other = "stderr" if to == "stdout" else "stdout"
    streams.say(f"tfsload: {_IN_WORDS[to]} could not be written ({streams.fault_of(to)}):\n{text}", other)
