"""What a page is told of a run that goes on: JSON, made when something has changed, and handed out as it is."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from tfsload.analysis.result import RunResult
from tfsload.report.page.page import unfinished
from tfsload.report.standing import Begun, Standing
from tfsload.webui.live_words import live_words, so_far_words

# However many pages ask: what is under way is looked at so often.
_LEAST_INTERVAL_S = 0.5
# A page asks once a second; one that has not for so long is closed.
_WATCHED_S = 5.0


@dataclass(frozen=True)
class Told:
    """What is told, with the number of what was told before it.

    Attributes:
        sequence: grows with each.
        html: sections of a page.
        body: all of it as JSON.
    """

    sequence: int
    html: str
    body: str


class RunView:
    """Keeps what is told of the run under way.

    Attributes:
        begun: what it was begun to do.
        levels: what the levels so far have come to; None: none has ended.
    """

    def __init__(self, standing: Callable[[], Standing | None], clock_s: Callable[[], float] = time.monotonic) -> None:
        """Tell nothing yet.

        Args:
            standing: returns where the run under way stands; None: none is under way.
            clock_s: seconds that only grow.
        """
        self._standing = standing
        self._clock_s = clock_s
        self._sequence = 0
        self._looked_s = self._asked_s = float("-inf")
        self._now: dict[str, Any] = {}
        self._seen: Standing | None = None
        self.begun = Begun("", "", "")
        self.levels: Told | None = None
        self._so_far = ""

    def begin(self, begun: Begun) -> None:
        """Know that a run begins."""
        self.begun, self.levels, self._so_far = begun, None, ""
        self._looked_s = float("-inf")

    @property
    def is_watched(self) -> bool:
        """Whether somebody has a page open."""
        return self._clock_s() - self._asked_s < _WATCHED_S

    def renew(self, result: RunResult) -> None:
        """Take what the run has come to so far; sections and charts are put together here."""
        self._sequence += 1
        n_done = len(result.levels)
        page = unfinished(result, self.begun.level_names[n_done:], self.begun.loads[n_done:])
        self._so_far = so_far_words(result) if result.levels else ""
        # What speaks against a run at its end, as images that were not fired, is yet to come.
        so_far = replace(result, verdict=None).to_plain()
        told = {"sequence": self._sequence, "result": so_far, "html": page.html, "charts": page.charts}
        body = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self.levels = Told(self._sequence, page.html, body)
        self._looked_s = float("-inf")

    def standing(self) -> Standing | None:
        """Return where the run under way stood when it was looked at last, half a second ago at most."""
        self._look()
        return self._seen

    def now(self) -> dict[str, Any]:
        """Return where the run under way stands, for a page."""
        self._asked_s = self._clock_s()
        self._look()
        return self._now

    def _look(self) -> None:
        now_s = self._clock_s()
        if now_s - self._looked_s < _LEAST_INTERVAL_S:
            return
        self._looked_s = now_s
        self._sequence += 1
        seen = self._seen = self._standing()
        self._now = {
            "sequence": self._sequence,
            "levels_sequence": self.levels.sequence if self.levels else 0,
            "standing": seen.to_plain() if seen is not None else None,
            "words": asdict(live_words(seen, self._so_far)) if seen is not None else None,
        }
