"""What a process has measured, by level of load and lease; to and from plain data; merged exactly."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tfsload.failure import PredictionFailure
from tfsload.histogram import Histogram
from tfsload.scoring import ConfusionMatrix


class Record:
    """Counts, latencies and the confusion matrix of some predictions.

    Attributes:
        requests: requests that ended, answered or not.
        failed_requests: those without an answer.
        predictions: images in all requests that ended.
        failed: images without an answer, by status code.
        cut_off: requests still in flight when the load was stopped; in none of the other counts.
        latency: of the answered requests, in nanoseconds.
        confusion: of the answered images.
        first_sent_unix_ns, last_done_unix_ns: the span in which the requests were made; 0 without any.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.failed_requests = 0
        self.predictions = 0
        self.failed: Counter[str] = Counter()
        self.cut_off = 0
        self.latency = Histogram()
        self.confusion = ConfusionMatrix()
        self.first_sent_unix_ns = 0
        self.last_done_unix_ns = 0

    @property
    def wrong(self) -> int:
        """Images whose answer is not their label."""
        return self.confusion.wrong

    def add(
        self,
        labels: Sequence[int],
        predicted: Sequence[int] | None,
        failure: PredictionFailure | None,
        latency_ns: int,
        done_unix_ns: int,
    ) -> None:
        """Count one request that ended.

        Args:
            labels: the true class of each of its images.
            predicted: the class answered for each; None with a failure.
            failure: why there was no answer, or None.
            latency_ns: from sending it to its end.
            done_unix_ns: when it ended.
        """
        self.requests += 1
        self.predictions += len(labels)
        if failure is not None:
            self.failed_requests += 1
            self.failed[failure.code] += len(labels)
        else:
            self.latency.record(latency_ns)
            self.confusion.add_all(labels, predicted)
        self._widen(done_unix_ns - latency_ns, done_unix_ns)

    def merge(self, other: "Record") -> None:
        """Add all that another record holds."""
        self.requests += other.requests
        self.failed_requests += other.failed_requests
        self.predictions += other.predictions
        self.failed.update(other.failed)
        self.cut_off += other.cut_off
        self.latency.merge(other.latency)
        self.confusion.merge(other.confusion)
        if other.last_done_unix_ns:
            self._widen(other.first_sent_unix_ns, other.last_done_unix_ns)

    def shift(self, by_ns: int) -> None:
        """Move the span to another clock."""
        if self.last_done_unix_ns:
            self.first_sent_unix_ns += by_ns
            self.last_done_unix_ns += by_ns

    def _widen(self, sent_unix_ns: int, done_unix_ns: int) -> None:
        if not self.first_sent_unix_ns or sent_unix_ns < self.first_sent_unix_ns:
            self.first_sent_unix_ns = sent_unix_ns
        if done_unix_ns > self.last_done_unix_ns:
            self.last_done_unix_ns = done_unix_ns

    def to_plain(self) -> dict[str, Any]:
        """Return what a message can hold: plain numbers, texts, lists and dicts with text keys."""
        return {
            "requests": self.requests,
            "failed_requests": self.failed_requests,
            "predictions": self.predictions,
            "failed": dict(self.failed),
            "cut_off": self.cut_off,
            "latency": self.latency.to_plain(),
            "confusion": self.confusion.to_plain(),
            "first_sent_unix_ns": self.first_sent_unix_ns,
            "last_done_unix_ns": self.last_done_unix_ns,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Record":
        """Read what `to_plain` wrote."""
        record = cls()
        record.requests = plain["requests"]
        record.failed_requests = plain["failed_requests"]
        record.predictions = plain["predictions"]
        record.failed = Counter(plain["failed"])
        record.cut_off = plain["cut_off"]
        record.latency = Histogram.from_plain(plain["latency"])
        record.confusion = ConfusionMatrix.from_plain(plain["confusion"])
        record.first_sent_unix_ns = plain["first_sent_unix_ns"]
        record.last_done_unix_ns = plain["last_done_unix_ns"]
        return record


class Recorder:
    """Keeps a `Record` for each level and lease."""

    def __init__(self) -> None:
        self._records: dict[tuple[int, int | None], Record] = {}

    def record(
        self,
        labels: Sequence[int],
        predicted: Sequence[int] | None,
        failure: PredictionFailure | None,
        latency_ns: int,
        done_unix_ns: int,
        level: int,
        lease: int | None,
    ) -> None:
        """Count one request that ended; the arguments are those of `Record.add`."""
        self._record(level, lease).add(labels, predicted, failure, latency_ns, done_unix_ns)

    def count_cut_off(self, level: int, lease: int | None) -> None:
        """Count a request that was in flight when its user was stopped."""
        self._record(level, lease).cut_off += 1

    def take(self, lease: int) -> list[dict[str, Any]]:
        """Hand over all that was recorded under a lease: plain data as `merge_plain` reads it."""
        return self._take([key for key in self._records if key[1] == lease])

    def take_all(self) -> list[dict[str, Any]]:
        """Hand over all that was recorded and not yet taken."""
        return self._take(list(self._records))

    def take_unleased(self) -> list[dict[str, Any]]:
        """Hand over all that was recorded outside leases."""
        return self._take([key for key in self._records if key[1] is None])

    def _record(self, level: int, lease: int | None) -> Record:
        record = self._records.get((level, lease))
        if record is None:
            record = self._records[level, lease] = Record()
        return record

    def _take(self, keys: list[tuple[int, int | None]]) -> list[dict[str, Any]]:
        return [
            {"level": level, "lease": lease, "record": self._records.pop((level, lease)).to_plain()}
            for level, lease in keys
        ]


def merge_plain(into: dict[int, Record], rows: list[dict[str, Any]], shift_ns: int = 0) -> None:
    """Merge what recorders handed over into records by level.

    Args:
        into: is added to.
        rows: from `take` and its like.
        shift_ns: what their clock is behind ours.
    """
    for row in rows:
        record = Record.from_plain(row["record"])
        record.shift(shift_ns)
        into.setdefault(row["level"], Record()).merge(record)


def n_requests(rows: list[dict[str, Any]]) -> int:
    """Return how many requests ended, over all rows."""
    return sum(row["record"]["requests"] for row in rows)
