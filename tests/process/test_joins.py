"""Workers that come, go and come back while a run goes on, as processes of their own."""

import signal

import pytest

from tests.support.reference import assert_equals_reference
from tests.support.runs import run_headless, wait_until
from tfsload.analysis import exit_codes

# With eight users in flight all the time, 1,000 images take six seconds.
IN_FLIGHT = {"TFSLOAD_TEST_IN_FLIGHT_S": "0.05"}


def test_a_worker_whose_beginning_is_told_late_takes_part(cluster, model_server, tmp_path):
    """The master sends users as soon as a worker has connected; the worker tells its listeners later."""
    longest = tmp_path / "longest"
    longest.mkdir()
    load = ("--host", model_server.address, "-u", "4", "-r", "4", "-t", "10s", "--expect-workers", "1")
    run = cluster(*load, TFSLOAD_TEST_WORKERS=str(longest), TFSLOAD_TEST_INIT_S="1.5", **IN_FLIGHT)
    run.join()
    wait_until(run.master.has_spawned, "users that were sent")
    run.join()
    ended = run.master.wait()
    for worker in run.workers:
        worker.wait()

    assert ended.outcome["n_workers"] == 2
    assert [int(path.read_text()) > 0 for path in longest.iterdir()] == [True, True]  # both made requests
    assert ended.outcome["lost_workers"] == []


def test_users_that_are_missing_make_a_run_invalid(tmp_path, model_server):
    load = ("--host", model_server.address, "-u", "4", "-r", "4", "-t", "4s")
    ended = run_headless(tmp_path, *load, TFSLOAD_TEST_ENDS_AFTER="5")

    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert "of the 4 users asked for ran on average" in ended.stdout


@pytest.mark.parametrize("is_replaced", [pytest.param(False, id="joins"), pytest.param(True, id="replaces-another")])
def test_a_worker_that_joins_in_the_middle_costs_no_image(cluster, model_server, reference, is_replaced):
    n_images = 1000
    load = ("--host", model_server.address, "-u", "8", "-r", "8", "--num-tests", str(n_images))
    run = cluster(*load, "--expect-workers", "2" if is_replaced else "1", **IN_FLIGHT)
    for _ in range(2 if is_replaced else 1):
        run.join()
    wait_until(lambda: run.master.n_done() > n_images // 10, "a tenth of the images")
    if is_replaced:
        run.workers[0].signal(signal.SIGKILL)
    run.join()
    ended = run.master.wait()

    assert_equals_reference(ended, reference("mnist5k"), n_images)
    assert "1,000 of 1,000 images, each exactly once" in ended.stdout
    # A worker that was killed is missed some seconds later: by then its successor may be there.
    assert ended.outcome["n_workers"] in ((2, 3) if is_replaced else (2,))
    assert bool(ended.outcome["lost_workers"]) is is_replaced
