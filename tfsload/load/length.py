"""How long a plan of levels takes, in numbers and in words: the same before a run, in a dry run and on a page. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfsload.analysis.figures import span

# Locust looks for a next load once a second: users are there a second before the first level is measured, and a level
# that is shorter is followed by load that is not counted until the second is over.
STEP_S = 1.0
# What lies between two levels: users are started, and processes tell what they have counted.
BETWEEN_S = 0.1
# So long at most is the way to the server measured, before the first level of a sweep that has one user.
ROUND_TRIP_LIMIT_S = 5.0
# From so many times as long on it is worth a word how long it may take.
_MUCH_LONGER = 1.2


def run_s(levels_s: Sequence[float]) -> float:
    """Return how long a run takes whose levels take so long each, their warm-ups with them, in seconds.

    >>> round(run_s([0.2]), 1), round(run_s([0.2, 0.2, 0.2]), 1), round(run_s([12, 12]), 1)
    (1.3, 3.3, 25.2)
    """
    return STEP_S + left_s(levels_s)


def left_s(levels_s: Sequence[float]) -> float:
    """Return how long it takes from the begin of the first of some levels to the run's end; 0 for none."""
    *others, last = levels_s or (-BETWEEN_S,)
    return sum(max(one + BETWEEN_S, STEP_S) for one in others) + last + BETWEEN_S


@dataclass(frozen=True)
class Length:
    """How long a run through levels takes, their warm-ups and what lies between them with them.

    Attributes:
        n_levels, seconds: how many there are, and how long the run lasts in all; of a search, about.
        most_levels: of a search: how many there may be at most; else None. A level that is held once more, because one
            stall decided it, is in the time and is no further level.
        most_s: how long it may last, where the server is slow, and of a search where it takes the most levels.
    """

    n_levels: int
    seconds: float
    most_levels: int | None = None
    most_s: float | None = None

    @property
    def words(self) -> str:
        """All of it for people.

        >>> Length(4, 49.4).words
        '4 levels · about 49 s'
        >>> Length(2, 25.2, most_s=37.2).words
        '2 levels · about 25 s, up to 37 s where the server is slow'
        >>> Length(9, 63.0, 12, 288.0).words
        'about 9 probes, at most 12 · about 1 min 3 s, at most 4 min 48 s'
        """
        if self.most_levels is None or self.most_s is None:
            told = f"{self.n_levels:,} {'level' if self.n_levels == 1 else 'levels'} · about {span(self.seconds)}"
            is_worth = self.most_s is not None and self.most_s > _MUCH_LONGER * self.seconds
            return f"{told}, up to {span(self.most_s or 0.0)} where the server is slow" if is_worth else told
        probes = f"about {self.n_levels:,} {'probe' if self.n_levels == 1 else 'probes'}, at most {self.most_levels:,}"
        return f"{probes} · about {span(self.seconds)}, at most {span(self.most_s)}"
