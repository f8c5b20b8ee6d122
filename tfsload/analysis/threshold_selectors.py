"""What stands in a threshold's brackets: which level it is about, which class, or within which latency. Pure."""

import difflib
import math
from dataclasses import dataclass

from tfsload.analysis.threshold_kinds import (
    EXPECTED_TIME,
    GREEK_MU,
    MICRO,
    OF_A_CLASS,
    PARALLELISM,
    REACH_OF_LATENCY,
    RIGHT_RATE,
    TIME_UNITS,
    VALUE,
    in_units,
    plain_number,
)
from tfsload.records.histogram import HIGHEST_NS
from tfsload.transport.numerals import whole_number
from tfsload.transport.words import quoted

_LEVELS = ("users", "rate")


@dataclass(frozen=True)
class Selectors:
    """What a threshold's brackets hold.

    Attributes:
        users: of the level that it is about, in closed load.
        rate_rps: of the level that it is about, in open load.
        label: the class that it is about.
        within_ns: the latency within which answers count.
        text: all this in the one way of writing it, with the brackets; empty: there is none.
    """

    users: int | None = None
    rate_rps: float | None = None
    label: int | None = None
    within_ns: int | None = None
    text: str = ""


def read_selectors(text: str | None, metric: str) -> tuple[Selectors, list[str]]:
    """Return what is in the brackets behind a metric, and what is wrong with it.

    Args:
        text: without the brackets; None: there were none.
        metric: its name; empty: not known, and then the metric's own selector is not looked at.
    """
    faults: list[str] = []
    own: list[str] = []
    levels: dict[str, float] = {}
    for part in [] if text is None else [part.strip() for part in text.split(",")]:
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign:
            own.append(part)
        elif key not in _LEVELS:
            faults.append(f"{_unknown(key)}: expected {_expected(metric)}")
        elif key in levels:
            faults.append(f"selector {key}= stands there twice: leave one out")
        elif (found := _users(value) if key == "users" else _rate(value)) is None:
            wants = "a whole number from 1" if key == "users" else "requests a second above 0"
            faults.append(f"selector {quoted(part)}: expected {wants}, as {key}={'8' if key == 'users' else '400'}")
            levels[key] = 0
        else:
            levels[key] = found
    if metric == PARALLELISM and text is not None:
        return Selectors(), [f"{metric} is of the whole sweep: leave {quoted(f'[{text}]')} out"]
    if len(levels) == 2:
        faults.append("a level has a number of users, or a rate: leave users= or rate= out")
    own_text, label, within_ns = "", None, None
    if metric in OF_A_CLASS:
        own_text, label, fault = _class(metric, own)
        faults += fault
    elif metric == RIGHT_RATE:
        own_text, within_ns, fault = _within(own)
        faults += fault
    elif metric:
        faults += [f"selector {quoted(one)}: expected {_expected(metric)}" for one in own]
    users = int(levels["users"]) if "users" in levels else None
    rate_rps = levels.get("rate")
    parts = [own_text] if own_text else []
    parts += [f"users={users}"] if users is not None else []
    parts += [f"rate={plain_number(rate_rps)}"] if rate_rps is not None else []
    return Selectors(users, rate_rps, label, within_ns, f"[{','.join(parts)}]" if parts else ""), faults


def _expected(metric: str) -> str:
    levels = "a level, as users=8 or rate=400"
    if metric in OF_A_CLASS:
        return f"a class, as 7, and {levels}"
    return f"a limit on latency, as 20ms, and {levels}" if metric == RIGHT_RATE else levels


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key.lower(), _LEVELS, n=1)
    return f"unknown selector {quoted(key)}" + (f" (did you mean {near[0]}?)" if near else "")


def _users(text: str) -> int | None:
    return whole_number(text) or None


def _rate(text: str) -> float | None:
    match = VALUE.fullmatch(text)
    if not match or match[2] not in ("", "/s"):
        return None
    rate_rps = float(match[1])
    return rate_rps if 0 < rate_rps < math.inf else None


def _class(metric: str, own: list[str]) -> tuple[str, int | None, list[str]]:
    """Return the class that is meant, as text and number, and what is wrong."""
    if not own:
        return "", None, [f"{metric} is of one class: expected {metric}[7]"]
    if len(own) > 1:
        return "", None, [f"{metric} is of one class, and several are named: write a threshold for each"]
    label = whole_number(own[0])
    if label is None:
        return "", None, [f"selector {quoted(own[0])}: expected {_expected(metric)}"]
    return str(label), label, []


def _within(own: list[str]) -> tuple[str, int | None, list[str]]:
    """Return the limit on latency, as text and in ns, and what is wrong."""
    if not own:
        return "", None, ["right_rate counts answers within a latency: expected right_rate[20ms]"]
    if len(own) > 1:
        return "", None, ["right_rate has one limit on latency, and several are named: write a threshold for each"]
    match = VALUE.fullmatch(own[0])
    if not match or match[2] not in TIME_UNITS or match[1].startswith("-"):
        return "", None, [f"selector {quoted(own[0])}: expected {EXPECTED_TIME}"]
    within_ns = in_units(match[1], TIME_UNITS[match[2]])
    if not 1 <= within_ns < HIGHEST_NS:
        return "", None, [f"selector {quoted(own[0])}: {REACH_OF_LATENCY}"]
    return match[1] + match[2].replace(GREEK_MU, MICRO), int(within_ns), []
