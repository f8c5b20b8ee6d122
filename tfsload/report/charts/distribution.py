"""The distribution of latencies, a line a level, on an axis on which each nine takes as much room. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tfsload.analysis.latency import LatencyCounts
from tfsload.analysis.result import RunResult
from tfsload.report import units
from tfsload.report.charts.chart import NARROW_PX, Axis, Chart, Drawing, Frame, Spec
from tfsload.report.charts.load_axis import by_load, decades
from tfsload.report.charts.placing import LINE_PX, Label, Room, apart, shortened, stepped, width_px
from tfsload.report.charts.scale import Scale, log_ticks, ticks_from_zero
from tfsload.report.states import is_doubted

MOST_LINES = 6
_MOST_POINTS = 160
# From here on latencies are told by powers.
_LOG_FROM = 20
# Least load to most: more ink, and each its dash.
_DASHES: tuple[list[int], ...] = ([1, 0], [7, 3], [2, 2], [8, 3, 2, 3], [4, 2], [1, 2])
_ROLES = ("level0", "level1", "level2", "level3")
_NINES = (0.0, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)


def distribution(result: RunResult) -> Chart | None:
    """Return the chart of a run; None: nothing was answered."""
    lines = _lines(result)
    if not lines:
        return None
    told = "; ".join(line.told for line in lines)
    below = "The further right, the rarer"
    if result.levels:
        below += ". As counted: those of the table are a little higher"
    if result.totals.failed_requests:
        below += ". Of answered requests"
    if any(line.is_doubted for line in lines):
        below += ". ?: no verdict"
    return Chart(
        name="distribution",
        title="Each level, by percentile" if result.levels else "Latency, by percentile",
        below=below,
        label=f"Distribution of latencies. {told}.",
        data={"lines": [{"name": line.name, "points": line.points} for line in lines]},
        spec=lambda width_px: _spec(lines, width_px),
    )


@dataclass(frozen=True)
class _Line:
    """A level's line.

    Attributes:
        name: the level's.
        points: which share of the requests was shorter, and how long in ms the next one was.
        told: in words.
        is_doubted: whether the level supports no verdict: a question mark stands behind its name.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    told: str
    is_doubted: bool = False


def _lines(result: RunResult) -> list[_Line]:
    if not result.levels:
        return [_line("all requests", result.totals.latency)] if result.totals.latency.count else []
    answered = [level for level in by_load(result.levels) if level.latency.count]
    if len(answered) > MOST_LINES:
        # Those at the ends, and others evenly between them.
        chosen = {round(step * (len(answered) - 1) / (MOST_LINES - 1)) for step in range(MOST_LINES)}
        answered = [level for number, level in enumerate(answered) if number in chosen]
    return [_line(level.name, level.latency, is_doubted(result, level)) for level in answered]


def _line(level: str, counts: LatencyCounts, is_doubted: bool = False) -> _Line:
    name = f"{level} ?" if is_doubted else level
    points = tuple((share, ns / 1e6) for share, ns in counts.by_share(_MOST_POINTS))
    return _Line(
        name, points, f"{name}: {units.latency_ms(counts.min_ns)} to {units.latency_ms(counts.max_ns)} ms", is_doubted
    )


def _place(share: float) -> float:
    return -math.log10(1 - share)


def _spec(lines: Sequence[_Line], width: int) -> Spec:
    names_px = min(max(width_px(line.name, is_bold=True) for line in lines) + 12, 0.3 * width)
    bare = Frame(width, 300 if width > NARROW_PX else 250, left_px=40, right_px=int(names_px))
    y = _latency_axis(bare, [ms for line in lines for _, ms in line.points if ms > 0] or [1.0])
    frame = bare.beside(y)
    furthest = max(_place(line.points[-1][0]) for line in lines)
    x_scale = frame.x(0, max(furthest, 1.0) * 1.02)
    nines = _told(x_scale, furthest)
    x = Axis(x_scale, "percentile (% of requests at or below)", [_place(one) for one in nines])
    drawing = Drawing(frame, x, y)
    drawn = []
    for number, line in enumerate(lines):
        rows = [{"x": _place(share), "y": drawing.y.scale.held(ms)} for share, ms in line.points]
        drawing.line(rows, _role(number, len(lines)), interpolate="step-after", strokeDash=_DASHES[number])
        drawn.append([(x_scale.px(row["x"]), drawing.y.scale.px(row["y"])) for row in rows])
    _name(drawing, lines, drawn, names_px)
    spec = drawing.spec()
    told = {round(_place(share), 6): _percentile(share) for share in nines}
    choices = "".join(f"abs(datum.value - {place}) < 0.001 ? '{text}' : " for place, text in told.items())
    spec["encoding"]["x"]["axis"]["labelExpr"] = f"{choices}''"
    return spec


def _told(scale: Scale, furthest: float) -> list[float]:
    """Return the nines that are told, up to the furthest; where there is no room for one, it is left out."""
    told: list[float] = []
    end_px = -math.inf
    for share in _NINES:
        half_px = width_px(_percentile(share)) / 2 + 3
        if _place(share) <= furthest + 1e-9 and scale.px(_place(share)) - half_px >= end_px:
            told.append(share)
            end_px = scale.px(_place(share)) + half_px
    return told


def _percentile(share: float) -> str:
    return f"{100 * share:.10g}"


def _latency_axis(frame: Frame, values: Sequence[float]) -> Axis:
    least, most = min(values), max(values)
    if most > _LOG_FROM * least:
        ticks = log_ticks(least, most)
        if decades((least, most)) > 4:
            ticks = ticks[::2]
        return Axis(frame.y(ticks[0], max(ticks[-1], most), "log"), "latency (ms, log scale)", ticks)
    top = most * 1.1
    return Axis(frame.y(0, top), "latency (ms)", ticks_from_zero(top, frame.inner_height_px // 40))


def _role(number: int, n_lines: int) -> str:
    return _ROLES[round(number * (len(_ROLES) - 1) / max(n_lines - 1, 1))]


def _name(
    drawing: Drawing, lines: Sequence[_Line], drawn: Sequence[Sequence[tuple[float, float]]], names_px: float
) -> None:
    """Name each line where it ends; where there is no room, at the right, in the order of their ends."""
    frame = drawing.frame
    room = Room(frame.bounds)
    room.lines += [stepped(line) for line in drawn]
    texts = [shortened(line.name, names_px - 8, is_bold=True) for line in lines]
    left_over = []
    for number, (text, line) in enumerate(zip(texts, drawn, strict=True)):
        x, y = line[-1]
        shifts = [(6, 0), (6, -8), (6, 8), (6, -14), (6, 14)]
        label = room.place(Label(text, x + dx, y + dy, is_bold=True) for dx, dy in shifts)
        if label is None:
            left_over.append(number)
        else:
            drawing.names([label], _role(number, len(lines)))
    places = apart([drawn[number][-1][1] for number in left_over], LINE_PX, 4, frame.inner_height_px - 4)
    for number, y in zip(left_over, places, strict=True):
        others = [step * LINE_PX * sign for step in range(12) for sign in (1, -1)]
        label = room.place(Label(texts[number], frame.inner_width_px + 4, y + dy, is_bold=True) for dy in others)
        if label is not None:
            drawing.names([label], _role(number, len(lines)))
