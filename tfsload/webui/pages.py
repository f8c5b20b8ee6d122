"""The web UI's pages in a run: what they hear of it."""

from typing import Any

from tfsload.suite import locust_wraps
from tfsload.webui.page_state import PageState
from tfsload.webui.start_form import StartForm


class Pages:
    """Keeps all pages of a web UI up to date from one run to the next."""

    def __init__(self, web_ui: Any, form: StartForm) -> None:
        """Stand before Locust's own.

        Args:
            web_ui: Locust's.
            form: takes the starts.
        """
        self._web_ui = web_ui
        self._form = form
        runner = web_ui.environment.runner
        self._state = PageState(lambda: runner.state, lambda: form.is_starting)
        locust_wraps.wrap_page(web_ui, self._tell_page)
        locust_wraps.wrap_statistics(web_ui, self._state.shown)
        locust_wraps.wrap_logs(web_ui, self._state.logs_served)

    def _tell_page(self, arguments: dict[str, Any]) -> None:
        self._state.page_loaded()
        arguments["state"] = self._state.shown()

    def begin(self) -> None:
        """Know that a run begins (on `test_start`)."""
        self._form.begun()
        self._state.begin()
        locust_wraps.forget_statistics(self._web_ui)

    def conclude(self) -> None:
        """Know that a run's summary is in the log."""
        self._state.conclude()
        locust_wraps.forget_statistics(self._web_ui)
