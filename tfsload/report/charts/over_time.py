"""Rate, latency and errors over time, with the levels' borders and warm-ups. Pure."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tfsload.analysis.result import RunResult
from tfsload.report import units
from tfsload.report.charts.chart import NARROW_PX, Axis, Chart, Drawing, Frame, Spec
from tfsload.report.charts.placing import LINE_PX, Label, apart, width_px
from tfsload.report.charts.scale import labels_of, log_ticks, spread, ticks_from_zero, whole_ticks_from_zero
from tfsload.report.charts.timeline import Slot, Stretch, all_slots, thinned, timeline

_MOST_STEPS, _MOST_BARS = 300, 60
_MOST_NAMES = 12
_NAMES_PX = 30
_RIGHT_PX = 10
_TICKS = 5
_HEIGHT_PX = 210
# Between the top of what is drawn and the upper end, for the levels' names.
_TOP_PX = 20
_NAMED_PX = 14  # of these, what the names' letters take
_LOG_FROM = 20
# The parts of an error rate, stacked in this order: the attribute, the colour's role, the word.
PARTS = (("wrong", "wrong", "wrong"), ("failed", "unanswered", "failed"), ("mismatched", "mismatched", "mismatched"))

Lines = Sequence[tuple[str, str, Callable[[Slot], float | None]]]


def over_time(result: RunResult) -> tuple[Chart, ...]:
    """Return the three charts of a run; none: it is not known what went on second by second."""
    stretches = timeline(result)
    if not any(slot.rate_rps or slot.wrong or slot.failed for slot in all_slots(stretches)):
        return ()
    charts = [_rate(stretches), _latency(stretches), _errors(result, stretches)]
    return tuple(chart for chart in charts if chart is not None)


def _each(together: int, slots: Sequence[Slot]) -> str:
    """Say what a slot holds: where a run begins or ends it is more, or less, and in a short level all of it."""
    lengths = Counter(units.span(slot.lasts_s) for slot in slots)
    most = max(lengths.values())
    width = units.span(max(slot.lasts_s for slot in slots if lengths[units.span(slot.lasts_s)] == most))
    return "each second" if together == 1 and width == units.span(1) else f"each {width}"


def _rate(stretches: tuple[Stretch, ...]) -> Chart:
    thin, together = thinned(stretches, _MOST_STEPS)
    slots = all_slots(thin)
    lowest, highest = min(slot.rate_rps for slot in slots), max(slot.rate_rps for slot in slots)
    return Chart(
        name="rate",
        title="Rate",
        below=f"Answered requests, {_each(together, slots)}{_of_doubted(stretches)}",
        label=f"Rate over time: {units.rate(lowest)} to {units.rate(highest)} requests/s.",
        data={"slots": [{"at_s": slot.at_s, "lasts_s": slot.lasts_s, "rps": slot.rate_rps} for slot in slots]},
        spec=lambda width_px: _lines_spec(
            thin, width_px, "rate (requests/s)", [("", "p50", lambda slot: slot.rate_rps)]
        ),
        widths_px=(NARROW_PX,),
    )


def _latency(stretches: tuple[Stretch, ...]) -> Chart | None:
    thin, together = thinned(stretches, _MOST_STEPS)
    slots = all_slots(thin)
    known = [slot for slot in slots if slot.p50_ms is not None and slot.p99_ms is not None]
    if not known:
        return None
    highest = max(slot.p99_ms or 0.0 for slot in known)
    lines: Lines = [("p99", "p99", lambda slot: slot.p99_ms), ("p50", "p50", lambda slot: slot.p50_ms)]
    each = _each(together, slots)
    return Chart(
        name="latency_over_time",
        title="Latency",
        below=f"Of {each}{'' if together == 1 else ': its worst p99, the middle of its p50'}{_of_doubted(stretches)}",
        label=f"Latency over time: p99 up to {units.digits(highest)} ms.",
        data={
            "slots": [
                {"at_s": slot.at_s, "lasts_s": slot.lasts_s, "p50_ms": slot.p50_ms, "p99_ms": slot.p99_ms}
                for slot in slots
            ]
        },
        spec=lambda width_px: _lines_spec(thin, width_px, "latency (ms)", lines),
        widths_px=(NARROW_PX,),
    )


def _errors(result: RunResult, stretches: tuple[Stretch, ...]) -> Chart:
    thin, together = thinned(stretches, _MOST_BARS)
    slots = all_slots(thin)
    totals = result.totals
    counts = {"wrong": totals.wrong, "failed": totals.n_failed, "mismatched": totals.mismatched}
    legend = []
    for attribute, role, word in PARTS:
        is_looked_for = bool(totals.compared) if attribute == "mismatched" else counts[attribute] is not None
        if is_looked_for:  # of what nobody looked for nothing is drawn either
            legend.append((role, f"{word} {units.count(counts[attribute])}"))
    each = _each(together, slots)
    return Chart(
        name="errors",
        title="Errors by part",
        below="",
        label="Errors over time: " + ", ".join(text for _, text in legend) + ".",
        data={
            "slots": [
                {"at_s": s.at_s, "lasts_s": s.lasts_s, "wrong": s.wrong, "failed": s.failed, "mismatched": s.mismatched}
                for s in slots
            ]
        },
        spec=lambda width_px: _bars_spec(thin, width_px, f"errors (images, {each})"),
        widths_px=(NARROW_PX,),
        legend=tuple(legend),
    )


def _of_doubted(stretches: Sequence[Stretch]) -> str:
    """Say what a question mark behind a level's name is, where there is one."""
    return ". ?: no verdict" if len(stretches) <= _MOST_NAMES and any(one.is_doubted for one in stretches) else ""


def _frame(stretches: Sequence[Stretch], width: int, right_px: int) -> Frame:
    """Return the room; half of the last tick's label may stand beyond the end."""
    labels = labels_of(ticks_from_zero(_end_s(stretches), _TICKS))
    right_px = max(right_px, int(width_px(labels[-1]) / 2) + 3)
    return Frame(width, _HEIGHT_PX, left_px=46, right_px=right_px, top_px=22, bottom_px=42)


def _end_s(stretches: Sequence[Stretch]) -> float:
    return max(*(stretch.end_s for stretch in stretches), 1e-3)


def _time_axis(stretches: Sequence[Stretch], frame: Frame) -> Axis:
    scale = frame.x(0, _end_s(stretches))
    ticks = ticks_from_zero(scale.high, _TICKS)
    widest = max(map(width_px, labels_of(ticks)))
    return Axis(scale, "time since the load began (s)", spread(ticks, scale, widest + 8))


def _lines_spec(stretches: Sequence[Stretch], width: int, title: str, lines: Lines) -> Spec:
    names_px = _NAMES_PX if len(lines) > 1 else _RIGHT_PX
    bare = _frame(stretches, width, names_px)
    values = [value for _, _, of in lines for slot in all_slots(stretches) if (value := of(slot))]  # what is not 0
    y = _value_axis(bare, title, values, may_be_log=len(lines) > 1)
    frame = bare.beside(y)
    drawing = Drawing(frame, _time_axis(stretches, frame), y)
    _background(drawing, stretches)
    ends = []
    for name, role, of in lines:
        rows = [{"x": x, "y": drawn if drawn is None else y.scale.held(drawn)} for x, drawn in _steps(stretches, of)]
        drawing.line(rows, role, interpolate="step-after", strokeWidth=1.5)
        last = [drawn for row in rows if (drawn := row["y"]) is not None]
        if name and last:
            ends.append((name, role, drawing.y.scale.px(last[-1])))
    places = apart([place for _, _, place in ends], LINE_PX, 6, frame.inner_height_px - 6)
    for (name, role, _), place in zip(ends, places, strict=True):
        drawing.names([Label(name, frame.inner_width_px + 5, place, is_bold=True)], role)
    _names(drawing, stretches)
    return drawing.spec()


def _value_axis(frame: Frame, title: str, values: Sequence[float], may_be_log: bool) -> Axis:
    height, most = frame.inner_height_px, max(values, default=1.0)
    least = min(values, default=most)
    if may_be_log and most > _LOG_FROM * least:
        ticks = log_ticks(least, most)
        high = ticks[-1] * (ticks[-1] / ticks[0]) ** (_TOP_PX / (height - _TOP_PX))
        seldom = ticks if len(ticks) <= 8 else tuple(tick for tick in ticks if f"{tick:e}".startswith("1"))
        return Axis(frame.y(ticks[0], high, "log"), f"{title[:-1]}, log scale)", seldom)
    top = most * height / (height - _TOP_PX)
    return Axis(frame.y(0, top), title, _below_names(ticks_from_zero(top, 4), top, frame))


def _below_names(ticks: Sequence[float], top: float, frame: Frame) -> tuple[float, ...]:
    """Return the ticks whose lines go through none of the levels' names."""
    return tuple(tick for tick in ticks if (1 - tick / top) * frame.inner_height_px >= _NAMED_PX)


def _steps(stretches: Sequence[Stretch], of: Callable[[Slot], float | None]) -> Iterable[tuple[float, float | None]]:
    """Yield a line's points; between levels, and where nothing was answered, it is interrupted."""
    for stretch in stretches:
        for slot in stretch.slots:
            yield slot.at_s, of(slot)
        if stretch.slots:
            last = stretch.slots[-1]
            yield last.at_s + last.lasts_s, of(last)
            yield last.at_s + last.lasts_s, None


def _background(drawing: Drawing, stretches: Sequence[Stretch]) -> None:
    """Draw what is not counted, and the levels' borders."""
    low, high = drawing.y.scale.low, drawing.y.scale.high
    uncounted = [(one.warm_up_s, one.begin_s) for one in stretches if one.warm_up_s is not None]
    # A level that is shorter than a second is followed by load of which nothing is counted.
    uncounted += [(one.end_s, _begin_s(after)) for one, after in itertools.pairwise(stretches)]
    grey = [{"x": from_s, "x2": to_s, "y": low, "y2": high} for from_s, to_s in uncounted if from_s < to_s]
    drawing.boxes(grey, "grid", opacity=0.6)
    borders = [_begin_s(one) for one in stretches[1:]]
    rules = [{"x": at_s, "x2": at_s, "y": low, "y2": high} for at_s in borders]
    drawing.rules(rules, "muted", strokeDash=[2, 2], strokeWidth=1)


def _begin_s(stretch: Stretch) -> float:
    return stretch.begin_s if stretch.warm_up_s is None else stretch.warm_up_s


def _names(drawing: Drawing, stretches: Sequence[Stretch], are_timed: bool = True) -> None:
    """Name the levels above what is drawn, if there are few, each as far as there is room to the next one.

    Figures that are not timed stand in levels that support no verdict, too: these are not marked.
    """
    if len(stretches) > _MOST_NAMES:
        return
    scale = drawing.x.scale
    ends = [*(scale.px(_begin_s(one)) for one in stretches[1:]), drawing.frame.inner_width_px + 8.0]
    labels: dict[str, list[Label]] = {"muted": [], "invalid": []}
    for one, end_px in zip(stretches, ends, strict=True):
        start_px = scale.px(_begin_s(one)) + 3
        mark = " ?" if one.is_doubted and are_timed else ""
        for text in (f"{one.name}{mark}", f"{one.name.partition(' ')[0]}{mark}", "?" if mark else ""):
            if text and width_px(text) <= end_px - start_px - 2:
                labels["invalid" if mark else "muted"].append(Label(text, start_px, 7))
                break
    for role, found in labels.items():
        drawing.names(found, role)


def _bars_spec(stretches: Sequence[Stretch], width: int, title: str) -> Spec:
    bare = _frame(stretches, width, _RIGHT_PX)
    slots = all_slots(stretches)
    most = max(slot.wrong + slot.failed + slot.mismatched for slot in slots)
    top = max(most, 1) * bare.inner_height_px / (bare.inner_height_px - _TOP_PX)
    y = Axis(bare.y(0, top), title, _below_names(whole_ticks_from_zero(top, 4), top, bare))
    frame = bare.beside(y)
    x = _time_axis(stretches, frame)
    drawing = Drawing(frame, x, y)
    _background(drawing, stretches)
    gap_s = (x.scale.value(1) - x.scale.value(0)) / 2
    for number, (attribute, role, word) in enumerate(PARTS):
        rows = []
        for slot in slots:
            count = getattr(slot, attribute)
            if count:
                below = sum(getattr(slot, other) for other, _, _ in PARTS[:number])
                times = f"{units.digits(slot.at_s)} to {units.digits(slot.at_s + slot.lasts_s)} s"
                is_thin = slot.lasts_s <= 2 * gap_s
                rows.append(
                    {
                        "x": slot.at_s + (0 if is_thin else gap_s),
                        "x2": slot.at_s + slot.lasts_s - (0 if is_thin else gap_s),
                        "y": below,
                        "y2": below + count,
                        "label": f"{times}: {units.count(count)} {word}",
                    }
                )
        drawing.boxes(rows, role)
    _names(drawing, stretches, are_timed=False)
    return drawing.spec()
