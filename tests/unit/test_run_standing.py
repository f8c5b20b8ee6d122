"""What a run is begun to do, in the words in which its report tells it when it has ended."""

import dataclasses

import pytest

from tests.support.golden import result_of
from tests.support.past_runs import MS, SECOND, PastRun
from tfsload.analysis.result import RunResult
from tfsload.load.plan import make_plan
from tfsload.report.page.first_screen import first_screen
from tfsload.report.page.made_with import listings
from tfsload.suite.led_run import LedRun
from tfsload.suite.outcome import conclude
from tfsload.suite.run_standing import begun
from tfsload.webui.session_runs import CameTo

LOADS = {
    "sweep": {"sweep": "1,2"},
    "rates": {"rate": "20,40"},
    "search": {"find_max_rate": "100:400", "threshold": "p99 < 50ms"},
    "images": {"num_tests": "640"},
    "plain": {},
}


def past_run(options):
    past = PastRun(options)
    past.fire(0, SECOND, 3 * MS)
    return past.end()


def begun_of(past, is_embedded=False):
    settings = past.settings
    plan = make_plan(settings.load, settings.checks.thresholds, settings.model.deadline_s, None)
    return begun(LedRun(dataclasses.replace(past.checked, is_embedded=is_embedded), plan), n_users=10)


# What is said of requests that were to hold so many images, of 640 with `--num-tests`, and else of 1,000.
OF_640 = {"64": ["64 images a request"], "1000": ["1000 images a request (all 640 in one)"], "1": []}
OF_1000 = {
    "64": ["64 images a request (62.5 on average: the last of 16 holds 40)"],
    "1000": ["1000 images a request"],
    "1": [],
}


@pytest.mark.parametrize("n_images", ["64", "1000", "1"])
@pytest.mark.parametrize("options", LOADS.values(), ids=LOADS)
def test_how_many_images_a_request_holds_is_said_wherever_the_load_is(options, n_images):
    past = past_run({**options, "images_per_request": n_images})
    said = (OF_640 if "num_tests" in options else OF_1000)[n_images]
    result = result_of(past)
    report = " · ".join(first_screen(result).context)

    for load in (begun_of(past).load, CameTo.of(result).load, report):
        assert [part for part in load.split(" · ") if "a request" in part] == said


def test_a_sweep_of_one_user_is_of_one_user():
    assert begun_of(past_run({"sweep": "1"})).load.startswith("sweep of 1 user · ")


@pytest.mark.parametrize(
    ("is_embedded", "where"),
    [
        pytest.param(True, "127.0.0.1:8500 · embedded server · gRPC", id="none-was-named"),
        pytest.param(False, "127.0.0.1:8500 · gRPC", id="named"),
    ],
)
def test_a_server_that_nobody_named_is_called_the_embedded_one(is_embedded, where):
    past = past_run({})
    checked = dataclasses.replace(past.checked, is_embedded=is_embedded)
    result = conclude(past.results, checked, past.by_locust).result

    assert begun_of(past, is_embedded).where == where
    assert first_screen(result).context[0] == where
    (row,) = [text for listing in listings(result) for name, text in listing.rows if name == "server"]
    assert row.endswith("(embedded server)") is is_embedded


@pytest.mark.parametrize(
    ("options", "has_warm_up"),
    [
        pytest.param({"sweep": "1,2", "warm_up": "2"}, True, id="of-levels"),
        pytest.param({"sweep": "1,2", "warm_up": "0", "warm_up_requests": "0"}, False, id="levels-without"),
        pytest.param({"num_tests": "640", "warm_up_requests": "64"}, True, id="requests"),
        pytest.param({"num_tests": "640"}, False, id="none"),
        pytest.param({"warm_up": "2"}, False, id="without-levels-none"),
    ],
)
def test_whether_some_requests_do_not_count_is_known_from_the_start(options, has_warm_up):
    assert begun_of(past_run(options)).has_warm_up is has_warm_up


def test_a_result_of_before_this_was_noted_is_read_and_calls_no_server_embedded():
    written = result_of(past_run({})).to_plain()
    del written["server"]["is_embedded"]

    assert first_screen(RunResult.from_plain(written)).context[0] == "127.0.0.1:8500 · gRPC"
