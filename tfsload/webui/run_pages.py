"""The pages of runs: the one under way, those that have ended with all their files, and the list of them."""

import re
from collections.abc import Callable
from typing import Any

from flask import Response, abort, jsonify, redirect, request, send_from_directory, url_for

from tfsload.report.directory import PAGE
from tfsload.webui.run_marks import marks
from tfsload.webui.run_view import RunView
from tfsload.webui.session_runs import MOST_RUNS, CameTo, SessionRun, SessionRuns
from tfsload.webui.site import Site, view_of

_META_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_FIRST_OF_PAGE = b'<header class="context">'  # after the link that skips what stands above the verdict
_AFTER_NEXT = b"<!-- Here ends what is to be run next. -->"  # where something is
_AFTER_VERDICT = b"<!-- Here ends what is seen first. -->"
_NO_REFERRER, _SAME_ORIGIN = (
    f'<meta name="referrer" content="{one}">'.encode() for one in ("no-referrer", "same-origin")
)
# What the bar above a report needs beside what the report allows itself.
_OF_BAR = {"style-src": "'self'", "form-action": "'self'"}
_SEE_OTHER = 303  # with GET, whatever was posted
_HTML = "text/html; charset=utf-8"


class RunPages:
    """Shows runs."""

    def __init__(
        self,
        site: Site,
        runs: SessionRuns,
        view: RunView,
        is_starting: Callable[[], bool],
        drawing_script: Callable[[], bytes],
    ) -> None:
        """Answer to their routes.

        Args:
            site: whose pages they are.
            runs: all of this session.
            view: of the one under way.
            is_starting: whether a start was taken whose run has not begun.
            drawing_script: returns what charts are drawn with in a browser; empty: it is not there.
        """
        self._site, self._runs, self._view = site, runs, view
        self._is_starting = is_starting
        self._drawing_script = drawing_script
        add = site.blueprint.add_url_rule
        add("/runs/", "runs", self._list)
        add("/runs/live", "live", self._go_to_live)
        add("/runs/<int:number>", "run", self._show)
        add("/runs/<int:number>/live.json", "live_json", self._tell)
        add("/runs/<int:number>/levels.json", "levels_json", self._tell_levels)
        add("/runs/<int:number>/files/<name>", "file", self._give)
        add("/runs/stop", "stop", self._stop, methods=["POST"])
        add("/runs/reset", "reset", self._reset, methods=["POST"])
        add("/drawing.js", "drawing_js", self._give_drawing_script)

    def _page(self, template: str, **values: Any) -> str:
        runs = self._runs.newest_first
        return self._site.page(template, runs=runs, marks=lambda: marks(runs), begun=self._view.begun, **values)

    def _list(self) -> str:
        return self._page("runs.html", is_starting=self._is_starting())

    def _go_to_live(self) -> Any:
        """Lead to the run under way, or the last one, however short it was; or say that it is about to begin."""
        if self._is_starting():
            return self._starting(self._runs.next_number)
        last = self._runs.last
        return redirect(url_for("tfsload.start") if last is None else url_for("tfsload.run", number=last.number))

    def _show(self, number: int) -> Any:
        run = self._known(number)
        if run.came_to is None:
            return self._live(run)
        if run.has_all_files:
            try:
                return self._report(run)
            except OSError:
                run.know_page_is_gone()
        return self._without_report(run, run.came_to)

    def _without_report(self, run: SessionRun, came_to: CameTo) -> str | Response:
        """Return a run's page while its report is drawn, or where there is none: what is seen first is as there."""
        seen_first, is_next_shown = b"", False
        if came_to.first is not None:
            sections = ("checks", "repeat")  # to which it may lead, once they are there
            seen_first = self._page("first_screen.html", first=came_to.first, contents=sections).encode()
            seen_first, is_next_shown = self._with_next(run, seen_first)
        page = self._page(
            "ended.html", run=run, came_to=came_to, seen_first=seen_first.decode(), is_next_shown=is_next_shown
        )
        return page if run.is_settled else _waiting(page)

    def _starting(self, number: int) -> Response:
        return _waiting(self._site.page("starting.html", number=number))

    def _live(self, run: SessionRun) -> str | Response:
        told, levels = self._view.now(), self._view.levels
        if told["words"] is None:
            return self._starting(run.number)
        html = levels.html if levels is not None else ""
        return self._page("live.html", run=run, words=told["words"], html=html)

    def _report(self, run: SessionRun) -> Response:
        """Return the run's page, with links above it, and below its verdict what can be done with the run.

        Where its answer says what would tell more, the way to the form with that stands there. It is as strict as
        before about all else.
        """
        page = (run.directory / PAGE).read_bytes()  # not read as text: it is large, and a load may be under way
        found, at = _META_POLICY.search(page), page.find(_FIRST_OF_PAGE)
        below = page.find(_AFTER_VERDICT)
        assert found is not None and 0 < at < below  # noqa: PT018  (each page of ours has all of them)
        head = self._site.page("report_head.html").encode()
        # Without a referrer a browser says "null" for where a form is posted from, and that is turned away.
        rest_of_head = page[found.end() : at].replace(_NO_REFERRER, _SAME_ORIGIN)
        bar = self._page("bar.html").encode()
        seen_first, is_next_shown = self._with_next(run, page[at:below])
        actions = self._page("run_bar.html", run=run, came_to=run.came_to, is_next_shown=is_next_shown).encode()
        body = b"".join([page[: found.start()], head, rest_of_head, bar, seen_first, actions, page[below:]])
        return Response(body, content_type=_HTML, headers={"Content-Security-Policy": _widened(found[1].decode())})

    def _with_next(self, run: SessionRun, seen_first: bytes) -> tuple[bytes, bool]:
        """Return what is seen first of a run, with the way to the form where it says what to run next, and whether."""
        if run.came_to is None or not run.came_to.next_changes or _AFTER_NEXT not in seen_first:
            return seen_first, False
        return seen_first.replace(_AFTER_NEXT, self._page("next_run.html", run=run).encode(), 1), True

    def _tell(self, number: int) -> Response:
        run = self._known(number)
        if run.came_to is not None:
            return jsonify(
                {"run": number, "state": "ended", "verdict": run.came_to.state.word, "is_settled": run.is_settled}
            )
        return jsonify({"run": number, "state": "running", **self._view.now()})

    def _tell_levels(self, number: int) -> Response:
        run, levels = self._known(number), self._view.levels
        if run.came_to is not None or levels is None:
            return Response(status=204)  # it has ended meanwhile, or no level has
        return Response(levels.body, content_type="application/json")

    def _give(self, number: int, name: str) -> Response:
        run = self._known(number)
        if name not in run.file_names:
            abort(404, f"Run {number:,} has no such file, or has it no longer.")
        return send_from_directory(run.directory, name, as_attachment=True, download_name=f"run-{number}-{name}")

    def _stop(self) -> Any:
        return self._do("stop")

    def _reset(self) -> Any:
        return self._do("reset_stats")

    def _do(self, what: str) -> Any:
        """Have Locust do it, unless the page that asks is of a run that is over: it would be done to another's.

        A page of a run that is about to begin names it by the number that it will have: it may have begun meanwhile.
        """
        asked, under_way = request.form.get("run", ""), self._runs.under_way
        number = under_way.number if under_way is not None else None
        now = self._runs.next_number if self._is_starting() else number
        if asked in ("", str(now or "")):
            view_of(what)()
            return redirect(url_for("tfsload.live"), _SEE_OTHER)
        run = self._runs.named(asked)
        where = url_for("tfsload.live") if run is None else url_for("tfsload.run", number=run.number)
        return redirect(where, _SEE_OTHER)

    def _give_drawing_script(self) -> Response:
        script = self._drawing_script()
        if not script:
            abort(404)
        response = Response(script, content_type="text/javascript; charset=utf-8")
        response.cache_control.max_age = 3600
        response.cache_control.private = True
        return response

    def _known(self, number: int) -> SessionRun:
        run = self._runs.get(number)
        if run is None:
            abort(404, no_run(f"{number:,}"))
        return run


def no_run(name: str) -> str:
    """Return that there is no run of this name, and why there may have been one."""
    return f"There is no run {name} in this session: it has not begun, or is forgotten (the last {MOST_RUNS} are kept)."


def _waiting(page: str) -> Response:
    """Return a page that waits for another in its place; its script looks for the header until that is there."""
    return Response(page, content_type=_HTML, headers={"Tfsload-Waits": "1"})


def _widened(policy: str) -> str:
    """Return a page's own policy with what the bar above it needs."""
    parts = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    for name, more in _OF_BAR.items():
        held = parts.get(name, "'none'")
        parts[name] = more if held == "'none'" else f"{held} {more}"
    return "; ".join(f"{name} {value}" for name, value in parts.items())
