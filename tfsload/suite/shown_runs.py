"""The runs as the web UI shows them: on its pages, in the bar and the tabs on Locust's own, and in the list."""

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gevent

from tfsload.analysis.result import RunResult
from tfsload.report import states
from tfsload.report.standing import Begun
from tfsload.suite.drawing import Drawing
from tfsload.webui.locust_bar import LocustBar
from tfsload.webui.locust_tabs import LocustTabs
from tfsload.webui.pages import Pages
from tfsload.webui.run_view import RunView
from tfsload.webui.session_runs import CameTo, SessionRuns

logger = logging.getLogger("tfsload")

# How often a run without levels is shown anew, where that takes no more than this share of a CPU.
_RENEW_INTERVAL_S = 3.0
_RENEW_SHARE = 0.04


@dataclass(frozen=True)
class Places:
    """Where runs are shown.

    Attributes:
        pages: what Locust's page hears of the state.
        bar: above it.
        tabs: in it.
        view: of the run under way.
        runs: all of this session, with their files.
    """

    pages: Pages
    bar: LocustBar
    tabs: LocustTabs
    view: RunView
    runs: SessionRuns


class ShownRuns:
    """Tells all of these places what happens to a run. A fault of theirs is a line of the log, and the run goes on."""

    def __init__(self, places: Places, drawing: Drawing) -> None:
        """Show none yet.

        Args:
            places: where.
            drawing: of the files of a run that has ended.
        """
        self._places = places
        self._drawing = drawing
        self._begun = Begun("", "", "")
        self._last: RunResult | None = None  # what the run has come to so far, as it was shown last
        self._renewing: Any = None  # the greenlet that shows a run without levels

    def begin(self, begun: Callable[[], Begun], fields: Callable[[], Mapping[str, str]]) -> None:
        """Know that a run begins.

        Args:
            begun: returns what it is begun to do.
            fields: returns what the start form would hold for another like it, by name.
        """
        self._stop_renewing()
        self._begun, self._last = Begun("", "", ""), None
        held: Mapping[str, str] = {}
        with _harmless():
            self._begun = begun()
        with _harmless():
            held = fields()
        with _harmless():  # before the others: it is what they are asked for
            self._places.runs.begin(held)
        with _harmless():
            self._places.view.begin(self._begun)
        with _harmless():
            self._places.pages.begin()
        with _harmless():
            self._places.bar.begin()
        with _harmless():
            self._places.tabs.begin(self._begun)

    @property
    def is_under_way(self) -> bool:
        """Whether a run has begun that has come to nothing yet."""
        return self._places.runs.under_way is not None

    def renew(self, so_far: Callable[[], RunResult]) -> None:
        """Show what the run has come to so far: at a level's end, when none is measured."""
        if not self.is_under_way:  # a level's end may be heard of after its run's
            return
        with _harmless():
            result = self._last = so_far()
            self._places.view.renew(result)
            self._places.tabs.renew(result)

    def keep_renewing(self, so_far: Callable[[], RunResult]) -> None:
        """Show that again and again in a run without levels; for a process that sends no load, and if somebody looks.

        It takes a tenth of a second, in which nothing else of the process runs.
        """
        self._stop_renewing()
        self._renewing = gevent.spawn(self._renew_again_and_again, so_far)

    def _renew_again_and_again(self, so_far: Callable[[], RunResult]) -> None:
        pause_s = _RENEW_INTERVAL_S
        while True:
            gevent.sleep(pause_s)
            if self._places.view.is_watched:
                begun_s = time.thread_time()
                self.renew(so_far)
                pause_s = max(_RENEW_INTERVAL_S, (time.thread_time() - begun_s) / _RENEW_SHARE)

    def end(self, result: RunResult, report: str) -> None:
        """Know what a run came to.

        Args:
            result: of the run.
            report: the directory with the files of its report; empty: they are to be made.
        """
        self._stop_renewing()
        with _harmless():
            self._places.runs.conclude(result, report)
        if self.is_under_way:
            came_to = CameTo(self._begun.model, self._begun.load, states.of_run(result), ())
            self._places.runs.settle(came_to, "what the run came to could not be shown; the log says why")
        with _harmless():
            self._places.bar.end(result)
        with _harmless():
            self._places.tabs.end(result)

    def _stop_renewing(self) -> None:
        if self._renewing is not None:
            self._renewing.kill()
            self._renewing = None

    def conclude(self) -> None:
        """Know that a run is over, its summary in the log; or that it broke off before there was one."""
        self._stop_renewing()
        if self.is_under_way:
            self._break_off()
        with _harmless():
            self._places.pages.conclude()
        with _harmless():
            self._drawing.begin()

    def _break_off(self) -> None:
        is_raised = sys.exc_info()[0] is not None  # by whoever was to conclude it; Locust logs not all that is
        logger.error("The run broke off before it came to a result", exc_info=is_raised)
        came_to = CameTo(self._begun.model, self._begun.load, states.BROKEN_OFF, ())
        self._places.runs.settle(came_to, "the run broke off before it came to a result; the log says why")
        with _harmless():
            self._places.bar.break_off()
        with _harmless():  # levels that were measured stay
            if self._last is not None:
                self._places.tabs.end(self._last)

    def close(self) -> None:
        """Leave nothing behind."""
        self._stop_renewing()
        self._drawing.close()
        self._places.runs.close()


@contextlib.contextmanager
def _harmless() -> Iterator[None]:
    """Let a fault of what is shown be no fault of the run."""
    try:
        yield
    except Exception:
        logger.exception("the web UI's pages of this run have a fault; the run goes on, and its report comes later")
