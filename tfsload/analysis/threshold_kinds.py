"""What thresholds are about: the metrics, and what each is measured in. Pure."""

import difflib
import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tfsload.records.histogram import HIGHEST_NS
from tfsload.transport.words import SEPARATED, quoted


@dataclass(frozen=True)
class Kind:
    """What metrics of one kind are measured in.

    Attributes:
        unit_kind: as `tfsload.analysis.thresholds.Threshold.unit_kind`.
        units: each unit's size, in ns, as a share, per s or by itself; "" where the unit may be left out.
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
MICRO, GREEK_MU = "\u00b5", "\u03bc"
TIME_UNITS = {
    "ns": Decimal(1),
    "us": Decimal(1_000),
    f"{MICRO}s": Decimal(1_000),
    f"{GREEK_MU}s": Decimal(1_000),
    "ms": Decimal(1_000_000),
    "s": Decimal(1_000_000_000),
}
EXPECTED_TIME = "a number and its unit, ns, us, µs, ms or s, for example 20ms"
REACH_OF_LATENCY = "a latency is measured from 1ns to 7200s"
_LATENCY = Kind("duration", TIME_UNITS, EXPECTED_TIME, 1, HIGHEST_NS, REACH_OF_LATENCY)
_LAG = Kind("duration", TIME_UNITS, EXPECTED_TIME, 0, HIGHEST_NS, "a lag is measured from 0ns to 7200s")
SHARE = Kind(
    "share",
    {"": Decimal(1), "%": Decimal("0.01")},
    "a percentage or a fraction from 0 to 1, for example 5% or 0.05",
    0,
    1,
    "a share is from 0% to 100%",
)
_PER_S = {"": Decimal(1), "/s": Decimal(1)}
_RATE = Kind("rate", _PER_S, "requests a second, for example 200 or 200/s", 0, math.inf, "a rate is 0 or more")
_RIGHT_RATE = Kind(
    "rate", _PER_S, "right images a second, for example 500 or 500/s", 0, math.inf, "a rate is 0 or more"
)
_AT_ONCE = Kind(
    "count", {"": Decimal(1)}, "a number of requests at once, for example 3", 0, math.inf, "parallelism is 0 or more"
)
# Stands in for the kind of a metric that is not known, so that its value is read for other faults.
_ALL_UNITS = {**TIME_UNITS, **SHARE.units, **_RATE.units}
ANY = Kind("", _ALL_UNITS, "a number and its unit, as 20ms, 5% or 200/s", 0, math.inf, "")

RIGHT_RATE, PARALLELISM = "right_rate", "parallelism"
# Of one class of images each.
OF_A_CLASS = ("recall", "precision")
# Of what is right or wrong, which only labels tell.
OF_LABELS = ("error_rate", "wrong_rate", RIGHT_RATE, *OF_A_CLASS)
_NAMED = {
    "mean": _LATENCY,
    "max": _LATENCY,
    "error_rate": SHARE,
    "wrong_rate": SHARE,
    "failed_rate": SHARE,
    "mismatched_rate": SHARE,
    "dropped_rate": SHARE,
    "rate": _RATE,
    RIGHT_RATE: _RIGHT_RATE,
    **dict.fromkeys(OF_A_CLASS, SHARE),
    PARALLELISM: _AT_ONCE,
}
_METRICS = (
    "pN (as p99 or p99.9), lag_pN, mean, max, error_rate, wrong_rate, failed_rate, mismatched_rate, dropped_rate, "
    "rate, right_rate[20ms], recall[7], precision[7], parallelism"
)
_LIKELY = ("p50", "p90", "p95", "p99", "p99.9", "lag_p50", "lag_p90", "lag_p95", "lag_p99", "lag_p99.9", *_NAMED)
_PERCENTILE = re.compile(r"(lag_)?p([0-9]+(?:\.[0-9]+)?)")


def kind_of(metric: str) -> Kind:
    """Return what a metric is measured in; for an empty name what stands in for one that is not known."""
    if not metric:
        return ANY
    return _NAMED.get(metric) or (_LAG if is_lag(metric) else _LATENCY)


def is_lag(metric: str) -> bool:
    """Whether a metric is about how late requests left."""
    return metric.startswith("lag_")


def read_metric(name: str) -> tuple[str, float | None]:
    """Return a metric's name in the one way of writing it, and its percentile.

    Raises:
        ValueError: there is none of that name.
    """
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
    return f"{lag}p{plain_number(percentile)}", percentile


def plain_number(value: float) -> str:
    """Return a number without an exponent, and without what does not matter.

    >>> plain_number(99.90), plain_number(1e-5), plain_number(400.0)
    ('99.9', '0.00001', '400')
    """
    return f"{Decimal(repr(value)).normalize():f}"


# Words of other tools, and of people, for what has another name here: what it is, in a sentence's words.
_OTHERS_WORDS = {
    **dict.fromkeys(
        ("accuracy", "acc", "top1", "top_1", "right", "correct", "correctness"),
        "accuracy is 1 − error_rate: for 'accuracy > 90%' pass 'error_rate < 10%'",
    ),
    **dict.fromkeys(
        ("success_rate", "success", "availability", "answered_rate", "checks"),
        "requests that are answered are 1 − failed_rate: for 'success_rate > 99%' pass 'failed_rate < 1%'",
    ),
    **dict.fromkeys(
        ("errors", "failures", "fail_rate", "fail_ratio", "failure_rate", "http_req_failed"),
        "did you mean failed_rate, of requests without an answer, or error_rate, with wrong answers?",
    ),
    **dict.fromkeys(("rps", "qps", "tps", "throughput", "http_reqs", "requests_per_second"), "did you mean rate?"),
    **dict.fromkeys(("avg", "average", "avg_latency", "latency_mean"), "did you mean mean?"),
    **dict.fromkeys(("median", "med"), "did you mean p50?"),
    **dict.fromkeys(
        ("latency", "response_time", "duration", "http_req_duration"), "did you mean a percentile of it, such as p99?"
    ),
    **dict.fromkeys(("f1", "f1_score"), "there are precision and recall, of one class each"),
    **dict.fromkeys(("loss",), "answers are right or wrong here: error_rate"),
}


def _unknown(name: str) -> str:
    if not name:
        return "no metric before the operator"
    lower = name.lower()
    if said := _OTHERS_WORDS.get(re.sub(r"[\s-]+", "_", lower)):
        return f"unknown metric {quoted(name)} ({said})"
    near = [lower] if _PERCENTILE.fullmatch(lower) else difflib.get_close_matches(lower, _LIKELY, n=1)
    return f"unknown metric {quoted(name)}" + (f" (did you mean {near[0]}?)" if near else "")


def _decimals_hint(digits: str) -> str:
    """Return a hint at p99.9 for p999, as some write it."""
    return f" (did you mean p{digits[:2]}.{digits[2:]}?)" if re.fullmatch("999{1,6}", digits) else ""


VALUE = re.compile(
    r"(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)" rf"\s*([a-zA-Z{MICRO}{GREEK_MU}%/]*)"
)


def read_value(value: str, kind: Kind) -> tuple[str, str, float]:
    """Return the number as written, its unit, and both together in the unit of limits.

    Raises:
        ValueError: it is none of that kind.
    """
    if not value:
        raise ValueError(f"no value after the operator: expected {kind.expected}")
    match = VALUE.fullmatch(value)
    if not match:
        raise ValueError(f"value {quoted(value)}: expected {kind.expected}{_hint(value)}")
    number, unit = match.groups()
    if number.startswith("-"):
        raise ValueError(f"value {quoted(value)} is negative: expected {kind.expected}")
    if math.isinf(float(number)):
        raise ValueError(f"value {quoted(value)} is not finite: expected {kind.expected}")
    if unit not in kind.units:
        raise ValueError(f"value {quoted(value)} has {_unit_fault(unit)}: expected {kind.expected}")
    if kind is SHARE and not unit and float(number) > 1:
        raise ValueError(f"value {quoted(value)} is no share (did you mean {value}%?): expected {kind.expected}")
    limit = in_units(number, kind.units[unit])
    if limit < sys.float_info.min and Decimal(number):
        raise ValueError(f"value {quoted(value)} is too small to be told from 0: expected {kind.expected}")
    return number, unit.replace(GREEK_MU, MICRO), limit


def in_units(number: str, size: Decimal) -> float:
    """Return a number, as text, times the size of its unit.

    >>> in_units("1.001", TIME_UNITS["ms"])
    1001000.0
    """
    # By way of decimals: in floats 0.7 / 100 is less than 7 / 1000.
    return float(Decimal(number) * size)


def _hint(value: str) -> str:
    if re.search("[<>]", value):
        return f"; several thresholds are {SEPARATED}"
    number, *more = value.split()
    return "; what may follow it is abort, as in p99 < 50ms abort=10s" if more and VALUE.fullmatch(number) else ""


def _unit_fault(unit: str) -> str:
    if not unit:
        return "no unit"
    glued = unit.removesuffix("abort")
    hint = f" (did you mean {quoted(f'{glued} abort'.strip())}, with a space?)" if glued != unit else ""
    return f"the unit {quoted(unit)}{hint}"


def check_reach(holds: Callable[[float, float], bool], limit: float, kind: Kind) -> None:
    """Refuse a limit that no run could cross, or none could hold.

    Raises:
        ValueError: it is one.
    """
    # All operators are monotonic: what is true of both ends is true of all between.
    ends = {holds(kind.low, limit), holds(kind.high, limit)}
    if ends == {True}:
        raise ValueError(f"can never be crossed: {kind.reach}")
    if ends == {False}:
        raise ValueError(f"can never be held: {kind.reach}")
