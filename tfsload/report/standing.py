"""Where a run that is under way stands: counters that are there anyway, nothing put together. Plain data."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from tfsload.analysis.figures import span


@dataclass(frozen=True)
class LevelPlace:
    """Where a level stands among a run's.

    Attributes:
        number: its number, from 1 on.
        n_levels: how many there are.
        is_about: whether that is not known before the end, as of a search.
        name: what it asks for.
    """

    number: int
    n_levels: int
    is_about: bool
    name: str

    @property
    def of_how_many(self) -> str:
        """How many levels there are, where there is little room."""
        return f"{'~' if self.is_about else ''}{self.n_levels:,}"

    @property
    def in_words(self) -> str:
        """How many levels there are."""
        return f"{'about ' if self.is_about else ''}{self.n_levels:,}"


@dataclass(frozen=True)
class Begun:
    """What a run was begun to do.

    Attributes:
        model: that is called, with its version.
        where: the server's address and protocol.
        load: that is put on it.
        level_names: of its levels; empty: it has none, or they are not known before.
        loads: of the same levels: users, or arrivals a second.
        has_warm_up: whether it makes requests that do not count, which Locust's own figures hold.
    """

    model: str
    where: str
    load: str
    level_names: tuple[str, ...] = ()
    loads: tuple[float, ...] = ()
    has_warm_up: bool = False


@dataclass(frozen=True)
class Counters:
    """What has been counted of the level under way; in a run without levels, of all of it.

    Attributes:
        requests: that ended, answered or not.
        predictions, failed: images in them, and those without an answer.
        wrong: those answered wrongly; None: they have no labels.
        mismatched: answers that differ from those without load.
        offered, dropped: arrivals of open load, and those of them that found no free user.
        rate_rps: answers a second; None: not known yet.
    """

    requests: int = 0
    predictions: int = 0
    wrong: int | None = 0
    failed: int = 0
    mismatched: int = 0
    offered: int = 0
    dropped: int = 0
    rate_rps: float | None = None

    @property
    def error_rate(self) -> float | None:
        """Wrong and failed by predictions; None: none has ended, or they have no labels."""
        return None if self.wrong is None or not self.predictions else (self.wrong + self.failed) / self.predictions

    @property
    def images_per_s(self) -> float | None:
        """Images in the answers a second; None: not known yet."""
        if self.rate_rps is None or not self.requests:
            return None
        return self.rate_rps * self.predictions / self.requests


NOTHING_COUNTED = Counters()


@dataclass(frozen=True)
class Standing:
    """Where a run stands.

    Attributes:
        elapsed_s: since its level began, or since it did, if it has none; None: the level's users are awaited.
        lasts_s: how long that takes in all; None: not known, or until somebody ends it.
        warm_up_s: of the level, which comes first and does not count.
        after_s: how long the levels take that come after it; None: not known, or there are none.
        place: the level under way; None: it has none, or is between two.
        counted: so far, of that.
        users, users_asked: that run, and that are to.
        workers, lost_workers: processes that run users for it, and those that went away; 0 workers: it is alone.
        images_asked: to be fired in all, each once; None: no limit.
        warm_up_requests_left: to be made before those count.
        levels_done: that have ended.
        has_levels: whether it has any.
        is_open_load: whether requests are sent at a given rate.
        is_ending: whether it is being stopped, or its last level is done.
    """

    elapsed_s: float | None
    lasts_s: float | None = None
    warm_up_s: float = 0.0
    after_s: float | None = None
    place: LevelPlace | None = None
    counted: Counters = NOTHING_COUNTED
    users: int = 0
    users_asked: int = 0
    workers: int = 0
    lost_workers: tuple[str, ...] = ()
    images_asked: int | None = None
    warm_up_requests_left: int = 0
    levels_done: int = 0
    has_levels: bool = False
    is_open_load: bool = False
    is_ending: bool = False

    @property
    def share(self) -> float | None:
        """How much of the level is done, or of the run if it has none, of 1; None: its end is not known."""
        if self.images_asked and not self.has_levels:
            return share(self.counted.predictions, self.images_asked)
        return share(self.elapsed_s or 0.0, self.lasts_s) if self.lasts_s else None

    @property
    def left(self) -> str:
        """How much of its time is left, in words; where levels come after it, of all of them, too."""
        left_s = (self.lasts_s or 0.0) - (self.elapsed_s or 0.0)
        if not self.after_s:
            return left(left_s)
        return f"{left(left_s)} of this level, about {left(max(left_s, 0.0) + self.after_s)} in all"

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it, with the error rate."""
        plain = asdict(self)
        plain["counted"]["error_rate"] = self.counted.error_rate
        return plain


def share(done: float, whole: float) -> float:
    """Return how much is done, of 1."""
    return min(max(done / whole, 0.0), 1.0) if whole else 1.0


def left(seconds: float) -> str:
    """Return how much time is left, in words; what takes longer than it should has none left."""
    return f"{span(math.ceil(max(seconds, 0)))} left"
