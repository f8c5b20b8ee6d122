"""A threshold, what was found and the margin between them, in words: the same in every table, report and page. Pure.

`words_of(held)` returns a `HeldWords`. Put together as `mark`, `asked`, `value`, `margin` they are a table's row:

    ✓ p99 < 20 ms         up to 6.75 ms   66% below
    ↑ error_rate < 0.5%   0.80%           60% above
    ? p99.9 < 50 ms       –

and `mark` with `state_word` is the state as an icon and a word. Who writes HTML, XML or Markdown has to escape them.
"""

import math
from dataclasses import dataclass
from typing import Literal

from tfsload.analysis.figures import at_once, percent
from tfsload.analysis.held import Held
from tfsload.analysis.threshold_words import asked_words, bound_words, unit_word
from tfsload.analysis.thresholds import Threshold, unit_ns

# Before what is the upper end of a percentile.
UP_TO = "up to "
State = Literal["held", "crossed", "unknown"]

_MARKS: dict[State, str] = {"held": "✓", "crossed": "↑", "unknown": "?"}
_STATE_WORDS: dict[State, str] = {"held": "held", "crossed": "crossed", "unknown": "cannot be judged"}
# A time is told in the limit's own unit, unless it would have too many digits, or too few.
_LEAST_OF_UNIT, _MOST_OF_UNIT = 0.01, 10_000
# So many digits at least, and as many more as it takes to see on which side of the limit a figure lies.
_DIGITS = 3
_MORE_DIGITS = 9
# From here on a margin is told as how many times the limit a figure is.
_TIMES = 10
# A figure so far below a limit is not called all of it below.
_ALMOST_ALL = 0.99


@dataclass(frozen=True)
class HeldWords:
    """A threshold and what it was held against, in words.

    Attributes:
        state: `held`, `crossed`, or `unknown`: it cannot be judged.
        mark: the state as one character: ✓, ↑ or ?.
        state_word: the state as people read it.
        asked: the threshold, as `p99 < 20 ms`.
        bound: its limit alone, as `20 ms`.
        value: the figure, with as many digits as show on which side of the limit it lies, as `6.75 ms`; ∞ where so many
            requests had no answer; – where there is none. Where it is judged by its interval, with that behind it, and
            where it is the upper end of a percentile, as `up to` that: what was observed is less.
        margin: how far it lies from the limit, and on which side, as `66% below`; empty where that cannot be said.
        where: the level's name, and which of several it is; empty: the whole run.
        why_unknown: why it cannot be judged; empty: it can.
        cure: what to do, so that it can; empty: nothing can be said.
    """

    state: State
    mark: str
    state_word: str
    asked: str
    bound: str
    value: str
    margin: str
    where: str
    why_unknown: str
    cure: str


def words_of(held: Held) -> HeldWords:
    """Return a threshold, what was found and the margin in words."""
    threshold = held.threshold
    state: State = "unknown" if held.holds is None else "held" if held.holds else "crossed"
    bound = bound_words(threshold)
    return HeldWords(
        state=state,
        mark=_MARKS[state],
        state_word=_STATE_WORDS[state],
        asked=asked_words(threshold),
        bound=bound,
        value=_end_words(held) + value_words(threshold, held.value) + _interval_words(held),
        margin=margin_words(threshold, held.value),
        where=held.place,
        why_unknown=held.why_unknown,
        cure=held.cure,
    )


def figure_and_unit(held: Held) -> tuple[str, str]:
    """Return the figure that a threshold was held against, and its unit, each by itself, as a card has them.

    Args:
        held: of which the figure is known.
    """
    told = value_words(held.threshold, held.value)
    if held.value is None or not math.isfinite(held.value):
        return told, ""
    match held.threshold.unit_kind:
        case "duration":
            figure, _, unit = told.rpartition(" ")
            return figure, unit
        case "share":
            return told.removesuffix("%"), "%"
        case "rate":
            return told.removesuffix("/s"), "requests/s"
    return told, ""


def value_words(threshold: Threshold, value: float | None) -> str:
    """Return a figure in the unit of a threshold's limit, and on the same side of it."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    limit = threshold.limit
    match threshold.unit_kind:
        case "duration":
            unit = _unit_for(threshold, value)
            return f"{_figure(value / unit_ns(unit), limit / unit_ns(unit))} {unit_word(unit)}"
        case "share":
            return percent(value) if value in (0, 1) else f"{_percentage(100 * value, float(f'{100 * limit:.12g}'))}%"
        case "rate":
            return f"{_figure(value, limit)}/s"
    return _told(value, limit, len(at_once(value).partition(".")[2]))


def _interval_words(held: Held) -> str:
    return "" if held.low is None or held.high is None else f" ({at_once(held.low)} to {at_once(held.high)})"


def _end_words(held: Held) -> str:
    is_end = held.threshold.percentile is not None and held.threshold.is_upper
    return UP_TO if is_end and held.value is not None and math.isfinite(held.value) else ""


def margin_words(threshold: Threshold, value: float | None) -> str:
    """Return how far a figure lies from a threshold's limit, and on which side."""
    if value is None or math.isnan(value):
        return ""
    limit = threshold.limit
    if value == limit:
        return "at the bound"
    side = "below" if value < limit else "above"
    # A limit may be so small that no number tells how many times it something is.
    if not limit or math.isinf(value / limit):
        return side
    if value >= _TIMES * limit:
        return f"{_significant(value / limit)}× the bound"
    if 0 < value < (1 - _ALMOST_ALL) * limit:
        return f"over {_ALMOST_ALL:.0%} below"
    return f"{_percentage_of_margin(100 * (abs(value - limit) / limit))} {side}"


def _unit_for(threshold: Threshold, value_ns: float) -> str:
    """Return the unit in which a time is told."""
    unit = threshold.unit
    if not value_ns or _LEAST_OF_UNIT <= value_ns / unit_ns(unit) < _MOST_OF_UNIT:
        return unit
    return next((one for one in ("s", "ms", "us") if value_ns >= unit_ns(one)), "ns")


def _figure(value: float, limit: float) -> str:
    """Return a figure with three digits or all before the point, and more where only they show on which side it is."""
    return _told(value, limit, _decimals(value))


def _decimals(value: float) -> int:
    return max(_DIGITS - 1 - math.floor(math.log10(abs(value))), 0) if value else 0


def _percentage(value: float, limit: float) -> str:
    """Return a share in per cent, with two decimals where these tell; not quite none is never called none."""
    decimals = 2
    while 0 < value < 100 and decimals < 2 + _MORE_DIGITS and round(value, decimals) in (0, 100):
        decimals += 1
    return _told(value, limit, decimals)


def _told(value: float, limit: float, decimals: int) -> str:
    """Return a number with so many decimals, and as many more as it takes to see on which side of the limit it lies."""
    for more in range(decimals, decimals + _MORE_DIGITS):
        told = round(value, more)
        if (told < limit, told > limit) == (value < limit, value > limit):
            return f"{value:,.{more}f}"
    return f"{value:,.{decimals + _MORE_DIGITS}f}"


def _percentage_of_margin(percentage: float) -> str:
    """Return a margin: whole from 10 % on, to a tenth from 1 % on, and the first digit that is none below."""
    if percentage >= _TIMES:
        return f"{percentage:,.0f}%"
    if percentage >= 1:
        return f"{percentage:.1f}%"
    return f"{percentage:.1g}%" if percentage >= 1e-4 else "less than 0.0001%"


def _significant(value: float) -> str:
    return f"{value:,.{_decimals(value)}f}"
