"""The web UI of a process that leads runs: its door, its pages and its start form."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import gevent
from flask import url_for
from locust.env import Environment
from locust.web import WebUI

from tfsload.analysis.result import RunResult
from tfsload.report.standing import Begun
from tfsload.run.checks import hide_secrets, web_origins
from tfsload.run.user_hosts import UserHosts, host_asked, suite_classes
from tfsload.settings.options import OPTIONS
from tfsload.settings.secret_reach import SecretReach
from tfsload.suite import locust_wraps
from tfsload.suite.drawing_script import DrawingScript
from tfsload.suite.run_report import make_others
from tfsload.suite.shape_in_use import ShapeInUse
from tfsload.target.waiting import Wait
from tfsload.webui import door, port
from tfsload.webui.hidden_texts import all_hidden
from tfsload.webui.locust_bar import LocustBar
from tfsload.webui.locust_tabs import LocustTabs
from tfsload.webui.pages import Pages
from tfsload.webui.refused_starts import RefusedStarts
from tfsload.webui.run_pages import RunPages
from tfsload.webui.run_view import RunView
from tfsload.webui.session_runs import SessionRuns
from tfsload.webui.site import Site
from tfsload.webui.start_form import StartForm
from tfsload.webui.start_page import StartPage

if TYPE_CHECKING:
    from tfsload.suite.leader import Leader

logger = logging.getLogger("tfsload")

# Far beyond what drawing takes; a run is not to wait for ever for the last one's pictures.
_FILES_LIMIT_S = 30.0
# How often a run without levels is shown anew, where that takes no more than this share of a CPU.
_RENEW_INTERVAL_S = 3.0
_RENEW_SHARE = 0.04


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
        self._start_page: StartPage | None = None
        self._bar: LocustBar | None = None
        self._tabs: LocustTabs | None = None
        self._runs = SessionRuns(make_others)
        self._view = RunView(lambda: None)
        self._drawing_script: DrawingScript | None = None
        self._renewing: Any = None  # the greenlet that shows a run without levels
        self._making: Any = None  # the greenlet in which files of the last run are made
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
        self._open_site(leader, form, options.get("web_base_path") or "")
        named = [environment.host, *hosts.named]
        self._secret_reach = SecretReach(named, door.is_on_loopback(self.web_ui.host), options)

    def secret_faults(self, host: str | None, options: Mapping[str, Any]) -> list[str]:
        """Return why a run may not go there with the secrets of the command line; nothing: it may."""
        return [] if self._secret_reach is None else self._secret_reach.faults(host, options)

    def _open_site(self, leader: "Leader", form: StartForm, base_path: str) -> None:
        """Have pages of the suite's own beside Locust's."""
        drawing_script = self._drawing_script = DrawingScript()
        self._view = RunView(leader.standing)
        site = Site(self.web_ui, base_path)
        self._open_start_page(site, form)
        RunPages(site, self._runs, self._view, lambda: form.is_starting, drawing_script.content)
        self._open_locusts_page(leader, form, site)
        site.open()

    def _open_start_page(self, site: Site, form: StartForm) -> None:
        """Have the form of the suite's own, to which Locust's page leads before the first run."""
        environment = self.web_ui.environment
        hide_secrets(vars(environment.parsed_options))
        available: Mapping[str, Any] = environment.available_user_classes or {}
        classes = [*available.values(), *environment.user_classes]
        page = self._start_page = StartPage(
            site, self.web_ui, form, self._runs, host_asked(None, environment.user_classes).text
        )
        if suite_classes(classes):
            locust_wraps.wrap_index(self.web_ui, lambda: url_for("tfsload.start") if page.is_first else "")

    def _open_locusts_page(self, leader: "Leader", form: StartForm, site: Site) -> None:
        """Have Locust's page tell what matters of a run of the suite's."""
        refused = RefusedStarts(self.web_ui, locust_wraps)
        self._bar = LocustBar(
            self.web_ui, locust_wraps, site, self._runs, self._view, refused, lambda: form.is_starting
        )
        self._tabs = LocustTabs(self.web_ui, locust_wraps, leader.standing)

    def wait_for_files(self) -> None:
        """Wait until nothing is drawn any more: no load is to begin meanwhile."""
        if self._drawing_script is not None:
            self._drawing_script.wait()
        if self._making is not None:
            self._making.join(_FILES_LIMIT_S)
            self._making.kill()

    def begin(self, begun: Begun) -> None:
        """Know that a run begins."""
        if self._pages is not None:
            self._pages.begin()
        if self._bar is not None and self._tabs is not None:
            self._bar.begin()
            self._tabs.begin(begun)
        self._view.begin(begun)
        own = self._start_page.held() if self._start_page is not None else {}
        self._runs.begin({**fields_of(self.web_ui.environment), **own})

    def renew(self, so_far: Callable[[], RunResult]) -> None:
        """Show what the run has come to so far: at a level's end, when none is measured."""
        try:
            result = so_far()
            self._view.renew(result)
            if self._tabs is not None:
                self._tabs.renew(result)
        except Exception:
            logger.exception("the page of this run could not be renewed")  # the run goes on, and its report comes later

    def keep_renewing(self, so_far: Callable[[], RunResult]) -> None:
        """Show that again and again in a run without levels; for a process that sends no load, and if somebody looks.

        It takes a tenth of a second, in which nothing else of the process runs.
        """
        self._renewing = gevent.spawn(self._renew_again_and_again, so_far)

    def _renew_again_and_again(self, so_far: Callable[[], RunResult]) -> None:
        pause_s = _RENEW_INTERVAL_S
        while True:
            gevent.sleep(pause_s)
            if self._view.is_watched:
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
        if self._bar is not None and self._tabs is not None:
            self._bar.end(result)
            self._tabs.end(result)
        self._runs.conclude(result, report)

    def _stop_renewing(self) -> None:
        if self._renewing is not None:
            self._renewing.kill()

    def conclude(self) -> None:
        """Know that a run's summary is in the log."""
        if self._pages is not None:
            self._pages.conclude()
        self._making = gevent.spawn(self._runs.make_files)

    def close(self) -> None:
        """Leave nothing behind."""
        if self._drawing_script is not None:
            self._drawing_script.close()
        if self._making is not None:
            self._making.kill()
        self._stop_renewing()
        self._runs.close()


def fields_of(environment: Environment) -> dict[str, str]:
    """Return what the form would have to hold for a run like the one that begins, by name, as a page may show it."""
    options = vars(environment.parsed_options)
    asked: dict[str, Any] = {one.dest: options.get(one.dest, one.default) for one in OPTIONS if one.is_in_form}
    asked |= {"user_count": options.get("num_users"), "spawn_rate": options.get("spawn_rate")}
    asked |= {"run_time": options.get("run_time"), "host": environment.host}
    return all_hidden({name: "" if value is None else str(value) for name, value in asked.items()})
