"""Figures in words: each kind of figure in one way, wherever it stands, so that a sentence and its table agree.

| what | how | for example |
| --- | --- | --- |
| a count | `count`, `requests`, `users` | 2,142, 1 request, 8 users |
| a time of about a request, in ms, with its unit and without | `latency`, `latency_ms` | 3.13 ms; 0.727, 10.5 |
| such a time against a limit | `latency_against` | 20.004 ms |
| requests a second, without the unit | `rate` | 2,142, 12.5 |
| a measured share | `percent` | 0.80% |
| a rough part of a whole | `share` | 23% |
| a speed-up | `fold` | 1.85× |
| requests served at a time | `at_once` | 1.81 |
| a length of time that a run takes | `span` | 48 s, 2 min 24 s |
| images a request, where not all hold as many | `on_average` | (62.5 on average: the last of 16 holds 40) |
"""

import math
from collections.abc import Mapping

from tfsload.records.level import users

__all__ = [
    "ENDLESS",
    "NONE",
    "at_once",
    "by_code",
    "count",
    "difference",
    "digits",
    "fold",
    "latency",
    "latency_against",
    "latency_ms",
    "on_average",
    "percent",
    "rate",
    "requests",
    "share",
    "span",
    "users",
]

# What cannot be said; 0 is counted, and none.
NONE = "–"
ENDLESS = "∞"
# A figure that was measured has so many digits at least; what stands before the point is never cut.
_DIGITS = 3


def count(number: float | None) -> str:
    """Return a count; – where there is none.

    >>> count(2142), count(None)
    ('2,142', '–')
    """
    return NONE if number is None else f"{number:,.0f}"


def requests(n: int, of: int | None = None) -> str:
    """Return a number of requests in words, of how many where that is told.

    >>> requests(1), requests(1200), requests(1, of=1), requests(1, of=1200)
    ('1 request', '1,200 requests', '1 of 1 request', '1 of 1,200 requests')
    """
    part = "" if of is None else f"{n:,} of "
    whole = n if of is None else of
    return f"{part}{whole:,} request{'' if whole == 1 else 's'}"


def digits(value: float, least: int = _DIGITS) -> str:
    """Return a measured number with so many digits, or all before the point, and never in powers of ten.

    >>> digits(0.7268), digits(10.52), digits(1234.5), digits(9.999), digits(0.00042), digits(0)
    ('0.727', '10.5', '1,234', '10.0', '0.000420', '0')
    """
    return f"{value:,.{_decimals(value, least)}f}" if value else "0"


def _decimals(value: float, least: int = _DIGITS) -> int:
    rounded = float(f"{value:.{least - 1}e}")
    return max(least - 1 - math.floor(math.log10(abs(rounded))), 0)


def latency_ms(nanoseconds: float | None) -> str:
    """Return a time of about a request in milliseconds, without the unit.

    >>> latency_ms(3_134_000), latency_ms(None), latency_ms(math.inf)
    ('3.13', '–', '∞')
    """
    if nanoseconds is None:
        return NONE
    return ENDLESS if math.isinf(nanoseconds) else digits(nanoseconds / 1e6)


def latency(nanoseconds: float) -> str:
    """Return a time of about a request.

    >>> latency(1_634_000), latency(20_000_000), latency(4_200)
    ('1.63 ms', '20.0 ms', '0.00420 ms')
    """
    return f"{latency_ms(nanoseconds)} ms"


def difference(nanoseconds: float, less_ns: float) -> str:
    """Return one time less a shorter one, of the figures as they are told, so that the three of them add up.

    >>> latency(4_104_000), latency(315_200), difference(4_104_000, 315_200)
    ('4.10 ms', '0.315 ms', '3.78 ms')
    """
    decimals = _decimals(nanoseconds / 1e6)
    told = round(nanoseconds / 1e6, decimals) - round(less_ns / 1e6, _decimals(less_ns / 1e6) if less_ns else 0)
    is_told = round(told, decimals) > 0
    return f"{told:,.{decimals}f} ms" if is_told else latency(nanoseconds - less_ns)


def rate(rps: float | None) -> str:
    """Return requests a second, without the unit.

    >>> rate(2142.4), rate(12.53), rate(None)
    ('2,142', '12.5', '–')
    """
    return NONE if rps is None else digits(rps)


def at_once(n_requests: float) -> str:
    """Return how many requests are served at a time.

    >>> at_once(1.2345), at_once(64.04)
    ('1.23', '64.0')
    """
    return f"{n_requests:.2f}" if n_requests < 9.995 else f"{n_requests:,.1f}"


def fold(speed_up: float) -> str:
    """Return a speed-up.

    >>> fold(1.678)
    '1.68×'
    """
    return f"{speed_up:,.2f}×"


def share(part: float, whole: float = 1.0, decimals: int = 0) -> str:
    """Return a rough share in per cent.

    >>> share(0.37, 1.63), share(1.104, decimals=1)
    ('23%', '110.4%')
    """
    return f"{100 * part / whole:,.{decimals}f}%"


def percent(fraction: float | None) -> str:
    """Write a fraction as a percentage with two decimals; – where there is none.

    What is not quite none or not quite all is never called that: 0.00001 is 0.001%, and 0.99999 is 99.999%.

    >>> percent(0.0082), percent(0.008), percent(0.0), percent(0.00001), percent(None)
    ('0.82%', '0.80%', '0%', '0.001%', '–')
    """
    if fraction is None:
        return NONE
    if fraction in (0, 1):
        return f"{fraction:.0%}"
    decimals = 2
    while 0 < fraction < 1 and f"{100 * fraction:.{decimals}f}" in (f"{0:.{decimals}f}", f"{100:.{decimals}f}"):
        decimals += 1
    return f"{100 * fraction:.{decimals}f}%"


def latency_against(nanoseconds: float, limit_ns: float) -> str:
    """Return a time of about a request, finely enough to see on which side of a limit it lies.

    >>> latency_against(6_754_321, 20_000_000), latency_against(20_004_000, 20_000_000)
    ('6.75 ms', '20.004 ms')
    """
    told = ""
    for least in range(_DIGITS, 2 * _DIGITS + 1):
        told = digits(nanoseconds / 1e6, least)
        if _side(float(told.replace(",", "")), limit_ns / 1e6) == _side(nanoseconds, limit_ns):
            break
    return f"{told} ms"


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)


def span(seconds: float) -> str:
    """Return a length of time to the second, longer ones than an hour to the minute, shorter ones than 10 s to a tenth.

    >>> span(2.5), span(48), span(144), span(3600), span(90_000)
    ('2.5 s', '48 s', '2 min 24 s', '1 h', '25 h')
    """
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 3600:
        parts = ((whole // 60, "min"), (whole % 60, "s"))
    else:
        minutes = round(seconds / 60)
        parts = ((minutes // 60, "h"), (minutes % 60, "min"))
    return " ".join(f"{count:,} {unit}" for count, unit in parts if count)


def on_average(per_request: int, n_images: int) -> str:
    """Return how many images requests hold that do not all hold as many, to be set behind that number; else nothing.

    >>> on_average(64, 1000), on_average(64, 40), on_average(50, 1000), on_average(64, 0)
    (' (62.5 on average: the last of 16 holds 40)', ' (all 40 in one)', '', '')

    Args:
        per_request: images a request, at least 1.
        n_images: images that are fired, over and over or once each; 0: not known.
    """
    left_over = n_images % per_request
    if not left_over:
        return ""
    n_requests = n_images // per_request + 1
    if n_requests == 1:
        return f" (all {n_images:,} in one)"
    return f" ({digits(n_images / n_requests)} on average: the last of {n_requests:,} holds {left_over:,})"


def by_code(failed: Mapping[str, int]) -> str:
    """Return how many failed with each code.

    >>> by_code({"UNAVAILABLE": 1200, "BAD_REPLY": 3})
    'UNAVAILABLE 1,200, BAD_REPLY 3'
    """
    return ", ".join(f"{code} {n:,}" for code, n in failed.items())
