"""What was measured of some predictions; to and from plain data; merged exactly."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tfsload.records import mismatch
from tfsload.records.confusion import ConfusionMatrix
from tfsload.records.half_seconds import HalfSeconds
from tfsload.records.histogram import Histogram
from tfsload.records.images import Images
from tfsload.records.mismatch import Mismatch
from tfsload.records.seconds import Seconds
from tfsload.records.window import N_SLICES
from tfsload.transport import servable
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.servable import Servable


@dataclass(eq=False)
class Record:
    """Counts, latencies and the confusion matrix of some predictions.

    Attributes:
        requests: requests that ended, answered or not.
        failed_requests: those without an answer.
        predictions: images in all requests that ended.
        failed: images without an answer, by status code.
        compared, mismatched: answered images whose scores were compared with those recorded without load, and those
            of them that differ.
        mismatch: an example of the latter; None without any.
        servables: answered requests, by the model that answered.
        cut_off: requests still in flight when the load was stopped; in none of the other counts.
        given_up: requests that user code left before their answer came, while it was to go on; in none of the others.
        latency: of the answered requests, in nanoseconds, from when they were due (open load) or sent.
        confusion: of the answered images.
        first_sent_unix_ns, last_done_unix_ns: the span in which the requests were made; 0 without any.
        offered, sent, dropped: in open load: arrivals that were due, those that left and those that found no user.
        lag: in open load: from when a request was due to when it left.
        waited: in a run without levels: for how long requests that were cut off or given up had waited by then, from
            when they were due: they are at least as slow; None without any.
        straddling: requests of which a part only lies in the level's window; in no count above but `sent`.
        failed_later: those of them that were sent within the window and, after its end, had no answer.
        in_flight_ns: how long requests were in flight within the window, all together, straddling ones too.
        judging_ns: for how long user classes' own `is_right` judged answers within the window.
        slice_answers, slice_latency_ns: by slice of the window: answers that came in it, and their latencies' sum.
        seconds: what went on second by second: in a level from its window's begin, else since 1970.
        images: how often each image was fired, and for what it was taken.
        half_seconds: when requests were beyond thresholds' limits: in a level from its window's begin, else since 1970.
        right: images that were answered rightly in time, by the latency limit in ns that their request kept to. In a
            level all that were answered in its window, as of `slice_answers`: also those that were asked for before.
    """

    half_seconds: HalfSeconds = field(default_factory=HalfSeconds)
    seconds: Seconds = field(default_factory=Seconds)
    images: Images = field(default_factory=Images)
    requests: int = 0
    failed_requests: int = 0
    predictions: int = 0
    compared: int = 0
    mismatched: int = 0
    cut_off: int = 0
    given_up: int = 0
    offered: int = 0
    sent: int = 0
    dropped: int = 0
    straddling: int = 0
    failed_later: int = 0
    in_flight_ns: int = 0
    judging_ns: int = 0
    first_sent_unix_ns: int = 0
    last_done_unix_ns: int = 0
    mismatch: Mismatch | None = None
    failed: Counter[str] = field(default_factory=Counter)
    servables: Counter[Servable] = field(default_factory=Counter)
    latency: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)
    waited: Histogram | None = None
    confusion: ConfusionMatrix = field(default_factory=ConfusionMatrix)
    slice_answers: list[int] = field(default_factory=lambda: [0] * N_SLICES)
    slice_latency_ns: list[int] = field(default_factory=lambda: [0] * N_SLICES)
    right: dict[int, int] = field(default_factory=dict)

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
            latency_ns: from being due or sent to its end.
            done_unix_ns: when it ended.
        """
        self.requests += 1
        self.predictions += len(labels)
        if failure is not None:
            self.failed_requests += 1
            self.failed[failure.code] += len(labels)
        else:
            assert predicted is not None  # what has not failed has an answer
            self.latency.record(latency_ns)
            self.confusion.add_all(labels, predicted)
        # As `_widen`, which would be a call more for every request.
        sent_unix_ns = done_unix_ns - latency_ns
        if not self.first_sent_unix_ns or sent_unix_ns < self.first_sent_unix_ns:
            self.first_sent_unix_ns = sent_unix_ns
        if done_unix_ns > self.last_done_unix_ns:
            self.last_done_unix_ns = done_unix_ns

    def add_answered(
        self,
        labels: Sequence[int],
        predicted: Sequence[int],
        latencies_ns: list[int],
        first_sent_unix_ns: int,
        last_done_unix_ns: int,
    ) -> None:
        """Count some requests that were answered, as `add` does each of them.

        Args:
            labels, predicted: by image.
            latencies_ns: by request.
            first_sent_unix_ns, last_done_unix_ns: when the first was due or sent, and the last ended.
        """
        self.requests += len(latencies_ns)
        self.predictions += len(labels)
        self.latency.record_all(latencies_ns)
        self.confusion.add_all(labels, predicted)
        self._widen(first_sent_unix_ns, last_done_unix_ns)

    def add_to_slice(self, number: int, latency_ns: int) -> None:
        """Count an answer in a slice of its window."""
        self.slice_answers[number] += 1
        self.slice_latency_ns[number] += latency_ns

    def merge(self, other: "Record") -> None:
        """Add all that another record holds."""
        self.requests += other.requests
        self.failed_requests += other.failed_requests
        self.predictions += other.predictions
        self.compared += other.compared
        self.mismatched += other.mismatched
        self.cut_off += other.cut_off
        self.given_up += other.given_up
        self.offered += other.offered
        self.sent += other.sent
        self.dropped += other.dropped
        self.straddling += other.straddling
        self.failed_later += other.failed_later
        self.in_flight_ns += other.in_flight_ns
        self.judging_ns += other.judging_ns
        self.failed.update(other.failed)
        self.latency.merge(other.latency)
        self.lag.merge(other.lag)
        if other.waited:
            self.waited = self.waited or Histogram()
            self.waited.merge(other.waited)
        self.confusion.merge(other.confusion)
        self.mismatch = mismatch.least(self.mismatch, other.mismatch)
        self.servables.update(other.servables)
        for own, others in (
            (self.slice_answers, other.slice_answers),
            (self.slice_latency_ns, other.slice_latency_ns),
        ):
            own[:] = map(sum, zip(own, others, strict=True))
        for within_ns, count in other.right.items():
            self.right[within_ns] = self.right.get(within_ns, 0) + count
        self.half_seconds.merge(other.half_seconds)
        self.seconds.merge(other.seconds)
        self.images.merge(other.images)
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
            "compared": self.compared,
            "mismatched": self.mismatched,
            "cut_off": self.cut_off,
            "given_up": self.given_up,
            "offered": self.offered,
            "sent": self.sent,
            "dropped": self.dropped,
            "straddling": self.straddling,
            "failed_later": self.failed_later,
            "in_flight_ns": self.in_flight_ns,
            "judging_ns": self.judging_ns,
            "failed": dict(self.failed),
            "latency": self.latency.to_plain(),
            "lag": self.lag.to_plain(),
            "waited": self.waited and self.waited.to_plain(),
            "confusion": self.confusion.to_plain(),
            "mismatch": mismatch.to_plain(self.mismatch),
            "servables": servable.to_plain(self.servables),
            "first_sent_unix_ns": self.first_sent_unix_ns,
            "last_done_unix_ns": self.last_done_unix_ns,
            "slice_answers": list(self.slice_answers),
            "slice_latency_ns": list(self.slice_latency_ns),
            "right": {str(within_ns): count for within_ns, count in self.right.items()},
            "half_seconds": self.half_seconds.to_plain(),
            "seconds": self.seconds.to_plain(),
            "images": self.images.to_plain(),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Record":
        """Read what `to_plain` wrote."""
        return cls(
            half_seconds=HalfSeconds.from_plain(plain["half_seconds"]),
            seconds=Seconds.from_plain(plain["seconds"]),
            images=Images.from_plain(plain["images"]),
            requests=plain["requests"],
            failed_requests=plain["failed_requests"],
            predictions=plain["predictions"],
            compared=plain["compared"],
            mismatched=plain["mismatched"],
            cut_off=plain["cut_off"],
            given_up=plain["given_up"],
            offered=plain["offered"],
            sent=plain["sent"],
            dropped=plain["dropped"],
            straddling=plain["straddling"],
            failed_later=plain["failed_later"],
            in_flight_ns=plain["in_flight_ns"],
            judging_ns=plain["judging_ns"],
            first_sent_unix_ns=plain["first_sent_unix_ns"],
            last_done_unix_ns=plain["last_done_unix_ns"],
            mismatch=mismatch.from_plain(plain["mismatch"]),
            failed=Counter(plain["failed"]),
            servables=servable.from_plain(plain["servables"]),
            latency=Histogram.from_plain(plain["latency"]),
            lag=Histogram.from_plain(plain["lag"]),
            waited=plain["waited"] and Histogram.from_plain(plain["waited"]),
            confusion=ConfusionMatrix.from_plain(plain["confusion"]),
            slice_answers=list(plain["slice_answers"]),
            slice_latency_ns=list(plain["slice_latency_ns"]),
            right={int(within_ns): count for within_ns, count in plain["right"].items()},
        )
