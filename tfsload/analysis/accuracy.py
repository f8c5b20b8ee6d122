"""What a gate on accuracy can see, by the images that were answered. Pure.

Of these images the share is exact, and that is judged. What they tell of others is another matter: they
are a sample, of as many as there are images. However often each was fired, it is one of them.

The formulas are those of one-sided tests at 5 %, and of the exact interval (C. J. Clopper and E. S. Pearson, Biometrika
26(4), 1934).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tfsload.analysis.binomial import at_least, at_most
from tfsload.analysis.figures import percent
from tfsload.analysis.image_counts import ImageCounts
from tfsload.analysis.thresholds import Threshold
from tfsload.records.level import Level

FALSE_ALARMS = 0.05
POWER = 0.9
# Each end of a 90 % interval is left out in 5 of 100 cases.
CONFIDENCE = 0.9
_TAIL = (1 - CONFIDENCE) / 2
_STEPS = 60  # of a bisection: finer than a float


@dataclass(frozen=True)
class SeenBy:
    """What a number of images can see of a change in accuracy.

    Attributes:
        figure: what is meant: `error rate`, or a class's, as `recall[7]`.
        n_images: different images that were answered, where there are levels at each of them.
        share: their figure, of all images alike.
        change: how much other a model's figure has to be, so that as many images like these tell it from chance in
            9 of 10 cases, with 5 % false alarms: above 0 for an error rate, below for the others.
        new_images: the end of the 90 % interval of the figure for images like these: the upper one of an error rate,
            the lower one of the others. None: some images were answered one way and another, and it is not known.
    """

    figure: str
    n_images: int
    share: float
    change: float
    new_images: float | None

    @property
    def sentence(self) -> str:
        """All this for people.

        >>> SeenBy("error rate", 1000, 0.008, 0.0107, 0.0144).sentence
        'error rate: 1,000 images at 0.80% see +1.1 points with 90% power; for new images: up to 1.44% (90%, exact)'
        """
        points = f"{'+' if self.change > 0 else '−'}{_points(abs(self.change))}"
        images = "1 image at" if self.n_images == 1 else f"{self.n_images:,} images at"
        verb = "sees" if self.n_images == 1 else "see"
        seen = f"{self.figure}: {images} {percent(self.share)} {verb} {points} points with {POWER:.0%} power"
        if self.new_images is None:
            return seen
        side = "up to" if self.change > 0 else "down to"
        return f"{seen}; for new images: {side} {percent(self.new_images)} ({CONFIDENCE:.0%}, exact)"


def seen_by(
    asked: Iterable[Threshold], images: ImageCounts, n_at_levels: Sequence[tuple[Level, int]] = ()
) -> tuple[SeenBy, ...]:
    """Return what the images of a run can see, for each figure of accuracy that a threshold limits.

    Args:
        asked: the thresholds; those that let a model be as bad as it likes are left out.
        images: how often each was fired, and for what it was taken.
        n_at_levels: the levels, and how many different images were answered at each; empty: a run without levels.
    """
    n_answered = sum(count > 0 for count in images.answered)
    found: dict[str, SeenBy] = {}
    for one in asked:
        n_here = [n for level, n in n_at_levels if one.is_about(level.users, level.rate_rps)] or [n_answered]
        if one.metric in _ERRORS and one.is_upper:
            figure, sample = "error rate", _errors(images, min(n_here))
        elif one.label is not None and not one.is_upper and min(n_here) == n_answered:
            # Where a level had not all of them, it is not known how many it had of one class.
            figure = f"{one.metric}[{one.label}]"
            sample = (_recalled if one.metric == "recall" else _named)(images, one.label)
        else:
            continue
        seen = _seen(figure, sample, is_error=one.label is None)
        if seen is not None and (figure not in found or seen.n_images < found[figure].n_images):
            found[figure] = seen
    return tuple(found.values())


_ERRORS = ("error_rate", "wrong_rate")


class _Sample(NamedTuple):
    """Different images: how many, what share of them is wrong, and how many, where each is so always or never."""

    n: int
    wrong: float
    n_wrong: int | None


def _seen(figure: str, sample: _Sample, is_error: bool) -> SeenBy | None:
    if not sample.n:
        return None
    rise = least_rise(sample.n, sample.wrong)
    if rise is None:
        return None
    bound = None if sample.n_wrong is None else upper_bound(sample.n_wrong, sample.n)
    if is_error:
        return SeenBy(figure, sample.n, sample.wrong, rise, bound)
    return SeenBy(figure, sample.n, 1 - sample.wrong, -rise, None if bound is None else 1 - bound)


def _wrong_shares(images: ImageCounts) -> dict[int, float]:
    """Return, of each image that was misread, how often of all times that it was answered."""
    answered, counts = images.answered, dict[int, int]()
    for one in images.misread:
        counts[one.image] = counts.get(one.image, 0) + one.count
    return {image: count / answered[image] for image, count in counts.items()}


def _sample(n: int, shares: Collection[float], n_all: int | None = None) -> _Sample:
    """Return n images, of which these shares are wrong; `n_all`: of so many, of which n are a part."""
    wrong = sum(shares) / (n_all or n) if shares else 0.0
    is_whole = n_all in (None, n) and all(share == 1 for share in shares)
    return _Sample(n, wrong, len(shares) if is_whole else None)


def _errors(images: ImageCounts, n: int) -> _Sample:
    n_answered = sum(count > 0 for count in images.answered)
    return _sample(n, _wrong_shares(images).values(), n_answered) if n else _Sample(0, 0.0, None)


def _recalled(images: ImageCounts, label: int) -> _Sample:
    shares = [share for image, share in _wrong_shares(images).items() if images.labels.get(image) == label]
    n = images.of_class.get(label, 0)
    return _sample(n, shares) if n else _Sample(0, 0.0, None)


def _named(images: ImageCounts, label: int) -> _Sample:
    """Return the images that were answered as a class; not where some were so now and then."""
    shares = _wrong_shares(images)
    if any(share != 1 for share in shares.values()) or len(images.misread) != len(shares):
        return _Sample(0, 0.0, None)
    n_missed = sum(images.labels.get(image) == label for image in shares)
    n_wrong = sum(one.predicted == label for one in images.misread)
    n = images.of_class.get(label, 0) - n_missed + n_wrong
    return _Sample(n, n_wrong / n, n_wrong) if n else _Sample(0, 0.0, None)


def _points(change: float) -> str:
    """Return a change in points of per cent, to two digits.

    >>> _points(0.0107), _points(0.00285), _points(0.317)
    ('1.1', '0.29', '32')
    """
    points = 100 * change
    return f"{points:.0f}" if points >= 9.95 else f"{points:.2g}"


def least_rise(n: int, share: float) -> float | None:
    """Return the least rise of a share that n of something tell from chance with 90 % power; None: they tell none.

    More than as many as come by chance in 5 of 100 samples of the lower share have to come in 90 of 100 of the higher.
    """
    critical = _first(n + 1, lambda k: at_least(k, n, share) <= FALSE_ALARMS)
    if critical > n:
        return None
    return _root(lambda higher: at_least(critical, n, higher) >= POWER, share) - share


def upper_bound(k: int, n: int) -> float:
    """Return the upper end of the exact 90 % interval of a share of which k of n were seen."""
    return 1.0 if k >= n else _root(lambda share: at_most(k, n, share) <= _TAIL, k / n)


def _first(end: int, is_beyond: Callable[[int], bool]) -> int:
    """Return the first of the numbers from 0 below which one is not beyond, or the end."""
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_beyond(middle) else (middle + 1, high)
    return low


def _root(is_beyond: Callable[[float], bool], low: float) -> float:
    """Return the least share from `low` to 1 that is beyond."""
    high = 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_beyond(middle) else (middle, high)
    return high
