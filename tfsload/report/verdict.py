"""The verdict on the terminal: how the run ends, why, and what to do about it."""

from itertools import zip_longest

from tfsload.analysis.verdict import Reason, Verdict
from tfsload.report.screen import Screen

_INDENT = 2
_CURE = "  cure: "


def lines(verdict: Verdict, screen: Screen, remark: str = "") -> list[str]:
    """Return the verdict, with its reasons and what to do about each.

    Args:
        verdict: of the run.
        screen: what it is written on.
        remark: on an exit code that is not the verdict's own; empty: it is.
    """
    head = f"{verdict.word} ({remark or f'exit code {verdict.exit_code}'}): "
    notes = [("  note: ", reason) for reason in verdict.notes]
    if not verdict.reasons:
        told = [(head, Reason(verdict.judged or "see the thresholds")), *notes]
    else:
        first, *others = verdict.reasons
        told = [(head, first), *(("  also: ", reason) for reason in others), *notes]
    found: list[str] = []
    cured: set[str] = set()
    for (begin, reason), after in zip_longest(told, told[1:]):
        found.append(screen.wrapped(f"{begin}{reason.what}", _INDENT if begin is head else len(begin)))
        # What cures several is said once, below the last of those that stand together.
        if reason.cure not in {"", *cured} and (after is None or after[1].cure != reason.cure):
            cured.add(reason.cure)
            found.append(screen.wrapped(f"{_CURE}{reason.cure}", len(_CURE)))
    return found
