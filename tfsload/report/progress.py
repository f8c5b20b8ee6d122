"""The line that says how far a run is, while it goes on."""

import sys
from typing import TextIO

from tfsload.analysis.figures import percent

TTY_INTERVAL_S = 0.5
# In a log, a line now and then is enough.
LOG_INTERVAL_S = 5.0


class Progress:
    """Writes progress lines: over one another on a terminal, under one another elsewhere.

    Attributes:
        interval_s: how often `show` is to be called.
    """

    def __init__(self, stream: TextIO | None = None, in_place: bool = True) -> None:
        """Write to `stream` (None: stderr); in place where it is a terminal and nothing else writes to it."""
        self._stream = stream or sys.stderr
        self._in_place = in_place and self._stream.isatty()
        self._width = 0
        self.interval_s = TTY_INTERVAL_S if self._in_place else LOG_INTERVAL_S

    def show(self, line: str) -> None:
        """Write one line."""
        if self._in_place:
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Leave the terminal's line empty for what comes next."""
        if self._in_place and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0


def level_line(
    number: int,
    of_how_many: str,
    name: str,
    elapsed_s: float | None,
    seconds: float,
    warm_up_s: float,
    bar_width: int = 20,
) -> str:
    """Return how far a level under way is.

    Args:
        number: the level's.
        of_how_many: how many levels there are, in words.
        name: what it asks for.
        elapsed_s: since it began; None: its users are still awaited.
        seconds, warm_up_s: of the level in all, and of its warm-up.
        bar_width: characters of the bar.
    """
    bar = _bar(elapsed_s or 0, seconds, bar_width)
    phase = ", waiting for its users" if elapsed_s is None else ", warming up" if elapsed_s < warm_up_s else ""
    return f"{bar} level {number} of {of_how_many}: {name}{phase}"


def warm_up_line(n_left: int) -> str:
    """Return how far a warm-up by number of requests is, of which so many are left."""
    return f"warming up: {n_left:,} {'request' if n_left == 1 else 'requests'} to go before anything counts"


def progress_line(
    elapsed_s: float, predictions: int, errors: int, requests: int, n_images_asked: int | None, bar_width: int = 20
) -> str:
    """Return what is known of a run under way.

    Args:
        elapsed_s: since it began.
        predictions, errors: images that ended; those wrong or failed.
        requests: requests that ended.
        n_images_asked: images to fire in all; None: no limit.
        bar_width: characters of the bar, drawn where there is a limit.
    """
    rate = requests / elapsed_s if elapsed_s > 0 else 0.0
    error_rate = percent(errors / predictions) if predictions else "–"
    figures = f"{rate:,.0f} requests/s, error rate {error_rate}"
    if n_images_asked is None:
        return f"{elapsed_s:.0f} s: {predictions:,} images, {figures}"
    return f"{_bar(predictions, n_images_asked, bar_width)} {predictions:,} of {n_images_asked:,} images, {figures}"


def _bar(done: float, whole: float, width: int) -> str:
    filled = min(int(width * done / whole), width) if whole else width
    return "█" * filled + "░" * (width - filled)
