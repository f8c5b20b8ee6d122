"""How long a plan of levels takes, in numbers and in words: the same before a run, in a dry run and on a page. Pure."""

from dataclasses import dataclass

from tfsload.analysis.figures import span


@dataclass(frozen=True)
class Length:
    """How long levels take, their warm-ups with them.

    Attributes:
        n_levels, seconds: how many there are, and how long they last in all; of a search, about.
        most_levels, most_s: of a search: how many there may be at most, and how long they may last; else None. A level
            that is held once more, because one stall decided it, is in the time and is no further level.
    """

    n_levels: int
    seconds: float
    most_levels: int | None = None
    most_s: float | None = None

    @property
    def words(self) -> str:
        """All of it for people.

        >>> Length(4, 48.0).words
        '4 levels · about 48 s'
        >>> Length(9, 63.0, 12, 288.0).words
        'about 9 probes, at most 12 · about 1 min 3 s, at most 4 min 48 s'
        """
        if self.most_levels is None or self.most_s is None:
            return f"{self.n_levels:,} {'level' if self.n_levels == 1 else 'levels'} · about {span(self.seconds)}"
        probes = f"about {self.n_levels:,} {'probe' if self.n_levels == 1 else 'probes'}, at most {self.most_levels:,}"
        return f"{probes} · about {span(self.seconds)}, at most {span(self.most_s)}"
