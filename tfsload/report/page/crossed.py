"""Thresholds that were crossed, as a card tells them: how many, which, and the figure of the one on its own. Pure."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tfsload.analysis.held import Held
from tfsload.analysis.held_words import figure_and_unit, words_of
from tfsload.analysis.result import RunResult

# So many are named.
_MOST_NAMED = 3
_THROUGHPUT = ("rate", "right_rate", "dropped_rate", "parallelism")


@dataclass(frozen=True)
class Crossed:
    """Thresholds that were crossed and are told beside a figure.

    Attributes:
        worst: of those on that very figure the one that was crossed the furthest; None: none was.
        others: what else was crossed, as it is named.
        own: all that was crossed on that figure.
    """

    worst: Held | None
    others: tuple[str, ...]
    own: tuple[Held, ...] = ()

    @property
    def state(self) -> str:
        """The card's state: it is marked by a threshold on its own figure only."""
        return "crossed" if self.worst is not None else ""

    def figure(self, shown: float | None) -> tuple[str, str]:
        """Return the figure that crossed, and its unit with where that was; empty: it is the one that is shown."""
        if self.worst is None or self.worst.value is None or self.worst.value == shown:
            return "", ""
        figure, unit = figure_and_unit(self.worst)
        return figure, " ".join(filter(None, [unit, f"at {self.worst.place}" if self.worst.place else ""]))

    @property
    def told(self) -> list[str]:
        """What is said of them beside the figure."""
        told = []
        if self.worst is not None:
            words = words_of(self.worst)
            margin = words.margin if words.margin.endswith("bound") else f"{words.margin or 'beyond'} the bound"
            told += [f"{words.asked}: {margin}", *self._how_many()]
        if self.others:
            n_more = len(self.others) - _MOST_NAMED
            named = [*self.others[:_MOST_NAMED], *([f"{n_more} more"] if n_more > 0 else [])]
            verb = "was" if len(self.others) == 1 else "were"
            told.append(f"{_and(named)} {verb} crossed")
        return told

    def _how_many(self) -> list[str]:
        """Say how many were crossed on the figure, and which, where that is more than the one of which it is told."""
        asked = [*dict.fromkeys(words_of(held).asked for held in self.own)]
        if len(asked) > 1:
            more = [f"{len(asked) - _MOST_NAMED} more"] if len(asked) > _MOST_NAMED else []
            return [f"{len(asked)} thresholds on it were crossed: {_and([*asked[:_MOST_NAMED], *more])}"]
        if len(self.own) > 1:
            times = Counter(held.where for held in self.own)
            where = [name if n == 1 else f"{name} ({n}×)" for name, n in times.items()]
            more = [f"{len(where) - _MOST_NAMED} more"] if len(where) > _MOST_NAMED else []
            return [f"crossed at {len(self.own)} levels: {_and([*where[:_MOST_NAMED], *more])}"]
        return []


def _and(named: Sequence[str]) -> str:
    """Return names as a sentence has them."""
    return " and ".join(part for part in (", ".join(named[:-1]), named[-1]) if part)


def _crossed(result: RunResult, is_own: Callable[[Held], bool], is_near: Callable[[Held], bool]) -> Crossed:
    crossed = [held for held in result.thresholds if held.holds is False]
    own = [held for held in crossed if is_own(held)]
    worst = min(own, key=lambda held: -math.inf if held.margin is None else held.margin, default=None)
    others = dict.fromkeys(held.threshold.subject for held in crossed if is_near(held) and not is_own(held))
    return Crossed(worst, tuple(others), tuple(own))


def of_throughput(result: RunResult) -> Crossed:
    """Return those on how many requests are answered, or dropped."""
    return _crossed(result, lambda held: held.threshold.metric == "rate", _is_of_throughput)


def of_latency(result: RunResult) -> Crossed:
    """Return those on how long something takes."""
    return _crossed(result, is_p99, lambda held: held.threshold.unit_kind == "duration")


def of_errors(result: RunResult) -> Crossed:
    """Return those on what is wrong, or was not answered."""
    return _crossed(
        result,
        lambda held: held.threshold.metric == "error_rate",
        lambda held: held.threshold.unit_kind != "duration" and not _is_of_throughput(held),
    )


def _is_of_throughput(held: Held) -> bool:
    return held.threshold.metric in _THROUGHPUT


def is_p99(held: Held) -> bool:
    """Whether a threshold is on the percentile that a card shows."""
    return held.threshold.percentile == 99 and not held.threshold.is_lag
