"""Every place where the suite replaces a function of Locust's own, each with its reason.

What stands in for those that write files is in `locust_files`.
`test_locust_wraps.py` and `test_locust_web_wraps.py` hold each against the Locust that is installed: what it cures,
and that it is still there to be cured.
"""

# Long because all wraps stand in one place, for whoever updates Locust.

import functools
import inspect
import json
import logging
import re
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any

import gevent
import locust.runners
import locust.stats
import locust.web
from flask import Response, redirect, request
from locust.env import Environment
from locust.exception import RPCError, StopTest
from locust.runners import STATE_INIT, STATE_SPAWNING, STATE_STOPPED, STATE_STOPPING, Runner
from locust.web import WebUI

from tfsload.suite import locust_files

logger = logging.getLogger(__name__)

# Locust's names for the routes that are wrapped.
_INDEX, _SWARM, _STOP = "locust.index", "locust.swarm", "locust.stop"
_STATISTICS, _LOGS = "locust.request_stats", "locust.logs"
# Where the script of Locust's page puts what it makes.
_ROOT = '<div id="root">'


# What our wraps of methods carry; `functools.wraps` of a plugin that wraps one again takes it along.
_OURS = "is_wrapped_by_tfsload"


def install() -> None:
    """Wrap what is to be wrapped before Locust makes anything; again and again does no harm."""
    _replace(locust.web, "CORS", _no_cors)
    _replace(locust.stats, "StatsCSVFileWriter", locust_files.CompleteCsvWriter)
    _replace(locust.stats, "print_stats_json", locust_files.print_stats_json)
    _replace(locust.stats, "save_stats_json", locust_files.save_stats_json)
    _replace(locust.stats, "print_stats", _print_stats)
    _replace(locust.stats, "print_percentile_stats", _print_percentile_stats)
    _replace(locust.runners, "time", _clock)
    _replace(locust.runners, "inspect", _inspect)
    if (main := sys.modules.get("locust.main")) is not None:  # Locust's own program
        _replace(main, "gevent", _main_gevent)
        _replace(main, "time", _main_time)
        _replace(main, "get_html_report", locust_files.html_report)
        _replace(main, "setup_logging", locust_files.setup_logging)
    _wrap_once(locust.runners.WorkerRunner, "connect_to_master", _told_before)
    for runner in (locust.runners.MasterRunner, locust.runners.LocalRunner):
        _wrap_once(runner, "start", _not_beside_a_run)
        _wrap_once(runner, "start_shape", _remembered)
        _wrap_once(runner, "quit", lambda quit: _beside_users(_once_a_run_has_ended(quit)))
    _wrap_once(locust.runners.MasterRunner, "stop", lambda stop: _beside_users(_with_its_start(_also_a_start(stop))))
    _wrap_once(locust.runners.WorkerRunner, "quit", _beside_users)
    _wrap_once(locust.runners.WorkerRunner, "stop", lambda stop: _beside_users(_also_what_starts(stop)))
    _wrap_once(locust.runners.LocalRunner, "stop", lambda stop: _beside_users(_with_its_start(_also_what_starts(stop))))
    _wrap_once(locust.runners.MasterRunner, "handle_message", _told_of_unknown)


def _replace(owner: object, name: str, ours: object) -> None:
    """Put what is ours in the place of Locust's."""
    setattr(owner, name, ours)


def _wrap_once(owner: type, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Wrap a method that is not wrapped by us yet, whatever a plugin has wrapped round it."""
    method = getattr(owner, name)
    if not getattr(method, _OURS, False):
        wrapped = wrap(method)
        setattr(wrapped, _OURS, True)
        setattr(owner, name, wrapped)


def _no_cors(app: Any) -> None:
    """Let no page of another origin read what the web UI says; Locust's own lets every page (`WebUI.__init__`)."""


# A worker's statistics. Locust's master gives its workers half a second for their last ones, and does not look whether
# they have come: tables and CSV files of a busy machine lack them.
def send_statistics(runner: Runner) -> None:
    """Send what this worker's statistics hold beyond its last report; nothing where the process is no worker."""
    if isinstance(runner, locust.runners.WorkerRunner):
        try:
            runner._send_stats()
        except RPCError as error:
            logger.error("Statistics could not be sent to the master: %s", error)


# Locust's tables on the terminal: one every two seconds, and two at the end. In a run of the suite's predictions alone
# they tell once more, rounded to milliseconds and ramps included, what the suite's line and summary tell.
_LEFT_OUT = "tfsload_leaves_tables_out"
_locusts_print_stats, _locusts_print_percentile_stats = locust.stats.print_stats, locust.stats.print_percentile_stats


def leave_tables_out(stats: Any, is_left_out: bool) -> None:
    """Have Locust print no tables of these statistics, or print them; its report of errors is printed in any case."""
    setattr(stats, _LEFT_OUT, is_left_out)


def _print_stats(stats: Any, current: bool = True) -> None:
    if not getattr(stats, _LEFT_OUT, False):
        _locusts_print_stats(stats, current)


def _print_percentile_stats(stats: Any) -> None:
    if not getattr(stats, _LEFT_OUT, False):
        _locusts_print_percentile_stats(stats)


def wrap_reset(stats: Any, before: Callable[[], None]) -> None:
    """Call `before` whenever statistics are about to be emptied.

    Locust tells of the web UI's button alone (`reset_stats`), and neither of `--reset-stats` nor of a locustfile's own.
    """
    for name in ("reset_all", "clear_all"):
        setattr(stats, name, _told_of_reset(getattr(stats, name), before))


def _told_of_reset(locusts: Callable[[], None], before: Callable[[], None]) -> Callable[[], None]:
    @functools.wraps(locusts)
    def tell_and_reset() -> None:
        before()
        locusts()

    return tell_and_reset


# A task may end the run: `self.environment.runner.quit()`. Locust then stops all users, the caller among them, and the
# caller dies where it first waits, which is within Locust's own stopping: where there are two, nobody goes on with it,
# and the process stands still for ever.
def _beside_users(locusts: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(locusts)
    def end_in_a_greenlet_of_its_own(runner: Any, *args: Any, **kwargs: Any) -> None:
        if gevent.getcurrent() in runner.user_greenlets:
            gevent.spawn(locusts, runner, *args, **kwargs)
        else:
            locusts(runner, *args, **kwargs)

    return end_in_a_greenlet_of_its_own


# A stop may overtake its start: of a short run, others have made all requests before this worker's users had a first
# turn. From the second run on Locust's worker then takes itself for one that is stopped, says so, and starts its users
# after that: they run on for ever, and to the master, the run with them. Where one process does all, a listener of
# `test_start` that waits keeps its start waiting, and from the second run on a stop meanwhile does nothing.
def _also_what_starts(stop: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(stop)
    def stop_all(self: Any) -> None:
        starting = self.spawning_greenlet
        is_about_to_start = starting is not None and not starting.ready() and starting is not gevent.getcurrent()
        if is_about_to_start and self.state == STATE_STOPPED:
            self.update_state(STATE_SPAWNING)  # `test_start` was told already
        stop(self)

    return stop_all


# A master's start goes on until all its workers' users are there, and sets the state to running then. Locust ends it at
# its stop button alone, and only that of the form: where a run ended otherwise meanwhile, its state stays so for ever.
# And a stop does nothing while a start waits for a listener of `test_start`: of levels or of the command line's run.
def _also_a_start(stop: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(stop)
    def stop_all(self: Any, *args: Any, **kwargs: Any) -> None:
        leader, is_over = _leader_of(self), self.state in (STATE_INIT, STATE_STOPPED, STATE_STOPPING)
        waiting_starters = leader.coming.starters if leader is not None and leader.coming.is_started else []
        if is_over and waiting_starters and self.state != STATE_STOPPING:
            self.update_state(STATE_SPAWNING)  # `test_start` was told already
        for one in waiting_starters if is_over else _starters_of_users(self.environment):
            if one is not gevent.getcurrent():
                _end_start(one)
        stop(self, *args, **kwargs)

    return stop_all


def _end_start(starter: Any) -> None:
    """End a start in its own greenlet; one that is a program's main greenlet lives on: its `start` raises StopTest."""
    if isinstance(starter, gevent.Greenlet):
        starter.kill()
    else:
        gevent.kill(starter, StopTest("the run was stopped before it began"))
        gevent.sleep(0)  # it has its turn


def _remembered(start_shape: Callable[[Any], None]) -> Callable[[Any], None]:
    """Have it remembered that a run was started by its load shape, whose greenlet is gone where it was stopped."""

    @functools.wraps(start_shape)
    def remember_and_start(self: Any) -> None:
        _remember_start(self)
        start_shape(self)

    return remember_and_start


def _remember_start(runner: Any) -> None:
    leader = _leader_of(runner)
    if leader is not None:
        leader.coming.know_start()


def _starters_of_users(environment: Environment) -> list[Any]:
    """Return the greenlets that are alive of those that start numbers of users: the form's, the command line's."""
    found = (getattr(environment.web_ui, "_swarm_greenlet", None), _main_gevent.start)
    return [one for one in found if one]  # true: it is alive


def _leader_of(runner: Any) -> Any:
    """Return who leads the suite's runs by this runner; None: nobody does."""
    return getattr(getattr(getattr(runner, "environment", None), "tfsload", None), "leader", None)


def _with_its_start(stop: Callable[..., None]) -> Callable[..., None]:
    """Have a start that was stopped leave nothing behind: the next one would take what was checked for its own."""

    @functools.wraps(stop)
    def stop_and_take_back(self: Any, *args: Any, **kwargs: Any) -> None:
        stop(self, *args, **kwargs)
        leader = _leader_of(self)
        if leader is not None:
            leader.coming.take_back_what_was_stopped()

    return stop_and_take_back


# The clock of `locust.runners`. There, a wall clock that is set an hour on ends workers ("Didn't get heartbeat from
# master"), and one that is set back makes them discard each spawn message, as older than the last.
class _Clock:
    """`time` to `locust.runners`: seconds since 1970 that go on evenly from when the suite was installed."""

    def __init__(self) -> None:
        self._offset_s = time.time() - time.monotonic()

    def time(self) -> float:
        return time.monotonic() + self._offset_s

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


_clock = _Clock()


# To log in a line for debugging who stops a run, Locust asks `inspect.stack`, which looks up and reads the source of
# every frame: some 50 ms, for which answers to requests in flight lie about, and all of that is their latency. (It is
# half a megabyte of paths and lines that stay, besides.)
class _Inspect:
    """`inspect` to `locust.runners`: tells who called, and of no frame what its source says."""

    def stack(self) -> list[tuple[FrameType]]:
        """Return the frame that asks, and the one that called it."""
        asking = sys._getframe(1)
        return [(frame,) for frame in (asking, asking.f_back) if frame is not None]

    def getframeinfo(self, frame: FrameType) -> inspect.Traceback:
        return inspect.getframeinfo(frame, context=0)

    def __getattr__(self, name: str) -> Any:
        return getattr(inspect, name)


_inspect = _Inspect()


def _told_before(connect_to_master: Callable[[Any], None]) -> Callable[[Any], None]:
    """Tell of a worker before its master knows of it, by the event `before_worker_connects` where there is one.

    A worker connects in its runner's constructor, and `init` is fired later: what the master sends in between (the
    users to start, and messages of the suite's) would meet nobody who listens.
    """

    @functools.wraps(connect_to_master)
    def tell_and_connect(self: Any) -> None:
        hook = getattr(self.environment.events, "before_worker_connects", None)
        if hook is not None and self.retry == 0:  # it calls itself again until it is connected
            hook.fire(environment=self.environment, runner=self)
        connect_to_master(self)

    return tell_and_connect


def wrap_create_master(refused_in_words: Callable[[Any, str, int], AbstractContextManager[None]]) -> None:
    """Have what a master cannot listen on be refused in words; again and again does no harm.

    Locust ends in a traceback, and its forked workers live on for minutes.

    Args:
        refused_in_words: is given Locust's options and where the master is to listen, and held meanwhile.
    """

    def refusing(create_master_runner: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(create_master_runner)
        def create_or_refuse(self: Any, master_bind_host: str = "*", master_bind_port: int = 5557) -> Any:
            with refused_in_words(self.parsed_options, master_bind_host, master_bind_port):
                return create_master_runner(self, master_bind_host, master_bind_port)

        return create_or_refuse

    _wrap_once(Environment, "create_master_runner", refusing)


# The web UI.
def _views(web_ui: WebUI) -> dict[str, Any]:
    """Return what answers each route, by Locust's name of it."""
    assert web_ui.app is not None  # Locust makes it before it tells of its web UI
    return web_ui.app.view_functions


def wrap_start(web_ui: WebUI, start: Callable[[Callable[[], Any]], Any]) -> None:
    """Have the start form's route call `start` with Locust's own.

    Locust asks nobody whether a run may start, and changes options and host also where it then refuses one. Behind the
    login, if there is one: a check connects to the host that the form names.
    """
    locusts = _views(web_ui)[_SWARM]
    _views(web_ui)[_SWARM] = web_ui.auth_required_if_enabled(functools.wraps(locusts)(lambda: start(locusts)))


def wrap_stop(web_ui: WebUI, before: Callable[[], None]) -> None:
    """Call `before` when the stop button is pressed: Locust stops what runs, and not what is about to."""
    locusts = _views(web_ui)[_STOP]

    @functools.wraps(locusts)
    def stop() -> Any:
        before()
        return locusts()

    _views(web_ui)[_STOP] = web_ui.auth_required_if_enabled(stop)


def wrap_picked_shape(web_ui: WebUI, then: Callable[[], None]) -> None:
    """Call `then` after the class picker has set the load shape: Locust does so later than any check of a start."""
    locusts: Callable[[str | None], None] = web_ui._update_shape_class

    def update(name: str | None) -> None:
        locusts(name)
        then()

    _replace(web_ui, "_update_shape_class", update)


def wrap_page(web_ui: WebUI, edit: Callable[[dict[str, Any]], None]) -> None:
    """Call `edit` with what a page is told when it is loaded: Locust says there what its runner says."""
    locusts: Callable[[], None] = web_ui.update_template_args

    def update() -> None:
        locusts()
        edit(web_ui.template_args)

    _replace(web_ui, "update_template_args", update)


def wrap_index(web_ui: WebUI, elsewhere: Callable[[], str]) -> None:
    """Lead from Locust's page to `elsewhere()`, unless that is empty: its form has each option in one flat list.

    `?locust=1` asks for Locust's page in any case, and so does one of its own addresses (`?tab=…`).
    """
    locusts = _views(web_ui)[_INDEX]

    @functools.wraps(locusts)
    def index() -> Any:
        where = "" if request.args else elsewhere()
        return redirect(where) if where else locusts()

    _views(web_ui)[_INDEX] = index


def wrap_statistics(web_ui: WebUI, state: Callable[[], str]) -> None:
    """Have the page that polls statistics hear `state()`: Locust remembers its answer, state and all, for 2 s."""
    locusts = _views(web_ui)[_STATISTICS]

    @functools.wraps(locusts)
    def statistics() -> Any:
        reply = locusts()
        if not getattr(reply, "is_json", False):
            return reply  # the login's
        # A new one: the old one is Locust's, to be answered again.
        return Response(json.dumps({**reply.get_json(), "state": state()}), content_type="application/json")

    _views(web_ui)[_STATISTICS] = statistics


def forget_statistics(web_ui: WebUI) -> None:
    """Have Locust answer the next poll anew: what it remembers is of before a run's start or end."""
    _views(web_ui)[_STATISTICS].clear_cache()


def wrap_logs(web_ui: WebUI, served: Callable[[], None]) -> None:
    """Call `served` after the log was sent, and keep the spaces in it: a browser makes one of several."""
    locusts = _views(web_ui)[_LOGS]

    @functools.wraps(locusts)
    def logs() -> Any:
        reply = locusts()
        if not getattr(reply, "is_json", False):
            return reply  # the login's
        served()
        text = re.sub(" (?= )", "\u00a0", json.dumps(reply.get_json(), ensure_ascii=False))
        return Response(text, content_type="application/json")

    _views(web_ui)[_LOGS] = logs


def put_above_page(web_ui: WebUI, above: Callable[[], str]) -> None:
    """Have `above()`, which is HTML, stand above Locust's page: its script knows no place for links or a state.

    Who has to log in first does not see it.
    """
    locusts = _views(web_ui)[_INDEX]

    @functools.wraps(locusts)
    def index() -> Any:
        page = locusts()
        return page.replace(_ROOT, f"{above()}\n{_ROOT}", 1) if isinstance(page, str) else page

    _views(web_ui)[_INDEX] = web_ui.auth_required_if_enabled(index)


def extend_statistics(web_ui: WebUI, tables: Callable[[], dict[str, list[dict[str, str]]]]) -> None:
    """Send rows along with the statistics, by the tab whose table they are, beside those of a locustfile.

    A locustfile adds its own by `after_request`, as Locust's documentation has it, and takes all others away with that:
    so ours are added last. The answer may be one that Locust remembers, with ours in it.
    """
    app = web_ui.app
    assert app is not None  # Locust makes it before it tells of its web UI

    def add(response: Response) -> Response:
        if request.endpoint != _STATISTICS or not response.is_json:
            return response  # another route's, or the login's
        told, ours = response.get_json(), tables()
        others = [one for one in told.get("extended_stats") or () if one.get("key") not in ours]
        told["extended_stats"] = [*others, *({"key": key, "data": rows} for key, rows in ours.items())]
        response.set_data(json.dumps(told))
        return response

    app.after_request_funcs.setdefault(None, []).insert(0, add)  # Flask calls the first one last


def starters(environment: Environment) -> list[Any]:
    """Return those greenlets that are alive in which Locust begins a run.

    Where one process does all, the others only spawn the one in which listeners of `test_start` hear of the run,
    however long these take.
    """
    runner: Any = environment.runner
    of_users = _starters_of_users(environment)
    return [*of_users, *(one for one in (runner.shape_greenlet, runner.spawning_greenlet) if one)]


def forget_run_time(web_ui: WebUI) -> None:
    """Take back the end that the form has set for a run that has ended otherwise.

    Locust does so when its stop button is pressed, and before it starts numbers of users: the end of a run that ended
    by itself would end a later one that goes by a load shape. Its timer forgets itself before it ends a run.
    """
    web_ui._cancel_run_time_timer()


def has_run_time(web_ui: WebUI) -> bool:
    """Whether a run from the form is to end when its time is over."""
    return web_ui._run_time_greenlet is not None


def set_run_time(web_ui: WebUI, left_s: float | None) -> None:
    """End the run under way after `left_s`, as Locust does (None: leave it without such an end).

    Whoever edits a run, Locust takes its end from it, and sets another only where a run time is sent along, which its
    own page has no field for there; that one counts from the edit on.
    """
    forget_run_time(web_ui)
    if left_s is not None:
        web_ui._run_time_greenlet = gevent.spawn_later(left_s, web_ui._stop_runners)
        web_ui._run_time_greenlet.link_exception(locust.web.greenlet_exception_handler)


# The timer of `-t`. `locust.main` keeps no hold on it: with `--autostart` it ends whatever runs when it is over, also a
# run from the form, long after its own was stopped from the page or has ended by itself.
class _Gevent:
    """`gevent` to `locust.main`: remembers the greenlets that start the command line's run, and are to end it."""

    TIMER = "stop_and_optionally_quit"

    def __init__(self) -> None:
        self.timer: Any = None
        self.start: Any = None

    def spawn(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        greenlet = gevent.spawn(function, *arguments, **options)
        if getattr(function, "__name__", "") == "start":  # the runner's
            self.start = greenlet
            _remember_start(getattr(function, "__self__", None))
        return greenlet

    def spawn_later(self, seconds: float, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        greenlet = gevent.spawn_later(seconds, function, *arguments, **options)
        if function.__name__ == self.TIMER:
            self.timer = greenlet
        return greenlet

    def __getattr__(self, name: str) -> Any:
        return getattr(gevent, name)


_main_gevent = _Gevent()


def forget_command_lines_run_time() -> None:
    """Take back the end of the run of the command line, as another is started; not if its timer ends it by now.

    Until then it is let be: with `--autoquit` it also ends a process that nobody looks after.
    """
    timer, _main_gevent.timer = _main_gevent.timer, None
    if timer is not None and timer.gr_frame is None:  # it has not begun
        timer.kill(block=False)


# The sleep of `--autoquit`, after which Locust quits, whatever has been started meanwhile.
class _Time:
    """`time` to `locust.main`: `before_quit` sleeps in its place, and returns only if Locust may quit."""

    def __init__(self) -> None:
        self.before_quit: Callable[[float], None] = time.sleep

    def sleep(self, seconds: float) -> None:
        is_before_quit = sys._getframe(1).f_code.co_name == _Gevent.TIMER
        (self.before_quit if is_before_quit else time.sleep)(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


_main_time = _Time()


def wait_before_autoquit(wait: Callable[[float], None]) -> None:
    """Have Locust call `wait`, with the seconds of `--autoquit`, before it quits after the command line's run."""
    _main_time.before_quit = wait


def _told_of_unknown(handle_message: Callable[[Any, str, Any], None]) -> Callable[[Any, str, Any], None]:
    """Tell of workers that speak to a master that does not know them: those of an earlier master on its port.

    They never say again that they are ready, and Locust's word on it is one for debugging.
    """

    @functools.wraps(handle_message)
    def tell_and_handle(self: Any, client_id: str, msg: Any) -> None:
        if msg.type == "heartbeat" and client_id not in self.clients:
            hook = getattr(self.environment.events, "heartbeat_of_unknown_worker", None)
            if hook is not None:
                hook.fire(client_id=client_id)
        handle_message(self, client_id, msg)

    return tell_and_handle


def _not_beside_a_run(start: Callable[..., None]) -> Callable[..., None]:
    """Start no users while the suite's last run hands over its results and is judged, or another is about to begin.

    A new one would mix with the last, or begin in the next one's place. The web form is refused by then; Locust's keys
    for more users ("w", "W") know of neither, nor need a listener of `events.run`, and Locust's statistics, which the
    verdict reads, are cleared before any listener can object.
    """

    @functools.wraps(start)
    def start_or_refuse(self: Any, *arguments: Any, **options: Any) -> None:
        leader = _leader_of(self)
        if leader is not None and leader.stages.is_ending:
            logger.warning("No users are started: the run is being stopped")
            return
        if leader is not None and (why_not := leader.coming.why_not(gevent.getcurrent())):
            logger.warning("No users are started: %s", why_not)
            return
        start(self, *arguments, **options)

    return start_or_refuse


def _once_a_run_has_ended(quit_runner: Callable[..., None]) -> Callable[..., None]:
    """Quit once the suite's run has ended: whoever quits while another still ends it would end that one, too.

    Locust's main greenlet quits as soon as that of its load shape is gone, and its timer of `-t` when the time is over,
    though the run is being ended. Its runner then kills the greenlet that hears workers: all of them seem lost.
    """

    @functools.wraps(quit_runner)
    def wait_and_quit(self: Any, *arguments: Any, **options: Any) -> None:
        leader = _leader_of(self)
        if leader is not None:
            leader.wait_while_ending()
        quit_runner(self, *arguments, **options)

    return wait_and_quit
