"""What a sweep says of the server, as every output tells it. Pure."""

from tfsload.analysis import exit_codes
from tfsload.analysis.result import RunResult
from tfsload.analysis.validity import level_rule

_OF_A_DOUBTED_RUN = "The run as a whole supports no verdict: measure again before you rely on this."


def sweep_answer(result: RunResult) -> str:
    """Return whether the server runs requests in parallel, in sentences; empty: the run was no sweep."""
    if result.scaling is None:
        return ""
    answer = result.scaling.answer
    # Levels in doubt are left out of the answer, which says so; other doubts are of all that was measured.
    is_carried = answer.kind == "cannot tell" or not _is_doubted_as_a_whole(result)
    return answer.sentence if is_carried else f"{answer.sentence} {_OF_A_DOUBTED_RUN}"


def _is_doubted_as_a_whole(result: RunResult) -> bool:
    of_levels = {level_rule(level.name, level.number) for level in result.levels}
    return any(
        rule.exit_code == exit_codes.INVALID and not rule.holds and rule.name not in of_levels
        for rule in result.judged.rules
    )
