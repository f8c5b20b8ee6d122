"""What a process has measured, by level of load and lease; to and from plain data; merged exactly."""

from collections import Counter
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

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return not (self.requests or self.cut_off)

    def add_prediction(self, label: int, predicted: int | None, failure: PredictionFailure | None) -> None:
        """Count one image."""
        self.predictions += 1
        if failure is not None:
            self.failed[failure.code] += 1
        else:
            self.confusion.add(label, predicted)

    def add_request(self, latency_ns: int, done_unix_ns: int, failed: bool) -> None:
        """Count one request that ended."""
        self.requests += 1
        if failed:
            self.failed_requests += 1
        else:
            self.latency.record(latency_ns)
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
    """Listens to `prediction` events and keeps a `Record` for each level and lease."""

    def __init__(self) -> None:
        self._records: dict[tuple[int, int | None], Record] = {}

    def on_prediction(
        self, *, label, predicted, latency_ns, done_unix_ns, failure, level, lease, position, **_
    ) -> None:
        """Count one prediction (a listener of `environment.events.prediction`)."""
        record = self._record(level, lease)
        record.add_prediction(label, predicted, failure)
        if position == 0:
            record.add_request(latency_ns, done_unix_ns, failed=failure is not None)

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


def merge_plain(into: dict[int, Record], rows: list[dict[str, Any]]) -> None:
    """Merge what recorders handed over into records by level."""
    for row in rows:
        into.setdefault(row["level"], Record()).merge(Record.from_plain(row["record"]))
