"""Figures in words: the same wherever they stand, so that a sentence and its table agree.

| what | how | for example |
| --- | --- | --- |
| a measured share | `percent` | 2.1% |
| a rough part of a whole | `share` | 23 % |
| a measured time | `duration` | 950 µs, 12.3 ms |
| times that are added up or taken from one another | `milliseconds` | 1.63 ms |
| a time against a limit | `to_the_microsecond` | 20.004 ms |
"""

from collections.abc import Mapping

from tfsload.records.level import users

__all__ = ["at_once", "by_code", "duration", "fold", "milliseconds", "percent", "share", "to_the_microsecond", "users"]

# From here on times are written to 0.01 ms.
SHORTEST_NS = 100_000


def milliseconds(nanoseconds: float) -> str:
    """Return a time of about a request, to 0.01 ms, shorter ones to two digits.

    >>> milliseconds(1_634_000), milliseconds(20_000_000), milliseconds(4_200)
    ('1.63 ms', '20.00 ms', '0.0042 ms')
    """
    time_ms = nanoseconds / 1e6
    return f"{time_ms:,.2f} ms" if nanoseconds >= SHORTEST_NS or not nanoseconds else f"{time_ms:.2g} ms"


def at_once(count: float) -> str:
    """Return how many requests are served at a time.

    >>> at_once(1.2345), at_once(64.04)
    ('1.23', '64.0')
    """
    return f"{count:.2f}" if count < 9.995 else f"{count:,.1f}"


def fold(speed_up: float) -> str:
    """Return a speed-up.

    >>> fold(1.678)
    '1.68×'
    """
    return f"{speed_up:.2f}×"


def share(part: float, whole: float = 1.0) -> str:
    """Return a rough share in per cent.

    >>> share(0.37, 1.63)
    '23 %'
    """
    return f"{100 * part / whole:.0f} %"


def percent(fraction: float | None) -> str:
    """Write a fraction as a percentage with at most two decimals: 0.021 → 2.1%; – where there is none.

    What is not quite none or not quite all is never called that: 0.00001 → 0.001%, 0.99999 → 99.999%.
    """
    if fraction is None:
        return "–"
    decimals = 2
    while 0 < fraction < 1 and f"{100 * fraction:.{decimals}f}" in (f"{0:.{decimals}f}", f"{100:.{decimals}f}"):
        decimals += 1
    return f"{100 * fraction:.{decimals}f}".rstrip("0").rstrip(".") + "%"


def duration(nanoseconds: float) -> str:
    """Write a duration in µs below 1 ms, in ms below 10 s, and in s above."""
    if nanoseconds < 1e6:
        return f"{nanoseconds / 1e3:.0f} µs"
    if nanoseconds < 1e7:
        return f"{nanoseconds / 1e6:.2f} ms"
    if nanoseconds < 1e10:
        return f"{nanoseconds / 1e6:,.1f} ms"
    return f"{nanoseconds / 1e9:,.2f} s"


def to_the_microsecond(nanoseconds: float) -> str:
    """Return a time finely enough to see on which side of a limit it lies.

    >>> to_the_microsecond(20_004_000)
    '20.004 ms'
    """
    return f"{nanoseconds / 1e6:,.3f} ms"


def by_code(failed: Mapping[str, int]) -> str:
    """Return how many failed with each code.

    >>> by_code({"UNAVAILABLE": 1200, "BAD_REPLY": 3})
    'UNAVAILABLE 1,200, BAD_REPLY 3'
    """
    return ", ".join(f"{code} {count:,}" for code, count in failed.items())
