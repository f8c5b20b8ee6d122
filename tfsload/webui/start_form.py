"""The start form: a run that cannot start is refused there, with the reason; one start at a time is taken."""

import logging
import math
import time
from collections.abc import Callable
from typing import Any

from flask import jsonify, request
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, Runner
from locust.util.timespan import parse_timespan
from locust.web import WebUI

from tfsload.analysis import exit_codes
from tfsload.settings.options import OPTIONS, OWN_PREFIX
from tfsload.settings.refusal import RunRefused
from tfsload.transport.words import quoted
from tfsload.webui.start_needs import LocustsForm, Shapes, TimeLeft, Wait

logger = logging.getLogger(__name__)

# How long Locust may take to begin a run that the form has asked for.
START_LIMIT_S = 5.0
# Locust's own fields, and the names of its options.
_N_USERS_FIELD, _N_USERS_OPTION = "user_count", "num_users"
_SPAWN_RATE_FIELD, _RUN_TIME_FIELD, _SHAPE_FIELD = "spawn_rate", "run_time", "shape_class"
_NO_SHAPE = "Default"
_END_IT = "stop that one first, or let it begin"


class StartForm:
    """Checks what the form asks for, before Locust starts a run, and takes all back where Locust then refuses it."""

    def __init__(
        self,
        web_ui: WebUI,
        locusts: LocustsForm,
        shapes: Shapes,
        check: Callable[[dict[str, Any], str | None, list[type]], None],
        wait_for_last_run: Callable[[], bool],
        take_back: Callable[[], None],
        run_time: Callable[[], TimeLeft],
        wait: Wait,
    ) -> None:
        """Stand before Locust's own.

        Args:
            web_ui: Locust's.
            locusts: has a hold on it.
            shapes: the load shape of the run that starts.
            check: takes options by name, the host and the user classes, and keeps the result for a start; raises
                RunRefused.
            wait_for_last_run: waits for the end of a run that is being stopped; whether none is under way.
            take_back: forgets what `check` has kept.
            run_time: returns that of the run under way.
            wait: for a server, by `check`; the stop button ends it.
        """
        self._web_ui = web_ui
        self._environment = web_ui.environment
        self._locusts = locusts
        self._shapes = shapes
        self._check = check
        self._wait_for_last_run = wait_for_last_run
        self._take_back = take_back
        self._run_time = run_time
        self._wait = wait
        self._is_checking = False
        self._starts_until_s = 0.0  # of a start that was taken, on time.monotonic's clock
        self._starter: Any = None  # the greenlet of it
        locusts.wrap_start(web_ui, self._start)
        locusts.wrap_stop(web_ui, wait.stop)
        locusts.wrap_picked_shape(web_ui, shapes.keep_levels)

    @property
    def is_starting(self) -> bool:
        """Whether a start was taken, and its run has not begun."""
        # Locust may give it up in its own greenlet, and does not tell.
        return self._is_checking or (bool(self._starter) and time.monotonic() < self._starts_until_s)

    def begun(self) -> None:
        """Know that a run has begun (on `test_start`)."""
        self._starts_until_s = 0.0

    def _start(self, start: Callable[[], Any]) -> Any:
        is_edit = self._runner.state in (STATE_RUNNING, STATE_SPAWNING)
        try:
            _refuse_what_is_no_field()
            if is_edit:
                _refuse_changes(self._environment, self._shapes, self._run_time().limit_s)
            else:
                self._check_start()
        except RunRefused as refused:
            logger.info("Not %s: %s", "changed" if is_edit else "started", refused)
            return jsonify({"success": False, "message": refused.sentence(), "host": self._environment.host})
        return self._ask_locust(start, is_edit)

    def _check_start(self) -> None:
        """Check a start, once no other run is on its way in or out: it would get its results.

        Raises:
            RunRefused: with all faults.
        """
        if self._wait.where:
            raise RunRefused(
                exit_codes.INVALID, [f"another start waits for the server at {self._wait.where}: {_END_IT}"]
            )
        is_over = self._wait_for_last_run()
        if self.is_starting or not is_over:
            raise RunRefused(exit_codes.INVALID, ["another run is being started or stopped: try again in a moment"])
        self._is_checking = True
        self._wait.begin()
        try:
            self._await_last_shape()
            _refuse_without_workers(self._runner)
            if self._web_ui.userclass_picker_is_active:
                self._shapes.pick(_picked_shape(self._environment))
            host = request.form.get("host", self._environment.host)
            self._check(_options(self._environment), host, _user_classes(self._web_ui))
            if self._wait.is_stopped:
                self._take_back()
                raise RunRefused(exit_codes.INVALID, ["stopped before it began"])
        finally:
            self._is_checking = False

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
            shape.join(START_LIMIT_S)
        if shape:  # a greenlet is true as long as it runs
            raise RunRefused(exit_codes.INVALID, ["the last run's load shape has not ended: try again in a moment"])

    def _ask_locust(self, start: Callable[[], Any], is_edit: bool) -> Any:
        """Have Locust start or edit a run; where it refuses, all is as it was before."""
        before = _Before(self._environment)
        has_run_time = self._locusts.has_run_time(self._web_ui)
        is_taken = False
        try:
            reply = start()
            is_taken = bool((reply.get_json(silent=True) or {}).get("success"))
        finally:
            if not is_taken:
                before.put_back()
                if not is_edit:
                    self._take_back()
            if is_edit:
                self._locusts.set_run_time(self._web_ui, self._run_time().left_s if has_run_time else None)
        if is_taken and not is_edit:
            self._starter = self._locusts.start_greenlet(self._web_ui)
            self._starts_until_s = time.monotonic() + START_LIMIT_S
        return reply


class _Before:
    """What Locust changes on its way to refusing a start."""

    _NAMES = ("host", "profile", "user_classes")

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._options = dict(vars(environment.parsed_options))
        self._values = {name: getattr(environment, name) for name in self._NAMES}

    def put_back(self) -> None:
        vars(self._environment.parsed_options).update(self._options)
        for name, value in self._values.items():
            setattr(self._environment, name, value)


def _refuse_what_is_no_field() -> None:
    """Let nobody set from outside what is not in the form, nor what the suite tells its workers among the options.

    Raises:
        RunRefused: such an option was sent.
    """
    sent = [option.flag for option in OPTIONS if not option.is_in_form and option.dest in request.form]
    faults = [f"{flag} is not a field of the form: give it to Locust when you start it" for flag in sent]
    own = [name for name in request.form if name.startswith(OWN_PREFIX)]
    faults += [f"{quoted(name)} is not a field of the form: the suite sets it itself" for name in own]
    if faults:
        raise RunRefused(exit_codes.BAD_USAGE, faults)


def _refuse_without_workers(runner: Runner) -> None:
    """Say what Locust only logs, after it has told the page that the run was started.

    Raises:
        RunRefused: this is a master, and no worker is there.
    """
    if getattr(runner, "worker_count", 1) == 0:
        raise RunRefused(exit_codes.INVALID, ["no worker is connected: start one with --worker, and try again"])


def _picked_shape(environment: Environment) -> Any:
    """Return the load shape that the class picker names; None: none.

    Raises:
        RunRefused: there is no such shape.
    """
    name = request.form.get(_SHAPE_FIELD, _NO_SHAPE)
    shapes = environment.available_shape_classes or {}
    if name != _NO_SHAPE and name not in shapes:
        known = ", ".join([_NO_SHAPE, *sorted(shapes)])
        raise RunRefused(exit_codes.BAD_USAGE, [f"load shape {quoted(name)}: expected one of {known}"])
    return shapes.get(name)


def _options(environment: Environment) -> dict[str, Any]:
    """Return all options, with what the form says of them.

    Raises:
        RunRefused: the number of users is none.
    """
    options = dict(vars(environment.parsed_options))
    options.update({option.dest: request.form[option.dest] for option in OPTIONS if option.dest in request.form})
    n_users = request.form.get(_N_USERS_FIELD)
    if n_users is not None:
        if not (n_users.isascii() and n_users.removeprefix("-").isdigit() and len(n_users) < 100):
            raise RunRefused(exit_codes.BAD_USAGE, [f"number of users {quoted(n_users)}: expected a whole number"])
        options[_N_USERS_OPTION] = int(n_users)
    return options


def _user_classes(web_ui: WebUI) -> list[type]:
    """Return the classes of the users that the form asks for: with Locust's `--class-picker` it chooses among all."""
    environment = web_ui.environment
    if not web_ui.userclass_picker_is_active:
        return list(environment.user_classes)
    available: dict[str, Any] = environment.available_user_classes or {}
    return [available[name] for name in request.form.getlist("user_classes") or available if name in available]


def _refuse_changes(environment: Environment, shapes: Shapes, limit_s: float | None) -> None:
    """Let nothing but the number of users be changed in a run under way, which was to run for `limit_s`.

    Raises:
        RunRefused: something else is asked for, or the run sets its number of users itself.
    """
    now = vars(environment.parsed_options)
    changed = [one.flag for one in OPTIONS if request.form.get(one.dest, now[one.dest]) != now[one.dest]]
    if environment.shape_class is not None:
        who = "its levels say" if shapes.are_levels else "its load shape says"
        raise RunRefused(exit_codes.BAD_USAGE, [f"a run is under way, and {who} how many users there are"])
    if request.form.get("host") not in (None, "", environment.host):
        changed.append("host")
    if _is_other_run_time(limit_s):
        changed.append("run time")
    if changed:
        raise RunRefused(
            exit_codes.BAD_USAGE,
            [f"{' and '.join(changed)}: a run is under way, and only its number of users can change; stop it first"],
        )
    if faults := _faults_of_edit():
        raise RunRefused(exit_codes.BAD_USAGE, faults)


def _faults_of_edit() -> list[str]:
    """Return what Locust would refuse only after it has cancelled the end of the run under way."""
    faults = []
    n_users, rate = request.form.get(_N_USERS_FIELD, ""), request.form.get(_SPAWN_RATE_FIELD, "")
    if not (n_users.isascii() and n_users.isdigit() and len(n_users) < 100):
        faults.append(f"number of users {quoted(n_users)}: expected a whole number")
    try:
        is_rate = 0 < float(rate) < math.inf
    except ValueError:
        is_rate = False
    if not is_rate:
        faults.append(f"ramp up {quoted(rate)}: expected users started a second, above 0")
    if _run_time_asked_s() is None:
        faults.append(f"run time {quoted(request.form[_RUN_TIME_FIELD])}: expected 20, 20s, 3m, 2h, 1h20m or the like")
    return faults


def _is_other_run_time(limit_s: float | None) -> bool:
    """Whether a run time is sent that is not the one of the run under way; what is none is refused elsewhere."""
    return bool(request.form.get(_RUN_TIME_FIELD)) and _run_time_asked_s() not in (None, limit_s or 0)


def _run_time_asked_s() -> float | None:
    """Return the run time that is sent, 0 where there is none; None: it cannot be read."""
    try:
        return parse_timespan(request.form.get(_RUN_TIME_FIELD) or "0")
    except (ValueError, OverflowError):
        return None
