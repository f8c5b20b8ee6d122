"""Figures that only pages hold; what a terminal shows, too, is written by `tfsload.analysis.figures`.

| what | how | for example |
| --- | --- | --- |
| a time of day | `moment` | 26 Nov 2026, 01:37 UTC |
| how long something took | `span` | 2 h 13 min |

Thresholds are written by `tfsload.analysis.held_words`.
"""

import datetime

from tfsload.analysis.figures import ENDLESS, NONE, count, digits, latency_ms, rate

__all__ = ["ENDLESS", "NONE", "count", "digits", "latency_ms", "moment", "rate", "span"]


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
