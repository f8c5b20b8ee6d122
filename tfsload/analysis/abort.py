"""When a threshold ends a run: where it was crossed at each look for its grace. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from tfsload.analysis.held import Held, told_apart
from tfsload.analysis.thresholds import DEFAULT_GRACE_S, Threshold


@dataclass(frozen=True)
class Aborted:
    """How a threshold ended a run.

    Attributes:
        held: the threshold, and what it was held against at the look that ended the run.
        crossed_s: for how many seconds it had been crossed at each look.
    """

    held: Held
    crossed_s: float


class Patience:
    """Knows for how long each threshold has been crossed."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._since_s: dict[Threshold, float] = {}

    def forget_others(self, about: Iterable[Threshold]) -> None:
        """Begin anew for all thresholds but these: a level is measured that the others are not about."""
        kept = set(about)
        self._since_s = {threshold: since_s for threshold, since_s in self._since_s.items() if threshold in kept}

    def look(
        self, found: Iterable[Held], now_s: float, speaks_for_s: float = 0.0, is_final: bool = False
    ) -> Aborted | None:
        """Take what was found at a look; return how the run ends by it, or None: it goes on.

        Args:
            found: thresholds, and what they were held against. One that holds, or of which that is not known, begins
                anew.
            now_s: when it was looked.
            speaks_for_s: for how long before that the figures speak: a level's end is one look at all of it.
            is_final: whether they are the level's last, and what is crossed stays so. Then nothing is waited for where
                no grace was given.
        """
        ended: Aborted | None = None
        for held in found:
            threshold = held.threshold
            if not threshold.aborts:
                continue
            if held.holds is not False:
                self._since_s.pop(threshold, None)
                continue
            begun_s = now_s - speaks_for_s
            self._since_s[threshold] = min(self._since_s.get(threshold, begun_s), begun_s)
            crossed_s = now_s - self._since_s[threshold]
            if ended is None and crossed_s >= _grace_s(threshold, is_final):
                ended = Aborted(held, crossed_s)
        return ended


def _grace_s(threshold: Threshold, is_final: bool) -> float:
    if threshold.grace_s is not None:
        return threshold.grace_s
    return 0.0 if is_final else DEFAULT_GRACE_S


def with_aborted(thresholds: tuple[Held, ...], aborted: Aborted | None) -> tuple[Held, ...]:
    """Return what thresholds were held against, with the one that ended the run as it was when it did.

    Of a run without levels it takes the place of the figure at the end, which is a little later. A level that was under
    way has no other figure.
    """
    if aborted is None or aborted.held in thresholds:
        return thresholds
    last = aborted.held
    return told_apart([*(held for held in thresholds if not _is_replaced(held, last)), last])


def _is_replaced(held: Held, last: Held) -> bool:
    if held.threshold != last.threshold:
        return False
    return not held.where or (held.where == last.where and held.value is None)
