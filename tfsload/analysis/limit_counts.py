"""How many requests lay beyond a threshold's limit, and when: what the gate goes by, as plain data. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from tfsload.records.half_seconds import HalfSeconds
from tfsload.records.tenths import TENTHS_A_HALF_SECOND, Count

# Ten minutes of tenths; of what lasts longer, half-seconds are kept, and of what lasts longer than that wider rows.
MOST_ROWS = 6000


@dataclass(frozen=True)
class LimitCounts:
    """Counts of requests beside the limit of one threshold.

    Attributes:
        threshold: its text.
        n_tenths: how many tenths of a second a row holds: 1, 5, 10, 20 …
        rows: those that hold something, in order: which row it is, from 0 at the begin of the level or run; requests
            with a figure; for a percentile those of them above the limit, for a mean the sum of their figures in ns;
            requests without an answer and dropped arrivals.
    """

    threshold: str
    n_tenths: int
    rows: tuple[tuple[int, int, int, int], ...]


def limit_counts(half_seconds: HalfSeconds, begin_tenth: int = 0) -> tuple[LimitCounts, ...]:
    """Return what was counted for each threshold.

    Args:
        half_seconds: the counts.
        begin_tenth: the tenth with which the level or run begins.
    """
    return tuple(_of(text, half_seconds.tenths(text), begin_tenth) for text in half_seconds.texts)


def _of(text: str, tenths: Iterable[tuple[int, Count]], begin_tenth: int) -> LimitCounts:
    rows = [(tenth - begin_tenth, count) for tenth, count in tenths]
    n_tenths = 1
    while rows and rows[-1][0] - rows[0][0] >= MOST_ROWS * n_tenths:
        n_tenths = 2 * n_tenths if n_tenths > 1 else TENTHS_A_HALF_SECOND
    together: dict[int, Count] = {}
    for tenth, count in rows:
        number = tenth // n_tenths
        together[number] = together.get(number, Count()).plus(count)
    return LimitCounts(text, n_tenths, tuple((number, *count) for number, count in sorted(together.items())))
