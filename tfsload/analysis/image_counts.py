"""Which images were fired how often, and for what they were taken. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tfsload.records.images import Images

# A page shows some of the images that were misread, those that were so most often: it need not have the data set.
MOST_SHOWN = 200
NO_LABELS = "the data set has no labels"
# Of an image that has more pixels to a side not all are kept: 200 whole photographs would be gigabytes of digits.
MOST_ON_A_SIDE = 64


@dataclass(frozen=True)
class Misread:
    """An image that was answered wrongly.

    Attributes:
        image: its position in the data set.
        predicted: the class that was answered.
        count: how often.
    """

    image: int
    predicted: int
    count: int


@dataclass(frozen=True)
class ImageCounts:
    """All images of a run; of levels, all together, as in `Totals`.

    Attributes:
        fired: how often each image was in a request that ended, by its position in the data set.
        misread: wrong answers, by image, then by class.
        pixels: of at most 200 of these images: by position, its rows of pixels, 0 to 255, two hexadecimal digits each;
            of larger images every second pixel of every second row, or every third, and so on.
        labels: of each misread image, by position: the class that it shows; empty where the data set has gone.
        of_class: by class, how many different images of it were answered; empty where nothing needs it.
        unanswered: of those in `fired`, how often there was no answer: by position; images with none are left out.
        columns: pixels in each row of `pixels`; 0: as many as there are rows.
        is_labelled: whether the data set has labels; where it has none no answer is right or wrong, nor misread.
        class_names: what classes are called, by label; empty: by their numbers.
        judged_by: whose own `is_right` says which answers are right; empty: labels do. There are no classes, then, for
            which an image was taken, and none of `misread`.
        n_misjudged: then: how many images were answered wrongly, if only once.
        by_labels: then: the user classes of this run that have no `is_right`, so that labels judge answers to them.
    """

    fired: tuple[int, ...] = ()
    misread: tuple[Misread, ...] = ()
    pixels: Mapping[int, str] = field(default_factory=dict)
    labels: Mapping[int, int] = field(default_factory=dict)
    of_class: Mapping[int, int] = field(default_factory=dict)
    unanswered: Mapping[int, int] = field(default_factory=dict)
    columns: int = 0
    is_labelled: bool = True
    class_names: tuple[str, ...] = ()
    judged_by: str = ""
    n_misjudged: int = 0
    by_labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, images: Images, n_images: int, per_request: int) -> "ImageCounts":
        """Return the counts by image.

        Args:
            images: what was counted.
            n_images: images that are fired.
            per_request: images in one request; the last one holds what is left over.
        """
        fired = _by_image(images.fired, n_images, per_request)
        gone = _by_image(images.unanswered, n_images, per_request)
        unanswered = {image: count for image, count in enumerate(gone) if count}
        misread = (Misread(image, predicted, count) for (image, predicted), count in sorted(images.misread.items()))
        return cls(tuple(fired), tuple(misread), unanswered=unanswered)

    def judged(self, by: str, by_labels: tuple[str, ...] = ()) -> "ImageCounts":
        """Return the same of answers that somebody's own `is_right` has judged: without classes.

        Args:
            by, by_labels: as `judged_by` and `by_labels`.
        """
        n = len({one.image for one in self.misread})
        none = replace(self, misread=(), pixels={}, labels={}, of_class={})
        return replace(none, judged_by=by, n_misjudged=n, by_labels=by_labels)

    @property
    def why_no_classes(self) -> str:
        """Why no class is told of, nor for what an image was taken; empty: they are, or there are no labels."""
        if not self.judged_by:
            return ""
        which = judge_words(self.judged_by, self.by_labels)
        return f"{which}: no class is told, nor for what an image was taken"

    def class_text(self, label: int) -> str:
        """Return what a class is called: its number, and its name where it has one."""
        return f"{label} {self.class_names[label]}" if 0 <= label < len(self.class_names) else str(label)

    @property
    def answered(self) -> tuple[int, ...]:
        """How often each image was answered, rightly or wrongly, by its position."""
        return tuple(count - self.unanswered.get(image, 0) for image, count in enumerate(self.fired))

    @property
    def worst(self) -> tuple[int, ...]:
        """The images that were misread most often, at most as many as are shown, in order of their position."""
        counts: dict[int, int] = {}
        for one in self.misread:
            counts[one.image] = counts.get(one.image, 0) + one.count
        return tuple(sorted(sorted(counts, key=lambda image: (-counts[image], image))[:MOST_SHOWN]))


def judge_words(judged_by: str, by_labels: Sequence[str]) -> str:
    """Return who says which answers are right; the arguments are those of `ImageCounts`.

    >>> judge_words("Near.is_right", ())
    'Near.is_right says which answers are right'
    >>> judge_words("Near.is_right", ("Plain",))
    'Near.is_right says which answers are right, and of those to users of Plain their labels do'
    """
    others = f", and of those to users of {' and '.join(by_labels)} their labels do" if by_labels else ""
    return f"{judged_by} says which answers are right{others}"


def n_different(images: Images, n_images: int, per_request: int) -> int:
    """Return how many different images were answered; the arguments are those of `ImageCounts.of`."""
    answered = {first: count - images.unanswered.get(first, 0) for first, count in images.fired.items()}
    return sum(count > 0 for count in _by_image(answered, n_images, per_request))


def _by_image(by_first: Mapping[int, int], n_images: int, per_request: int) -> list[int]:
    counts = [0] * n_images
    for first, count in by_first.items():
        for image in range(first, min(first + per_request, n_images)):
            counts[image] += count
    return counts


NO_IMAGES = ImageCounts()
