"""Thresholds: what a run has to hold, for example `p99 < 20ms; error_rate < 5%`.

A threshold is a metric, an operator and a value; several are separated by ';'. White space does not matter.

    metric     pN, mean, max             latency, N above 0 and below 100, as p99.9
               lag_pN                    dispatch lag: how late requests left
               error_rate, wrong_rate, failed_rate, mismatched_rate, dropped_rate
               rate                      answered requests a second
    operator   < <= > >=
    value      a latency or lag in ns, us (or µs), ms or s; a share in % or as a fraction; a rate plain or with /s

Reading is kept apart from judging: what a metric came to is for the caller to find out.
"""

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tfsload.records.histogram import HIGHEST_NS
from tfsload.transport.words import quoted

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class ThresholdError(ValueError):
    """Thresholds that cannot be meant. `faults` holds one sentence for each fault, with the bad threshold quoted."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class _Kind:
    """What metrics of one kind are measured in.

    Attributes:
        unit_kind: as `Threshold.unit_kind`.
        units: each unit's size, in ns, as a share or per s; "" where the unit may be left out.
        expected: how a value is written.
        low, high: the least and the most that can be measured.
        reach: these in words.
    """

    unit_kind: str
    units: Mapping[str, Decimal]
    expected: str
    low: float
    high: float
    reach: str


# µ is in Unicode twice, as the micro sign and as a Greek letter; keyboards have either.
_MICRO, _GREEK_MU = "\u00b5", "\u03bc"
_TIME_UNITS = {
    "ns": Decimal(1),
    "us": Decimal(1_000),
    f"{_MICRO}s": Decimal(1_000),
    f"{_GREEK_MU}s": Decimal(1_000),
    "ms": Decimal(1_000_000),
    "s": Decimal(1_000_000_000),
}
_EXPECTED_TIME = "a number and its unit, ns, us, µs, ms or s, for example 20ms"
_LATENCY = _Kind("duration", _TIME_UNITS, _EXPECTED_TIME, 1, HIGHEST_NS, "a latency is measured from 1ns to 7200s")
_LAG = _Kind("duration", _TIME_UNITS, _EXPECTED_TIME, 0, HIGHEST_NS, "a lag is measured from 0ns to 7200s")
_SHARE = _Kind(
    "share",
    {"": Decimal(1), "%": Decimal("0.01")},
    "a percentage or a fraction from 0 to 1, for example 5% or 0.05",
    0,
    1,
    "a share is from 0% to 100%",
)
_RATE = _Kind(
    "rate",
    {"": Decimal(1), "/s": Decimal(1)},
    "requests a second, for example 200 or 200/s",
    0,
    math.inf,
    "a rate is 0 or more",
)
# Stands in for the kind of a metric that is not known, so that its value is read for other faults.
_ALL_UNITS = {**_TIME_UNITS, **_SHARE.units, **_RATE.units}
_ANY = _Kind("", _ALL_UNITS, "a number and its unit, as 20ms, 5% or 200/s", 0, math.inf, "")

_NAMED = {
    "mean": _LATENCY,
    "max": _LATENCY,
    "error_rate": _SHARE,
    "wrong_rate": _SHARE,
    "failed_rate": _SHARE,
    "mismatched_rate": _SHARE,
    "dropped_rate": _SHARE,
    "rate": _RATE,
}
_METRICS = "pN (as p99 or p99.9), lag_pN, " + ", ".join(_NAMED)
_LIKELY = ("p50", "p90", "p95", "p99", "p99.9", "lag_p50", "lag_p90", "lag_p95", "lag_p99", "lag_p99.9", *_NAMED)

_CLAUSE = re.compile(r"([^<>=!≤≥≠]*)([<>=!≤≥≠]*)(.*)", re.DOTALL)
_PERCENTILE = re.compile(r"(lag_)?p([0-9]+(?:\.[0-9]+)?)")
_VALUE = re.compile(
    r"(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)" rf"\s*([a-zA-Z{_MICRO}{_GREEK_MU}%/]*)"
)


@dataclass(frozen=True)
class Threshold:
    """One thing that a run has to hold.

    Attributes:
        text: as it was given, in the one way of writing it, for example `p99 < 20ms`; `parse` reads it again.
        metric: its name, for example `p99`, `lag_p99.9`, `max` or `error_rate`.
        operator: `<`, `<=`, `>` or `>=`.
        limit: in nanoseconds, as a share from 0 to 1, or per second: see `unit_kind`.
        percentile: the N of `pN` and `lag_pN`; None for other metrics.
    """

    text: str
    metric: str
    operator: str
    limit: float
    percentile: float | None = None

    @property
    def unit_kind(self) -> str:
        """What the limit is: `duration` (nanoseconds), `share` (0 to 1) or `rate` (per second)."""
        return _kind_of(self.metric).unit_kind

    @property
    def subject(self) -> str:
        """What of the run it is about, as in `text`: all that stands before the operator."""
        return self.text.split()[0]

    @property
    def unit(self) -> str:
        """The unit that the limit was given in, as in `text`; empty: there was none."""
        match = _VALUE.fullmatch(self.text.split()[2])
        assert match is not None  # `parse` has read it
        return match[2]

    @property
    def is_upper(self) -> bool:
        """Whether the limit is the most that may be, and not the least."""
        return self.operator.startswith("<")

    @property
    def is_lag(self) -> bool:
        """Whether it is about how late the load generator was, and not about answers."""
        return _is_lag(self.metric)

    def holds(self, value: float | None) -> bool | None:
        """Return whether a measured value, in the limit's unit, holds the threshold.

        None means that it is not known, because `value` is None or NaN: no sample is neither a pass nor a fault.
        """
        if value is None or math.isnan(value):
            return None
        return OPERATORS[self.operator](value, self.limit)


def unit_ns(unit: str) -> int:
    """Return how many nanoseconds a unit of time has, as a threshold writes it."""
    return int(_TIME_UNITS[unit])


def parse(text: str) -> tuple[Threshold, ...]:
    """Read thresholds separated by ';'; empty ones are skipped, so an empty text has none.

    Raises:
        ThresholdError: with every fault, among them limits that no run could cross, or none could hold.
    """
    thresholds: list[Threshold] = []
    faults: list[str] = []
    for clause in filter(None, (part.strip() for part in text.split(";"))):
        try:
            thresholds.append(_read_clause(clause))
        except ThresholdError as error:
            faults += [f"{quoted(clause)}: {fault}" for fault in error.faults]
    if faults:
        raise ThresholdError(faults)
    return tuple(thresholds)


def _read_clause(clause: str) -> Threshold:
    match = _CLAUSE.fullmatch(clause)
    assert match is not None  # any text is a metric, at least
    name, sign, value = (part.strip() for part in match.groups())
    if not sign:
        raise ThresholdError([f"no operator: expected {_one_of(OPERATORS)} between a metric and a value"])
    faults: list[str] = []
    metric, percentile = _attempt(faults, _read_metric, name) or ("", None)
    _attempt(faults, _check_operator, sign)
    kind = _kind_of(metric) if metric else _ANY
    number, unit, limit = _attempt(faults, _read_value, value, kind) or ("", "", 0.0)
    if not faults:
        _attempt(faults, _check_reach, OPERATORS[sign], limit, kind)
    if faults:
        raise ThresholdError(faults)
    return Threshold(f"{metric} {sign} {number}{unit}", metric, sign, limit, percentile)


def _attempt(faults: list[str], read: Callable[..., Any], *arguments: Any) -> Any:
    """Return what `read` returns, or None and one fault more."""
    try:
        return read(*arguments)
    except ValueError as fault:
        faults.append(str(fault))
        return None


def _kind_of(metric: str) -> _Kind:
    return _NAMED.get(metric) or (_LAG if _is_lag(metric) else _LATENCY)


def _is_lag(metric: str) -> bool:
    return metric.startswith("lag_")


def _read_metric(name: str) -> tuple[str, float | None]:
    """Return a metric's name in the one way of writing it, and its percentile."""
    if name in _NAMED:
        return name, None
    match = _PERCENTILE.fullmatch(name)
    if not match:
        raise ValueError(f"{_unknown(name)}: expected one of {_METRICS}")
    lag, percentile = match[1] or "", float(match[2])
    if not 0 < percentile < 100:
        raise ValueError(
            f"metric {quoted(name)}: expected a percentile above 0 and below 100{_decimals_hint(match[2])}"
        )
    return f"{lag}p{Decimal(repr(percentile)).normalize():f}", percentile


def _unknown(name: str) -> str:
    if not name:
        return "no metric before the operator"
    lower = name.lower()
    near = [lower] if _PERCENTILE.fullmatch(lower) else difflib.get_close_matches(lower, _LIKELY, n=1)
    return f"unknown metric {quoted(name)}" + (f" (did you mean {near[0]}?)" if near else "")


def _decimals_hint(digits: str) -> str:
    """Return a hint at p99.9 for p999, as some write it."""
    return f" (did you mean p{digits[:2]}.{digits[2:]}?)" if re.fullmatch("999+", digits) else ""


def _check_operator(sign: str) -> None:
    if sign not in OPERATORS:
        raise ValueError(f"operator {quoted(sign)}: expected {_one_of(OPERATORS)}")


def _read_value(value: str, kind: _Kind) -> tuple[str, str, float]:
    """Return the number as written, its unit, and both together in the unit of limits."""
    if not value:
        raise ValueError(f"no value after the operator: expected {kind.expected}")
    match = _VALUE.fullmatch(value)
    if not match:
        hint = "; thresholds are separated by ';'" if re.search("[<>]", value) else ""
        raise ValueError(f"value {quoted(value)}: expected {kind.expected}{hint}")
    number, unit = match.groups()
    if number.startswith("-"):
        raise ValueError(f"value {quoted(value)} is negative: expected {kind.expected}")
    if math.isinf(float(number)):
        raise ValueError(f"value {quoted(value)} is not finite: expected {kind.expected}")
    if unit not in kind.units:
        raise ValueError(f"value {quoted(value)} has {_unit_fault(unit)}: expected {kind.expected}")
    if kind is _SHARE and not unit and float(number) > 1:
        raise ValueError(f"value {quoted(value)} is no share (did you mean {value}%?): expected {kind.expected}")
    # By way of decimals: in floats 0.7 / 100 is less than 7 / 1000.
    return number, unit.replace(_GREEK_MU, _MICRO), float(Decimal(number) * kind.units[unit])


def _unit_fault(unit: str) -> str:
    return f"the unit {quoted(unit)}" if unit else "no unit"


def _check_reach(holds: Callable[[float, float], bool], limit: float, kind: _Kind) -> None:
    # All operators are monotonic: what is true of both ends is true of all between.
    ends = {holds(kind.low, limit), holds(kind.high, limit)}
    if ends == {True}:
        raise ValueError(f"can never be crossed: {kind.reach}")
    if ends == {False}:
        raise ValueError(f"can never be held: {kind.reach}")


def _one_of(choices: Mapping[str, Any]) -> str:
    *most, last = choices
    return f"{', '.join(most)} or {last}"
