"""Figures for people who read a page: each kind of figure in one way, wherever it stands.

| what | how | for example |
| --- | --- | --- |
| a count | `count` | 2,142 |
| a latency, without its unit | `latency_ms` | 0.727, 3.13, 10.5 |
| requests a second, without the unit | `rate` | 2,142, 12.5 |
| a time of day | `moment` | 26 Nov 2026, 01:37 UTC |

Shares are written by `tfsload.analysis.figures.percent`, speed-ups by `fold`, thresholds by
`tfsload.analysis.held_words`.
"""

import datetime
import math

# What cannot be said; 0 is counted, and none.
NONE = "–"
ENDLESS = "∞"


def count(number: float) -> str:
    """Return a count.

    >>> count(2142)
    '2,142'
    """
    return f"{number:,.0f}"


def digits(value: float, most: int = 3) -> str:
    """Return a number with so many digits, and never in powers of ten.

    >>> digits(0.7268), digits(10.52), digits(1234.5), digits(0), digits(0.00042), digits(9.999)
    ('0.727', '10.5', '1,234', '0', '0.000420', '10.0')
    """
    if not value:
        return "0"
    rounded = float(f"{value:.{most - 1}e}")
    decimals = max(most - 1 - math.floor(math.log10(abs(rounded))), 0)
    return f"{value:,.{decimals}f}"


def latency_ms(nanoseconds: float | None) -> str:
    """Return a latency in milliseconds, without the unit.

    >>> latency_ms(3_134_000), latency_ms(None), latency_ms(math.inf)
    ('3.13', '–', '∞')
    """
    if nanoseconds is None:
        return NONE
    return ENDLESS if math.isinf(nanoseconds) else digits(nanoseconds / 1e6)


def rate(rps: float | None) -> str:
    """Return requests a second, without the unit.

    >>> rate(2142.4), rate(12.53), rate(None)
    ('2,142', '12.5', '–')
    """
    if rps is None:
        return NONE
    return count(rps) if rps >= 100 else digits(rps)


def moment(unix_s: float) -> str:
    """Return a time of day, to the minute; empty: it is not known.

    >>> moment(1_795_656_840)
    '26 Nov 2026, 01:34 UTC'
    """
    if not unix_s:
        return ""
    # Not by the locale's names, and no leading zero.
    at = datetime.datetime.fromtimestamp(unix_s, datetime.UTC)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def span(seconds: float) -> str:
    """Return how long something took.

    >>> span(29.2), span(0.42), span(5.0), span(600), span(8000)
    ('29 s', '0.42 s', '5 s', '10 min', '2 h 13 min')
    """
    if seconds < 120:
        return f"{digits(seconds, 2) if seconds != round(seconds) else count(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
