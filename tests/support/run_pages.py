"""The pages of a session's runs without a Locust process: as they are served, and as one file that a browser opens."""

import pathlib
import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, Flask
from flask.testing import FlaskClient

from tfsload.report import json_file
from tfsload.report.page.page import render
from tfsload.webui.run_pages import RunPages
from tfsload.webui.run_view import RunView
from tfsload.webui.session_runs import SessionRuns
from tfsload.webui.site import Site


def client_of(
    runs: SessionRuns,
    view: RunView | None = None,
    is_starting: Callable[[], bool] = lambda: False,
    on_locusts: Callable[[str], None] = lambda _: None,
    base_path: str = "",
    others: Mapping[str, Callable[[], Any]] | None = None,
) -> FlaskClient:
    """Return who asks for the pages of these runs.

    Args:
        runs: those that have pages.
        view: of the one under way.
        is_starting: whether another is about to begin.
        on_locusts: is told which of Locust's own routes is asked.
        base_path: below which all of it is.
        others: what answers further routes, which are of somebody else's.
    """
    app = Flask("locust")
    locusts = Blueprint("locust", "locust")
    for name in ("index", "swarm", "stop", "reset_stats"):
        locusts.add_url_rule(f"/{name}", name, lambda name=name: (on_locusts(name), "")[1])
    app.register_blueprint(locusts)
    for path, answer in (others or {}).items():
        app.add_url_rule(path, path, answer)
    site = Site(SimpleNamespace(app=app, web_login=False), base_path)
    site.blueprint.add_url_rule("/", "start", lambda: "")
    RunPages(site, runs, view or RunView(lambda: None), is_starting, lambda: b"")
    site.open()
    return app.test_client()


def in_one_file(client: FlaskClient, path: str) -> str:
    """Return a page with its style sheets in it, and without what would not let them be there."""
    page = client.get(path).text
    page = re.sub(
        r'<link rel="stylesheet" href="([^"]+)">', lambda found: f"<style>{client.get(found[1]).text}</style>", page
    )
    return re.sub(r'<script src="[^"]*"[^>]*></script>', "", page)


def draw_page(directory: pathlib.Path) -> str:
    """Make the page of a run's report, as the process does that draws; return that nothing went wrong."""
    (directory / "report.html").write_text(render(json_file.read(directory / "result.json")))
    return ""
