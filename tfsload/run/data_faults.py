"""What a run is asked that its images cannot tell, or are too few for. Pure."""

from collections.abc import Iterable

from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.threshold_kinds import OF_LABELS
from tfsload.analysis.thresholds import Threshold
from tfsload.datasets.dataset import Dataset
from tfsload.prediction.process_run import larger_set
from tfsload.settings.settings import Settings
from tfsload.transport import words


def data_faults(asked: Iterable[Threshold], dataset: Dataset, is_judged: bool = False) -> list[str]:
    """Return which thresholds are about a class that no image is of, or about labels that there are not.

    Args:
        asked: the thresholds.
        dataset: the images.
        is_judged: whether somebody judges answers by himself, so that labels and classes are his.
    """
    if is_judged:
        return []
    if dataset.labels is None:
        why = f"{NO_LABELS}, so that no answer is right or wrong: leave it out (failed_rate, for one, needs no labels)"
        return [f"--threshold {words.quoted(one.text)}: {why}" for one in asked if one.metric in OF_LABELS]
    labels = sorted(set(dataset.labels.tolist()))
    told = f"{labels[0]} to {labels[-1]}" if labels == [*range(labels[0], labels[-1] + 1)] else str(labels)[1:-1]
    return [
        f"--threshold {words.quoted(one.text)}: none of the {len(dataset):,} images that are fired is of class "
        f"{one.label}; expected one of {words.cut(told, words.LONGEST_VALUE)}"
        for one in asked
        if one.label is not None and one.label not in labels
    ]


def number_faults(settings: Settings, dataset: Dataset) -> list[str]:
    """Return which options ask for more images than are fired.

    Args:
        settings: what was asked for.
        dataset: the images that are fired.
    """
    n, per_request, faults = len(dataset), settings.model.images_per_request, []
    if settings.checks.verify > n:
        more = "a larger --num-tests" if settings.data.num_tests else larger_set(settings)
        faults.append(
            f"--verify {settings.checks.verify}: the run fires {n:,} images; pass at most that many, or {more}"
        )
    if not settings.data.num_tests and per_request > n:
        faults.append(
            f"--images-per-request {per_request}: the data set holds {n:,} images; pass at most that many, or "
            f"{larger_set(settings)}"
        )
    return faults
