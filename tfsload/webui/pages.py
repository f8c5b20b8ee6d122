"""The web UI's pages in a run: what they hear of it."""

from collections.abc import Callable
from typing import Any, Protocol

from locust.web import WebUI

from tfsload.webui.hidden_texts import hidden
from tfsload.webui.load_kinds import HOST
from tfsload.webui.page_state import PageState
from tfsload.webui.start_extras import help_shown
from tfsload.webui.start_form import StartForm


class LocustsPages(Protocol):
    """Locust's own page, as far as the suite has a hold on it."""

    def wrap_page(self, web_ui: WebUI, edit: Callable[[dict[str, Any]], None]) -> None:
        """Let `edit` change what the page is filled with."""

    def wrap_statistics(self, web_ui: WebUI, state: Callable[[], str]) -> None:
        """Say `state` wherever the page asks how the run is doing."""

    def wrap_logs(self, web_ui: WebUI, served: Callable[[], None]) -> None:
        """Call `served` when the page has been given the log."""

    def forget_statistics(self, web_ui: WebUI) -> None:
        """Let the page be given new statistics at once."""


class Pages:
    """Keeps all pages of a web UI up to date from one run to the next."""

    def __init__(self, web_ui: WebUI, locusts: LocustsPages, form: StartForm) -> None:
        """Stand before Locust's own.

        Args:
            web_ui: Locust's.
            locusts: has a hold on it.
            form: takes the starts.
        """
        self._web_ui = web_ui
        self._locusts = locusts
        runner = web_ui.environment.runner
        assert runner is not None  # a web UI is made for one
        self._state = PageState(lambda: runner.state, lambda: form.is_starting)
        locusts.wrap_page(web_ui, self._tell_page)
        locusts.wrap_statistics(web_ui, self._state.shown)
        locusts.wrap_logs(web_ui, self._state.logs_served)

    def _tell_page(self, arguments: dict[str, Any]) -> None:
        self._state.page_loaded()
        arguments["state"] = self._state.shown()
        arguments[HOST] = hidden(HOST, arguments[HOST])
        for name, option in arguments["extra_options"].items():
            option["help_text"] = help_shown(option["help_text"])
            if isinstance(option["default_value"], str):
                option["default_value"] = hidden(name, option["default_value"])

    def begin(self) -> None:
        """Know that a run begins (on `test_start`)."""
        self._state.begin()
        self._locusts.forget_statistics(self._web_ui)

    def conclude(self) -> None:
        """Know that a run's summary is in the log."""
        self._state.conclude()
        self._locusts.forget_statistics(self._web_ui)
