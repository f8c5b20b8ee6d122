"""The web UI of a process that leads runs: its door, its pages and its start form."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from locust.web import WebUI

from tfsload.run.checks import web_origins
from tfsload.run.user_hosts import UserHosts
from tfsload.settings.secret_reach import SecretReach
from tfsload.suite import locust_wraps
from tfsload.suite.shape_in_use import ShapeInUse
from tfsload.target.waiting import Wait
from tfsload.webui import door, port
from tfsload.webui.pages import Pages
from tfsload.webui.start_form import StartForm

if TYPE_CHECKING:
    from tfsload.suite.leader import Leader


class WebSide:
    """What stands between Locust's web UI and the runs.

    Attributes:
        web_ui: Locust's.
        wait: for a server, by a start that the stop button ends.
    """

    def __init__(self, web_ui: WebUI) -> None:
        """Stand aside until it is opened."""
        self.web_ui = web_ui
        self.wait = Wait()
        self._pages: Pages | None = None
        self._secret_reach: SecretReach | None = None

    def open(self, leader: "Leader", shape_in_use: ShapeInUse, hosts: UserHosts) -> None:
        """Stand before Locust's own, before it listens.

        Args:
            leader: of the runs that the form starts.
            shape_in_use: the load shape of those.
            hosts: the user classes' own, which a secret of the command line may be sent to.

        Raises:
            RunRefused: it cannot listen where it is to, or `--web-origin` cannot be read.
        """
        environment = self.web_ui.environment
        options = vars(environment.parsed_options)
        if self.web_ui.greenlet is None:  # else it is this web UI that listens there
            port.require_free(self.web_ui.host, self.web_ui.port)
        door.close(self.web_ui, web_origins(options))
        form = StartForm(
            self.web_ui,
            locust_wraps,
            shape_in_use,
            leader.check,
            leader.wait_for_last_run,
            leader.take_back,
            lambda: leader.run_time,
            self.wait,
        )
        self._pages = Pages(self.web_ui, locust_wraps, form)
        named = [environment.host, *hosts.named]
        self._secret_reach = SecretReach(named, door.is_on_loopback(self.web_ui.host), options)

    def secret_faults(self, host: str | None, options: Mapping[str, Any]) -> list[str]:
        """Return why a run may not go there with the secrets of the command line; nothing: it may."""
        return [] if self._secret_reach is None else self._secret_reach.faults(host, options)

    def begin(self) -> None:
        """Know that a run begins."""
        if self._pages is not None:
            self._pages.begin()

    def conclude(self) -> None:
        """Know that a run's summary is in the log."""
        if self._pages is not None:
            self._pages.conclude()
