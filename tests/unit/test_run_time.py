"""Runs with `-t`, and who ended them: Locust's timer, or somebody before it was over."""

import argparse
import inspect
from types import SimpleNamespace

import gevent
import locust.main
import locust.web
import pytest
from locust.argument_parser import get_empty_argument_parser, setup_parser_arguments

from tfsload.suite.run_time import LOCUSTS_TIMERS, RunTime, above_zero, asked_s, listen


class Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


def ran_s(limit_s, after_s, end=RunTime.end):
    """Return for how long a run is said to have lasted that was ended after some time."""
    clock = Clock()
    run_time = RunTime(limit_s, clock)
    clock.now_s += after_s
    end(run_time)
    return run_time.ran_s


@pytest.mark.parametrize("name", LOCUSTS_TIMERS)
def test_a_run_that_locusts_timer_ends_has_lasted_as_long_as_asked(name):
    def by_timer(run_time):
        def end():
            run_time.end()

        end.__name__ = name
        gevent.spawn(end).join()

    assert ran_s(20, 19.2, by_timer) == 20
    assert ran_s(20, 20.1, by_timer) == pytest.approx(20.1)


def test_a_run_that_others_end_has_lasted_as_long_as_it_did():
    assert ran_s(20, 1.1) == pytest.approx(1.1)
    assert ran_s(20, 1.1, lambda run_time: gevent.spawn(run_time.end).join()) == pytest.approx(1.1)
    assert ran_s(None, 1.1) == pytest.approx(1.1)


def test_what_comes_after_the_first_stop_does_not_prolong_it():
    clock = Clock()
    run_time = RunTime(20, clock)
    for _ in range(2):
        clock.now_s += 5
        run_time.end()

    assert run_time.ran_s == pytest.approx(5)


@pytest.mark.parametrize(
    ("limit_s", "after_s", "is_ended", "left_s"),
    [
        pytest.param(20, 0, False, 20, id="at-its-beginning"),
        pytest.param(20, 12.5, False, 7.5, id="in-the-middle"),
        pytest.param(20, 21, False, 0, id="overdue"),
        pytest.param(20, 5, True, None, id="over"),
        pytest.param(None, 5, False, None, id="without-an-end"),
    ],
)
def test_how_much_of_a_run_is_left(limit_s, after_s, is_ended, left_s):
    clock = Clock()
    run_time = RunTime(limit_s, clock)
    clock.now_s += after_s
    if is_ended:
        run_time.end()

    assert run_time.left_s == left_s


def environment_of(run_time, shape_class=None):
    return SimpleNamespace(parsed_options=SimpleNamespace(run_time=run_time), shape_class=shape_class)


@pytest.mark.parametrize(
    ("environment", "web_ui", "starts_by_itself", "asked"),
    [
        pytest.param(environment_of(20), None, True, 20, id="headless"),
        pytest.param(environment_of(None), None, True, None, id="headless-without-an-end"),
        pytest.param(environment_of(20, object()), None, True, None, id="a-shape-has-its-own-end"),
        pytest.param(environment_of(20), SimpleNamespace(_run_time_greenlet=object()), False, 20, id="from-the-form"),
        pytest.param(
            environment_of(20), SimpleNamespace(_run_time_greenlet=None), False, None, id="the-form-of-the-run-before"
        ),
        pytest.param(environment_of(20), SimpleNamespace(_run_time_greenlet=None), True, 20, id="autostart"),
    ],
)
def test_how_long_a_run_was_asked_to_last(environment, web_ui, starts_by_itself, asked):
    assert asked_s(environment, web_ui, starts_by_itself) == asked


def test_locusts_timers_are_still_called_that():
    headless, web = LOCUSTS_TIMERS

    assert f"spawn_later(options.run_time, {headless})" in inspect.getsource(locust.main)
    assert f"self._run_time_greenlet = gevent.spawn_later(run_time, self.{web})" in inspect.getsource(locust.web)


@pytest.mark.parametrize(("text", "seconds"), [("1", 1), ("300s", 300), ("1h30m", 5400), ("0h0m1s", 1)])
def test_a_run_time_that_is_one(text, seconds):
    assert above_zero(text) == seconds


@pytest.mark.parametrize(
    "text", ["0", "0s", "0h0m0s", "-5", "", "soon", "9" * 5000, "9" * 20 + "h"], ids=lambda text: text[:8] or "empty"
)
def test_a_run_time_that_is_none_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"expected a time above 0, .* leave it out"):
        above_zero(text)


@pytest.mark.parametrize("flag", ["-t", "--run-time"])
def test_the_command_line_and_the_environment_are_held_to_it(monkeypatch, capsys, flag):
    parser = get_empty_argument_parser(add_help=False, default_config_files=[])
    setup_parser_arguments(parser)
    listen(parser)
    assert parser.parse_args([flag, "2m"]).run_time == 120
    with pytest.raises(SystemExit):
        parser.parse_args([flag, "0s"])
    monkeypatch.setenv("LOCUST_RUN_TIME", "0")
    with pytest.raises(SystemExit):
        parser.parse_args([])

    assert capsys.readouterr().err.count("argument -t/--run-time: '0") == 2
