"""The suite's tabs on Locust's page: what a run's levels and classes have come to, in Locust's own tables."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from locust.web import WebUI

from tfsload.analysis.result import RunResult
from tfsload.report.standing import NOTHING_COUNTED, Begun, Standing
from tfsload.webui import tab_rows
from tfsload.webui.live_words import so_far_words
from tfsload.webui.tab_rows import ACCURACY, LEVELS, TABS, UNDER_WAY, Row


class LocustsTables(Protocol):
    """Locust's own page, as far as tables can be put into it."""

    def wrap_page(self, web_ui: WebUI, edit: Callable[[dict[str, Any]], None]) -> None:
        """Let `edit` change what the page is filled with."""

    def extend_statistics(self, web_ui: WebUI, tables: Callable[[], dict[str, list[Row]]]) -> None:
        """Send rows along with the statistics, by their tab's key."""


class LocustTabs:
    """Keeps the tabs' rows: of levels that have ended they are put together once, at their end."""

    def __init__(self, web_ui: WebUI, locusts: LocustsTables, standing: Callable[[], Standing | None]) -> None:
        """Add them, empty as yet.

        Args:
            web_ui: Locust's.
            locusts: has a hold on its page.
            standing: returns where the run under way stands; None: none is under way.
        """
        self._standing = standing
        self._forget(())
        locusts.wrap_page(web_ui, _add_tabs)
        locusts.extend_statistics(web_ui, self.tables)

    def _forget(self, level_names: Sequence[str]) -> None:
        self._level_names = level_names
        self._is_over = False
        self._whole: Row | None = None
        self._levels: list[Row] = []
        self._all_classes: Row | None = None
        self._classes: list[Row] = []

    def begin(self, begun: Begun) -> None:
        """Know that a run begins."""
        self._forget(begun.level_names)

    def renew(self, result: RunResult) -> None:
        """Take what the run has come to so far: at a level's end; without levels, whenever that disturbs nothing."""
        self._take(result, UNDER_WAY, so_far_words(result) if result.levels else "")

    def end(self, result: RunResult) -> None:
        """Take what a run came to."""
        self._take(result, tab_rows.verdict_words(result)[0])
        self._is_over = True
        names = self._level_names[len(result.levels) :]
        self._levels += tab_rows.unmeasured(names, tab_rows.NOT_MEASURED)

    def _take(self, result: RunResult, state: str, so_far: str = "") -> None:
        self._whole = tab_rows.all_levels(result, state, so_far)
        self._levels = tab_rows.levels(result)
        self._all_classes = tab_rows.all_classes(result, state)
        self._classes = tab_rows.classes(result)

    def tables(self) -> dict[str, list[Row]]:
        """Return all rows as of now, by tab."""
        standing = None if self._is_over else self._standing()
        if standing is None:
            found = {LEVELS.key: [self._whole, *self._levels], ACCURACY.key: [self._all_classes, *self._classes]}
        else:
            found = {LEVELS.key: self._levels_so_far(standing), ACCURACY.key: self._classes_so_far(standing)}
        return {key: [row for row in rows if row is not None] for key, rows in found.items()}

    def _levels_so_far(self, standing: Standing) -> list[Row | None]:
        counted, is_open_load = standing.counted, standing.is_open_load
        if not standing.has_levels:
            return [self._whole or tab_rows.under_way("all", counted, is_open_load=is_open_load)]
        names, place = self._level_names[len(self._levels) :], standing.place
        now = [] if place is None else [tab_rows.under_way(place.name, counted, is_open_load=is_open_load)]
        to_come = tab_rows.unmeasured(names[len(now) :], tab_rows.TO_COME)
        return [self._whole or LEVELS.row(level="all", state=UNDER_WAY), *self._levels, *now, *to_come]

    def _classes_so_far(self, standing: Standing) -> list[Row | None]:
        # Of one level alone these would be no figures of all.
        counted = NOTHING_COUNTED if standing.has_levels else standing.counted
        return [self._all_classes or tab_rows.all_classes_under_way(counted), *self._classes]


def _add_tabs(arguments: dict[str, Any]) -> None:
    """Put the tabs behind those of the locustfile, which may have some of its own."""
    keys = {tab.key for tab in TABS}
    tables = [
        {"key": tab.key, "structure": [{"key": one.key, "title": one.title} for one in tab.columns]} for tab in TABS
    ]
    added: dict[str, list[dict[str, Any]]] = {
        "extended_tabs": [{"title": tab.title, "key": tab.key} for tab in TABS],
        "extended_tables": tables,
    }
    for name, ours in added.items():
        others = [one for one in arguments.get(name) or [] if one.get("key") not in keys]
        arguments[name] = [*others, *ours]
