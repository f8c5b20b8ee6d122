"""The start page: a form, made here, by which a person starts a run or has it checked; it needs no script."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Response, jsonify, redirect, request, url_for
from locust.web import WebUI

from tfsload.analysis.next_sweep import HEAVY
from tfsload.settings.refusal import RunRefused
from tfsload.transport.numerals import whole_number
from tfsload.transport.words import quoted, redacted
from tfsload.webui import load_kinds, start_values
from tfsload.webui.fault_places import place
from tfsload.webui.field_html import Filled
from tfsload.webui.form_changes import Change, Held, changes
from tfsload.webui.form_words import in_form
from tfsload.webui.hidden_texts import all_hidden, hidden
from tfsload.webui.load_kinds import HOST, N_USERS, NO_SHAPE, RUN_TIME, SHAPE, USER_CLASSES, LoadKind
from tfsload.webui.protocol_field import ProtocolField
from tfsload.webui.run_pages import no_run
from tfsload.webui.session_runs import SessionRun, SessionRuns
from tfsload.webui.site import Site, view_of
from tfsload.webui.start_extras import Extras
from tfsload.webui.start_form import StartForm
from tfsload.webui.start_layout import Layout
from tfsload.webui.start_needs import Form
from tfsload.webui.start_values import LOAD

_START, _CHECK = "start", "check"
_REFUSED = 422
_NO_FORM = (
    "tfsload: nothing was started: what was sent is no form of this page. Expected its fields (as "
    "application/x-www-form-urlencoded or multipart/form-data), with action=start or action=check, and load=sweep, "
    "rates, search, images or plain\n"
)


@dataclass(frozen=True)
class _Answer:
    """What became of what was sent.

    Attributes:
        faults: why no run can start so, a sentence each.
        length: of a check that found none: what would be run, and for how long.
        n_images: likewise, images that it would fire.
        told_before: of such a check: what is warned of, a sentence each.
    """

    faults: tuple[str, ...] = ()
    length: str = ""
    n_images: int = 0
    told_before: tuple[str, ...] = ()

    @property
    def n_heavier(self) -> int:
        """Images that make a request heavy, as many as there are at most."""
        return min(HEAVY, self.n_images)


@dataclass(frozen=True)
class _Form:
    """What the form holds.

    Attributes:
        values: the text of each field, by name.
        kind: of load.
        classes: the user classes that were chosen; none: all.
        shape: the load shape that was picked; empty: none was.
    """

    values: Mapping[str, str]
    kind: LoadKind
    classes: tuple[str, ...] = ()
    shape: str = ""


class StartPage:
    """The form by which a person starts a run."""

    def __init__(
        self,
        site: Site,
        web_ui: WebUI,
        form: StartForm,
        runs: SessionRuns,
        named_host: str | None,
        protocol: ProtocolField,
    ) -> None:
        """Answer to its route; what the command line says by now is what a new page holds.

        Args:
            site: whose page it is.
            web_ui: Locust's.
            form: checks a run, and starts it.
            runs: of this session, whose fields a page may be filled with.
            named_host: where a run goes that names no server; None: to the embedded one.
            protocol: the field for what runs speak.
        """
        self._site, self._environment, self._form, self._runs = site, web_ui.environment, form, runs
        self._at_first = all_hidden(start_values.of_command_line(self._environment))
        self._named_host = None if named_host is None else hidden(HOST, named_host)
        self._extras = Extras(web_ui, protocol)
        self._first_kind = start_values.first_kind(self._environment, self._at_first, bool(self._own_shape()))
        site.blueprint.add_url_rule("/", "start", self._answer, methods=["GET", "POST"])
        site.blueprint.add_url_rule("/now.json", "start_json", self._tell)

    @property
    def is_next(self) -> bool:
        """Whether this is what a person wants who comes: nothing is under way, and nothing is about to be."""
        return not self._is_under_way

    @property
    def _is_under_way(self) -> bool:
        return self._form.is_under_way or self._runs.under_way is not None

    def held(self, limit_s: float | None) -> dict[str, str]:
        """Return what the form would have to hold for a run like the one that begins, by name, as a page may show it.

        Args:
            limit_s: for how long it is asked to run; None: it has no such end.
        """
        return all_hidden(start_values.of_run(self._environment, limit_s)) | self._extras.held()

    def _answer(self) -> Any:
        if request.method != "POST":
            return self._show()
        return self._take() if _is_form() else Response(_NO_FORM, 400, content_type="text/plain; charset=utf-8")

    def _tell(self) -> Response:
        """Tell the page's script whether a run is under way by now: a browser shows pages that it has kept."""
        return jsonify({"is_under_way": self._is_under_way})

    def _show(self) -> str:
        asked, run = request.args.get("run", ""), self._asked_run
        unknown = no_run(_named(asked)) if asked and run is None else ""
        if run is None:
            return self._page(self._filled({}, self._first_kind), unknown=unknown)
        return self._page(self._filled({**run.fields, **(_next_changes(run) if "more" in request.args else {})}))

    @property
    def _asked_run(self) -> SessionRun | None:
        """The run that the page is filled from, by its address, which a form that is sent keeps; None: from none."""
        return self._runs.named(request.args.get("run", ""))

    def _filled(self, held: Mapping[str, str], kind: LoadKind | None = None) -> _Form:
        """Return a form as it is filled.

        Args:
            held: texts of fields, by name, such as a run has; those of others are as at first.
            kind: of load; None: the one that they ask for.
        """
        values = {**self._at_first, **held}
        texts = {**self._extras.values, **start_values.shown(values)}
        chosen = self._extras.chosen([held.get(USER_CLASSES, "")])
        return _Form(texts, kind or load_kinds.kind_of(values), chosen, held.get(SHAPE, ""))

    def _changes(self, form: _Form) -> tuple[Change, ...]:
        """Return what a form holds otherwise than the run that it was filled from; nothing: it was from none."""
        run, layout = self._asked_run, self._layout
        if run is None:
            return ()
        seen = [*layout.readable(form.kind), *([USER_CLASSES] if self._extras.classes else [])]
        was, now = self._held_by(self._filled(run.fields)), self._held_by(form)
        return changes(was, now, seen, layout.switches, lambda name: layout.label(name, form.kind))

    def _held_by(self, form: _Form) -> Held:
        chosen = {USER_CLASSES: ", ".join(form.classes or self._extras.classes), SHAPE: form.shape or NO_SHAPE}
        return Held(all_hidden({**form.values, **chosen}), form.kind)

    def _take(self) -> Any:
        """Start what was sent, or check it; show it again with what is wrong."""
        posted = request.form
        extras = self._extras.sent(posted)
        values = start_values.sent(posted, self._at_first)
        named = load_kinds.kind_named(posted.get(LOAD, ""))
        kind = named or load_kinds.kind_of(values)
        chosen = self._extras.chosen(posted.getlist(USER_CLASSES))
        as_typed = values if named else start_values.shown(values)
        form = _Form({**self._extras.values, **as_typed, **extras}, kind, chosen, posted.get(SHAPE, ""))
        faults = load_kinds.faults(values, kind) if named else []
        faults += self._extras.faults(extras)
        made = start_values.for_locust(posted, values, kind)
        asked = type(posted)([*made.items(), *self._extras.for_locust(posted, extras, chosen, named)])
        if posted.get("action") == _CHECK or faults:
            answer = self._checked(asked, faults, form)
        else:
            answer = self._started(asked)
            if not answer.faults:
                return redirect(url_for("tfsload.live"), 303)
        return Response(self._page(form, answer), _REFUSED if answer.faults else 200)

    def _checked(self, asked: Form, faults: list[str], form: _Form) -> _Answer:
        try:
            found = self._form.check(asked, faults)
        except RunRefused as refused:
            return _Answer(tuple(map(redacted, refused.faults)))
        length = found.how_long or self._length(form)
        return _Answer((), length, found.n_images, tuple(map(redacted, found.told_before)))

    def _started(self, asked: Form) -> _Answer:
        try:
            self._form.refuse_while_under_way()
        except RunRefused as refused:
            return _Answer(tuple(refused.faults))
        request.form = asked  # Locust's view reads the request
        told = view_of("swarm")().get_json()
        if told["success"]:
            return _Answer()
        return _Answer(tuple(told.get("faults") or [told["message"]]))

    def _length(self, form: _Form) -> str:
        """Return what a run without levels comes to."""
        texts = form.values
        if shape := self._own_shape(form.shape):
            return f"as the load shape {shape} says"
        n_users = texts[N_USERS].strip() or "1"
        who = f"{n_users} user{'' if n_users == '1' else 's'}"
        if form.kind.key == "images":
            return f"{texts['num_tests'].strip()} images, each exactly once · {who}"
        run_time = texts[RUN_TIME].strip()
        return f"{who} · {f'for {run_time}' if run_time not in ('', '0') else 'until you stop them'}"

    def _page(self, form: _Form, answer: _Answer = _Answer(), unknown: str = "") -> str:
        layout, run, changed = self._layout, self._asked_run, self._changes(form)
        faults = in_form(answer.faults, form.values)
        placed = place(faults, layout.seen(form.kind), layout.flags, form.values["dataset"])
        see = {name: [(one, layout.label(one, form.kind)) for one in others] for name, others in placed.see.items()}
        filled = Filled(form.values, placed.at, {one.name: one.was for one in changed}, see)
        return self._site.page(
            "start.html",
            form=form,
            values=form.values,
            layout=layout,
            placed=placed,
            fields=lambda fields: layout.html.of(fields, filled),
            whole=lambda group: layout.html.whole(group, filled),
            length=answer.length,
            n_heavier=answer.n_heavier,
            has_more_images=answer.n_images > answer.n_heavier,
            told_before=answer.told_before,
            number=run.number if run is not None else None,
            is_more="more" in request.args,
            changes=changed,
            unknown=unknown,
            is_under_way=self._is_under_way,
            own_shape=self._own_shape(),
            classes=self._extras.classes,
            chosen=form.classes or self._extras.classes,
            shapes=self._extras.shapes,
            shape=form.shape,
        )

    @cached_property
    def _layout(self) -> Layout:
        # Not made before a page is asked for: until then a locustfile may add options.
        return Layout.of(self._extras, self._site, self._named_host)

    def _own_shape(self, picked: str = "") -> str:
        """Return the name of the locustfile's load shape that a run without levels goes by; empty: by none.

        Args:
            picked: what Locust's class picker names, where it is on.
        """
        if self._extras.classes:
            return picked if picked in self._extras.shapes[1:] else ""
        shape = self._environment.shape_class
        return "" if shape is None or self._form.are_levels else type(shape).__name__


def _next_changes(run: SessionRun | None) -> Mapping[str, str]:
    """Return what is to be changed of a run to be told more; nothing: it is not known, or there is nothing."""
    return run.came_to.next_changes if run is not None and run.came_to is not None else {}


def _named(asked: str) -> str:
    """Return how a run that was asked for is called."""
    number = whole_number(asked)
    return quoted(asked) if number is None else f"{number:,}"


def _is_form() -> bool:
    """Whether what was sent is one of this page: whoever sends something else is not to have some run started."""
    try:
        sent = request.form
    except OSError:  # it broke off
        return False
    if sent.get("action") not in (_START, _CHECK):
        return False
    if LOAD in sent:  # one that there is not would start another
        return load_kinds.kind_named(sent[LOAD]) is not None
    return any(name in sent for name in load_kinds.FIELDS)
