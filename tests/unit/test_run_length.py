"""How long a run through levels is said to take, held against Locust's own loop by a clock that nobody waits for."""

from types import SimpleNamespace

import locust.runners
import pytest

from tfsload.analysis.limit import Finding
from tfsload.load import plan
from tfsload.load.length import BETWEEN_S
from tfsload.settings.settings import Settings
from tfsload.suite.level_shape import LevelShape

HOLDS = Finding(True, (), 100.0)
SWEEP_OF_THREE = {"sweep": "1,2,4"}
CASES = [
    pytest.param({"sweep": "1", "level_duration": "0.2", "warm_up": "0"}, id="one-short-level"),
    pytest.param({"sweep": "1,1,1,1,1,1", "level_duration": "0.2", "warm_up": "0"}, id="many-short-levels"),
    pytest.param({**SWEEP_OF_THREE, "level_duration": "0.5", "warm_up": "0.2"}, id="short-with-a-warm-up"),
    pytest.param({**SWEEP_OF_THREE, "level_duration": "1", "warm_up": "0"}, id="of-a-second"),
    pytest.param({**SWEEP_OF_THREE}, id="long-levels"),
    pytest.param({"rate": "50,100", "level_duration": "0.5", "warm_up": "0"}, id="rates"),
    pytest.param({"find_max_rate": "500:900", "threshold": "p50 < 1s", "level_duration": "2"}, id="search"),
]


def plan_of(**options):
    settings = Settings.parse(options, None)
    return plan.make_plan(settings.load, settings.checks.thresholds, settings.model.deadline_s, None)


@pytest.fixture
def clock(monkeypatch):
    """Return the clock by which Locust's loop runs."""
    now = SimpleNamespace(s=1000.0)

    def sleep(seconds):
        now.s += seconds

    monkeypatch.setattr(locust.runners, "time", SimpleNamespace(time=lambda: now.s))
    monkeypatch.setattr(locust.runners, "gevent", SimpleNamespace(sleep=sleep))
    return now


class Measure:
    """Takes as long as a level, and what lies between two."""

    def __init__(self, clock, finding):
        self.ends_s = []
        self._clock = clock
        self._finding = finding

    def __call__(self, level):
        self._clock.s += level.warm_up_s + level.duration_s + BETWEEN_S
        self.ends_s.append(self._clock.s)
        return self._finding


def run_through(clock, made):
    """Go through a plan as Locust does; return when each level ended."""
    measure = Measure(clock, HOLDS)
    runner = SimpleNamespace(
        state=locust.runners.STATE_RUNNING,
        environment=SimpleNamespace(shape_class=LevelShape(made, measure), parsed_options=None),
        shape_last_tick=None,
        start=lambda **_: None,
        stop=lambda: None,
    )
    locust.runners.Runner.shape_worker(runner)
    return measure.ends_s


@pytest.mark.parametrize("options", CASES)
def test_a_run_lasts_as_long_as_was_said(clock, options):
    made = plan_of(**options)
    said, begun_s = made.length, clock.s
    n_levels = len(run_through(clock, made))
    lasted_s = clock.s - begun_s

    if said.most_levels is None:
        assert lasted_s == pytest.approx(said.seconds)
    else:  # all of its probes hold, and it is over sooner
        assert n_levels < said.n_levels
        assert lasted_s < said.seconds <= said.most_s


@pytest.mark.parametrize("options", CASES[:6])
def test_what_is_left_after_a_level_is_what_comes_after_it(clock, options):
    made = plan_of(**options)
    levels = list(made._levels)
    ends_s = run_through(clock, made)

    left_s = [clock.s - (end_s - BETWEEN_S) for end_s in ends_s]
    assert [made.after_s(level) for level in levels] == pytest.approx([*left_s[:-1], 0.0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"sweep": "1", "level_duration": "0.2", "warm_up": "0"}, "up to 5.3 s", id="the-way-is-measured"),
        pytest.param({"sweep": "2", "level_duration": "0.2", "warm_up": "0"}, "", id="it-is-not"),
        pytest.param({"sweep": "1,2,4,8"}, "", id="it-adds-little"),
        pytest.param({"rate": "50"}, "up to 19 s", id="answers-are-waited-for"),
        pytest.param({"rate": "50", "deadline": "0.5"}, "", id="hardly"),
    ],
)
def test_how_long_it_may_take_is_told_where_that_is_much_more(options, words):
    told = plan_of(**options).length.words

    assert words in told
    assert ("where the server is slow" in told) is bool(words)
