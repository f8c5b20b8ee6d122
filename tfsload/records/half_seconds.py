"""How many requests lay beyond a threshold's limit, and when: what tells one stall from a tail.

Requests are counted by tenth of a second. A half-second is any five of them in a row, so that a stall lies whole in one
wherever it falls: of fixed half-seconds it would often leave a part in the next.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tfsload.records.greatest import Greatest, Measure
from tfsload.records.tenths import TENTH_NS, TENTHS_A_HALF_SECOND, Count, Tenths

# Requests are counted so many at a time, as latencies are in `tfsload.records.histogram`.
BATCH = 64


@dataclass(frozen=True)
class Limit:
    """What is counted for one threshold.

    Attributes:
        text: the threshold's.
        is_lag: whether it is about lag, and not about latency.
        edge_ns: of a percentile: from here on a figure counts as above the limit; None: a mean, of sums.
        mean_ns: of a mean: its limit; else None.
    """

    text: str
    is_lag: bool
    edge_ns: int | None
    mean_ns: float | None = None


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
        self._tenths = {limit.text: Tenths() for limit in self._limits}
        self._greatest: dict[tuple[str, Measure], Greatest] = {}

    def add_all(self, requests: Iterable[tuple[int, int, int, bool]]) -> None:
        """Count some requests, as `fill` reads them."""
        self.batch += requests
        if len(self.batch) >= BATCH:
            self.fill()

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

    def add_cut_off(self, due_ns: int, now_ns: int) -> None:
        """Count a request that was cut off where it had waited beyond a limit by then; what others come to is open."""
        waited_ns, tenth = now_ns - due_ns, (now_ns - self._origin_ns) // TENTH_NS
        for limit in self._limits:
            if limit.is_lag:
                continue
            if limit.edge_ns is not None and waited_ns >= limit.edge_ns:
                self._tenths[limit.text].add([(tenth, (1, 1, 0))])
            elif limit.mean_ns is not None and waited_ns >= limit.mean_ns:
                self._tenths[limit.text].add([(tenth, (1, waited_ns, 0))])

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

    def first(self, text: str) -> int | None:
        """Return the first tenth of the first half-second that holds something for a threshold; None: none does."""
        self.fill()
        first = self._tenths[text].first
        return None if first is None else first - TENTHS_A_HALF_SECOND + 1

    def greatest(self, text: str, measure: Measure) -> tuple[int, Count]:
        """Return the half-second with the most of something, by its first tenth, at once however many there are.

        What was found is kept, for the next that asks with an equal measure: only what has changed is looked at.

        Args:
            text: the threshold's, for which something was counted.
            measure: what there is to be most of; of equals the half-second with the fewest requests is taken, and of
                these the first.
        """
        self.fill()
        greatest = self._greatest.get((text, measure))
        if greatest is None:
            greatest = self._greatest[text, measure] = Greatest(self._tenths[text], measure)
        return greatest.find()

    def merge(self, other: "HalfSeconds") -> None:
        """Add what another one has counted from the same origin."""
        self.fill()
        other.fill()
        for text, tenths in other._tenths.items():
            self._tenths.setdefault(text, Tenths()).add(tenths)

    def shift(self, by_ns: int) -> None:
        """Move all counts to a clock that shows so much more, to the nearest tenth."""
        self.fill()
        self._greatest.clear()
        by = round(by_ns / TENTH_NS)
        for text, tenths in self._tenths.items():
            moved = self._tenths[text] = Tenths()
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
            tenths = read._tenths[text] = Tenths()
            tenths.add((tenth, counts) for tenth, *counts in rows)
        return read
