"""The axis of load, by which throughput and latency are told: users in flight, or arrivals a second. Pure."""

import math
from collections.abc import Sequence

from tfsload.analysis.level_result import LevelResult
from tfsload.report.charts.chart import Axis, Frame
from tfsload.report.charts.placing import width_px
from tfsload.report.charts.scale import labels_of, spread
from tfsload.report.level_load import load_of

# From here on doublings take equal room.
_LINEAR_UP_TO = 16
_LEAST_TICK_PX = 20


def can_be_told(levels: Sequence[LevelResult], to_come: Sequence[float] = ()) -> bool:
    """Whether levels differ in load, those to come (their loads) too, so that a figure can be told by it."""
    return bool(levels) and len({*map(load_of, levels), *to_come}) > 1


def load_axis(levels: Sequence[LevelResult], frame: Frame, to_come: Sequence[float] = ()) -> Axis:
    """Return the axis: from 0, or in doublings where loads are far apart; a tick at each level, if there is room.

    Args:
        levels: that have ended.
        frame: the room that there is.
        to_come: loads of those that have not: the axis is to stay as it is until they have.
    """
    loads = sorted({*map(load_of, levels), *to_come})
    least, most = loads[0], loads[-1]
    is_open = levels[0].rate_rps is not None
    if most / least > _LINEAR_UP_TO:
        room = (most / least) ** 0.06
        scale = frame.x(least / room, most * room, "log2")
    else:
        scale = frame.x(0, most * 1.08)
    title = "offered rate (requests/s)" if is_open else "users (requests in flight)"
    widest = max(map(width_px, labels_of(loads)))
    return Axis(scale, title, spread(loads, scale, max(_LEAST_TICK_PX, widest + 6)))


def by_load(levels: Sequence[LevelResult]) -> list[LevelResult]:
    """Return levels by load, the least first."""
    return sorted(levels, key=lambda level: (load_of(level), level.number))


def is_log(axis: Axis) -> bool:
    """Whether doublings take equal room."""
    return axis.scale.kind != "linear"


def samples_along(axis: Axis, n: int = 60) -> list[float]:
    """Return loads along the whole axis, for a line that is no straight one on it."""
    start, end = axis.scale.start_px, axis.scale.end_px
    low = axis.scale.low if is_log(axis) else 0.0
    return [max(axis.scale.value(start + (end - start) * step / n), low) for step in range(n + 1)]


def decades(values: Sequence[float]) -> float:
    """Return how many powers of ten lie between the least and the greatest of some values."""
    return math.log10(max(values) / min(values))
