"""What happens at each of Locust's events, from a process's start to its exit code."""

import argparse
import atexit
import functools
from typing import Any

from locust.env import Environment
from locust.event import EventHook, Events
from locust.exception import StopTest
from locust.web import WebUI

from tfsload.analysis import exit_codes
from tfsload.prediction import events as prediction_events
from tfsload.settings.refusal import RunRefused
from tfsload.suite import (
    arguments,
    beginning,
    config_files,
    dry_run,
    empty_texts,
    given_options,
    interrupt,
    locust_files,
    locust_wraps,
    log_guard,
    master_address,
    run_time,
    run_warnings,
    streams,
    users_at_once,
)
from tfsload.suite.no_user_class import INSTALLED
from tfsload.suite.process_suite import SUITES, AnyRunner, Suite


def install(where: Environment | Events, **options: Any) -> None:
    """Make an environment one of the suite's: hang the suite on its events; once more does no harm.

    A locustfile need not call it: whoever takes a user class from `tfsload` has it on Locust's global events. A program
    that makes its own `Environment`, and with that its own events, calls it before it makes a runner.

    Args:
        where: the environment; or its events alone.
        options: of the suite, by name, for an environment: `num_tests=1000, threshold="p99 < 50ms"`.

    Raises:
        ValueError: there is no such option, or an environment variable that looks like one's is none.
    """
    if isinstance(where, Environment):
        is_a_program = not beginning.is_locusts_program()
        if is_a_program:
            given_options.refuse_mistyped_variables(where)
        given_options.give_options(where, options)
        if is_a_program:
            given_options.take_the_lead(where)
    elif options:
        raise ValueError("options are an environment's: call tfsload.install(environment, ...)")
    events: Any = where.events if isinstance(where, Environment) else where
    if getattr(events, INSTALLED, False):
        return
    setattr(events, INSTALLED, True)
    locust_wraps.install()
    locust_wraps.wrap_create_master(master_address.refused_in_words)
    prediction_events.install(events)
    events.init_command_line_parser.add_listener(arguments.add_arguments)
    events.init_command_line_parser.add_listener(locust_files.check_paths)
    events.init_command_line_parser.add_listener(config_files.listen)
    events.init_command_line_parser.add_listener(master_address.listen)
    events.init_command_line_parser.add_listener(run_time.listen)
    events.init_command_line_parser.add_listener(dry_run.listen)
    events.init_command_line_parser.add_listener(arguments.refuse_unknown_names)
    events.init_command_line_parser.add_listener(empty_texts.listen)
    events.before_worker_connects = EventHook()
    events.before_worker_connects.add_listener(_refuse_dry_worker)
    events.before_worker_connects.add_listener(_suite_of)
    events.before_worker_connects.add_listener(master_address.tell_of_wait)
    events.init.add_listener(_on_init)
    events.test_start.add_listener(_on_test_start)
    # Listeners of quitting run last to first: here, before the runner adds its own, which ends the run.
    events.quitting.add_listener(_on_quitting)
    events.quit.add_listener(functools.partial(_on_quit, events))


def _refuse_dry_worker(environment: Environment, **_: Any) -> None:
    try:
        dry_run.refuse_worker(vars(environment.parsed_options or argparse.Namespace()))
    except RunRefused as refused:
        streams.say(refused.text())
        raise SystemExit(refused.exit_code) from None


def _suite_of(environment: Environment, runner: AnyRunner, web_ui: WebUI | None = None) -> "Suite":
    """Return the suite of a process, made when it is first asked for: a worker's, before its master knows of it."""
    suite = getattr(environment, "tfsload", None)
    if suite is None:
        log_guard.install()
        given_options.give_options(environment, {})
        suite = Suite(environment, runner, web_ui)
        vars(environment)["tfsload"] = suite  # beside what is Locust's own
        SUITES.add(suite)
    return suite


def _on_init(environment: Environment, runner: AnyRunner | None, web_ui: WebUI | None = None, **_: Any) -> None:
    # Locust's `run_single_user` has no runner; leases and reports want one.
    suite = _suite_of(environment, runner or environment.create_local_runner(), web_ui)
    interrupt.deliver_to_main_greenlet(suite.interruption)
    if beginning.is_locusts_program():
        atexit.register(_on_exit)
        run_warnings.warn(arguments.other_variables(vars(environment.parsed_options)))
        users_at_once.fill_in(environment.parsed_options)
    try:
        suite.prepare()
    except RunRefused as refused:
        raise suite.refusal(refused) from None
    except KeyboardInterrupt:
        raise suite.refusal(RunRefused(exit_codes.INVALID, ["interrupted"])) from None


def _on_test_start(environment: Environment, **_: Any) -> None:
    try:
        suite = make_suite(environment)
    except RunRefused as refused:
        raise StopTest(refused.text()) from None
    if suite is not None:
        suite.begin_run(environment)  # one that was there hears of the start by itself


def make_suite(environment: Environment) -> "Suite | None":
    """Make the suite of an environment whose program has made a runner and has not fired `init`; else return None.

    One that was refused stays, with all that it listens to, and is only prepared again.

    Raises:
        RunRefused: it cannot be prepared; another time may be better.
    """
    known: Suite | None = getattr(environment, "tfsload", None)
    if known is not None and not known.is_refused:
        return None
    runner: Any = environment.runner  # Locust's own annotation knows no more than that it has one
    suite = known or _suite_of(environment, runner, environment.web_ui)
    suite.prepare()
    return suite if known is None else None


def _on_quitting(environment: Environment, **_: Any) -> None:
    suite = getattr(environment, "tfsload", None)
    if suite is not None:
        suite.quitting()


def _on_quit(events: Any, exit_code: Any = None, **_: Any) -> None:
    for suite in [one for one in SUITES if one.events is events]:
        SUITES.discard(suite)
        suite.quit(exit_code)


def _on_exit() -> None:
    while SUITES:  # `quit` never came
        SUITES.pop().leave()
