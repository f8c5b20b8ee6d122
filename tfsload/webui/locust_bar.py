"""The bar above Locust's page: the state in words, and links to the suite's own pages."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol

from flask import Response, jsonify, url_for
from locust.web import WebUI

from tfsload.analysis.result import RunResult
from tfsload.report.page.words import clean
from tfsload.webui import bar_words
from tfsload.webui.bar_words import BarWords
from tfsload.webui.refused_starts import RefusedStarts
from tfsload.webui.run_view import RunView
from tfsload.webui.session_runs import SessionRuns
from tfsload.webui.site import Site
from tfsload.webui.tab_rows import verdict_words


class LocustsFrame(Protocol):
    """Locust's own page, as far as something can be put around it."""

    def put_above_page(self, web_ui: WebUI, above: Callable[[], str]) -> None:
        """Have HTML stand above it."""


class LocustBar:
    """Says how it stands, when the page is loaded and to the script that keeps the bar up to date."""

    def __init__(
        self,
        web_ui: WebUI,
        locusts: LocustsFrame,
        site: Site,
        runs: SessionRuns,
        view: RunView,
        refused: RefusedStarts,
        is_starting: Callable[[], bool],
    ) -> None:
        """Stand above Locust's page, and answer to its route.

        Args:
            web_ui: Locust's.
            locusts: has a hold on its page.
            site: makes the HTML.
            runs: all of this session.
            view: of the one under way.
            refused: what was refused last.
            is_starting: whether a start was taken whose run has not begun.
        """
        self._site, self._runs, self._view, self._refused = site, runs, view, refused
        self._is_starting = is_starting
        self._why = ""
        site.blueprint.add_url_rule("/bar.json", "bar_json", self._tell)
        locusts.put_above_page(web_ui, self._html)

    def begin(self) -> None:
        """Know that a run begins."""
        self._why = ""
        self._refused.forget()

    def end(self, result: RunResult) -> None:
        """Know what a run came to."""
        self._why = verdict_words(result)[1]

    def break_off(self) -> None:
        """Know that a run came to no result."""
        self._why = "it came to no result; the log says why"

    def words(self) -> BarWords:
        """Return what is said now."""
        refusal, last = self._refused.told, self._runs.last
        has_warm_up = self._view.begun.has_warm_up
        if self._is_starting():
            return bar_words.starting(refusal)
        if last is None:
            return bar_words.nothing_yet(refusal)
        if last.came_to is not None:
            return bar_words.ended(last.number, last.came_to.state, self._why, refusal, has_warm_up)
        told = self._view.now()["words"]
        if told is None:
            return bar_words.starting(refusal)
        return bar_words.under_way(last.number, told["state"], (told["so_far"], told["trouble"]), refusal, has_warm_up)

    def _tell(self) -> Response:
        words = self.words()
        return jsonify({**clean(asdict(words)), "address": _address(words)})

    def _html(self) -> str:
        words = self.words()
        return self._site.page("locust_bar.html", words=words, address=_address(words))


def _address(words: BarWords) -> str:
    return "" if words.run is None else url_for("tfsload.run", number=words.run)
