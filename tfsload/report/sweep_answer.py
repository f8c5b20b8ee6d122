"""What a sweep says of the server, as every output tells it. Pure."""

from tfsload.analysis.result import RunResult
from tfsload.analysis.scaling import ScalingAnswer
from tfsload.report import states

_OF_A_DOUBTED_RUN = "The run as a whole supports no verdict: measure again before you rely on this."


def sweep_answer(result: RunResult) -> str:
    """Return whether the server runs requests in parallel, in sentences; empty: the run was no sweep, or goes on."""
    answer = _answer(result)
    if answer is None:
        return ""
    # Levels in doubt are left out of the answer, which says so; other doubts are of all that was measured.
    is_carried = answer.kind == "cannot tell" or not states.is_doubted_as_a_whole(result)
    return answer.sentence if is_carried else f"{answer.sentence} {_OF_A_DOUBTED_RUN}"


def in_short(result: RunResult) -> str:
    """Return the same in a word or two, with a question mark where it is not to be relied on; empty: no answer."""
    answer = _answer(result)
    if answer is None:
        return ""
    head = answer.sentence.partition(":")[0].lower()
    return head if sweep_answer(result) == answer.sentence else f"{head}?"


def _answer(result: RunResult) -> ScalingAnswer | None:
    return result.scaling.answer if result.scaling is not None else None
