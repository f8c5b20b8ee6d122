"""What was measured of a whole run, in figures."""

from collections.abc import Mapping
from dataclasses import dataclass

from tfsload.analysis.latency import LatencyCounts
from tfsload.analysis.levels import PERCENTILES
from tfsload.records.mismatch import Mismatch
from tfsload.records.record import Record


@dataclass(frozen=True)
class Totals:
    """All that counts; of levels, all together.

    Attributes:
        requests: requests that ended, answered or not.
        failed_requests: those without an answer.
        predictions: images in them.
        wrong: images whose answer is not the label; None: they have no labels.
        failed: images without an answer, by status code.
        error_rate: (wrong + failed) ÷ predictions, as TF Serving's mnist_client.py has it; None without predictions,
            or without labels.
        cut_off: requests in flight when the load was stopped; in no other figure.
        given_up: requests that user code left before their answer came; in no other figure.
        waited_ns: for how long that one of these had waited that had waited longest, in a run without levels; else 0.
        duration_s: from the first request sent until users were stopped; where every image that was asked for was
            fired, to the last answer; of levels, theirs added up, if none was stopped.
        requests_per_s, images_per_s: those with an answer over that span: what was refused is no throughput. None
            without a span, and where levels were stopped.
        latency: of answered requests.
        latency_ns: the same by percentile; empty without any.
        compared, mismatched: answered images whose scores were compared with those recorded without load, and those
            of them that differ.
        offered, sent, dropped: of open load: arrivals in levels, those that left, and those for which no user was free.
    """

    requests: int
    failed_requests: int
    predictions: int
    wrong: int | None
    failed: Mapping[str, int]
    error_rate: float | None
    cut_off: int
    duration_s: float
    requests_per_s: float | None
    images_per_s: float | None
    latency: LatencyCounts
    latency_ns: Mapping[float, int]
    compared: int
    mismatched: int
    offered: int
    sent: int
    dropped: int
    waited_ns: int = 0
    given_up: int = 0

    @classmethod
    def of(cls, record: Record, duration_s: float, is_timed: bool, is_labelled: bool = True) -> "Totals":
        """Return the figures of a record.

        Args:
            record: all that counts.
            duration_s: how long was measured.
            is_timed: whether that is known to be all of the time, so that there are rates.
            is_labelled: whether images have labels, so that answers are right or wrong.
        """
        n_failed = sum(record.failed.values())
        is_timed = is_timed and duration_s > 0
        latency = record.latency
        return cls(
            requests=record.requests,
            failed_requests=record.failed_requests,
            predictions=record.predictions,
            wrong=record.wrong if is_labelled else None,
            failed=dict(sorted(record.failed.items())),
            error_rate=error_rate(record) if is_labelled else None,
            cut_off=record.cut_off,
            duration_s=duration_s,
            requests_per_s=(record.requests - record.failed_requests) / duration_s if is_timed else None,
            images_per_s=(record.predictions - n_failed) / duration_s if is_timed else None,
            latency=LatencyCounts.of(latency),
            latency_ns={p: latency.percentile_ns(p) for p in PERCENTILES} if latency.count else {},
            compared=record.compared,
            mismatched=record.mismatched,
            offered=record.offered,
            sent=record.sent,
            dropped=record.dropped,
            given_up=record.given_up,
            waited_ns=record.waited.max_ns if record.waited else 0,
        )

    @property
    def n_failed(self) -> int:
        """Images without an answer."""
        return sum(self.failed.values())


@dataclass(frozen=True)
class Uncounted:
    """Requests outside all levels: of warm-ups, and between levels; in no other figure.

    Attributes:
        requests: those that ended.
        failed_requests: those of them without an answer.
        cut_off: those in flight when users were stopped.
        given_up: those that user code left before their answer came.
        mismatched: answered images that differ from the answer without load.
    """

    requests: int = 0
    failed_requests: int = 0
    cut_off: int = 0
    mismatched: int = 0
    given_up: int = 0

    @classmethod
    def of(cls, record: Record) -> "Uncounted":
        """Return the counts of what was recorded there."""
        return cls(record.requests, record.failed_requests, record.cut_off, record.mismatched, record.given_up)


NONE_UNCOUNTED = Uncounted()


@dataclass(frozen=True)
class MismatchExample:
    """An image's two answers.

    Attributes:
        image: its position in the data set.
        expected_class, answered_class: without load and under it; both -1: the answer names none.
        place: the model's class whose score is furthest off, or of an answer without classes the number that is; -1:
            there are other classes, and the scores are their
            numbers; -2: the model answers classes alone, and the scores are the two; -3: a text is another one; -4: the
            outputs have other sizes, or are others.
        expected, answered: that class's score without load and under it.
        words: all this for people.
        output: of answers that are compared by several outputs, the one that it is about; empty: there is one.
        is_exact: whether no tolerance applies to that: a text, a truth value or a whole number.
    """

    image: int
    expected_class: int
    answered_class: int
    place: int
    expected: int | float  # a whole number is no float, which could not tell it from the next one
    answered: int | float
    words: str
    output: str = ""
    is_exact: bool = False

    @classmethod
    def of(cls, mismatch: Mismatch | None) -> "MismatchExample | None":
        """Return an example as plain data; None: there is none."""
        return None if mismatch is None else cls(*mismatch[:6], mismatch.words, *mismatch[6:])


def error_rate(record: Record) -> float | None:
    """Return (wrong + failed) ÷ predictions; None without predictions."""
    return (record.wrong + sum(record.failed.values())) / record.predictions if record.predictions else None
