"""Figures of a sweep in words: the same wherever they stand, so that a sentence and its table agree."""

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


def users(count: int) -> str:
    """Return a number of users.

    >>> users(1), users(1200)
    ('1 user', '1,200 users')
    """
    return f"{count:,} user{'' if count == 1 else 's'}"


def share(part: float, whole: float) -> str:
    """Return a share in per cent.

    >>> share(0.37, 1.63)
    '23 %'
    """
    return f"{100 * part / whole:.0f} %"
