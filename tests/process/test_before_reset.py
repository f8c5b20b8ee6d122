"""What failed before Locust's statistics were reset counts as what fails later."""

from types import SimpleNamespace

import pytest
from locust.env import Environment

from tests.support.runs import forked, run_headless, wait_until
from tests.support.web_ui import web_ui_of
from tests.support.website import website as website
from tests.support.website import with_website
from tfsload.analysis import exit_codes
from tfsload.run import messages
from tfsload.suite.before_reset import BeforeReset

# Each HTTP user fails once, as it begins.
FAILS_FIRST = 'self.client.get("/good" if getattr(self, "is_old", False) else "/bad"); self.is_old = True'
RAISES_FIRST = """
        if not getattr(self, "is_old", False):
            self.is_old = True
            raise KeyError("theirs")
"""


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(1, id="forked")])
def test_failures_before_all_users_are_there_fail_the_run(tmp_path, model_server, website, n_workers):
    locustfile = with_website(tmp_path, website, model_server, FAILS_FIRST)
    ended = run_headless(
        tmp_path, "-u", "2", "-r", "1", "-t", "3s", "--reset-stats", *forked(n_workers), locustfile=locustfile
    )

    assert "Resetting stats" in ended.stderr
    assert ended.exit_code == exit_codes.FAILED, ended.stdout
    assert "1 of 1 request 'GET /bad' of Website failed: HTTPError" in ended.stdout


@pytest.mark.parametrize(
    ("load", "said"),
    [
        pytest.param(FAILS_FIRST, " 'GET /bad' of Website failed: HTTPError", id="requests"),
        pytest.param(RAISES_FIRST, "1 exception in user code", id="exceptions"),
    ],
)
@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(1, id="forked")])
def test_failures_before_the_button_fail_the_run(tmp_path, model_server, website, load, said, n_workers):
    locustfile = with_website(tmp_path, website, model_server, load)
    with web_ui_of(tmp_path, *forked(n_workers), locustfile=locustfile) as ui:
        wait_until(lambda: len(ui.stats().get("workers", [1])) == 1, "the worker")
        assert ui.start(user_count=2, spawn_rate=2, host="")["success"]
        wait_until(lambda: ui.ask("GET", "/exceptions").body.count("theirs") or ui.stats()["errors"], "a failure")
        assert ui.ask("POST", "/stats/reset").status == 200
        ui.stop()
        wait_until(ui.n_summaries, "the summary")
        ui.wait_for_end()
        summary = ui.summaries()

    assert said in summary
    assert "FAILED" in summary


def environment_of(run):
    environment = Environment(parsed_options=SimpleNamespace(**{messages.RUN_NUMBER_OPTION: run}))
    environment.runner = SimpleNamespace(exceptions={})
    return environment, BeforeReset(environment, environment.runner)


def fail(environment, n, error="refused"):
    for _ in range(n):
        environment.stats.log_request("GET", "/", 1, 1)
        environment.stats.log_error("GET", "/", error)


def told_of(before_reset):
    stats = before_reset.stats
    failed = {error.parse_error(error.error): error.occurrences for error in stats.errors.values()}
    return sum(entry.num_requests for entry in stats.entries.values()), failed


def test_several_resets_add_up():
    environment, before_reset = environment_of(1)
    fail(environment, 2)
    environment.stats.reset_all()
    fail(environment, 3)
    environment.stats.clear_all()
    environment.stats.reset_all()
    fail(environment, 4, ValueError("bad"))

    assert told_of(before_reset) == (9, {"refused": 5, "ValueError('bad')": 4})
    assert told_of(before_reset) == (9, {"refused": 5, "ValueError('bad')": 4})  # to look changes nothing


def test_exceptions_add_up():
    environment, before_reset = environment_of(1)
    for count in (2, 3):
        environment.runner.exceptions = {1: {"count": count}}
        environment.events.reset_stats.fire()
        environment.runner.exceptions = {}
    environment.runner.exceptions = {1: {"count": 4}}

    assert before_reset.n_exceptions == 9


def test_a_run_has_nothing_of_the_one_before():
    environment, before_reset = environment_of(1)
    fail(environment, 2)
    environment.runner.exceptions = {1: {"count": 2}}
    environment.events.reset_stats.fire()
    environment.runner.exceptions = {}
    environment.stats.clear_all()  # as Locust begins a run
    before_reset.begin()

    assert told_of(before_reset) == (0, {})
    assert before_reset.n_exceptions == 0


@pytest.mark.parametrize(
    ("run", "told"),
    [
        pytest.param(7, (2, {"ValueError('bad')": 2}), id="of-this-run"),
        pytest.param(6, (0, {}), id="late-of-an-earlier-run"),
    ],
)
def test_a_worker_hands_over_what_it_had_once(run, told):
    worker, _ = environment_of(run)
    master, before_reset = environment_of(7)
    fail(worker, 2, ValueError("bad"))
    worker.stats.reset_all()
    for _ in range(2):
        data = {}
        worker.events.report_to_master.fire(client_id="w", data=data)
        master.events.worker_report.fire(client_id="w", data=data)

    assert told_of(before_reset) == told
