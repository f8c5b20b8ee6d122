"""Where names stand in a chart: near what they name, over no mark, and not over one another. Pure."""

import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Literal

Align = Literal["left", "center", "right"]
FONT_PX = 11
LINE_PX = 14
_GAP_PX = 2
# Widths of letters as shares of the font's size, of the widest of the fonts that a browser may take (DejaVu Sans).
_NARROW = dict.fromkeys("ijl.,:;|'! ", 0.34) | dict.fromkeys("ft()/-r·I[]", 0.41) | dict.fromkeys("mwMW%@", 0.98)


def width_px(text: str, font_px: float = FONT_PX, is_bold: bool = False) -> float:
    """Return about how wide a text is; a little more rather than less."""
    shares = (_NARROW.get(letter) or _share(letter) for letter in text)
    return sum(shares) * font_px * (1.1 if is_bold else 1.0)


def _share(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    return 0.76 if letter.isupper() or ord(letter) > 0x2000 else 0.635


def shortened(text: str, most_px: float, is_bold: bool = False) -> str:
    """Return a text that is no wider than there is room for; what is cut ends with "…".

    >>> shortened("a threshold with a long name", 60)
    'a thresh…'
    """
    if width_px(text, is_bold=is_bold) <= most_px:
        return text
    while text and width_px(text + "…", is_bold=is_bold) > most_px:
        text = text[:-1]
    return text.rstrip() + "…"


@dataclass(frozen=True)
class Box:
    """A rectangle, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Whether two have anything in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def wider(self, by_px: float) -> "Box":
        """Return it with more room at its left and right."""
        return Box(self.left - by_px, self.top, self.right + by_px, self.bottom)

    def is_within(self, other: "Box") -> bool:
        """Whether it lies in another one as a whole."""
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.top <= self.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True)
class Label:
    """A name at a place.

    Attributes:
        text: the name.
        x, y: where it is anchored: its left, middle or right, and the middle of its height.
        align: which of these.
        is_bold: whether it is.
    """

    text: str
    x: float
    y: float
    align: Align = "left"
    is_bold: bool = False

    @property
    def box(self) -> Box:
        """What it covers."""
        width = width_px(self.text, is_bold=self.is_bold)
        left = self.x - {"left": 0.0, "center": width / 2, "right": width}[self.align]
        return Box(left, self.y - LINE_PX / 2, left + width, self.y + LINE_PX / 2)


@dataclass
class Room:
    """What is taken of a chart.

    Attributes:
        bounds: nothing may stand outside.
        taken: boxes of marks and of names.
        lines: lines, as points in order: a name may not stand over one.
    """

    bounds: Box
    taken: list[Box] = field(default_factory=list)
    lines: list[Sequence[tuple[float, float]]] = field(default_factory=list)

    def take(self, x: float, y: float, radius: float) -> None:
        """Keep a mark free."""
        self.taken.append(Box(x - radius, y - radius, x + radius, y + radius))

    def place(self, candidates: Iterable[Label]) -> Label | None:
        """Return the first of some places of a name that is free, and take it; None: none is."""
        for label in candidates:
            box = label.box
            if box.is_within(self.bounds) and not self._is_taken(box):
                self.taken.append(box.wider(_GAP_PX))
                return label
        return None

    def place_surely(self, candidates: Iterable[Label]) -> Label:
        """Return the first of some places of a name that has to be seen; where none is free, one that covers little.

        A name over a line can be read; over a mark or another name it hardly can: it rather stands further up or down.
        """
        inside = [self._moved_inside(label) for label in candidates]
        free = self.place(inside)
        if free is not None:
            return free
        chosen = min(inside, key=self._covers)
        if self._covers(chosen)[0]:
            chosen = min([chosen, *self._up_and_down(inside[0])], key=self._covers)
        self.taken.append(chosen.box.wider(_GAP_PX))
        return chosen

    def _up_and_down(self, label: Label) -> Iterable[Label]:
        """Yield places straight above and below a name, ever further off, as far as there is room."""
        steps = int((self.bounds.bottom - self.bounds.top) / LINE_PX)
        moved = (replace(label, y=label.y + way * step * LINE_PX) for step in range(1, steps + 1) for way in (-1, 1))
        return (one for one in moved if one == self._moved_inside(one))

    def _moved_inside(self, label: Label) -> Label:
        box, bounds = label.box, self.bounds
        right = max(bounds.left - box.left, 0.0) - max(box.right - bounds.right, 0.0)
        down = max(bounds.top - box.top, 0.0) - max(box.bottom - bounds.bottom, 0.0)
        return replace(label, x=label.x + right, y=label.y + down)

    def _covers(self, label: Label) -> tuple[int, int]:
        """Return how many marks and names a name would lie over, and how many lines."""
        box = label.box
        return sum(map(box.meets, self.taken)), sum(_crosses_any(box, line) for line in self.lines)

    def _is_taken(self, box: Box) -> bool:
        return any(map(box.meets, self.taken)) or any(_crosses_any(box, line) for line in self.lines)


def around(text: str, x: float, y: float, away_px: float, is_bold: bool = False) -> Iterable[Label]:
    """Yield places of a name around a mark: below, above, to its right and left."""
    for steps in (1, 1.6, 2.4):
        below, above = y + away_px * steps, y - away_px * steps
        yield Label(text, x, below, "center", is_bold)
        yield Label(text, x + 5, below, "left", is_bold)
        yield Label(text, x, above, "center", is_bold)
        yield Label(text, x + 5, above, "left", is_bold)
        yield Label(text, x - 5, above, "right", is_bold)
        yield Label(text, x - 5, below, "right", is_bold)
    yield Label(text, x + away_px, y, "left", is_bold)
    yield Label(text, x - away_px, y, "right", is_bold)


def stepped(line: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a line through points as it is drawn in steps: on to the next one's x, then to its y."""
    found = [*line[:1]]
    for (_, y), (next_x, next_y) in itertools.pairwise(line):
        found += [(next_x, y), (next_x, next_y)]
    return found


def apart(places: Sequence[float], least_px: float, top: float, bottom: float) -> list[float]:
    """Return places near the given ones, in their order, that lie so far apart and between two bounds.

    >>> apart([10, 12, 40], 14, 0, 100)
    [4.0, 18.0, 40.0]
    """
    order = sorted(range(len(places)), key=lambda number: places[number])
    # Neighbours that are too close become a group around their middle.
    groups: list[list[float]] = []
    for number in order:
        groups.append([places[number]])
        while len(groups) > 1 and _are_close(groups[-2], groups[-1], least_px):
            last = groups.pop()
            groups[-1] += last
    spread = [
        fmean(group) + (place - (len(group) - 1) / 2) * least_px for group in groups for place in range(len(group))
    ]
    found = [0.0] * len(places)
    for rank, (number, place) in enumerate(zip(order, spread, strict=True)):
        within = max(place, top + rank * least_px)
        found[number] = min(within, bottom - (len(places) - 1 - rank) * least_px)
    return found


def _are_close(group: Sequence[float], other: Sequence[float], least_px: float) -> bool:
    return fmean(other) - fmean(group) < least_px * (len(group) + len(other)) / 2


def _crosses_any(box: Box, line: Sequence[tuple[float, float]]) -> bool:
    return any(_crosses(box, start, end) for start, end in itertools.pairwise(line))


def _crosses(box: Box, start: tuple[float, float], end: tuple[float, float]) -> bool:
    """Whether a line between two points has anything in common with a box (by Liang and Barsky)."""
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    first, last = 0.0, 1.0
    for delta, low, high in ((dx, box.left - x, box.right - x), (dy, box.top - y, box.bottom - y)):
        if delta == 0:
            if low > 0 or high < 0:
                return False
            continue
        ends = sorted((low / delta, high / delta))
        first, last = max(first, ends[0]), min(last, ends[1])
    return first <= last
