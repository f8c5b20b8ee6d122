"""The run to be made next, as it differs from the one that was made: it tells more, or anything at all. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tfsload.analysis.first_cure import first_cure
from tfsload.analysis.next_sweep import as_options
from tfsload.analysis.result import RunResult


@dataclass(frozen=True)
class NextRun:
    """What to run next.

    Attributes:
        changes: options that are to be others, as texts by name; empty: nothing is to be run, or no option says it.
        outside: of a run that supports no verdict, for which no option is to be another: what is to be done before the
            same run is made again; else empty.
    """

    changes: Mapping[str, str] = field(default_factory=dict)
    outside: str = ""


def next_run(result: RunResult) -> NextRun:
    """Return what to run next: what cures the first reason for which it is INVALID, else what its answer asks for."""
    cure, of_answer = first_cure(result), changes_of_answer(result)
    if cure is None:
        return NextRun(of_answer)
    curing = _others(result, cure.options)
    if not curing:
        return NextRun(outside=cure.words)
    # How much longer it has to last is reckoned from this run's rate, which larger requests would change.
    beside = {name: text for name, text in of_answer.items() if name != "images_per_request"}
    return NextRun({**beside, **curing})


def changes(result: RunResult) -> Mapping[str, str]:
    """Return the options that are to be others, as texts by name; empty: nothing is to be run, or no option says it."""
    return next_run(result).changes


def changes_of_answer(result: RunResult) -> Mapping[str, str]:
    """Return the same by a sweep's answer alone."""
    answer = result.scaling.answer if result.scaling is not None else None
    wanted = answer.next if answer is not None else None
    return {} if wanted is None else _others(result, as_options(wanted))


def _others(result: RunResult, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return those options that the run has, and has otherwise."""
    options = result.asked.options
    return {name: text for name, text in wanted.items() if name in options and _value(text) != _value(options[name])}


def _value(text: str) -> tuple[float | str, ...]:
    """Return what an option's text says, in which blanks and the way a number is written say nothing.

    >>> _value("1, 2,1") == _value("1,2,1"), _value("10") == _value("10.0"), _value("1:4") == _value("1:5")
    (True, True, False)
    """
    parts = [part.strip() for part in text.split(",")]
    return tuple(map(_number, parts))


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
