"""How many requests lay beyond a threshold's limit, and when: what tells one stall from a tail.

Requests are counted by tenth of a second. A half-second is any five of them in a row, so that a stall lies whole in one
wherever it falls: of fixed half-seconds it would often leave a part in the next.
"""

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

TENTH_NS = 100_000_000
TENTHS_A_HALF_SECOND = 5
# Requests are counted so many at a time, as latencies are in `tfsload.records.histogram`.
BATCH = 64
# So many tenths are kept one by one; what has more, as a whole run has, keeps them by the minute.
MOST_SINGLE = 600
_TENTHS_A_MINUTE = 600
# Beyond all tenths.
_NEVER = 2**63


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


@dataclass(frozen=True)
class Limit:
    """What is counted for one threshold.

    Attributes:
        text: the threshold's.
        is_lag: whether it is about lag, and not about latency.
        edge_ns: of a percentile: from here on a figure counts as above the limit; None: a mean, of sums.
    """

    text: str
    is_lag: bool
    edge_ns: int | None


class HalfSeconds:
    """Counts of requests by tenth of a second, for each of some limits.

    Attributes:
        batch: requests that are not counted yet, as `fill` reads them: whoever appends one calls it at `BATCH`.
    """

    def __init__(self, limits: Iterable[Limit] = (), origin_ns: int = 0) -> None:
        """Count nothing yet.

        Args:
            limits: what to count; none where only others' counts are merged.
            origin_ns: where the tenths begin, on the clock of the requests' times.
        """
        self.batch: list[tuple[int, int, int, bool]] = []
        self._limits = tuple(limits)
        self._origin_ns = origin_ns
        self._tenths = {limit.text: _Tenths() for limit in self._limits}

    def fill(self) -> None:
        """Count the batch: tuples of when a request was due, sent and done, in ns, and whether it was answered.

        A latency belongs to when the answer came, since what a stall held up comes at its end; a lag to when the
        request left.
        """
        batch, self.batch = self.batch, []
        origin_ns = self._origin_ns
        for limit in self._limits:
            is_lag, edge_ns = limit.is_lag, limit.edge_ns
            counts: dict[int, list[int]] = {}  # of the batch: most of it lies in one tenth
            for due_ns, sent_ns, done_ns, is_answered in batch:
                end_ns = sent_ns if is_lag else done_ns
                tenth = (end_ns - origin_ns) // TENTH_NS
                count = counts.get(tenth)
                if count is None:
                    count = counts[tenth] = [0, 0, 0]
                if is_lag or is_answered:
                    count[0] += 1
                    count[1] += end_ns - due_ns if edge_ns is None else end_ns - due_ns >= edge_ns
                else:
                    count[2] += 1
            self._tenths[limit.text].add(counts.items())

    def add_dropped(self, due_ns: int) -> None:
        """Count an arrival that found no user."""
        for limit in self._limits:
            if not limit.is_lag:
                self._tenths[limit.text].add([((due_ns - self._origin_ns) // TENTH_NS, (0, 0, 1))])

    def __contains__(self, text: str) -> bool:
        """Whether there are counts for the threshold that reads so."""
        return text in self._tenths

    @property
    def texts(self) -> tuple[str, ...]:
        """The thresholds for which there are counts."""
        return tuple(self._tenths)

    def tenths(self, text: str) -> Iterator[tuple[int, Count]]:
        """Yield the tenths that hold something for a threshold, in order."""
        self.fill()
        return iter(self._tenths[text])

    def total(self, text: str) -> Count:
        """Return the counts of all tenths for a threshold."""
        self.fill()
        return self._tenths[text].total()

    def half_seconds(self, text: str) -> Iterator[tuple[int, Count]]:
        """Yield half-seconds by their first tenth: all that differ, and hold something."""
        self.fill()
        tenths = iter(self._tenths[text])
        coming = next(tenths, None)
        inside: deque[tuple[int, Count]] = deque()
        count = Count()
        while coming is not None or inside:
            # The next begin with which a tenth comes in at the half-second's end, or has left it at its begin.
            comes_in = _NEVER if coming is None else coming[0] - TENTHS_A_HALF_SECOND + 1
            goes_out = inside[0][0] + 1 if inside else _NEVER
            if coming is not None and comes_in <= goes_out:
                count = count.plus(coming[1])
                inside.append(coming)
                coming = next(tenths, None)
            if goes_out <= comes_in:
                count = count.minus(inside.popleft()[1])
            if inside:
                yield min(comes_in, goes_out), count

    def merge(self, other: "HalfSeconds") -> None:
        """Add what another one has counted from the same origin."""
        self.fill()
        other.fill()
        for text, tenths in other._tenths.items():
            self._tenths.setdefault(text, _Tenths()).add(tenths)

    def shift(self, by_ns: int) -> None:
        """Move all counts to a clock that shows so much more, to the nearest tenth."""
        self.fill()
        by = round(by_ns / TENTH_NS)
        for text, tenths in self._tenths.items():
            moved = self._tenths[text] = _Tenths()
            moved.add((tenth + by, count) for tenth, count in tenths)

    def to_plain(self) -> dict[str, list[list[int]]]:
        """Return what a message can hold: by threshold, a tenth and its three counts."""
        self.fill()
        return {text: [[tenth, *count] for tenth, count in tenths] for text, tenths in self._tenths.items()}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "HalfSeconds":
        """Read what `to_plain` wrote."""
        read = cls()
        for text, rows in plain.items():
            tenths = read._tenths[text] = _Tenths()
            tenths.add((tenth, counts) for tenth, *counts in rows)
        return read


class _Tenths:
    """Three counters by tenth of a second.

    What is sent, such as a lease of a few requests, has some tenths only: they are kept one by one. Once there are
    many they are kept in a block for each minute that has any, of 14 kB: 21 MB a day.
    """

    def __init__(self) -> None:
        self._single: dict[int, list[int]] = {}
        self._minutes: dict[int, array[int]] = {}

    def add(self, rows: Iterable[tuple[int, Sequence[int]]]) -> None:
        """Add the three counts of some tenths."""
        single = self._single
        for tenth, (n, amount, n_endless) in rows:
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
        sums = [sum(column) for column in zip(*self._single.values(), strict=True)] or [0, 0, 0]
        for counts in self._minutes.values():
            for which in range(3):
                sums[which] += sum(counts[which::3])
        return Count(*sums)

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
