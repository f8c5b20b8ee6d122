"""The suite's own pages in Locust's web UI: where they are, who may see them, and what they may do in a browser."""

from collections.abc import Callable
from typing import Any

import jinja2
from flask import Blueprint, Response, abort, current_app, request, url_for
from flask_login import current_user
from locust.web import WebUI

from tfsload.report.page.page import TEMPLATES as REPORTS_TEMPLATES
from tfsload.report.page.style import style
from tfsload.report.page.words import clean
from tfsload.report.states import ICONS
from tfsload.report.units import moment
from tfsload.webui.field_html import Escapes
from tfsload.webui.session_runs import MOST_RUNS

NAME = "tfsload"
PATH = "/tfsload"
_ASKED_BY_SCRIPTS = {f"{NAME}.{route}" for route in ("live_json", "levels_json", "bar_json", "start_json")}
_NOT_FOUND = 404
_NOTHING = "There is nothing at this address."
# Nothing is fetched from elsewhere, no text is run, and only this web UI is sent what is typed.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "base-uri 'none'",
        "connect-src 'self'",
        "form-action 'self'",
        "img-src 'self' data:",
        "script-src 'self'",
        "style-src 'self'",
    ]
)


class Site:
    """The pages, as one blueprint of Locust's application.

    Attributes:
        blueprint: takes the routes, before `open`.
    """

    def __init__(self, web_ui: WebUI, base_path: str) -> None:
        """Have no pages yet.

        Args:
            web_ui: Locust's, before it listens.
            base_path: `--web-base-path`; empty: none.
        """
        self._web_ui = web_ui
        self._base_path = base_path
        self._templates = jinja2.Environment(
            loader=jinja2.ChoiceLoader(
                [jinja2.PackageLoader("tfsload.webui"), jinja2.PackageLoader(REPORTS_TEMPLATES)]
            ),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        own = {"parts": self._templates.get_template("parts.html").module, "icons": ICONS, "moment": moment}
        self._templates.globals.update(own, most_runs=MOST_RUNS, url_for=url_for)
        self.blueprint = Blueprint(
            NAME, __name__, url_prefix=f"{base_path}{PATH}", static_folder="static", static_url_path="/static"
        )
        self.blueprint.before_request(self._turn_away)
        self.blueprint.after_request(_with_policy)
        self.blueprint.add_url_rule("/page.css", "page_css", _page_css)
        self.blueprint.add_url_rule("/<path:path>", "no_page", _no_page)  # whatever has no route of its own
        self.blueprint.register_error_handler(404, self._not_found)

    def open(self) -> None:
        """Answer to the routes that the blueprint has by now."""
        app = self._web_ui.app
        assert app is not None  # Locust makes it before it tells of its web UI
        app.register_blueprint(self.blueprint)
        app.after_request(self._with_ways_back)
        for name in self._templates.list_templates(extensions=["html"]):
            self._templates.get_template(name)  # compiled now, not under load

    def page(self, template: str, **values: Any) -> str:
        """Return a page made of a template; whatever is put into it is escaped."""
        return self._templates.get_template(template).render(here=request.endpoint, **values)

    def macros(self, template: str) -> Any:
        """Return the macros of a template, which make parts of pages; whatever is put into them is escaped."""
        return self._templates.get_template(template).module

    @property
    def escapes(self) -> Escapes:
        """How texts get into pages that are made without a template: as into one with it."""
        escape: Callable[[str], str] = self._templates.filters["e"]
        return Escapes(lambda text: str(escape(text)), lambda text: str(escape(clean(text))))

    def _not_found(self, error: Any) -> tuple[str, int]:
        """Say what is not there, with ways on: what `abort` was told, else that nothing is."""
        is_told = error.description != type(error).description
        return self._no_page(error.description if is_told else _NOTHING), _NOT_FOUND

    def _no_page(self, why: str) -> str:
        return self.page("no_page.html", why=why)

    def _with_ways_back(self, response: Response) -> Response:
        """Say the same to a person of an address that nobody has, in place of Flask's own words; programs hear these.

        What a route answers is its own, be it Locust's or of somebody's locustfile, and so is what an error handler of
        theirs has to say.
        """
        error = request.routing_exception
        if error is None or not error.code == response.status_code == _NOT_FOUND:
            return response
        is_bare = response.get_data(as_text=True) == error.get_body()
        is_ours = request.path.startswith(f"{self._base_path}/") and "text/html" in request.headers.get("Accept", "")
        is_known = not self._web_ui.web_login or current_user.is_authenticated
        if not (is_bare and is_ours and is_known):
            return response
        response.set_data(self._no_page(_NOTHING))
        return _with_policy(response)

    def _turn_away(self) -> Any:
        """Send who has not logged in to the login, where there is one, downloads too; scripts are told so (401)."""
        if not self._web_ui.web_login or current_user.is_authenticated:
            return None
        if request.endpoint in _ASKED_BY_SCRIPTS:
            return Response('{"error": "log in first"}\n', 401, content_type="application/json")
        return self._web_ui.login_manager.unauthorized()


def view_of(name: str) -> Callable[[], Any]:
    """Return what answers a route of Locust's own, as of now: `swarm`, `stop`, `reset_stats`."""
    return current_app.view_functions[f"locust.{name}"]


def _shown(value: Any) -> Any:
    """Return what is put into a page, cleaned; markup is made of what was, and of texts that `e` keeps as they are."""
    return value if hasattr(value, "__html__") else clean(value)


def _no_page(path: str) -> Response:  # noqa: ARG001  (the route has it)
    abort(404)


def _page_css() -> Response:
    return Response(style(), content_type="text/css; charset=utf-8")


def _with_policy(response: Response) -> Response:
    # A page that has its own, such as a report, keeps it; who may frame it is the door's to say.
    if "Content-Security-Policy" not in response.headers:
        response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
