"""The start form: a run that cannot start is refused there, with the reason; one start at a time is taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import jsonify, request
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, Runner
from locust.web import WebUI

from tfsload.analysis import exit_codes
from tfsload.settings.given import levels_asked_for
from tfsload.settings.options import OPTIONS
from tfsload.settings.refusal import RunRefused
from tfsload.transport.words import quoted, redacted
from tfsload.webui import posted, start_values
from tfsload.webui.before_start import BeforeStart
from tfsload.webui.hidden_texts import HiddenTexts, hidden
from tfsload.webui.load_kinds import HOST, NO_SHAPE, PROTOCOL, SHAPE, USER_CLASSES
from tfsload.webui.no_fields import refuse_what_is_no_field
from tfsload.webui.protocol_field import ProtocolField
from tfsload.webui.start_needs import Coming, Form, LocustsForm, Shapes, TimeLeft, Wait

# How long the last run's load shape may take to end.
_SHAPE_LIMIT_S = 5.0
# What a form is looked at for.
_START, _CHECK = "start", "check"
_IN_A_MOMENT = "another run is being started or stopped: try again in a moment"


@dataclass(frozen=True)
class Found:
    """What a check has found of a run that can start.

    Attributes:
        how_long: how many levels it has, and how long they take; empty: it has none.
        n_images: images that it fires.
        told_before: what is warned of before it, such as that it will support no verdict, a sentence each.
    """

    how_long: str
    n_images: int
    told_before: tuple[str, ...]


class StartForm:
    """Checks what the form asks for, before Locust starts a run, and takes all back where Locust then refuses it."""

    def __init__(
        self,
        web_ui: WebUI,
        locusts: LocustsForm,
        shapes: Shapes,
        coming: Coming,
        run_time: Callable[[], TimeLeft],
        wait: Wait,
        protocol: ProtocolField,
    ) -> None:
        """Stand before Locust's own.

        Args:
            web_ui: Locust's.
            locusts: has a hold on it.
            shapes: the load shape of the run that starts.
            coming: has a run checked, and keeps it for a start.
            run_time: returns that of the run under way.
            wait: for a server, by a check; the stop button ends it.
            protocol: the field for what runs speak.
        """
        self._web_ui = web_ui
        self._environment = web_ui.environment
        self._locusts = locusts
        self._shapes = shapes
        self._coming = coming
        self._run_time = run_time
        self._wait = wait
        self._protocol = protocol
        self._hidden = HiddenTexts(lambda: start_values.of_all_options(web_ui.environment))
        self._looks_at = ""  # what is being checked: a start, or what is only to be checked
        locusts.wrap_start(web_ui, self._start)
        locusts.wrap_stop(web_ui, wait.stop)
        locusts.wrap_picked_shape(web_ui, shapes.keep_levels)

    @property
    def is_starting(self) -> bool:
        """Whether a start was taken, and its run has not begun."""
        return self._looks_at == _START or self._coming.is_started  # a mere check is nobody else's business

    def _start(self, start: Callable[[], Any]) -> Any:
        form = request.form = self._hidden.whole(request.form)  # Locust's view reads it, too
        is_edit = self._runner.state in (STATE_RUNNING, STATE_SPAWNING)
        try:
            self._refuse_what_is_no_field(form)
            if is_edit:
                self._refuse_changes(form)
            else:
                self._check_start(form, [], _START)
        except RunRefused as refused:
            faults = [redacted(fault) for fault in refused.faults]
            host = hidden(HOST, self._environment.host or "")
            return jsonify({"success": False, "message": redacted(refused.sentence()), "faults": faults, "host": host})
        return self._ask_locust(start, is_edit, self._user_classes(form))

    @property
    def is_under_way(self) -> bool:
        """Whether a run is, or was asked for: what a form says then would change it."""
        return self._runner.state in (STATE_RUNNING, STATE_SPAWNING) or self.is_starting

    @property
    def are_levels(self) -> bool:
        """Whether Locust goes by levels of the suite's as of now."""
        return self._shapes.are_levels

    def check(self, form: Form, known: list[str]) -> Found:
        """Check what a form asks for as for a start, and leave all as it was.

        Args:
            form: as Locust's has it.
            known: what is wrong with it that the caller knows of, a sentence each.

        Returns:
            What is known of it by now.

        Raises:
            RunRefused: it could not start, with all faults; or a run is under way, which is not to be disturbed.
        """
        self.refuse_while_under_way()
        form = self._hidden.whole(form)
        self._refuse_what_is_no_field(form)
        self._check_start(form, known, _CHECK)
        found = Found(self._shapes.how_long, self._coming.n_images, self._coming.told_before)
        self._forget()
        return found

    def refuse_while_under_way(self) -> None:
        """Let a form that is there to begin a run change none.

        Raises:
            RunRefused: one is under way.
        """
        if self._runner.state in (STATE_RUNNING, STATE_SPAWNING):
            raise RunRefused(exit_codes.INVALID, ["a run is under way: stop it first, or wait for its end"])

    def _refuse_what_is_no_field(self, form: Form) -> None:
        options, has_class_picker = vars(self._environment.parsed_options), self._web_ui.userclass_picker_is_active
        refuse_what_is_no_field(form, options, has_class_picker)

    def _check_start(self, form: Form, known: list[str], what: str) -> None:
        """Check a start, once no other run is on its way in or out: it would get its results.

        It is known as one, and can be stopped, from the first moment on.

        Args:
            form: as Locust's has it.
            known: what is wrong with it already, a sentence each.
            what: whether it starts, or is only to be checked.

        Raises:
            RunRefused: with all faults.
        """
        self._refuse_a_second()
        self._looks_at = what
        self._wait.begin()
        try:
            if not self._coming.wait_for_last_run():
                raise RunRefused(exit_codes.INVALID, [_IN_A_MOMENT])
            self._refuse_stopped()
            self._await_last_shape()
            self._refuse_stopped()  # the check forgets a stop that came before it
            self._coming.refuse_a_second()  # one may have come meanwhile, which is not to be taken back
            self._coming.refuse_beside_a_run()
            _refuse_without_workers(self._runner)
            if self._web_ui.userclass_picker_is_active:
                self._shapes.pick(_picked_shape(form, self._environment))
            self._check_picked(form, known)
        finally:
            self._looks_at = ""

    def _check_picked(self, form: Form, known: list[str]) -> None:
        """Check a start whose load shape is picked; nothing is left of it where it is refused.

        Raises:
            RunRefused: with all faults.
        """
        is_kept = False
        try:
            host = form.get(HOST, self._environment.host)
            options = posted.options(form, self._environment, self._web_ui.userclass_picker_is_active)
            options |= self._protocol.options(form)
            faults = [*known, *posted.faults(form, True, self._is_rate_of_use(options))]
            faults += [one for one in self._protocol.faults(form) if one not in known]
            self._coming.check(
                {**options, **self._protocol.options(form)}, host, self._user_classes(form), faults=faults
            )
            self._refuse_stopped()
            is_kept = True
        finally:
            if not is_kept:
                self._forget()

    def _forget(self) -> None:
        """Have all be as before a check whose run does not start."""
        self._shapes.put_back()
        self._coming.take_back()

    def _refuse_a_second(self) -> None:
        """Let one at a time be checked, and none while a run is about to begin.

        Raises:
            RunRefused: another is.
        """
        if self._wait.where:
            other = "another start" if self._looks_at == _START else "a check that somebody has asked for"
            cure = "stop that one first, or let it begin" if self._looks_at == _START else "try again when it has ended"
            raise RunRefused(exit_codes.INVALID, [f"{other} waits for the server at {self._wait.where}: {cure}"])
        if self.is_starting:
            raise RunRefused(exit_codes.INVALID, [_IN_A_MOMENT])
        if self._looks_at:
            raise RunRefused(exit_codes.INVALID, ["another form is being checked: try again in a moment"])
        self._coming.refuse_a_second()

    def _refuse_stopped(self) -> None:
        """Know that somebody has pressed Stop meanwhile.

        Raises:
            RunRefused: somebody has.
        """
        if self._wait.is_stopped:
            raise RunRefused(exit_codes.INVALID, ["stopped before it began"])

    def _is_rate_of_use(self, options: dict[str, Any]) -> bool:
        """Whether Locust looks at the ramp-up: not where a load shape says how many users there are."""
        has_shape = self._environment.shape_class is not None or self._web_ui.userclass_picker_is_active
        return not has_shape and not levels_asked_for(options)

    @property
    def _runner(self) -> Runner:
        runner = self._environment.runner
        assert runner is not None  # a web UI is made for one
        return runner

    def _await_last_shape(self) -> None:
        """Let the last run's load shape end: Locust starts nothing meanwhile, and says that it did.

        Raises:
            RunRefused: it does not end.
        """
        shape = self._runner.shape_greenlet
        if shape:
            shape.join(_SHAPE_LIMIT_S)
        if shape:  # a greenlet is true as long as it runs
            raise RunRefused(exit_codes.INVALID, ["the last run's load shape has not ended: try again in a moment"])

    def _refuse_changes(self, form: Form) -> None:
        """Let nothing but the number of users be changed in a run under way; raise RunRefused."""
        others = [PROTOCOL] if self._protocol.is_other(form) else []
        _refuse_changes(form, self._environment, self._shapes, self._run_time().limit_s, others)

    def _user_classes(self, form: Form) -> list[type]:
        """Return the classes of the users that the form asks for."""
        classes = self._protocol.classes(form)
        return _user_classes(form, self._web_ui) if classes is None else classes

    def _ask_locust(self, start: Callable[[], Any], is_edit: bool, user_classes: list[type]) -> Any:
        """Have Locust start or edit a run of these classes; where it refuses, all is as it was before."""
        before = BeforeStart(self._environment)
        if not (is_edit or self._web_ui.userclass_picker_is_active):  # else Locust takes them from the form itself
            self._environment.user_classes = user_classes
        has_run_time = self._locusts.has_run_time(self._web_ui)
        is_taken = False
        try:
            reply = start()
            is_taken = bool((reply.get_json(silent=True) or {}).get("success"))
        finally:
            if not is_taken:
                before.put_back()
                if not is_edit:
                    self._forget()
            elif not is_edit:
                self._locusts.forget_command_lines_run_time()
            if is_edit:
                self._locusts.set_run_time(self._web_ui, self._run_time().left_s if has_run_time else None)
        return reply


def _refuse_without_workers(runner: Runner) -> None:
    """Say what Locust only logs, after it has told the page that the run was started.

    Raises:
        RunRefused: this is a master, and no worker is there.
    """
    if getattr(runner, "worker_count", 1) == 0:
        raise RunRefused(exit_codes.INVALID, ["no worker is connected: start one with --worker, and try again"])


def _picked_shape(form: Mapping[str, str], environment: Environment) -> Any:
    """Return the load shape that the class picker names; None: none.

    Raises:
        RunRefused: there is no such shape.
    """
    name = form.get(SHAPE, NO_SHAPE)
    shapes = environment.available_shape_classes or {}
    if name != NO_SHAPE and name not in shapes:
        known = ", ".join([NO_SHAPE, *sorted(shapes)])
        raise RunRefused(exit_codes.BAD_USAGE, [f"load shape {quoted(name)}: expected one of {known}"])
    return shapes.get(name)


def _user_classes(form: Form, web_ui: WebUI) -> list[type]:
    """Return the classes of the users that the form asks for: with Locust's `--class-picker` it chooses among all."""
    environment = web_ui.environment
    if not web_ui.userclass_picker_is_active:
        return list(environment.user_classes)
    available: dict[str, Any] = environment.available_user_classes or {}
    return [available[name] for name in form.getlist(USER_CLASSES) or available if name in available]


def _refuse_changes(
    form: Mapping[str, str], environment: Environment, shapes: Shapes, limit_s: float | None, changed: list[str]
) -> None:
    """Let nothing but the number of users be changed in a run under way, which was to run for `limit_s`.

    Raises:
        RunRefused: something else is asked for, or the run sets its number of users itself.
    """
    now = vars(environment.parsed_options)
    changed = changed + [one.flag for one in OPTIONS if form.get(one.dest, now[one.dest]) != now[one.dest]]
    if environment.shape_class is not None:
        who = "its levels say" if shapes.are_levels else "its load shape says"
        raise RunRefused(exit_codes.BAD_USAGE, [f"a run is under way, and {who} how many users there are"])
    if form.get(HOST) not in (None, "", environment.host):
        changed.append(HOST)
    if posted.is_other_run_time(form, limit_s):
        changed.append("run time")
    if changed:
        raise RunRefused(
            exit_codes.BAD_USAGE,
            [f"{' and '.join(changed)}: a run is under way, and only its number of users can change; stop it first"],
        )
    # Locust would refuse them only after it has cancelled the end of the run under way.
    if faults := posted.faults(form, may_be_missing=False, is_rate_of_use=True):
        raise RunRefused(exit_codes.BAD_USAGE, faults)
