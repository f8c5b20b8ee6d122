"""Throughput against load: each level with its interval, the fitted law with its band, and the ideal. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfsload.analysis.figures import percent
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.report import units
from tfsload.report.charts.chart import NARROW_PX, Axis, Chart, Drawing, Frame, Spec
from tfsload.report.charts.level_bars import Bar, bars_of
from tfsload.report.charts.load_axis import by_load, can_be_told, is_log, load_axis, samples_along
from tfsload.report.charts.placing import Label, Room, around, width_px
from tfsload.report.charts.scale import labels_of, ticks_from_zero
from tfsload.report.level_load import load_of
from tfsload.report.states import is_doubted, of_level

# So many levels have their value beside them; the table has all.
_MOST_VALUES = 5
_ROOM_ABOVE = 1.2
# And so many times the highest that was measured, of the band.
_MOST_OF_A_BAND = 1.5
# A dot reaches so far from its middle, and so high is the drawing where there is room.
_DOT_PX, _HIGH_PX = 6, 230


@dataclass(frozen=True)
class _Point:
    """A level as it is drawn.

    Attributes:
        load: users, or arrivals a second.
        rps: its throughput.
        state: "pass", "invalid" or "failed".
        is_doubted: whether it supports no verdict.
        value: its throughput in words, with "?" where it supports none.
        more: what else is said beside it; empty: nothing.
        label: all this in a sentence.
    """

    load: float
    rps: float
    state: str
    is_doubted: bool
    value: str
    more: str
    label: str


def throughput(result: RunResult, to_come: Sequence[float] = ()) -> Chart | None:
    """Return the chart of a run with levels; None: they do not differ in load, or nothing was answered."""
    levels = by_load(result.levels)
    if not can_be_told(levels, to_come) or not any(level.achieved_rps for level in levels):
        return None
    bars = bars_of(result)
    points = [_point(result, level, bars) for level in levels]
    is_open = levels[0].rate_rps is not None
    curve = result.scaling.curve if result.scaling is not None else ()
    data = {
        "levels": [{"load": point.load, "rps": point.rps, "state": point.state} for point in points],
        "bars": [
            {"load": bar.load, "rps": bar.rps, "low_rps": bar.low_rps, "high_rps": bar.high_rps, "state": bar.state}
            for bar in bars
        ],
        "law": [
            {"load": one.users, "rps": one.throughput_rps, "low_rps": one.low_rps, "high_rps": one.high_rps}
            for one in curve
        ],
    }
    told = "; ".join(point.label for point in points)
    return Chart(
        name="throughput",
        title=f"Throughput against {'rate' if is_open else 'load'}",
        below=_below(result, points, bars),
        label=f"Throughput against {'offered rate' if is_open else 'users'}. {told}.",
        data=data,
        spec=lambda width_px: _spec(result, points, bars, width_px, to_come),
    )


def _point(result: RunResult, level: LevelResult, bars: Sequence[Bar]) -> _Point:
    state = of_level(result, level)
    value = units.rate(level.achieved_rps)
    doubt = is_doubted(result, level)
    more = f"{percent(level.failed_requests / level.requests)} failed" if level.failed_requests else ""
    said = f"{level.name}: {value} requests/s{_interval(level, bars)}"
    label = ", ".join(part for part in (said, state.word if doubt else "", more) if part)
    value = f"{value} ?" if doubt else value
    return _Point(load_of(level), level.achieved_rps, state.key, doubt, value, more, label)


def _interval(level: LevelResult, bars: Sequence[Bar]) -> str:
    """Return a level's interval in words, or that of the levels that it is taken together with; empty: it has none."""
    bar = next((bar for bar in bars if level.number in bar.numbers), None)
    if bar is None:
        return ""
    ends = f"{units.rate(bar.low_rps)} to {units.rate(bar.high_rps)}"
    n_levels = len(bar.numbers)
    return f" ({ends})" if n_levels == 1 else f" (mean of {n_levels} such levels {units.rate(bar.rps)}, {ends})"


def _top(result: RunResult, points: list[_Point], bars: Sequence[Bar]) -> float:
    """Return where the axis ends."""
    curve = result.scaling.curve if result.scaling is not None else ()
    measured = max([1e-9, *(one.rps for one in points), *(one.high_rps for one in bars)])
    # Few levels leave a band that is far wider than all that was measured, which it is not to press flat.
    of_band = min(max([0.0, *(one.high_rps for one in curve)]), _MOST_OF_A_BAND * measured)
    of_law = max([0.0, *(one.throughput_rps for one in curve)])
    return _ROOM_ABOVE * max(measured, of_band, of_law)


def _below(result: RunResult, points: list[_Point], bars: Sequence[Bar]) -> str:
    # A bar that its dot hides is not spoken of; the mark's own words have the interval.
    hidden_rps = _top(result, points, bars) * _DOT_PX / _HIGH_PX
    are_seen = any(max(bar.high_rps - bar.rps, bar.rps - bar.low_rps) > hidden_rps for bar in bars)
    what = "within the level" if result.scaling is None else "scatter between equal levels included"
    parts = [f"Bars: 95%, {what}"] if are_seen else []
    if are_seen and any(len(bar.numbers) > 1 for bar in bars):
        parts.append("Equal levels share a bar")
    if any(point.is_doubted for point in points):
        parts.append("Hollow ?: no verdict")
    if any(point.more for point in points):
        parts.append("Square: requests failed, such a share")
    return ". ".join(parts)


def _spec(
    result: RunResult, points: list[_Point], bars: Sequence[Bar], width: int, to_come: Sequence[float] = ()
) -> Spec:
    # Half of the last load's label may stand beyond it.
    right_px = max(14, int(width_px(labels_of(sorted({*(point.load for point in points), *to_come}))[-1]) / 2) + 2)
    bare = Frame(width, 300 if width > NARROW_PX else 250, 52 if width > NARROW_PX else 44, right_px)
    levels, curve = result.levels, result.scaling.curve if result.scaling is not None else ()
    top = _top(result, points, bars)
    y = Axis(bare.y(0, top), "throughput (requests/s)", ticks_from_zero(top, bare.inner_height_px // 46))
    frame = bare.beside(y)
    axis = load_axis(levels, frame, to_come)
    drawing = Drawing(frame, axis, y)
    room = _Layout(drawing, frame)
    seen = [one for one in curve if axis.scale.low <= one.users <= axis.scale.high]
    drawing.band([{"x": one.users, "y": one.low_rps, "y2": one.high_rps} for one in seen], "p50")
    law = [(float(one.users), one.throughput_rps) for one in seen]
    drawing.line([{"x": x, "y": y} for x, y in law], "p50")
    ideal = _ideal(result, drawing)
    drawing.line([{"x": x, "y": y} for x, y in ideal], "muted", strokeDash=[4, 3], strokeWidth=1.5)
    for state, role in (("pass", "ink"), ("invalid", "invalid"), ("failed", "failed")):
        of_state = [one for one in bars if one.state == state]
        rules = [{"x": one.load, "x2": one.load, "y": one.low_rps, "y2": one.high_rps} for one in of_state]
        drawing.rules(rules, role, strokeWidth=2)
        rows = [{"x": one.load, "y": one.rps, "label": one.label} for one in points if one.state == state]
        shape = "square" if state == "failed" else "circle"  # a colour alone would tell it to some only
        drawing.points(rows, role, is_hollow=state != "pass", shape=shape)
    edges = [(float(one.users), one.low_rps) for one in seen], [(float(one.users), one.high_rps) for one in seen]
    room.take(points, bars, law, ideal, *edges)
    room.name_levels(points)
    room.name_ideal(result, ideal, is_short=width <= NARROW_PX)
    room.name_law([(one.users, one.low_rps, one.high_rps) for one in seen], is_short=width <= NARROW_PX)
    return drawing.spec()


def _ideal(result: RunResult, drawing: Drawing) -> list[tuple[float, float]]:
    """Return the line of what would be ideal: all that is offered, or each user as much as the first one."""
    a_load = _ideal_a_load(result)
    if a_load is None:
        return []
    top = drawing.y.scale.high
    if is_log(drawing.x):
        along = [(load, load * a_load) for load in samples_along(drawing.x) if load * a_load <= top]
    else:
        along = [(0.0, 0.0), (drawing.x.scale.high, drawing.x.scale.high * a_load)]
    end = min(top / a_load, drawing.x.scale.high)
    return [*(point for point in along if point[0] < end), (end, end * a_load)]


def _ideal_a_load(result: RunResult) -> float | None:
    if result.levels[0].rate_rps is not None:
        return 1.0
    alone = [one for one in result.scaling.levels if one.users == 1 and one.is_trusted] if result.scaling else []
    return alone[0].throughput_rps if alone and alone[0].throughput_rps > 0 else None


def _along(line: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points of a straight line, from its end to its first third."""
    (x, y), (end_x, end_y) = line[0], line[-1]
    return [(x + (end_x - x) * share, y + (end_y - y) * share) for share in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)]


class _Layout:
    """Finds room for names."""

    def __init__(self, drawing: Drawing, frame: Frame) -> None:
        self._drawing = drawing
        self._room = Room(frame.bounds)

    def _at(self, load: float, rps: float) -> tuple[float, float]:
        return self._drawing.x.scale.px(load), self._drawing.y.scale.px(rps)

    def take(self, points: list[_Point], bars: Sequence[Bar], *lines: list[tuple[float, float]]) -> None:
        """Keep marks and lines free."""
        for point in points:
            x, y = self._at(point.load, point.rps)
            self._room.take(x, y, 6)
        for bar in bars:
            self._room.lines.append([self._at(bar.load, bar.low_rps), self._at(bar.load, bar.high_rps)])
        for line in lines:
            self._room.lines.append([self._at(*one) for one in line])

    def name_levels(self, points: list[_Point]) -> None:
        """Write values beside levels, where there are few; and what failed, wherever something did."""
        labels: dict[str, list[Label]] = {"ink": [], "invalid": [], "failed": []}
        for point in points:
            role = {"pass": "ink"}.get(point.state, point.state)
            x, y = self._at(point.load, point.rps)
            texts = [point.value] if len(points) <= _MOST_VALUES or point.is_doubted else []
            for text in [*texts, *([point.more] if point.more else [])]:
                label = self._room.place(around(text, x, y, 15, is_bold=True))
                if label is None and point.is_doubted and text is point.value:
                    label = self._room.place_surely(around("?", x, y, 15, is_bold=True))
                labels[role] += [label] if label else []
        for role, found in labels.items():
            self._drawing.names(found, role)

    def name_ideal(self, result: RunResult, line: list[tuple[float, float]], is_short: bool) -> None:
        """Name the ideal, where it leaves the chart."""
        if not line:
            return
        is_open = result.levels[0].rate_rps is not None
        rate = units.rate(_ideal_a_load(result))
        text = "all that is offered" if is_open else "ideal" if is_short else f"ideal: each user adds {rate}/s"
        end_x, end_y = self._at(*line[-1])
        candidates = [Label(text, end_x + 8, end_y + dy) for dy in (8, 22)]
        for words in (text, "ideal" if not is_open else text):
            for load, rps in reversed(line[len(line) // 3 :]) if len(line) > 2 else _along(line):
                x, y = self._at(load, rps)
                candidates += [Label(words, x - dx, y + dy, "right") for dx, dy in ((10, 2), (12, -10), (24, -16))]
                candidates += [Label(words, x + dx, y + dy) for dx, dy in ((10, 4), (14, 14), (26, 20))]
        self._write(candidates, "muted")

    def name_law(self, band: list[tuple[int, float, float]], is_short: bool) -> None:
        """Name the fitted law, above its band or below it, as far to the right as there is room."""
        text = "fitted law" if is_short else "fitted law, 95% band"
        half = width_px(text) / 2
        above, below = [], []
        for load, low, high in reversed(band):
            x, top = self._at(load, high)
            _, bottom = self._at(load, low)
            x = min(x, self._drawing.frame.inner_width_px - half)
            above += [Label(text, x, top - away, "center") for away in (12, 20, 28)]
            below += [Label(text, x, bottom + away, "center") for away in (12, 20, 28)]
        self._write([*above, *below], "p50")

    def _write(self, candidates: list[Label], role: str) -> None:
        label = self._room.place(candidates)
        if label is not None:
            self._drawing.names([label], role)
