"""Why a run is no pass: levels that have the same to say are told together, each cure once. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tfsload.analysis.figures import percent
from tfsload.analysis.level_names import told_name
from tfsload.analysis.result import RunResult
from tfsload.analysis.verdict import Reason
from tfsload.report.level_load import load_of
from tfsload.report.page.words import Sentence, capital, sentence, stopped, strong

_NUMBER = re.compile(r"\d[\d.,]*")
_SHARE = re.compile(r"(\d[\d.,]*)%")
# What a doubt was held against.
_LIMIT = re.compile(r" \(limit [^()]*\)")
# Of more levels than these the others are counted.
_MOST_NAMED = 2


class _Found(NamedTuple):
    """What was found at a level; one without a name speaks of the run."""

    level: str
    what: str


def grouped(result: RunResult, reasons: Iterable[Reason], has_head: bool) -> Iterable[tuple[Sentence, str]]:
    """Yield reasons, each with its cure, which is empty where it was told before.

    Findings at several levels are one sentence where they are alike; the figures are then those of the worst level, or
    it is said that the others have figures of their own.

    Args:
        result: the run's.
        reasons: of its verdict.
        has_head: whether the first sentence follows a colon.
    """
    names = [told_name(result.levels, level) for level in result.levels]
    by_cure: dict[tuple[str, str], dict[str, list[_Found]]] = {}
    for reason in reasons:
        level = next((name for name in names if reason.what.startswith(f"{name}: ")), "")
        what = reason.what.removeprefix(f"{level}: ") if level else reason.what
        alike = by_cure.setdefault(("" if level else what, reason.cure), {})
        alike.setdefault(_NUMBER.sub("#", what), []).append(_Found(level, what))
    is_first, cured = True, set[str]()
    for (_, cure), alike in by_cure.items():
        for found in alike.values():
            for told in _told(result, found, is_first and has_head):
                yield told, "" if cure in cured else cure
                is_first = False
                cured.add(cure)


def _told(result: RunResult, found: Sequence[_Found], has_head: bool) -> Iterable[Sentence]:
    """Yield what was found, alike but for figures."""
    what = found[0].what
    if not found[0].level:
        yield sentence(stopped(what if has_head else capital(what)))
        return
    which = _levels(result, found, is_first=not has_head)
    if len({one.what for one in found}) == 1:
        yield (*which, *sentence(f": {stopped(what)}"))
    elif all(len(_shares(one)) == 1 for one in found):
        # One share of the time says how bad it is.
        worst = max(found, key=lambda one: _shares(one)[0])
        yield (*which, *sentence(f", of these the most at {worst.level}: {stopped(worst.what)}"))
    else:
        yield (*strong(found[0].level), *sentence(f": {stopped(what)}"))
        yield (*sentence("Likewise, with figures of their own: "), *_levels(result, found[1:]), *sentence("."))


def _shares(found: _Found) -> list[float]:
    """Return the shares that were measured, in per cent."""
    return [float(number.replace(",", "")) for number in _SHARE.findall(_LIMIT.sub("", found.what))]


def _levels(result: RunResult, found: Sequence[_Found], is_first: bool = False) -> Sentence:
    """Return the levels in words."""
    names = [*dict.fromkeys(one.level for one in found)]
    if len(found) == len(result.levels) > 1:
        which = "both levels" if len(found) == 2 else f"all {len(found)} levels"
        return strong(capital(which) if is_first else which)
    if len(names) == 1:
        return strong(names[0])
    if len(names) > _MOST_NAMED:
        return (*strong(names[0]), *sentence(f" and {len(names) - 1} more levels"))
    return (*strong(names[0]), *sentence(" and "), *strong(names[1]))


def where_failures_began(result: RunResult) -> str:
    """Say at which load requests began to fail, where there was a lower one without; else nothing."""
    if not result.totals.failed_requests or result.search is not None:
        return ""
    measured = [level for level in result.levels if level.requests]
    failing = [level for level in measured if level.failed_requests]
    if not failing:
        return ""
    first = min(failing, key=load_of)
    if not any(load_of(level) < load_of(first) for level in measured):
        return ""
    same = [level for level in measured if load_of(level) == load_of(first)]
    share = percent(sum(level.failed_requests for level in same) / sum(level.requests for level in same))
    return f"Requests began to fail at {first.name}: {share} failed there, none below."
