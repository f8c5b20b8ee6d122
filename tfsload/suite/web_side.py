"""The web UI of a process that leads runs: its door, its pages and its start form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import url_for
from locust.web import WebUI

from tfsload.analysis.result import RunResult
from tfsload.report.standing import Begun
from tfsload.run.checks import hide_secrets, web_origins
from tfsload.run.user_hosts import UserHosts, host_asked, suite_classes
from tfsload.settings.secret_reach import SecretReach
from tfsload.suite import locust_wraps
from tfsload.suite.drawing import Drawing
from tfsload.suite.drawing_script import DrawingScript
from tfsload.suite.protocol_choice import ProtocolChoice
from tfsload.suite.run_report import make_others
from tfsload.suite.shape_in_use import ShapeInUse
from tfsload.suite.shown_runs import Places, ShownRuns
from tfsload.target.waiting import Wait
from tfsload.webui import door, port
from tfsload.webui.locust_bar import LocustBar
from tfsload.webui.locust_tabs import LocustTabs
from tfsload.webui.pages import Pages
from tfsload.webui.protocol_field import ProtocolField
from tfsload.webui.refused_starts import RefusedStarts
from tfsload.webui.run_pages import RunPages
from tfsload.webui.run_view import RunView
from tfsload.webui.session_runs import SessionRuns
from tfsload.webui.site import Site
from tfsload.webui.start_form import StartForm
from tfsload.webui.start_page import StartPage

if TYPE_CHECKING:
    from tfsload.suite.leader import Leader


@dataclass(frozen=True)
class _Opened:
    """What is there once the web UI is opened.

    Attributes:
        form: takes the starts.
        start_page: the form of the suite's own.
        shown: the runs, wherever they are shown.
        drawing: what is drawn beside them.
        secret_reach: where the command line's secrets may be sent to.
    """

    form: StartForm
    start_page: StartPage
    shown: ShownRuns
    drawing: Drawing
    secret_reach: SecretReach


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
        self._opened: _Opened | None = None  # a dry run opens none, and one that is refused may come to its end before

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
        origins = web_origins(options)
        if self.web_ui.greenlet is None:  # else it is this web UI that listens there
            port.require_free(self.web_ui.host, self.web_ui.port)
        # From here on nothing is refused: what is refused is opened again, and would be there twice.
        door.close(self.web_ui, origins)
        form = StartForm(
            self.web_ui,
            locust_wraps,
            shape_in_use,
            leader.coming,
            lambda: leader.run_time,
            self.wait,
            protocol := ProtocolField(ProtocolChoice(environment)),
        )
        pages = Pages(self.web_ui, locust_wraps, form)
        named = [environment.host, *hosts.named]
        secret_reach = SecretReach(named, door.is_on_loopback(self.web_ui.host), options)
        site = Site(self.web_ui, options.get("web_base_path") or "")
        self._opened = self._with_site(leader, form, pages, site, secret_reach, protocol)

    def secret_faults(self, host: str | None, options: Mapping[str, Any]) -> list[str]:
        """Return why a run may not go there with the secrets of the command line; nothing: it may."""
        return [] if self._opened is None else self._opened.secret_reach.faults(host, options)

    def _with_site(
        self,
        leader: "Leader",
        form: StartForm,
        pages: Pages,
        site: Site,
        secret_reach: SecretReach,
        protocol: ProtocolField,
    ) -> _Opened:
        """Have pages of the suite's own beside Locust's, and something of them on Locust's."""
        runs, view = SessionRuns(make_others), RunView(leader.standing)
        script = DrawingScript()
        drawing = Drawing(runs, script)
        start_page = self._start_page(site, form, runs, protocol)
        RunPages(site, runs, view, lambda: form.is_starting, script.content)
        refused = RefusedStarts(self.web_ui, locust_wraps)
        bar = LocustBar(self.web_ui, locust_wraps, site, runs, view, refused, lambda: form.is_starting)
        tabs = LocustTabs(self.web_ui, locust_wraps, view.standing)
        site.open()
        shown = ShownRuns(Places(pages, bar, tabs, view, runs), drawing)
        return _Opened(form, start_page, shown, drawing, secret_reach)

    def _start_page(self, site: Site, form: StartForm, runs: SessionRuns, protocol: ProtocolField) -> StartPage:
        """Have the form of the suite's own, to which Locust's page leads while nothing runs."""
        environment = self.web_ui.environment
        hide_secrets(vars(environment.parsed_options))
        available: Mapping[str, Any] = environment.available_user_classes or {}
        classes = [*available.values(), *environment.user_classes]
        named_host = host_asked(None, environment.user_classes).text
        page = StartPage(site, self.web_ui, form, runs, named_host, protocol)
        if suite_classes(classes):
            locust_wraps.wrap_index(self.web_ui, lambda: url_for("tfsload.start") if page.is_next else "")
        return page

    @property
    def is_starting(self) -> bool:
        """Whether a start was taken, and its run has not begun."""
        return self._opened is not None and self._opened.form.is_starting

    def wait_for_files(self) -> None:
        """Wait until nothing is drawn any more: no load is to begin meanwhile."""
        if self._opened is not None:
            self._opened.drawing.wait()

    def make_way(self) -> None:
        """Give up what is still drawn: load begins."""
        if self._opened is not None:
            self._opened.drawing.give_up()

    def begin(self, begun: Callable[[], Begun], limit_s: float | None) -> None:
        """Know that a run begins.

        Args:
            begun: returns what it is begun to do.
            limit_s: for how long it is asked to run; None: it has no such end.
        """
        if self._opened is not None:
            held = self._opened.start_page.held
            self._opened.shown.begin(begun, lambda: held(limit_s))

    def renew(self, so_far: Callable[[], RunResult]) -> None:
        """Show what the run has come to so far: at a level's end, when none is measured."""
        if self._opened is not None:
            self._opened.shown.renew(so_far)

    def keep_renewing(self, so_far: Callable[[], RunResult]) -> None:
        """Show that again and again in a run without levels; for a process that sends no load."""
        if self._opened is not None:
            self._opened.shown.keep_renewing(so_far)

    def end(self, result: RunResult, report: str) -> None:
        """Know what a run came to.

        Args:
            result: of the run.
            report: the directory with the files of its report; empty: they are to be made.
        """
        if self._opened is not None:
            self._opened.shown.end(result, report)

    def conclude(self) -> None:
        """Know that a run is over: its summary is in the log, or it broke off before there was one."""
        if self._opened is not None:
            self._opened.shown.conclude()

    def close(self) -> None:
        """Leave nothing behind."""
        if self._opened is not None:
            self._opened.shown.close()
