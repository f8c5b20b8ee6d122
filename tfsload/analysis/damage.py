"""What no run can have come to, in a result that was read: a figure that nothing can be made of. Pure."""

import dataclasses
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
from tfsload.analysis.totals import Totals
from tfsload.analysis.usl import CurvePoint, Estimate

_CODES = range(exit_codes.PASS, exit_codes.INVALID + 1)
# A count or a time in ns; what reads them further holds them in as many bits.
_LEAST, _MOST = -(2**63), 2**63 - 1
# Their figures are finite. Elsewhere one may be endless: a percentile that lies among requests without an answer.
_FINITE = (
    *(Attended, ClassRow, Course, Cpu, LevelResult, SearchResult, Second, SeenBy, Totals),
    *(CurvePoint, Estimate, Parallelism, ScaledLevel),
)
_MAY_BE_ENDLESS = frozenset({"upper_end_ns", "lag_p99_ns"})


def fault_of(result: RunResult) -> str:
    """Return which figure of a result no run can have come to, and what it says; empty: there is none."""
    return next(_of_codes(result), "") or next(_of_numbers("", result, is_finite=False), "")


def _of_codes(result: RunResult) -> Iterator[str]:
    if (verdict := result.verdict) is None:
        return
    codes = {"exit_code": verdict.exit_code, "code_without_failures": verdict.code_without_failures}
    codes |= {f"rules[{number}].exit_code": rule.exit_code for number, rule in enumerate(verdict.rules)}
    for name, code in codes.items():
        if code not in _CODES:
            yield f"verdict.{name} is {_short(code)}: expected {_CODES[0]} to {_CODES[-1]}"


def _of_numbers(where: str, value: Any, is_finite: bool) -> Iterator[str]:
    """Give what is too large or endless in a value.

    Args:
        where: it stands, as `totals.requests`.
        value: plain, or what holds such values.
        is_finite: whether its figures have to be finite.
    """
    if isinstance(value, LatencyCounts) and (n := sum(count for _, count in value.buckets)) != value.count:
        yield f"{where}.count is {_short(value.count)}: expected {_short(n)}, as its buckets hold"
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            name = f"{where}.{field.name}".removeprefix(".")
            finite = isinstance(value, _FINITE) and field.name not in _MAY_BE_ENDLESS
            yield from _of_numbers(name, getattr(value, field.name), finite)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _of_numbers(f"{where}[{key}]", one, is_finite)
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from _of_numbers(f"{where}[{number}]", one, is_finite)
    elif isinstance(value, int) and not _LEAST <= value <= _MOST:
        yield f"{where} is {_short(value)}: expected a whole number of 64 bits"
    elif isinstance(value, float) and (math.isnan(value) or (is_finite and math.isinf(value))):
        yield f"{where} is {value}: expected a {'finite ' if is_finite else ''}number"


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**30 else "a number of more than 30 digits"
