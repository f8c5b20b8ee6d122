"""Texts that are to stay as they are: each lies in a file, which is made anew by `python -m tests.support.golden`.

Whoever makes them anew looks at what git says has changed: a user will see it.
"""

from pathlib import Path

from tests.support.past_runs import PAST_RUNS, PastRun
from tfsload.analysis.result import RunResult
from tfsload.suite.outcome import Outcome, conclude

GOLDEN = Path(__file__).parent.parent / "unit" / "golden"


def outcome_of(past: PastRun) -> Outcome:
    """Return how a run came out."""
    return conclude(past.results, past.checked, past.by_locust, past.search, past.changed, past.run_time)


def result_of(past: PastRun) -> RunResult:
    """Return what a run came to."""
    return outcome_of(past).result


def text_of(past: PastRun) -> str:
    """Return what is printed at the end of a run."""
    return outcome_of(past).text


def path_of(kind: str) -> Path:
    """Return where the text of a kind of run lies."""
    return GOLDEN / f"{kind}.txt"


if __name__ == "__main__":
    for kind, make in PAST_RUNS.items():
        path_of(kind).write_text(text_of(make()) + "\n")
