"""Figures that only pages hold; what a terminal shows, too, is written by `tfsload.analysis.figures`.

| what | how | for example |
| --- | --- | --- |
| a time of day | `moment` | 26 Nov 2026, 01:37 UTC |

Thresholds are written by `tfsload.analysis.held_words`.
"""

import datetime

from tfsload.analysis.figures import ENDLESS, NONE, count, digits, latency_ms, rate, span

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


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
