"""How often each image was fired, and for what it was taken where its answer was wrong. Pure, and merged exactly.

The hot path counts here without a call, as in `tfsload.records.seconds`.
"""

import base64
import json
import zlib
from dataclasses import dataclass, field


@dataclass(eq=False)
class Images:
    """Counts by image.

    Attributes:
        fired: requests that ended, by the position of their first image in the data set: the others follow it.
        misread: wrong answers, by the image's position and the class that was answered.
        unanswered: those of `fired` that ended without an answer, likewise.
    """

    fired: dict[int, int] = field(default_factory=dict)
    misread: dict[tuple[int, int], int] = field(default_factory=dict)
    unanswered: dict[int, int] = field(default_factory=dict)

    def merge(self, other: "Images") -> None:
        """Add what another one has counted."""
        for first, count in other.fired.items():
            self.fired[first] = self.fired.get(first, 0) + count
        for first, count in other.unanswered.items():
            self.unanswered[first] = self.unanswered.get(first, 0) + count
        for key, count in other.misread.items():
            self.misread[key] = self.misread.get(key, 0) + count

    def to_plain(self) -> str:
        """Return what a message can hold: a short text, as most neighbours are fired equally often."""
        firsts, keys, unanswered = sorted(self.fired), sorted(self.misread), sorted(self.unanswered)
        columns = [_steps(firsts), [self.fired[first] for first in firsts]]
        columns.append(_steps([image for image, _ in keys]))
        columns += [[predicted for _, predicted in keys], [self.misread[key] for key in keys]]
        columns += [_steps(unanswered), [self.unanswered[first] for first in unanswered]]
        packed = zlib.compress(json.dumps(columns, separators=(",", ":")).encode())
        return base64.b64encode(packed).decode() if firsts else ""

    @classmethod
    def from_plain(cls, plain: str) -> "Images":
        """Read what `to_plain` wrote."""
        read = cls()
        if not plain:
            return read
        columns = json.loads(zlib.decompress(base64.b64decode(plain)))
        steps, fired, image_steps, predicted, counts, unanswered_steps, unanswered = columns
        read.fired = dict(zip(_sums(steps), fired, strict=True))
        read.misread = dict(zip(zip(_sums(image_steps), predicted, strict=True), counts, strict=True))
        read.unanswered = dict(zip(_sums(unanswered_steps), unanswered, strict=True))
        return read


def _steps(numbers: list[int]) -> list[int]:
    return [number - before for before, number in zip([0, *numbers], numbers, strict=False)]


def _sums(steps: list[int]) -> list[int]:
    total, sums = 0, []
    for step in steps:
        total += step
        sums.append(total)
    return sums
