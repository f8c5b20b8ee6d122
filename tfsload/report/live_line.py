"""The line that says how far a run is, while it goes on: in words, of any width. Pure.

3/4  4 users  █████░░░░░  11 s left  2,138/s  0.83% err
"""

import math
from dataclasses import dataclass

from tfsload.analysis.figures import count, percent, rate, span
from tfsload.report.standing import LevelPlace, Standing, left, share
from tfsload.report.tables import GAP

_BAR_WIDTH = 10


@dataclass(frozen=True)
class Counted:
    """What is known of what is under way.

    Attributes:
        rate_rps: answers a second; None: nothing is known yet.
        error_rate: errors by predictions; None: none has ended, or they have no labels.
        failed_rate: those without an answer, by predictions; told where there is no error rate.
    """

    rate_rps: float | None = None
    error_rate: float | None = None
    failed_rate: float | None = None

    @property
    def _parts(self) -> list[str]:
        told = [] if self.rate_rps is None else [f"{rate(self.rate_rps)}/s"]
        if self.error_rate is None:
            return told if self.failed_rate is None else [*told, f"{percent(self.failed_rate)} failed"]
        return [*told, f"{percent(self.error_rate)} err"]


NOTHING_YET = Counted()


def of(standing: Standing, width: int) -> str:
    """Return how far a run is; empty: between two levels nothing is under way."""
    counters = standing.counted
    counted = NOTHING_YET
    if counters.requests:
        failed_rate = counters.failed / counters.predictions if counters.predictions else None
        counted = Counted(counters.rate_rps, counters.error_rate, failed_rate)
    if standing.place is not None:
        seconds = standing.lasts_s or 0.0
        return of_level(standing.place, standing.elapsed_s, seconds, standing.warm_up_s, counted, width)
    if standing.has_levels:
        return ""
    if standing.warm_up_requests_left:
        return of_warm_up(standing.warm_up_requests_left, width)
    if standing.images_asked is not None:
        return of_images(counters.predictions, standing.images_asked, counted, width)
    return of_time(standing.elapsed_s or 0.0, standing.lasts_s, counted, width)


def of_level(
    place: LevelPlace, elapsed_s: float | None, seconds: float, warm_up_s: float, counted: Counted, width: int
) -> str:
    """Return how far a level is.

    Args:
        place: which level.
        elapsed_s: since it began; None: its users are still awaited.
        seconds, warm_up_s: of the level in all, and of its warm-up.
        counted: of it.
        width: characters that there is room for.
    """
    head = f"{place.number:,}/{place.of_how_many}"
    name = place.name.replace(" requests/s", "/s")
    if elapsed_s is None:
        return _fitted([head, name], None, ["waiting for its users"], width)
    told = ["warming up"] if elapsed_s < warm_up_s else counted._parts
    return _fitted([head, name], share(elapsed_s, seconds), [left(seconds - elapsed_s), *told], width)


def of_images(n_fired: int, n_asked: int, counted: Counted, width: int) -> str:
    """Return how far a run is that fires a number of images."""
    of = f"{count(n_fired)} of {count(n_asked)} image{'' if n_asked == 1 else 's'}"
    return _fitted([], share(n_fired, n_asked), [of, *counted._parts], width)


def of_time(elapsed_s: float, limit_s: float | None, counted: Counted, width: int) -> str:
    """Return how far a run is that lasts for a time; `limit_s` None: until somebody ends it."""
    if limit_s is None:
        return _fitted([], None, [span(math.floor(elapsed_s)), *counted._parts], width)
    return _fitted([], share(elapsed_s, limit_s), [left(limit_s - elapsed_s), *counted._parts], width)


def of_warm_up(n_left: int, width: int) -> str:
    """Return how far a warm-up by number of requests is, of which so many are left."""
    requests = "1 request" if n_left == 1 else f"{count(n_left)} requests"
    return _fitted([], None, [f"warming up: {requests} to go before anything counts"], width)


def _fitted(before: list[str], share: float | None, after: list[str], width: int) -> str:
    """Return the parts that there is room for: without the bar first, then without the last one, and so on."""
    bar = [] if share is None else ["█" * int(share * _BAR_WIDTH) + "░" * (_BAR_WIDTH - int(share * _BAR_WIDTH))]
    line = GAP.join([*before, *bar, *after])
    parts = [*before, *after]
    while len(line) > width and parts:
        line = GAP.join(parts)
        parts.pop()
    return line if len(line) <= width else f"{line[: max(width - 1, 0)]}…"[:width]
