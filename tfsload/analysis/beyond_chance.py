"""Thresholds on accuracy while images are still fired: what is more than the chance of which came first. Pure.

Of all images the share is exact. Of the first few it is not: of 1,000 images with 8 wrong ones, which hold a limit of
1 %, every other order crosses it for a while. So a share so far crosses a limit only where that is told from chance,
by the exact one-sided test (C. J. Clopper and E. S. Pearson, Biometrika 26(4), 1934), or where even the best that may
come of the images that are left would not mend it. Images come in turn, none again before all, so that their shares
differ less than the test allows for.
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


def beyond_chance(held: Held, counted: Record | LevelCounts, n_all: int | None = None) -> Held:
    """Return what a threshold was held against so far; where chance may have crossed it, it is not known.

    Args:
        held: the threshold, and what it was held against.
        counted: what that was reckoned from.
        n_all: images that there will be at the end; None: that is not known.
    """
    images = images_of(held.threshold, counted)
    if held.holds is not False or images is None or not images[1] or _is_told(held.threshold, *images):
        return held
    if n_all is not None and held.threshold.label is None and _is_past_mending(held.threshold, *images, n_all):
        return held
    return replace(held, holds=None, why_unknown="so few images may cross it by chance")


def _is_told(threshold: Threshold, k: int, n: int) -> bool:
    """Whether k of n images are too many, or too few, to be of as many as the limit allows."""
    if threshold.limit in (0, 1):
        return True  # what lies beyond is no matter of how many
    tail = at_least if threshold.is_upper else at_most
    return tail(k, n, threshold.limit) <= FALSE_ALARMS


def _is_past_mending(threshold: Threshold, k: int, n: int, n_all: int) -> bool:
    """Whether the limit stays crossed whatever comes of the images that are left."""
    best = k if threshold.is_upper else k + max(n_all - n, 0)
    return threshold.holds(best / max(n_all, n)) is False
