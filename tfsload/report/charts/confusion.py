"""Which class was taken for which: a matrix, or of many classes the worst pairs. Pure."""

import math
from collections.abc import Sequence

from tfsload.analysis.result import RunResult
from tfsload.report import units
from tfsload.report.charts.bars import Bar, bars_spec
from tfsload.report.charts.chart import NARROW_PX, Chart, Frame, Spec, skeleton
from tfsload.report.charts.palette import colour
from tfsload.report.charts.placing import FONT_PX, width_px

MOST_CLASSES = 20
MOST_PAIRS = 20
# Off the diagonal: 0, and four steps up to the largest count.
_STEPS = 4
_NONE = "·"


def confusion(result: RunResult) -> Chart | None:
    """Return the chart of a run; None: nothing was answered."""
    counts = {(label, answer): count for label, answer, count in result.confusion if count}
    if not counts:
        return None
    classes = [row.label for row in result.classes]
    worst = sorted(((-count, pair) for pair, count in counts.items() if pair[0] != pair[1]))
    pairs = [(label, answer, -negative) for negative, (label, answer) in worst]
    told = ", ".join(f"{label} as {answer} {count:,} times" for label, answer, count in pairs[:5]) or "none was misread"
    is_matrix = len(classes) <= MOST_CLASSES
    if not is_matrix and not pairs:
        return None
    return Chart(
        name="confusion",
        title="Which class is taken for which" if is_matrix else f"The worst {min(len(pairs), MOST_PAIRS)} pairs",
        below="Answers to images of the row's class; on the diagonal: right; ·: none"
        if is_matrix
        else "label → answer",
        label=f"Confusion of classes. Most often: {told}.",
        data={"counts": [[label, answer, count] for (label, answer), count in sorted(counts.items())]},
        spec=(lambda width: _matrix(classes, counts, width)) if is_matrix else (lambda width: _pairs(pairs, width)),
    )


def _pairs(pairs: Sequence[tuple[int, int, int]], width: int) -> Spec:
    bars = [
        Bar(f"{label} → {answer}", count, units.count(count), f"{label} answered as {answer}: {count:,} times")
        for label, answer, count in pairs[:MOST_PAIRS]
    ]
    return bars_spec(bars, width, x_title="wrong answers (images)", y_title="label → answer", is_count=True)


def _matrix(classes: Sequence[int], counts: dict[tuple[int, int], int], width: int) -> Spec:
    most = max((count for (label, answer), count in counts.items() if label != answer), default=1)
    left = 14 + max(width_px(str(one)) for one in classes)
    frame = Frame(width, 352 if width > NARROW_PX else 326, left_px=int(left), right_px=8, bottom_px=42)
    cell_px = frame.inner_width_px / len(classes)
    by_role: dict[str, list[dict[str, object]]] = {}
    texts = []
    for label in classes:
        for answer in classes:
            count = counts.get((label, answer), 0)
            role = "diagonal" if label == answer else f"cell{math.ceil(_STEPS * count / most)}"
            row: dict[str, object] = {"answer": str(answer), "label_": str(label)}
            row["label"] = f"a {label} answered as {answer}: {count:,} times"
            by_role.setdefault(role, []).append(row)
            if text := _fitting(count, cell_px):
                texts.append({"answer": str(answer), "label_": str(label), "text": text, "none": not count})
    rect = {"type": "rect", "aria": True}
    layers = [
        {
            "data": {"values": rows},
            "mark": {**rect, "color": colour(role)},
            "encoding": {"description": {"field": "label"}},
        }
        for role, rows in sorted(by_role.items())
    ]
    for is_none, role in ((False, "ink"), (True, "muted")):
        layers.append(
            {
                "data": {"values": [text for text in texts if text["none"] == is_none]},
                "mark": {"type": "text", "fontSize": FONT_PX, "color": colour(role), "aria": False},
                "encoding": {"text": {"field": "text"}},
            }
        )
    return {**skeleton(frame), "encoding": _axes(classes, cell_px), "layer": layers}


def _axes(classes: Sequence[int], cell_px: float) -> Spec:
    names = [str(one) for one in classes]
    each = max(math.ceil((max(map(width_px, names)) + 3) / cell_px), 1)
    scale = {"domain": names, "paddingInner": 0.06, "paddingOuter": 0}
    look = {"ticks": False, "domain": False, "values": names[::each], "labelAngle": 0}
    above = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleBaseline": "bottom"}
    return {
        "x": {
            "field": "answer",
            "type": "ordinal",
            "scale": scale,
            "axis": {**look, "title": "answer of the model (class)", "titlePadding": 8},
        },
        "y": {
            "field": "label_",
            "type": "ordinal",
            "scale": scale,
            "axis": {
                **look,
                "values": names,
                "title": "label (class that the image shows)",
                **above,
                "titleX": 0,
                "titleY": -10,
            },
        },
    }


def _fitting(count: int, room_px: float) -> str:
    """Return a count as it fits into a cell: in thousands where it must be; empty: it does not fit."""
    if not count:
        return _NONE
    choices = (units.count(count), f"{units.digits(count / 1e3, 2)}k", f"{units.digits(count / 1e6, 2)}M")
    return next((text for text in choices if width_px(text) <= room_px - 1 and not text.startswith("0.0")), "")
