"""Latency against load: four percentiles at each level, and the thresholds on latency. Pure."""

import itertools
import math
from collections.abc import Sequence

from tfsload.analysis.held_words import words_of
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.report import units
from tfsload.report.charts.chart import NARROW_PX, Axis, Chart, Drawing, Frame, Spec
from tfsload.report.charts.load_axis import by_load, can_be_told, load_axis
from tfsload.report.charts.placing import LINE_PX, Label, Room, apart, around, shortened, width_px
from tfsload.report.charts.scale import log_ticks
from tfsload.report.level_load import load_of
from tfsload.report.states import is_doubted

# By percentile: the colour's role and the mark's shape.
LOOKS = {50.0: ("p50", "circle"), 90.0: ("p90", "square"), 99.0: ("p99", "triangle-up"), 99.9: ("p999", "diamond")}
_NAMES_PX = 44
# A limit that is so many times further off than anything measured would make all else flat.
_FAR_OFF = 8
_MOST_LIMITS = 3
# Between what is said above two levels.
_APART_PX = 8


def latency(result: RunResult, to_come: Sequence[float] = ()) -> Chart | None:
    """Return the chart of a run with levels; None: they do not differ in load, or nothing was measured."""
    levels = by_load(result.levels)
    if not can_be_told(levels, to_come) or not _values_ms(levels):
        return None
    percentiles = [
        {
            "load": load_of(level),
            **{f"p{p:g}_ms": _ms(level.upper_end_ns.get(p)) for p in LOOKS},
        }
        for level in levels
    ]
    is_endless = any(_endless(level) for level in levels)
    return Chart(
        name="latency",
        title=f"Latency against {'rate' if levels[0].rate_rps is not None else 'load'}",
        below=_below(result, is_endless),
        label="Latency percentiles at each level. " + "; ".join(_told(level) for level in levels) + ".",
        data={"levels": percentiles, "limits": [{"text": text, "ms": ms} for text, ms in _limits(result)]},
        spec=lambda width_px: _spec(result, width_px, to_come),
    )


def _below(result: RunResult, is_endless: bool) -> str:
    parts = ["Each percentile is the highest value it may have (99%, for independent requests)"]
    if is_endless:
        parts = [f"{units.ENDLESS}: so many got no answer that the percentile has no value"]
    drawn = _drawn(result)
    if drawn:
        parts.append("Dashed: thresholds")
    if beyond := [text for text, _ in _limits(result) if text not in dict(drawn)]:
        parts.append(f"Too far off to be drawn: {' and '.join(beyond)}")
    if any(is_doubted(result, level) for level in result.levels):
        parts.append("?: no verdict")
    return ". ".join(parts)


def _ms(nanoseconds: float | None) -> float | str | None:
    if nanoseconds is None:
        return None
    return nanoseconds / 1e6 if math.isfinite(nanoseconds) else units.ENDLESS


def _values_ms(levels: Sequence[LevelResult]) -> list[float]:
    return [value / 1e6 for level in levels for p in LOOKS if (value := _finite_ns(level, p)) is not None]


def _finite_ns(level: LevelResult, percentile: float) -> float | None:
    value = level.upper_end_ns.get(percentile)
    return value if value is not None and math.isfinite(value) and value > 0 else None


def _endless(level: LevelResult) -> list[float]:
    return [p for p in LOOKS if level.upper_end_ns.get(p) == math.inf]


def _told(level: LevelResult) -> str:
    told = [f"p{p:g} {units.latency_ms(level.upper_end_ns.get(p))}" for p in LOOKS]
    return f"{level.name}: {', '.join(told)} ms"


def _limits(result: RunResult) -> list[tuple[str, float]]:
    """Return the limits of thresholds on latency, as they are asked for, in ms."""
    limits = {}
    for held in result.thresholds:
        if held.threshold.unit_kind == "duration" and not held.threshold.is_lag:
            limits[words_of(held).asked] = held.threshold.limit / 1e6
    return [*limits.items()][:_MOST_LIMITS]


def _drawn(result: RunResult) -> list[tuple[str, float]]:
    """Return those of the limits that lie near enough to what was measured."""
    values = _values_ms(result.levels)
    return [(text, ms) for text, ms in _limits(result) if min(values) / _FAR_OFF <= ms <= max(values) * _FAR_OFF]


def _spec(result: RunResult, width: int, to_come: Sequence[float] = ()) -> Spec:
    bare = Frame(width, 300 if width > NARROW_PX else 250, left_px=40, right_px=_NAMES_PX)
    levels = by_load(result.levels)
    values = _values_ms(levels)
    limits = _drawn(result)
    room_px = 2 * LINE_PX if any(map(_endless, levels)) else 0
    ticks = log_ticks(min(values + [ms for _, ms in limits]), max(values + [ms for _, ms in limits]))
    high = ticks[-1] * (ticks[-1] / ticks[0]) ** (room_px / (bare.inner_height_px - room_px))
    y = Axis(bare.y(ticks[0], high, "log"), "latency (ms, log scale)", ticks)
    frame = bare.beside(y)
    axis = load_axis(levels, frame, to_come)
    drawing = Drawing(frame, axis, y)
    room = Room(frame.bounds)
    last_px = axis.scale.px(load_of(levels[-1]))
    rules = [{"x": axis.scale.low, "x2": load_of(levels[-1]), "y": ms, "y2": ms} for _, ms in limits]
    drawing.rules(rules, "crossed", strokeDash=[5, 3])
    room.lines += [[(0.0, drawing.y.scale.px(ms)), (last_px, drawing.y.scale.px(ms))] for _, ms in limits]
    for percentile in LOOKS:
        _draw(drawing, room, levels, percentile)
    room.taken += [label.box for label in _name_endless(drawing, levels)]
    names = _names_at_last(drawing, levels)
    room.taken += [label.box for _, label in names]
    _mark_doubted(result, drawing, room)
    _name_limits(drawing, room, limits, last_px)
    _name_percentiles(drawing, room, levels, names)
    return drawing.spec()


def _runs(levels: Sequence[LevelResult], percentile: float) -> list[list[LevelResult]]:
    """Return the stretches of levels that have a value."""
    grouped = itertools.groupby(levels, lambda level: _finite_ns(level, percentile) is not None)
    return [[*group] for has_value, group in grouped if has_value]


def _draw(drawing: Drawing, room: Room, levels: Sequence[LevelResult], percentile: float) -> None:
    role, shape = LOOKS[percentile]
    for stretch in _runs(levels, percentile):
        rows: list[dict[str, float | str]] = []
        # Of a load that was held several times, the line goes through the first.
        firsts: dict[float, int] = {}
        line = []
        for number, level in enumerate(stretch):
            firsts.setdefault(load_of(level), number)
            value_ms = (_finite_ns(level, percentile) or 0.0) / 1e6
            label = f"{level.name}: p{percentile:g} {units.digits(value_ms)} ms"
            rows.append({"x": load_of(level), "y": value_ms, "label": label})
            line.append((drawing.x.scale.px(load_of(level)), drawing.y.scale.px(value_ms)))
            room.take(*line[-1], 5)
        room.lines.append([line[number] for number in firsts.values()])
        drawing.line([rows[number] for number in firsts.values()], role)
        drawing.points(rows, role, is_hollow=True, shape=shape, size=46)


def _mark_doubted(result: RunResult, drawing: Drawing, room: Room) -> None:
    """Mark levels whose figures support no verdict, above their marks; one without any mark stands at the bottom."""
    labels = []
    for level in result.levels:
        if is_doubted(result, level):
            values = [value for p in LOOKS if (value := _finite_ns(level, p)) is not None]
            x = drawing.x.scale.px(load_of(level))
            y = drawing.y.scale.px(max(values) / 1e6) if values else float(drawing.frame.inner_height_px)
            above = [(0, -away) for away in (13, 20, 28)]
            places = [
                *above,
                (-12, 0),
                (12, 0),
                *((dx, -away) for away in (13, 28, 42, 56) for dx in (-12, 12, 0, -20)),
            ]
            labels.append(room.place_surely(Label("?", x + dx, y + dy, "center", is_bold=True) for dx, dy in places))
    drawing.names(labels, "invalid")


def _names_at_last(drawing: Drawing, levels: Sequence[LevelResult]) -> list[tuple[float, Label]]:
    """Return the names of lines that go to the last level, beside it, apart from one another."""
    last = levels[-1]
    at_last = [p for p, level in _ends(levels).items() if level is last]
    places = [drawing.y.scale.px((_finite_ns(last, p) or 0.0) / 1e6) for p in at_last]
    x_px = drawing.x.scale.px(load_of(last)) + 10
    placed = apart(places, LINE_PX, 4, drawing.frame.inner_height_px - 4)
    return [(p, Label(f"p{p:g}", x_px, y_px, is_bold=True)) for p, y_px in zip(at_last, placed, strict=True)]


def _ends(levels: Sequence[LevelResult]) -> dict[float, LevelResult]:
    """Return the level at which each line ends, by percentile."""
    return {p: runs[-1][-1] for p in LOOKS if (runs := _runs(levels, p))}


def _name_percentiles(
    drawing: Drawing, room: Room, levels: Sequence[LevelResult], at_last: Sequence[tuple[float, Label]]
) -> None:
    """Name each line at its end; `at_last`: those names that have their places."""
    for p, label in at_last:
        drawing.names([label], LOOKS[p][0])
    for p, level in _ends(levels).items():
        if level is levels[-1]:
            continue
        x, y = drawing.x.scale.px(load_of(level)), drawing.y.scale.px((_finite_ns(level, p) or 0.0) / 1e6)
        if placed := room.place(around(f"p{p:g}", x, y, -13, is_bold=True)):
            drawing.names([placed], LOOKS[p][0])


def _name_endless(drawing: Drawing, levels: Sequence[LevelResult]) -> list[Label]:
    """Say above a level which percentiles have no value there; return what is said."""
    labels: list[Label] = []
    for level in levels:
        endless = _endless(level)
        if not endless:
            continue
        span = f"p{endless[0]:g}" + (f" to p{endless[-1]:g}" if len(endless) > 1 else "")
        x = drawing.x.scale.px(load_of(level))
        half = width_px(f"{units.ENDLESS} {span}", is_bold=True) / 2
        most = drawing.frame.inner_width_px + drawing.frame.right_px - half - 2
        label = Label(f"{units.ENDLESS} {span}", min(max(x, half), most), 8, "center", is_bold=True)
        short = Label(units.ENDLESS, x, 8, "center", is_bold=True)
        for one in (label, short):
            if not any(one.box.wider(_APART_PX).meets(other.box) for other in labels):
                labels.append(one)
                break
    drawing.names(labels, "failed")
    return labels


def _name_limits(drawing: Drawing, room: Room, limits: Sequence[tuple[str, float]], last_px: float) -> None:
    labels = []
    for text, ms in limits:
        y = drawing.y.scale.px(ms)
        # While a run is under way the last level may lie far to the left; there is room beyond it.
        text = shortened(text, drawing.frame.inner_width_px * 0.6)
        steps = [last_px * step / 10 for step in range(10)]
        candidates = [Label(text, 3 + x, y + dy) for dy in (-8, 9) for x in steps]
        if label := room.place(candidates):
            labels.append(label)
    drawing.names(labels, "crossed")
