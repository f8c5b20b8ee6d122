"""What no run can have come to, in a result that was read: a figure that nothing can be made of. Pure."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from tfsload.analysis import exit_codes
from tfsload.analysis.accuracy import SeenBy
from tfsload.analysis.attendance import Attended
from tfsload.analysis.class_rows import ClassRow
from tfsload.analysis.latency import LatencyCounts
from tfsload.analysis.level_result import Cpu, LevelResult
from tfsload.analysis.limit import SearchResult
from tfsload.analysis.parallelism import Parallelism
from tfsload.analysis.result import Course, RunResult
from tfsload.analysis.series import Second
from tfsload.analysis.sweep import ScaledLevel
from tfsload.analysis.totals import MismatchExample, Totals
from tfsload.analysis.usl import CurvePoint, Estimate
from tfsload.analysis.workers import HeldUp
from tfsload.records.mismatch import OTHER_FORM

_YEAR_10000_UNIX_S = 253402300800
_CODES = range(exit_codes.PASS, exit_codes.INVALID + 1)
# A count or a time in ns; what reads them further holds them in as many bits.
_LEAST, _MOST = -(2**63), 2**63 - 1
# Their figures are finite. Elsewhere one may be endless: a percentile that lies among requests without an answer.
_FINITE = (
    *(Attended, ClassRow, Course, Cpu, HeldUp, LevelResult, SearchResult, Second, SeenBy, Totals),
    *(CurvePoint, Estimate, Parallelism, ScaledLevel),
)
# And what was counted or timed is no further from 0 than a whole number is; what is reckoned from it may be.
_MEASURED = (Attended, Course, Cpu, HeldUp, LevelResult, Second, Totals)
_MAY_BE_ENDLESS = frozenset({"upper_end_ns", "lag_p99_ns"})
# A standard error, as a share of what it is of: of rates, none of which is below 0, it comes to 1 at most.
_MOST_OF = {"noise": 10.0}
# Whole numbers are counts, times in ns, positions and classes, and so at least 0, but for what a program ends with, and
# a mismatch's place and classes, where what is less says what there is instead, or is what a model has in place of one.
# What a sweep says of a number of users is of one level at least.
_LEAST_OF = {"place": OTHER_FORM, "expected_class": _LEAST, "answered_class": _LEAST, "code": _LEAST, "n_runs": 1}
# What a model has answered is whatever it is.
_ANSWERS = frozenset({"expected", "answered"})


@dataclasses.dataclass(frozen=True)
class _Bounds:
    """What the figures of a field have to be.

    Attributes:
        are_finite: whether they have an end.
        least: the whole numbers among them are at least this.
        most: the others lie no further from 0 than this.
    """

    are_finite: bool
    least: int
    most: float = math.inf


_ANY = _Bounds(are_finite=False, least=0)


def fault_of(result: RunResult) -> str:
    """Return which figure of a result no run can have come to, and what it says; empty: there is none."""
    # Dates and loads are looked at last: what is no number at all is told as that.
    # So is what does not go together.
    numbers = _of_codes(result), _of_numbers("", result, _ANY)
    return next(itertools.chain(*numbers, _of_dates(result), _of_loads(result), _of_parts(result)), "")


def _of_codes(result: RunResult) -> Iterator[str]:
    if (verdict := result.verdict) is None:
        return
    codes = {"exit_code": verdict.exit_code, "code_without_failures": verdict.code_without_failures}
    codes |= {f"rules[{number}].exit_code": rule.exit_code for number, rule in enumerate(verdict.rules)}
    for name, code in codes.items():
        if code not in _CODES:
            yield f"verdict.{name} is {_short(code)}: expected {_CODES[0]} to {_CODES[-1]}"


def _of_dates(result: RunResult) -> Iterator[str]:
    for name in ("begun_unix_s", "ended_unix_s"):
        if not 0 <= (seconds := getattr(result.course, name)) < _YEAR_10000_UNIX_S:
            yield f"course.{name} is {seconds:g}: expected seconds since 1970, before the year 10000"


def _of_loads(result: RunResult) -> Iterator[str]:
    """Give a level's load that is none: nothing is drawn against it."""
    for number, level in enumerate(result.levels):
        name, load = ("users", level.users) if level.rate_rps is None else ("rate_rps", level.rate_rps)
        if load <= 0:
            yield f"levels[{number}].{name} is {load:g}: expected more than 0"


def _of_parts(result: RunResult) -> Iterator[str]:
    """Give a part that is more than its whole, or of nothing that is there: nothing can be reckoned from it."""
    counted: list[tuple[str, Totals | LevelResult]] = [("totals", result.totals)]
    counted += [(f"levels[{number}]", level) for number, level in enumerate(result.levels)]
    for where, one in counted:
        if one.failed_requests > one.requests:
            yield f"{where}.failed_requests is {one.failed_requests}: expected at most its {one.requests} requests"
    if result.scaling is not None:
        held = {level.users for level in result.scaling.levels}
        for number, users in enumerate(result.scaling.best_users):
            if users not in held:
                yield f"scaling.best_users[{number}] is {users}: expected users of one of its levels"
    classes = {row.label for row in result.classes}
    for number, (label, answer, _) in enumerate(result.confusion):
        if not {label, answer} <= classes:
            yield f"confusion[{number}] is of {label} and {answer}: expected classes that have a row"


def _of_numbers(where: str, value: Any, bounds: _Bounds) -> Iterator[str]:
    """Give what is too large, too small or endless in a value.

    Args:
        where: it stands, as `totals.requests`.
        value: plain, or what holds such values.
        bounds: of its figures.
    """
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if isinstance(value, MismatchExample) and field.name in _ANSWERS:
                continue
            name = f"{where}.{field.name}".removeprefix(".")
            yield from _of_numbers(name, getattr(value, field.name), _bounds_of(value, field.name))
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _of_numbers(f"{where}, of {key},", key, bounds)
            yield from _of_numbers(f"{where}[{key}]", one, bounds)
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from _of_numbers(f"{where}[{number}]", one, bounds)
    elif isinstance(value, int) and not bounds.least <= value <= _MOST:
        expected = f"of at least {bounds.least}" if _LEAST <= value < bounds.least else "of 64 bits"
        yield f"{where} is {_short(value)}: expected a whole number {expected}"
    elif isinstance(value, float) and (math.isnan(value) or (bounds.are_finite and math.isinf(value))):
        yield f"{where} is {value}: expected a {'finite ' if bounds.are_finite else ''}number"
    elif isinstance(value, float) and bounds.are_finite and abs(value) > bounds.most:
        yield f"{where} is {value:g}: expected a number of at most {bounds.most:g}"
    if isinstance(value, LatencyCounts) and (n := sum(count for _, count in value.buckets)) != value.count:
        yield f"{where}.count is {_short(value.count)}: expected {_short(n)}, as its buckets hold"


def _bounds_of(holder: Any, name: str) -> _Bounds:
    are_finite = isinstance(holder, _FINITE) and name not in _MAY_BE_ENDLESS
    most = _MOST_OF.get(name, _MOST if isinstance(holder, _MEASURED) else math.inf)
    return _Bounds(are_finite, _LEAST_OF.get(name, 0), most)


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**30 else "a number of more than 30 digits"
