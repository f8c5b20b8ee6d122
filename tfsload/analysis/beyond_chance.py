"""Thresholds on accuracy while images are still fired: what is more than the chance of which came first. Pure.

Of all images the share is exact. Of the first few it is not: of 1,000 images with 8 wrong ones, which hold a limit of
1 %, every other order crosses it for a while.

Where images are fired over and over, in an order of chance, a share so far crosses a limit only where that is told from
chance, by the exact one-sided test (C. J. Clopper and E. S. Pearson, Biometrika 26(4), 1934). Images come in turn, none
again before all, so that their shares differ less than the test allows for.

Limits such as `error_rate < 100%` and `recall[7] > 0` are crossed where all are wrong: that no number of answers tells
from nearly all, but there are only so many images. It is told where one of them that were right would have been met by
now, whichever it is.

Where each image is fired once (`--num-tests`) they come in the order of the file, which may be sorted in any way, so
that no test tells anything. There a limit is crossed where even the best that may come of the images that are left
would not mend it, which is exact.
"""

from dataclasses import replace

from tfsload.analysis.binomial import at_least, at_most
from tfsload.analysis.held import Held
from tfsload.analysis.metrics import images_of
from tfsload.analysis.thresholds import Threshold
from tfsload.records.level_counts import LevelCounts
from tfsload.records.record import Record

# At one look. The grace, at each look of which it has to be crossed, makes it far less.
FALSE_ALARMS = 0.05


def beyond_chance(
    held: Held, counted: Record | LevelCounts, n_all: int | None = None, n_images: int | None = None
) -> Held:
    """Return what a threshold was held against so far; where the images to come may decide it, it is not known.

    Args:
        held: the threshold, and what it was held against.
        counted: what that was reckoned from.
        n_all: images that there will be at the end, each fired once; None: they are fired over and over, in an order
            of chance.
        n_images: how many of them there are; None: it is not known.
    """
    images = images_of(held.threshold, counted)
    if held.holds is not False or images is None or not images[1]:
        return held
    if n_all is None:
        if _is_told(held.threshold, *images) or _is_without_exception(held.threshold, *images, counted, n_images):
            return held
        return replace(held, holds=None, why_unknown="so few images may cross it by chance")
    if _is_past_mending(held.threshold, *images, n_left=max(n_all - counted.predictions, 0)):
        return held
    return replace(held, holds=None, why_unknown="the images that are left may mend it")


def _is_told(threshold: Threshold, k: int, n: int) -> bool:
    """Whether k of n images are too many, or too few, to be of as many as the limit allows."""
    tail = at_least if threshold.is_upper else at_most
    return tail(k, n, threshold.limit) <= FALSE_ALARMS


def _is_without_exception(
    threshold: Threshold, k: int, n: int, counted: Record | LevelCounts, n_images: int | None
) -> bool:
    """Whether all of n images are beyond the limit, so that each that there is would be, but by chance.

    One that is not has the chance of 1 ÷ `n_images` at least to be the next.
    """
    if n_images is None or k != (n if threshold.is_upper else 0):
        return False
    # Which images have a class, or are taken for it, is not known: one that was not met may be of it.
    n_met = n if threshold.label is None or isinstance(counted, LevelCounts) else counted.confusion.total
    return at_most(0, n_met, 1 / n_images) <= FALSE_ALARMS


def _is_past_mending(threshold: Threshold, k: int, n: int, n_left: int) -> bool:
    """Whether the limit stays crossed whatever comes of the images that are left; all may be of a threshold's class."""
    best = k if threshold.is_upper else k + n_left
    return threshold.holds(best / (n + n_left)) is False
