"""The half-second with the most of something, kept while counts come in. Pure.

A run that a threshold may end is looked at every few seconds. To go through all of it each time would take the longer
the longer it lasts, in the process that sends the load. So the greatest of each ten seconds is kept, and of each 32 of
those, and so on: what comes in changes one of each, or two.
"""

from typing import Protocol

from tfsload.records.tenths import TENTHS_A_HALF_SECOND, Count, Tenths

# Half-seconds of so many tenths in a row are looked at together.
BLOCK = 100
_FAN = 32
# The highest of these has a part for each 92 hours.
_N_STAGES = 4


class Measure(Protocol):
    """What a half-second may have the most of; equal ones are the same."""

    def __call__(self, count: Count, /) -> float:
        """Return how much it has."""

    def __hash__(self) -> int:
        """Return the same for equal ones."""


# How much, the requests and the first tenth, both below 0 so that the fewest and the earliest is the greatest; counts.
_Found = tuple[float, int, int, Count]


class Greatest:
    """Keeps the half-second with the most, by one measure."""

    def __init__(self, tenths: Tenths, measure: Measure) -> None:
        """Look at nothing yet.

        Args:
            tenths: counts, which may become more.
            measure: what there is to be most of.
        """
        self._tenths = tenths
        self._measure = measure
        self._changed: set[int] = set()  # blocks of half-seconds
        self._found: list[dict[int, _Found]] = [{} for _ in range(_N_STAGES)]
        tenths.watch(self._on_change)

    def _on_change(self, tenth: int) -> None:
        self._changed.add(tenth // BLOCK)
        self._changed.add((tenth - TENTHS_A_HALF_SECOND + 1) // BLOCK)

    def find(self) -> tuple[int, Count]:
        """Return the half-second with the most, by its first tenth, and its counts.

        Raises:
            ValueError: if nothing was counted.
        """
        changed, self._changed = self._changed, set()
        for block in changed:
            found = self._greatest_of(block)
            if found is not None:
                self._found[0][block] = found
        for below, above in zip(self._found, self._found[1:], strict=False):
            changed = {part // _FAN for part in changed}
            for part in changed:
                inside = [below[one] for one in range(part * _FAN, (part + 1) * _FAN) if one in below]
                if inside:
                    above[part] = max(inside)
        _, _, minus_start, count = max(self._found[-1].values())
        return -minus_start, count

    def _greatest_of(self, block: int) -> _Found | None:
        """Return the greatest of the half-seconds that begin in a block; None: they hold nothing."""
        begin, last = block * BLOCK, TENTHS_A_HALF_SECOND - 1
        tenths = self._tenths.between(begin, begin + BLOCK + last)
        inside = Count()
        for one in tenths[:last]:
            inside = inside.plus(one)
        greatest: _Found | None = None
        for place in range(BLOCK):
            inside = inside.plus(tenths[place + last])
            n = inside.n + inside.n_endless
            if n:
                found = self._measure(inside), -n, -begin - place, inside
                if greatest is None or found > greatest:
                    greatest = found
            inside = inside.minus(tenths[place])
        return greatest
