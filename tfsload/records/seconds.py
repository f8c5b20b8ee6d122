"""What went on second by second: counts, and latencies within 5 %. Pure, and merged exactly.

The hot path counts here without a call: `tfsload.records.recorder` writes into `now` and `now_latencies` itself.
"""

from dataclasses import dataclass, field
from typing import Any

SECOND_NS = 1_000_000_000
# What is longer than so many seconds is told by twos, fours and so on of them: a day is to fill no memory.
MOST_ROWS = 1200
# The places of a row of counts.
IMAGES, WRONG, FAILED, MISMATCHED, DROPPED, IN_FLIGHT_NS, UNJUDGED = range(7)
N_COUNTS = 7
# A latency falls into one of 16 buckets between a power of two and the next.
BITS = 4
SHIFTED_FROM = BITS + 1  # bits of a latency; what has no more has a bucket of its own


@dataclass(eq=False)
class Seconds:
    """Counts by second.

    Attributes:
        origin_ns: where they begin, on the clock of the requests' times.
        width_s: what is counted together: 1, 2, 4 … seconds.
        counts: by number of the second: images, those of them wrong, without an answer, and mismatched, dropped
            arrivals, how long requests were in flight, all together, in ns, and of the images without an answer those
            that were answered, which a user class could not judge. All but arrivals and the time in flight are of
            requests that ended in it.
        latencies: by number of the second: answered requests by bucket of their latency, as `bucket_of` has it.
        until_ns: from the origin to the latest instant to which `spread` has counted; 0: none.
    """

    origin_ns: int = 0
    width_s: int = 1
    counts: dict[int, list[int]] = field(default_factory=dict)
    latencies: dict[int, dict[int, int]] = field(default_factory=dict)
    until_ns: int = 0

    def __post_init__(self) -> None:
        self.width_ns = self.width_s * SECOND_NS
        # The second that is counted in, as `turn` was told last; none yet.
        self.begin_ns = self.end_ns = 0
        self.now: list[int] = []
        self.now_latencies: dict[int, int] = {}

    def turn(self, at_ns: int) -> None:
        """Count in the second of an instant from now on: in `now` and `now_latencies`, until `end_ns`."""
        number = (at_ns - self.origin_ns) // self.width_ns
        self.begin_ns = self.origin_ns + number * self.width_ns
        self.end_ns = self.begin_ns + self.width_ns
        self.now, self.now_latencies = self.row(number), self.latencies[number]

    @classmethod
    def lasting(cls, origin_ns: int, duration_ns: int) -> "Seconds":
        """Return empty counts for a level of that length."""
        width_s = 1
        while duration_ns > MOST_ROWS * width_s * SECOND_NS:
            width_s *= 2
        return cls(origin_ns, width_s)

    def row(self, number: int) -> list[int]:
        """Return the counts of a second."""
        counts = self.counts.get(number)
        if counts is None:
            counts = self.counts[number] = [0] * N_COUNTS
            self.latencies[number] = {}
        return counts

    def spread(self, sent_ns: int, done_ns: int) -> None:
        """Count the time of a request in flight in each second that it was in, of the last 1,200 at most."""
        self.until_ns = max(self.until_ns, done_ns - self.origin_ns)
        sent_ns = max(sent_ns, done_ns - MOST_ROWS * self.width_ns)
        while sent_ns < done_ns:
            number = (sent_ns - self.origin_ns) // self.width_ns
            until_ns = min(done_ns, self.origin_ns + (number + 1) * self.width_ns)
            self.row(number)[IN_FLIGHT_NS] += until_ns - sent_ns
            sent_ns = until_ns

    def add_dropped(self, due_ns: int) -> None:
        """Count an arrival that found no user."""
        self.row((due_ns - self.origin_ns) // self.width_ns)[DROPPED] += 1

    def merge(self, other: "Seconds") -> None:
        """Add what another one has counted from the same origin."""
        self.until_ns = max(self.until_ns, other.until_ns)
        if not other.counts:
            return  # its width may be another one, and says nothing
        while self.width_s < other.width_s:
            self._widen()
        factor = self.width_s // other.width_s
        for number, counts in other.counts.items():
            self._add(number // factor, counts, other.latencies[number])
        while len(self.counts) > MOST_ROWS:
            self._widen()

    def shift(self, by_ns: int, first_sent_ns: int = 0, last_done_ns: int = 0) -> None:
        """Move all counts to a clock that shows so much more, to the nearest second; the end to the nanosecond.

        Args:
            by_ns: how much more it shows.
            first_sent_ns, last_done_ns: by that clock, from the origin, when the first request that ended was sent, and
                when the last one ended: nothing is moved out of that span; 0: none ended.
        """
        by = round(by_ns / self.width_ns)
        self.until_ns += by_ns * bool(self.until_ns)
        first, last = first_sent_ns // self.width_ns, max(last_done_ns, self.until_ns) // self.width_ns
        # What is earlier than by a rounding is of requests that never ended.
        lags = last_done_ns and min(self.counts, default=first) + by == first - 1
        moved = Seconds(self.origin_ns, self.width_s)
        for number, counts in self.counts.items():
            into = min(number + by + (lags and number + by < first), last)
            moved._add(into, counts, self.latencies[number])
        self.counts, self.latencies = moved.counts, moved.latencies

    def widened(self) -> "Seconds":
        """Return the same counts, twice as many seconds together."""
        wider = Seconds(self.origin_ns, 2 * self.width_s, until_ns=self.until_ns)
        for number, counts in self.counts.items():
            wider._add(number // 2, counts, self.latencies[number])
        return wider

    def _add(self, number: int, counts: list[int], latencies: dict[int, int]) -> None:
        """Add counts to those of a second."""
        into = self.row(number)
        for place, count in enumerate(counts):
            into[place] += count
        known = self.latencies[number]
        for bucket, count in latencies.items():
            known[bucket] = known.get(bucket, 0) + count

    def _widen(self) -> None:
        wider = self.widened()
        self.width_s, self.width_ns = wider.width_s, wider.width_ns
        self.counts, self.latencies = wider.counts, wider.latencies

    def to_plain(self) -> dict[str, Any]:
        """Return what a message can hold: by second its number, its counts, and pairs of a bucket and a count."""
        rows = []
        for number, counts in sorted(self.counts.items()):
            pairs = [one for pair in sorted(self.latencies[number].items()) for one in pair]
            rows.append([number, *counts, *pairs])
        return {"width_s": self.width_s, "until_ns": self.until_ns, "rows": rows}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Seconds":
        """Read what `to_plain` wrote."""
        read = cls(width_s=plain["width_s"], until_ns=plain["until_ns"])
        for number, *values in plain["rows"]:
            read.counts[number] = values[:N_COUNTS]
            pairs = values[N_COUNTS:]
            read.latencies[number] = dict(zip(pairs[::2], pairs[1::2], strict=True))
        return read


def bucket_of(latency_ns: int) -> int:
    """Return the bucket of a latency: they go up by a sixteenth to a thirty-second.

    >>> bucket_of(31), bucket_of(32), bucket_of(33), bucket_of(34)
    (31, 32, 32, 33)
    """
    shift = latency_ns.bit_length() - SHIFTED_FROM
    return latency_ns if shift <= 0 else (shift << BITS) + (latency_ns >> shift)


def middle_ns(bucket: int) -> int:
    """Return a bucket's middle, from which none of its latencies is further than 3.2 %.

    >>> middle_ns(31), middle_ns(bucket_of(1_000_000))
    (31, 999424)
    """
    shift = max((bucket >> BITS) - 1, 0)
    lowest = (bucket - (shift << BITS)) << shift
    return lowest + (1 << shift >> 1)
