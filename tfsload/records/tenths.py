"""Counts of requests by tenth of a second, for one threshold. Pure."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

TENTH_NS = 100_000_000
TENTHS_A_HALF_SECOND = 5
# So many tenths are kept one by one; what has more, as a whole run has, keeps them by the minute.
MOST_SINGLE = 600
_TENTHS_A_MINUTE = 600
_NOTHING = (0, 0, 0)


class Count(NamedTuple):
    """What some requests came to, beside one limit.

    Attributes:
        n: those with a figure: a latency, or a lag.
        amount: for a percentile those of them above the limit, for a mean the sum of their figures in ns.
        n_endless: requests without an answer and dropped arrivals; 0 for a lag.
    """

    n: int = 0
    amount: int = 0
    n_endless: int = 0

    def plus(self, other: "Count") -> "Count":
        """Return the two together."""
        return Count(self.n + other.n, self.amount + other.amount, self.n_endless + other.n_endless)

    def minus(self, other: "Count") -> "Count":
        """Return what is left without the other, which is a part of it."""
        return Count(self.n - other.n, self.amount - other.amount, self.n_endless - other.n_endless)


class Tenths:
    """Three counters by tenth of a second.

    What is sent, such as a lease of a few requests, has some tenths only: they are kept one by one. Once there are
    many they are kept in a block for each minute that has any, of 14 kB: 21 MB a day.

    Attributes:
        first: the earliest tenth that holds something; None: none does.
    """

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.first: int | None = None
        self._total = [0, 0, 0]
        self._single: dict[int, list[int]] = {}
        self._minutes: dict[int, array[int]] = {}
        self._watching: list[Callable[[int], None]] = []

    def watch(self, on_change: Callable[[int], None]) -> None:
        """Have a function called with each tenth that comes to hold more, and now with all that hold something."""
        for tenth, _ in self:
            on_change(tenth)
        self._watching.append(on_change)

    def add(self, rows: Iterable[tuple[int, Sequence[int]]]) -> None:
        """Add the three counts of some tenths."""
        single, total = self._single, self._total
        for tenth, (n, amount, n_endless) in rows:
            total[0] += n
            total[1] += amount
            total[2] += n_endless
            if self.first is None or tenth < self.first:
                self.first = tenth
            for on_change in self._watching:
                on_change(tenth)
            counts = single.get(tenth)
            if counts is not None:
                counts[0] += n
                counts[1] += amount
                counts[2] += n_endless
                continue
            if len(single) >= MOST_SINGLE:
                self._pack()
            single[tenth] = [n, amount, n_endless]

    def _pack(self) -> None:
        """Keep by the minute what is kept one by one."""
        for tenth, (n, amount, n_endless) in self._single.items():
            minute, place = divmod(tenth, _TENTHS_A_MINUTE)
            counts = self._minutes.get(minute)
            if counts is None:
                counts = self._minutes[minute] = array("Q", bytes(8 * 3 * _TENTHS_A_MINUTE))
            counts[3 * place] += n
            counts[3 * place + 1] += amount
            counts[3 * place + 2] += n_endless
        self._single.clear()

    def total(self) -> Count:
        """Return the counts of all tenths, which are kept: who asks does so again and again."""
        return Count(*self._total)

    def between(self, begin: int, end: int) -> list[Count]:
        """Return the counts of each tenth from `begin` to before `end`."""
        counts = []
        for tenth in range(begin, end):
            n, amount, n_endless = self._single.get(tenth, _NOTHING)
            minute, place = divmod(tenth, _TENTHS_A_MINUTE)
            packed = self._minutes.get(minute)
            if packed is not None:
                n += packed[3 * place]
                amount += packed[3 * place + 1]
                n_endless += packed[3 * place + 2]
            counts.append(Count(n, amount, n_endless))
        return counts

    def __iter__(self) -> Iterator[tuple[int, Count]]:
        """Yield the tenths that hold something, in order."""
        if not self._minutes:
            for tenth, counts in sorted(self._single.items()):
                if counts[0] or counts[2]:
                    yield tenth, Count(*counts)
            return
        self._pack()
        for minute, packed in sorted(self._minutes.items()):
            for place in range(_TENTHS_A_MINUTE):
                n, n_endless = packed[3 * place], packed[3 * place + 2]
                if n or n_endless:
                    yield minute * _TENTHS_A_MINUTE + place, Count(n, packed[3 * place + 1], n_endless)
