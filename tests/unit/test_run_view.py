"""What a page is told of the run under way, and how seldom it is put together."""

import json

import pytest

from tests.support.page_runs import page_run
from tfsload.report.standing import Begun, Counters, LevelPlace, Standing
from tfsload.webui.run_view import RunView

STANDING = Standing(
    9.0,
    12.0,
    2.0,
    place=LevelPlace(2, 4, False, "2 users"),
    counted=Counters(requests=200, predictions=200, wrong=3, failed=1, rate_rps=100.0),
    users=2,
    users_asked=2,
    has_levels=True,
)
BEGUN = Begun(
    "mnist", "host · gRPC", "sweep of 1, 2, 4, 8 users", ("1 user", "2 users", "4 users", "8 users", "16 users")
)


class Watched:
    """A view whose clock and run are ours."""

    def __init__(self):
        self.now_s = 100.0
        self.n_looks = 0
        self.standing = STANDING
        self.view = RunView(self._look, lambda: self.now_s)
        self.view.begin(BEGUN)

    def _look(self):
        self.n_looks += 1
        return self.standing


@pytest.fixture
def watched():
    return Watched()


@pytest.fixture(scope="module")
def result():
    return page_run("sweep")


def test_many_pages_are_one_look(watched):
    told = [watched.view.now() for _ in range(10)]
    watched.now_s += 1
    later = watched.view.now()

    assert watched.n_looks == 2
    assert {one["sequence"] for one in told} == {1}
    assert later["sequence"] == 2


def test_what_is_told_are_figures_and_the_words_for_them(watched):
    told = json.loads(json.dumps(watched.view.now()))

    assert told["standing"]["counted"] == {
        "requests": 200,
        "predictions": 200,
        "wrong": 3,
        "failed": 1,
        "mismatched": 0,
        "offered": 0,
        "dropped": 0,
        "rate_rps": 100.0,
        "error_rate": 0.02,
    }
    assert told["standing"]["place"]["name"] == "2 users"
    assert told["words"]["cards"][1]["value"] == "2.00%"


def test_a_run_that_is_over_stands_nowhere(watched):
    watched.standing = None

    assert (watched.view.now()["standing"], watched.view.now()["words"]) == (None, None)


def test_levels_that_have_ended_are_told_as_the_result_has_them(watched, result):
    before = watched.view.now()
    watched.view.renew(result)
    levels, after = watched.view.levels, watched.view.now()
    told = json.loads(levels.body)

    assert before["levels_sequence"] == 0
    assert after["levels_sequence"] == levels.sequence == told["sequence"]
    assert after["sequence"] > levels.sequence > before["sequence"]
    assert told["result"] == json.loads(json.dumps(result.to_plain())) | {
        "verdict": None
    }  # it is the run's, at its end
    assert set(told["charts"]) >= {"throughput", "latency", "rate", "confusion"}
    assert all(f'data-chart="{name}"' in told["html"] for name in told["charts"])
    assert "under way" in told["html"]  # the fifth level
    assert 'id="repeat"' not in told["html"]


def test_a_new_run_begins_without_the_last_ones_levels(watched, result):
    watched.view.renew(result)
    watched.view.begin(Begun("other", "", ""))

    assert (watched.view.levels, watched.view.now()["levels_sequence"]) == (None, 0)
    assert watched.view.now()["words"]["so_far"] == ""


def test_nobody_watches_who_has_not_asked_for_some_seconds(watched):
    seen = [watched.view.is_watched]
    watched.view.now()
    for pause_s in (1.0, 3.0, 2.0):
        watched.now_s += pause_s
        seen.append(watched.view.is_watched)

    assert seen == [False, True, True, False]
