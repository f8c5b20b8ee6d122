"""Thresholds: what a run has to hold, for example `p99 < 20ms; error_rate < 5%`.

A threshold is a metric, an operator and a value; several are separated by ';'. White space does not matter.

    metric     pN, mean, max             latency, N above 0 and below 100, as p99.9
               lag_pN                    dispatch lag: how late requests left
               error_rate, wrong_rate, failed_rate, mismatched_rate, dropped_rate
               rate                      answered requests a second
               right_rate[20ms]          images that are answered rightly within that latency, a second
               recall[7], precision[7]   of one class
               parallelism               requests that the server works on at once, of a sweep that begins with one user
    [level]    users=8 or rate=400       of that level alone: p99[users=8], recall[7,rate=400], right_rate[20ms,users=8]
    operator   < <= > >=
    value      a latency or lag in ns, us (or µs), ms or s; a share in % or as a fraction; a rate plain or with /s; a
               number of requests
    abort      a last word: the run ends where it is crossed. abort=10s: at each look for so long, the grace

Reading is kept apart from judging: what a metric came to is for the caller to find out.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tfsload.analysis.threshold_kinds import (
    PARALLELISM,
    TIME_UNITS,
    VALUE,
    check_reach,
    in_units,
    is_lag,
    kind_of,
    read_metric,
    read_value,
)
from tfsload.analysis.threshold_selectors import read_selectors
from tfsload.transport.words import quoted

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# For how long a threshold has to be crossed before it ends the run, where that is not said: chance has much to say in
# the first few answers.
DEFAULT_GRACE_S = 5.0
_MOST_GRACE_S = 24 * 3600


class ThresholdError(ValueError):
    """Thresholds that cannot be meant. `faults` holds one sentence for each fault, with the bad threshold quoted."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


_CLAUSE = re.compile(
    r"(?P<metric>[^\[\]<>=!≤≥≠]*)(?:\[(?P<selectors>[^\[\]]*)\])?(?P<rest>[^<>=!≤≥≠]*)"
    r"(?P<sign>[<>=!≤≥≠]*)(?P<value>.*)",
    re.DOTALL,
)
_ABORT = re.compile(r"(?P<value>.*?)(?:(?<![^\W_])abort\b\s*(?P<equals>=?)(?P<grace>.*))?", re.DOTALL)


@dataclass(frozen=True)
class Threshold:
    """One thing that a run has to hold.

    Attributes:
        text: as it was given, in the one way of writing it, for example `p99 < 20ms`; `parse` reads it again.
        metric: its name, for example `p99`, `lag_p99.9`, `max` or `error_rate`.
        operator: `<`, `<=`, `>` or `>=`.
        limit: in nanoseconds, as a share from 0 to 1, per second, or a number: see `unit_kind`.
        percentile: the N of `pN` and `lag_pN`; None for other metrics.
        users, rate_rps: of the level that it is about, in closed and in open load; None, both: it is about each level.
        label: the class that it is about; None: all.
        within_ns: of `right_rate`, the latency within which answers count.
        aborts: whether the run ends where it is crossed.
        grace_s: for how long it has to be crossed for that; None: it is not said.
    """

    text: str
    metric: str
    operator: str
    limit: float
    percentile: float | None = None
    users: int | None = None
    rate_rps: float | None = None
    label: int | None = None
    within_ns: int | None = None
    aborts: bool = False
    grace_s: float | None = None

    @property
    def subject(self) -> str:
        """What of the run it is about, as in `text`: all that stands before the operator."""
        return self.text.split()[0]

    @property
    def unit(self) -> str:
        """The unit that the limit was given in, as in `text`; empty: there was none."""
        match = VALUE.fullmatch(self.text.split()[2])
        assert match is not None  # `parse` has read it
        return match[2]

    @property
    def unit_kind(self) -> str:
        """What the limit is: `duration` (nanoseconds), `share` (0 to 1), `rate` (per second) or `count` (a number)."""
        return kind_of(self.metric).unit_kind

    @property
    def is_upper(self) -> bool:
        """Whether the limit is the most that may be, and not the least."""
        return self.operator.startswith("<")

    @property
    def is_lag(self) -> bool:
        """Whether it is about how late the load generator was, and not about answers."""
        return is_lag(self.metric)

    @property
    def is_of_sweep(self) -> bool:
        """Whether it is about a sweep as a whole, and not about its levels."""
        return self.metric == PARALLELISM

    @property
    def names_level(self) -> bool:
        """Whether it is about one level, and not about each."""
        return self.users is not None or self.rate_rps is not None

    def is_about(self, users: int, rate_rps: float | None) -> bool:
        """Whether it is about a level.

        Args:
            users: of the level.
            rate_rps: of the level; None: it is one of closed load.
        """
        if self.is_of_sweep:
            return False
        if self.rate_rps is not None:
            return self.rate_rps == rate_rps
        return self.users is None or (rate_rps is None and self.users == users)

    def holds(self, value: float | None) -> bool | None:
        """Return whether a measured value, in the limit's unit, holds the threshold.

        None means that it is not known, because `value` is None or NaN: no sample is neither a pass nor a fault.
        """
        if value is None or math.isnan(value):
            return None
        return OPERATORS[self.operator](value, self.limit)


def unit_ns(unit: str) -> int:
    """Return how many nanoseconds a unit of time has, as a threshold writes it."""
    return int(TIME_UNITS[unit])


def parse(text: str) -> tuple[Threshold, ...]:
    """Read thresholds separated by ';'; empty ones are skipped, as what stands there twice, and an empty text has none.

    Raises:
        ThresholdError: with every fault, among them limits that no run could cross, or none could hold, and a text of
            separators alone: what was to stand between them is missing, and a run would be held to nothing.
    """
    thresholds: list[Threshold] = []
    faults: list[str] = []
    clauses = [part.strip() for part in text.split(";") if part.strip()]
    if text.strip() and not clauses:
        raise ThresholdError([f"{quoted(text)}: no threshold stands there: name one, or leave it out"])
    for clause in clauses:
        try:
            thresholds.append(_read_clause(clause))
        except ThresholdError as error:
            faults += [f"{quoted(clause)}: {fault}" for fault in error.faults]
    if faults:
        raise ThresholdError(faults)
    return tuple(dict.fromkeys(thresholds))


def _read_clause(clause: str) -> Threshold:
    match = _CLAUSE.fullmatch(clause)
    assert match is not None  # any text is a metric, at least
    sign, rest = match["sign"], match["rest"].strip()
    if misplaced := _misplaced(clause, match["metric"], rest):
        raise ThresholdError([misplaced])
    if not sign:
        raise ThresholdError([f"no operator: expected {_one_of(OPERATORS)} between a metric and a value"])
    if rest:
        raise ThresholdError(
            [f"{quoted(rest)}: expected an operator, behind at most one pair of brackets: p99[users=8]"]
        )
    faults: list[str] = []
    metric, percentile = _attempt(faults, read_metric, match["metric"].strip()) or ("", None)
    selectors, selector_faults = read_selectors(match["selectors"], metric)
    faults += selector_faults
    _attempt(faults, _check_operator, sign)
    last = _ABORT.fullmatch(match["value"])
    assert last is not None  # its second part may be missing
    aborts = last["grace"] is not None
    abort, grace_s = _attempt(faults, _read_abort, last, metric) or ("", None)
    kind = kind_of(metric)
    number, unit, limit = _attempt(faults, read_value, last["value"].strip(), kind) or ("", "", 0.0)
    if not faults:
        _attempt(faults, check_reach, OPERATORS[sign], limit, kind)
    if faults:
        raise ThresholdError(faults)
    text = f"{metric}{selectors.text} {sign} {number}{unit}{abort}"
    return Threshold(
        text,
        metric,
        sign,
        limit,
        percentile,
        selectors.users,
        selectors.rate_rps,
        selectors.label,
        selectors.within_ns,
        aborts,
        grace_s,
    )


def _misplaced(clause: str, metric: str, rest: str) -> str:
    """Return what stands where it does not belong, and where it does; empty: nothing.

    Args:
        clause: the threshold.
        metric, rest: of it, what stands before the brackets, and between them and the operator.
    """
    if metric.strip() == "abort":
        return "abort is a threshold's last word: write it behind the value, as in p99 < 50ms abort"
    if "abort" in metric.split() or "abort" in rest.split():
        return "abort is the last word, behind the value, as in p99 < 50ms abort"
    if rest.startswith("[") and clause.count("[") > clause.count("]"):
        return f"{quoted(rest)}: the bracket is not closed: ']' is missing, as in p99[users=8]"
    return ""


def _attempt(faults: list[str], read: Callable[..., Any], *arguments: Any) -> Any:
    """Return what `read` returns, or None and one fault more."""
    try:
        return read(*arguments)
    except ValueError as fault:
        faults.append(str(fault))
        return None


def _read_abort(last: re.Match[str], metric: str) -> tuple[str, float | None]:
    """Return the last word as it is written, and the grace in seconds."""
    if last["grace"] is None:
        return "", None
    if metric == PARALLELISM:
        raise ValueError(f"abort: {metric} is known at the sweep's end, when nothing is left to end; leave it out")
    given = last["grace"].strip()
    if not last["equals"]:
        if given:
            raise ValueError(f"{quoted(given)} after abort: expected nothing, or the grace, as abort=10s")
        return " abort", None
    match = VALUE.fullmatch(given)
    if not match or match[2] not in TIME_UNITS or match[1].startswith("-"):
        raise ValueError(f"abort={quoted(given)}: expected a time, as abort=10s")
    grace_s = in_units(match[1], TIME_UNITS[match[2]]) / 1e9
    if not grace_s <= _MOST_GRACE_S:
        raise ValueError(f"abort={quoted(given)}: expected at most {_MOST_GRACE_S}s")
    _, unit, _ = read_value(given, kind_of("mean"))
    return f" abort={match[1]}{unit}", grace_s


def _check_operator(sign: str) -> None:
    if sign not in OPERATORS:
        raise ValueError(f"operator {quoted(sign)}: expected {_one_of(OPERATORS)}")


def _one_of(choices: Mapping[str, Any]) -> str:
    *most, last = choices
    return f"{', '.join(most)} or {last}"
