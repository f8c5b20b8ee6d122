"""The figures of a run, computed once; reports only print them."""

from collections.abc import Mapping
from dataclasses import dataclass

from tfsload.recorder import Record
from tfsload.scoring import ConfusionMatrix

PERCENTILES = (50, 90, 95, 99, 99.9)


@dataclass(frozen=True)
class ClassRow:
    """How one class was answered.

    Attributes:
        label: the class.
        images: answered images of this class.
        right: those answered as this class.
        recall: right ÷ images; None without images.
        precision: right ÷ all images answered as this class; None if there are none.
        taken_for: the other class that most of its wrong answers named, and how many; None without wrong ones.
    """

    label: int
    images: int
    right: int
    recall: float | None
    precision: float | None
    taken_for: tuple[int, int] | None

    @property
    def wrong(self) -> int:
        """Images of this class answered as another."""
        return self.images - self.right


@dataclass(frozen=True)
class Summary:
    """What a run came to.

    Attributes:
        requests: requests that ended, answered or not.
        failed_requests: those without an answer.
        predictions: images in them.
        wrong: images whose answer is not the label.
        failed: images without an answer, by status code.
        cut_off: requests in flight when the load was stopped; in no other figure.
        duration_s: from the first request sent to the last one ended.
        requests_per_s, images_per_s: over that span; None without one.
        latency_ns: of answered requests, by percentile; empty without any.
        latency_max_ns: of the same requests; 0 without any.
        classes: one row a class.
        confusion: of the answered images.
        n_asked: with `--num-tests`: images to fire; else None.
        n_workers: most worker processes at once.
        lost_workers, unfit_workers: workers whose results are missing, and why.
        n_unaccounted: requests that workers reported and that did not arrive.
        n_users, n_users_asked: users when the run began to end, and those that were asked for.
        n_discarded: requests of workers that left in the middle of a lease; in no other figure.
    """

    requests: int
    failed_requests: int
    predictions: int
    wrong: int
    failed: Mapping[str, int]
    cut_off: int
    duration_s: float
    requests_per_s: float | None
    images_per_s: float | None
    latency_ns: Mapping[float, int]
    latency_max_ns: int
    classes: tuple[ClassRow, ...]
    confusion: ConfusionMatrix
    n_asked: int | None
    n_workers: int
    lost_workers: tuple[str, ...]
    unfit_workers: Mapping[str, str]
    n_unaccounted: int
    n_discarded: int
    n_users: int
    n_users_asked: int

    @property
    def n_failed(self) -> int:
        """Images without an answer."""
        return sum(self.failed.values())

    @property
    def error_rate(self) -> float | None:
        """(wrong + failed) ÷ predictions, as TF Serving's mnist_client.py has it; None without predictions."""
        return (self.wrong + self.n_failed) / self.predictions if self.predictions else None

    @property
    def is_complete(self) -> bool:
        """Whether every image that was asked for was fired; True where there was no limit."""
        return self.n_asked is None or self.predictions == self.n_asked


def summarise(
    record: Record,
    *,
    n_asked: int | None = None,
    n_workers: int = 1,
    lost_workers: tuple[str, ...] = (),
    unfit_workers: Mapping[str, str] | None = None,
    n_unaccounted: int = 0,
    n_discarded: int = 0,
    n_users: int = 0,
    n_users_asked: int = 0,
) -> Summary:
    """Compute the figures of what was measured."""
    duration_s = (record.last_done_unix_ns - record.first_sent_unix_ns) / 1e9
    latency = record.latency
    return Summary(
        requests=record.requests,
        failed_requests=record.failed_requests,
        predictions=record.predictions,
        wrong=record.wrong,
        failed=dict(sorted(record.failed.items())),
        cut_off=record.cut_off,
        duration_s=duration_s,
        requests_per_s=record.requests / duration_s if duration_s > 0 else None,
        images_per_s=record.predictions / duration_s if duration_s > 0 else None,
        latency_ns={p: latency.percentile_ns(p) for p in PERCENTILES} if latency.count else {},
        latency_max_ns=latency.max_ns,
        classes=class_rows(record.confusion),
        confusion=record.confusion,
        n_asked=n_asked,
        n_workers=n_workers,
        lost_workers=lost_workers,
        unfit_workers=dict(unfit_workers or {}),
        n_unaccounted=n_unaccounted,
        n_discarded=n_discarded,
        n_users=n_users,
        n_users_asked=n_users_asked,
    )


def class_rows(confusion: ConfusionMatrix) -> tuple[ClassRow, ...]:
    """Return a row for each class that was a label or an answer."""
    return tuple(_class_row(confusion, label) for label in confusion.classes)


def _class_row(confusion: ConfusionMatrix, label: int) -> ClassRow:
    classes = confusion.classes
    images = sum(confusion.count(label, predicted) for predicted in classes)
    answered = sum(confusion.count(other, label) for other in classes)
    right = confusion.count(label, label)
    mistakes = [(confusion.count(label, other), other) for other in classes if other != label]
    most, other = max(mistakes, key=lambda mistake: (mistake[0], -mistake[1]), default=(0, 0))
    return ClassRow(
        label=label,
        images=images,
        right=right,
        recall=right / images if images else None,
        precision=right / answered if answered else None,
        taken_for=(other, most) if most else None,
    )
