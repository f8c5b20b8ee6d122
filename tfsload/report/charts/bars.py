"""Bars that lie, each with its name before it and its figure behind it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfsload.report.charts.chart import NARROW_PX, Frame, Spec, skeleton
from tfsload.report.charts.palette import colour
from tfsload.report.charts.placing import FONT_PX, width_px
from tfsload.report.charts.scale import format_of, labels_of, spread, ticks_from_zero, whole_ticks_from_zero

_BAR_PX, _LEAST_BAR_PX = 28, 17


@dataclass(frozen=True)
class Bar:
    """A bar.

    Attributes:
        name: before it.
        value: how long it is.
        text: behind it.
        label: all this in a sentence.
    """

    name: str
    value: float
    text: str
    label: str


def bars_spec(bars: Sequence[Bar], width: int, x_title: str, y_title: str, is_count: bool = False) -> Spec:
    """Return a chart of bars, the first one uppermost; of counts only whole values are told."""
    names_px = max(width_px(bar.name) for bar in bars)
    text_px = max(width_px(bar.text) for bar in bars) + 10
    bar_px = _BAR_PX if width > NARROW_PX and len(bars) <= 12 else max(_LEAST_BAR_PX, 260 // len(bars))
    frame = Frame(
        width, 26 + 42 + min(bar_px, _BAR_PX) * len(bars), left_px=int(names_px) + 14, right_px=8, bottom_px=42
    )
    most = max(bar.value for bar in bars) or 1.0
    top = most / max(1 - text_px / frame.inner_width_px, 0.2)
    steps = whole_ticks_from_zero if is_count else ticks_from_zero
    found = steps(most, 4 if width > NARROW_PX else 3)
    scale = frame.x(0, top)
    ticks = spread(found, scale, max(map(width_px, labels_of(found))) + 8)
    rows = [{"name": bar.name, "value": bar.value, "text": bar.text, "label": bar.label} for bar in bars]
    above = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleBaseline": "bottom"}
    text = {"type": "text", "align": "left", "dx": 5, "fontSize": FONT_PX, "color": colour("ink"), "aria": False}
    return {
        **skeleton(frame),
        "data": {"values": rows},
        "encoding": {
            "x": {
                "field": "value",
                "type": "quantitative",
                "scale": {"domain": [0, top], "nice": False},
                "axis": {"title": x_title, "values": list(ticks), "format": format_of(ticks), "titlePadding": 8},
            },
            "y": {
                "field": "name",
                "type": "ordinal",
                "scale": {"domain": [bar.name for bar in bars], "paddingInner": 0.3, "paddingOuter": 0.15},
                "axis": {"title": y_title, "ticks": False, "domain": False, **above, "titleX": 0, "titleY": -10},
            },
        },
        "layer": [
            {"mark": {"type": "bar", "color": colour("wrong")}, "encoding": {"description": {"field": "label"}}},
            {"mark": text, "encoding": {"text": {"field": "text"}}},
        ],
    }
