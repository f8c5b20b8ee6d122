"""What all charts are made of: a frame with two axes, and layers of marks in it, as Vega-Lite has them. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tfsload.report.charts.palette import colour
from tfsload.report.charts.placing import FONT_PX, Box, Label, width_px
from tfsload.report.charts.scale import Scale, format_of, labels_of

WIDE_PX, NARROW_PX = 556, 336
# Made to the same measures everywhere, so that what fits here fits there.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

Spec = dict[str, Any]
Layer = dict[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart of a page.

    Attributes:
        name: by which it is known, a word.
        title: what it is.
        below: how to read it.
        label: what it shows, in a sentence, for who does not see it.
        data: the figures that are drawn, as a page holds them.
        spec: returns the Vega-Lite specification for a width in px.
        widths_px: how wide it is drawn: where there is room, and where there is not.
        legend: parts by colour, where they are stacked: role and name.
    """

    name: str
    title: str
    below: str
    label: str
    data: Mapping[str, Any]
    spec: Callable[[int], Spec]
    widths_px: tuple[int, ...] = (WIDE_PX, NARROW_PX)
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Frame:
    """The room that a chart has.

    Attributes:
        width_px, height_px: of all of it.
        left_px, right_px, top_px, bottom_px: around what is between the axes.
    """

    width_px: int
    height_px: int
    left_px: int = 52
    right_px: int = 14
    top_px: int = 26
    bottom_px: int = 44

    @property
    def inner_width_px(self) -> int:
        """Between the axes."""
        return self.width_px - self.left_px - self.right_px

    @property
    def inner_height_px(self) -> int:
        """Between the axes."""
        return self.height_px - self.top_px - self.bottom_px

    def x(self, low: float, high: float, kind: Any = "linear") -> Scale:
        """Return the scale of an axis below."""
        return Scale(low, high, 0, self.inner_width_px, kind)

    def y(self, low: float, high: float, kind: Any = "linear") -> Scale:
        """Return the scale of an axis at the left."""
        return Scale(low, high, self.inner_height_px, 0, kind)

    def beside(self, y: "Axis") -> "Frame":
        """Return it with as much room at its left as the values of an axis take; the axis stays as it is."""
        widest = max((width_px(text) for text in labels_of(y.ticks)), default=0.0)
        return replace(self, left_px=max(self.left_px, int(widest) + 10))

    @property
    def bounds(self) -> Box:
        """Where names may stand: between the axes, and what is free beside them."""
        return Box(2, -2, self.inner_width_px + self.right_px - 2, self.inner_height_px - 1)


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        scale: where values lie.
        title: what they are, with the unit.
        ticks: values that are told.
    """

    scale: Scale
    title: str
    ticks: Sequence[float]


@dataclass
class Drawing:
    """A chart that is being put together."""

    frame: Frame
    x: Axis
    y: Axis
    layers: list[Layer] = field(default_factory=list)

    def line(self, rows: Iterable[Row], role: str, **mark: Any) -> None:
        """Add a line through points (`x`, `y`); one without a `y` interrupts it."""
        self._add(rows, {"type": "line", "clip": True, "aria": False, "color": colour(role), "strokeWidth": 2, **mark})

    def band(self, rows: Iterable[Row], role: str, **mark: Any) -> None:
        """Add an area from `y` to `y2`."""
        fill = {"type": "area", "clip": True, "aria": False, "color": colour(role), "opacity": 0.16, **mark}
        self._add(rows, fill, y2={"field": "y2"})

    def rules(self, rows: Iterable[Row], role: str, **mark: Any) -> None:
        """Add straight lines from (`x`, `y`) to (`x2`, `y2`)."""
        rule = {"type": "rule", "clip": True, "aria": False, "color": colour(role), "strokeWidth": 1.5, **mark}
        self._add(rows, rule, x2={"field": "x2"}, y2={"field": "y2"})

    def boxes(self, rows: Iterable[Row], role: str, **mark: Any) -> None:
        """Add areas from (`x`, `y`) to (`x2`, `y2`); one with a `label` tells it."""
        rows = list(rows)
        described = any("label" in row for row in rows)
        box = {"type": "rect", "clip": True, "color": colour(role), "aria": described, **mark}
        more = {"description": _LABEL} if described else {}
        self._add(rows, box, x2={"field": "x2"}, y2={"field": "y2"}, **more)

    def points(self, rows: Iterable[Row], role: str, is_hollow: bool = False, **mark: Any) -> None:
        """Add marks at (`x`, `y`), each with its `label`."""
        fill = colour("card") if is_hollow else colour(role)
        point = {"type": "point", "stroke": colour(role), "fill": fill, "size": 80, "opacity": 1, "strokeWidth": 2}
        self._add(rows, {**point, **mark}, description=_LABEL)

    def names(self, labels: Iterable[Label], role: str) -> None:
        """Add names where they were placed."""
        for is_bold in (False, True):
            for align in ("left", "center", "right"):
                found = [one for one in labels if one.is_bold == is_bold and one.align == align]
                rows = [
                    {"x": self.x.scale.value(one.x), "y": self.y.scale.value(one.y), "text": one.text} for one in found
                ]
                text = {"type": "text", "align": align, "baseline": "middle", "fontSize": FONT_PX, "aria": False}
                weight = {"fontWeight": "bold" if is_bold else "normal", "color": colour(role)}
                self._add(rows, {**text, **weight}, text={"field": "text"})

    def _add(self, rows: Iterable[Row], mark: Mapping[str, Any], **encoding: Any) -> None:
        values = [dict(row) for row in rows]
        if values:
            self.layers.append({"data": {"values": values}, "mark": dict(mark), "encoding": encoding})

    def spec(self) -> Spec:
        """Return all of it as Vega-Lite has it."""
        frame = self.frame
        return {
            **skeleton(frame),
            "encoding": {"x": _channel("x", self.x, _X_AXIS), "y": _channel("y", self.y, _Y_AXIS)},
            "layer": self.layers,
        }


_LABEL = {"field": "label"}
_X_AXIS = {"grid": False, "titlePadding": 8}
_Y_AXIS = {
    "grid": True,
    "domain": False,
    "ticks": False,
    "titleAngle": 0,
    "titleAlign": "left",
    "titleAnchor": "end",
    "titleBaseline": "bottom",
    "titleX": 0,
    "titleY": -12,
}


def skeleton(frame: Frame) -> Spec:
    """Return what every specification begins with."""
    return {
        "$schema": SCHEMA,
        "width": frame.inner_width_px,
        "height": frame.inner_height_px,
        "padding": {
            "left": frame.left_px,
            "right": frame.right_px,
            "top": frame.top_px,
            "bottom": frame.bottom_px,
        },
        "autosize": {"type": "none"},
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {
                "labelFontSize": FONT_PX,
                "titleFontSize": FONT_PX,
                "titleFontWeight": "normal",
                "labelColor": colour("muted"),
                "titleColor": colour("ink"),
                "gridColor": colour("grid"),
                "domainColor": colour("muted"),
                "tickColor": colour("line"),
                "labelOverlap": False,
                "labelBound": False,
                "labelFlush": False,
            },
        },
    }


def _channel(name: str, axis: Axis, look: Mapping[str, Any]) -> dict[str, Any]:
    told = {"title": axis.title, "values": list(axis.ticks), "format": format_of(axis.ticks)}
    return {"field": name, "type": "quantitative", "scale": axis.scale.spec, "axis": {**look, **told}}
