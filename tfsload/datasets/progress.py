"""How far the reading of many files has come: a bar on a terminal, else a line in the log now and then."""

import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

logger = logging.getLogger(__name__)

_Item = TypeVar("_Item")

LINE_EVERY_S = 10.0
"""Without a terminal: how often it is told."""

# What takes no longer than this is not told.
_SILENT_S = 1.0
# Other greenlets of the process have their turn so often, for so long: a worker that says nothing is taken for lost.
_TURN_EVERY_S, _TURN_S = 0.05, 0.001


class _Bar(tqdm):  # type: ignore[misc]  # it has no types
    monitor_interval = 0  # no thread that lives on


class Turns:
    """Gives other greenlets of the process their turn, while something takes long."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Begin now.

        Args:
            clock, pause: seconds that only go on, and a wait of some; gevent puts its own in the place of the latter.
        """
        self._clock, self._pause = clock, pause
        self._last_s = clock()

    def give(self) -> float:
        """Give it, unless others had it just now; return what the clock showed."""
        now_s = self._clock()
        if now_s >= self._last_s + _TURN_EVERY_S:
            self._pause(_TURN_S)
            self._last_s = self._clock()
        return now_s


def counted(
    items: Sequence[_Item],
    what: str,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[_Item]:
    """Yield items, and tell how many there were so far.

    Args:
        items: what is gone through.
        what: what is being done, such as "Reading images of digits".
        clock, pause: as of `Turns`.
    """
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    bar = _Bar(total=len(items), desc=what, unit=" images", delay=_SILENT_S, leave=False, disable=not is_terminal)
    turns, line_s = Turns(clock, pause), clock() + LINE_EVERY_S
    with bar:
        for n_before, item in enumerate(items):
            yield item
            bar.update()
            now_s = turns.give()
            if not is_terminal and now_s >= line_s:
                logger.info("%s: %s of %s", what, f"{n_before + 1:,}", f"{len(items):,}")
                line_s = now_s + LINE_EVERY_S
