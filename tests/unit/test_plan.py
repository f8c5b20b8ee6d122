"""Plans of levels, and the shape that goes through them: which load, for how long, and in which order."""

import ast
import inspect
import logging
from types import SimpleNamespace

import locust.runners
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.schedules import take_until
from tfsload.analysis import thresholds
from tfsload.analysis.limit import Ending, Finding
from tfsload.load import plan
from tfsload.load.arrivals import SETTLES_AFTER_DEADLINE_S, Schedule
from tfsload.load.length import BETWEEN_S, STEP_S
from tfsload.load.plan import samples_wanted, users_for
from tfsload.records.level import Level
from tfsload.settings.settings import Settings
from tfsload.suite.level_shape import LevelShape
from tfsload.suite.shape_in_use import ShapeInUse

HOLDS = Finding(True, (), 100.0)


def plan_of(settings, n_users):
    return plan.make_plan(settings.load, settings.checks.thresholds, settings.model.deadline_s, n_users)


def faults_of(settings):
    return plan.faults(settings.load, settings.checks.thresholds)


def probe_s_of(settings, rate_rps):
    return plan.probe_s(settings.load, settings.checks.thresholds, rate_rps)


def settings_of(**options):
    return Settings.parse(options, None)


def levels_of(made):
    """Go through a plan whose levels all hold."""
    levels = []
    while (level := made.next()) is not None:
        levels.append(level)
        made.tell(HOLDS)
    return levels


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"sweep": "1,2,4,8"}, "4 levels · about 49 s", id="sweep"),
        pytest.param({"sweep": "2", "level_duration": "0.5", "warm_up": "0"}, "1 level · about 1.6 s", id="one-level"),
        pytest.param({"rate": "100,200,400", "level_duration": "60"}, "3 levels · about 3 min 7 s", id="rates"),
        pytest.param(
            {"sweep": ",".join("8" * 600), "level_duration": "300"}, "600 levels · about 50 h 21 min", id="days"
        ),
        pytest.param(
            {"find_max_rate": "100:5000", "threshold": "p99 < 50ms"},
            "about 10 probes, at most 12 · about 1 min 19 s, at most 7 min 15 s",
            id="search",
        ),
    ],
)
def test_how_long_it_takes_is_told_in_words(options, words):
    assert plan_of(settings_of(**options), None).length.words == words


@given(
    st.integers(5, 500),
    st.floats(1.5, 100),
    st.floats(1, 60),
    st.floats(0, 10),
    st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(1, 10_000)), max_size=40),
)
def test_no_search_takes_longer_than_is_said(low, factor, duration_s, warm_up_s, findings):
    settings = settings_of(
        find_max_rate=f"{low}:{low * factor:g}", threshold="p50 < 1s", level_duration=duration_s, warm_up=warm_up_s
    )
    made = plan_of(settings, 8)
    length, seconds, n_levels = made.length, STEP_S, 0
    answers = iter(findings)
    while (level := made.next()) is not None:
        holds, is_undecided, achieved_rps = next(answers, (True, False, 100.0))
        seconds += level.warm_up_s + level.duration_s + settings.model.deadline_s + SETTLES_AFTER_DEADLINE_S + BETWEEN_S
        n_levels += 1
        made.tell(Finding(holds, (), achieved_rps, is_undecided and not holds))

    assert seconds <= length.most_s + 1e-6
    assert made.search.n_probes <= length.most_levels
    assert 1 <= length.n_levels <= length.most_levels
    assert 0 < length.seconds <= length.most_s
    assert n_levels <= 2 * length.most_levels


@pytest.mark.parametrize(
    ("level", "name"),
    [
        pytest.param(Level(1, 1, None, 0, 1), "1 user", id="one-user"),
        pytest.param(Level(1, 1000, None, 0, 1), "1,000 users", id="users"),
        pytest.param(Level(1, 4, 250.0, 0, 1), "250 requests/s", id="a-rate"),
        pytest.param(Level(1, 4, 0.1, 0, 1), "0.1 requests/s", id="a-fraction"),
        pytest.param(Level(1, 4, 1_234_567.5, 0, 1), "1,234,567.5 requests/s", id="no-digit-is-lost"),
    ],
)
def test_a_level_is_named_by_what_was_asked_for(level, name):
    assert level.name == name


def test_without_an_option_for_levels_there_is_no_plan():
    assert plan_of(settings_of(), 5) is None
    assert plan_of(settings_of(num_tests="10"), None) is None


@pytest.mark.parametrize("n_users", [pytest.param(None, id="no-u"), pytest.param(50, id="u-is-of-no-matter")])
def test_a_sweep_is_closed_load_in_the_order_given(n_users):
    made = plan_of(settings_of(sweep="1,8,2", level_duration="3", warm_up="0.5"), n_users)

    assert levels_of(made) == [
        Level(1, 1, None, 0.5, 3.0),
        Level(2, 8, None, 0.5, 3.0),
        Level(3, 2, None, 0.5, 3.0),
    ]


@pytest.mark.parametrize(
    ("n_users", "users"),
    [
        pytest.param(None, [50, 500, 1000], id="without-u-a-deadlines-worth"),
        pytest.param(7, [7, 7, 7], id="u-is-the-cap"),
    ],
)
def test_rates_are_open_load(n_users, users):
    made = plan_of(settings_of(rate="10,100,1000", deadline="5"), n_users)

    levels = levels_of(made)
    assert [(level.number, level.rate_rps, level.users) for level in levels] == [
        (1, 10.0, users[0]),
        (2, 100.0, users[1]),
        (3, 1000.0, users[2]),
    ]
    assert {(level.warm_up_s, level.duration_s, level.is_probe) for level in levels} == {(2.0, 10.0, False)}


@pytest.mark.parametrize(
    ("rate_rps", "deadline_s", "users"),
    [
        pytest.param(100, 5, 500, id="littles-law"),
        pytest.param(0.1, 5, 1, id="at-least-one"),
        pytest.param(0.5, 5, 2, id="rounded"),
        pytest.param(10_000_000, 3600, 1000, id="within-reason"),
    ],
)
def test_users_without_u(rate_rps, deadline_s, users):
    assert users_for(rate_rps, deadline_s) == users


def test_a_fixed_plan_stays_at_a_level_until_it_is_reported():
    made = plan_of(settings_of(sweep="1,2"), None)

    assert made.next() is made.next()
    assert made.n_left == 2
    made.tell(Finding(False, ("crossed p99 < 1 ms",), None))  # a crossed threshold ends no sweep
    assert (made.next().users, made.n_left) == (2, 1)
    made.tell(HOLDS)
    assert (made.next(), made.n_left) == (None, 0)


def search_settings(**options):
    return settings_of(**{"find_max_rate": "100:1000", "threshold": "p99 < 50ms", **options})


@pytest.mark.parametrize(
    ("options", "rate_rps", "seconds"),
    [
        pytest.param({}, 1000.0, 5.0, id="half-a-level"),
        pytest.param({}, 100.0, (662 + 3 * 662**0.5) / 100, id="as-many-samples-as-the-percentile-wants"),
        pytest.param({}, 10.0, 10.0, id="no-longer-than-a-level"),
        pytest.param({"threshold": "error_rate < 5%"}, 20.0, 5.0, id="a-share-wants-a-few-samples"),
        pytest.param({"threshold": "error_rate < 5%"}, 10.0, (64 + 24) / 10, id="of-a-low-rate-they-take-longer"),
        pytest.param(
            {"threshold": "p50 < 1ms; p99.9 < 9ms"}, 1000.0, (6636 + 3 * 6636**0.5) / 1000, id="the-highest-percentile"
        ),
        pytest.param({"level_duration": "60"}, 100.0, 30.0, id="longer-levels-longer-probes"),
    ],
)
def test_how_long_a_probe_lasts(options, rate_rps, seconds):
    assert probe_s_of(search_settings(**options), rate_rps) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("", 64, id="none"),
        pytest.param("error_rate < 5%; rate > 10; mean < 1s", 64, id="no-percentile"),
        pytest.param("p50 < 1ms", 64, id="a-percentile-that-wants-fewer"),
        pytest.param("p99 < 1ms", 662, id="p99"),
        pytest.param("p90 < 1ms; lag_p99.9 < 1ms; p99 < 1ms", 6636, id="the-most-demanding"),
    ],
)
def test_samples_that_thresholds_want(text, wanted):
    assert samples_wanted(thresholds.parse(text)) == wanted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({}, None, id="enough"),
        pytest.param({"threshold": "error_rate < 5%", "find_max_rate": "9:99"}, None, id="few-wanted"),
        pytest.param(
            {"threshold": "error_rate < 5%", "find_max_rate": "0.1:1"},
            "about 1 samples, and 64 are wanted (88 on average, since by chance there are fewer): expected "
            "--level-duration 880 or more, or a LOW of 9 or higher",
            id="not-even-a-few",
        ),
        pytest.param(
            {"find_max_rate": "20:1000"},
            "--find-max-rate 20 with --level-duration 10: this gives about 200 samples, and 662 are wanted",
            id="too-low-a-rate",
        ),
        pytest.param(
            {"level_duration": "1"}, "--level-duration 1: this gives about 100 samples", id="too-short-a-level"
        ),
        pytest.param(
            {"find_max_rate": "100:1000", "level_duration": "7"},
            "about 700 samples, and 662 are wanted (740 on average, since by chance there are fewer): expected "
            "--level-duration 8 or more",
            id="enough-but-for-chance",
        ),
        pytest.param({"threshold": "p99.9 < 9ms"}, "6,636 are wanted", id="too-high-a-percentile"),
    ],
)
def test_a_search_that_could_not_judge_its_lowest_rate_is_refused(options, message):
    faults = faults_of(search_settings(**options))

    assert len(faults) == (message is not None)
    assert message is None or (message in faults[0] and "or a LOW of" in faults[0])


def test_the_level_duration_that_a_fault_names_is_enough():
    (fault,) = faults_of(search_settings(find_max_rate="20:1000"))
    seconds = fault.split("expected --level-duration ")[1].split()[0]
    low = fault.split("a LOW of ")[1].split()[0]

    assert faults_of(search_settings(find_max_rate="20:1000", level_duration=seconds)) == []
    assert faults_of(search_settings(find_max_rate=f"{low}:1000")) == []


@pytest.mark.parametrize(
    "options", [pytest.param({"sweep": "1"}, id="a-sweep"), pytest.param({"rate": "0.001"}, id="a-rate")]
)
def test_only_a_search_can_be_refused_for_too_few_samples(options):
    assert faults_of(settings_of(threshold="p99.9 < 1ms", **options)) == []


@pytest.mark.parametrize("low", [pytest.param("66.2", id="so-many-on-average"), pytest.param("74", id="with-room")])
def test_a_lowest_rate_that_is_accepted_gives_enough_samples(low):
    faults = faults_of(search_settings(find_max_rate=f"{low}:1000"))
    arrivals = []
    for seed in range(1, 41):
        schedule = Schedule(float(low), "poisson", seed, level=1)
        take_until(schedule, 2 * 10**9)
        arrivals.append(len(take_until(schedule, 12 * 10**9)))

    assert bool(faults) is (min(arrivals) < 662)


def find(made, capacity_rps):
    """Go through a search over a server that holds rates up to its capacity; return the levels and the numbers left."""
    levels, left = [], []
    while (level := made.next()) is not None:
        levels.append(level)
        left.append(made.n_left)
        holds = level.rate_rps <= capacity_rps
        made.tell(Finding(holds, () if holds else ("crossed p99 < 50 ms",), min(level.rate_rps, capacity_rps)))
    return levels, left


def test_a_search_probes_and_confirms_with_a_full_level():
    made = plan_of(search_settings(), None)
    levels, _ = find(made, 430.0)

    assert [level.number for level in levels] == list(range(1, len(levels) + 1))
    assert all(level.is_probe and level.warm_up_s == 2.0 for level in levels)
    assert levels[0].rate_rps == 100.0
    assert [level.duration_s for level in levels[:1]] == [pytest.approx(7.39, abs=0.01)]
    assert levels[-1].duration_s == 10.0
    assert (levels[-1].rate_rps, made.search.result.ending) == (made.search.result.rate_rps, Ending.FOUND)
    assert 430 / 1.04 <= made.search.result.rate_rps <= 430


@pytest.mark.parametrize(
    ("n_users", "users"),
    [pytest.param(None, 500, id="by-the-rate"), pytest.param(64, 64, id="u-is-the-cap")],
)
def test_probes_have_users_as_rates_have(n_users, users):
    assert plan_of(search_settings(), n_users).next().users == users


def test_a_search_stays_at_a_probe_until_it_is_reported():
    made = plan_of(search_settings(), None)

    assert made.next().rate_rps == made.next().rate_rps == 100.0


def test_a_probe_that_is_asked_for_twice_is_one_level():
    made = plan_of(search_settings(), None)

    assert made.next() == made.next()


@given(st.floats(50, 2000))
def test_the_number_of_probes_left_ends_at_none(capacity_rps):
    made = plan_of(search_settings(), None)
    levels, left = find(made, capacity_rps)

    assert made.n_left == 0
    assert all(number >= 1 for number in left)  # the one under way is among them
    assert len(levels) <= 12


def test_a_search_where_even_the_lowest_rate_fails_ends_at_once():
    made = plan_of(search_settings(), None)
    levels, _ = find(made, 1.0)

    assert [level.rate_rps for level in levels] == [100.0]
    assert made.search.result.ending is Ending.NONE_HOLDS


class Measure:
    """Measures nothing: keeps the levels it is given and says what the test wants."""

    def __init__(self, capacity_rps=10.0**9):
        self.levels = []
        self._capacity_rps = capacity_rps

    def __call__(self, level):
        self.levels.append(level)
        rate_rps = level.rate_rps or 0.0
        return Finding(rate_rps <= self._capacity_rps, (), min(rate_rps, self._capacity_rps))


def ticks(shape):
    """Tick until the shape ends the run; fail if it never does."""
    told = []
    for _ in range(50):
        told.append(shape.tick())
        if told[-1] is None:
            return told
    raise AssertionError(f"no end after {told}")


def test_the_shape_asks_for_a_levels_users_and_then_has_it_measured():
    measure = Measure()
    shape = LevelShape(plan_of(settings_of(sweep="1,200,4"), None), measure)

    assert shape.tick() == (1, 100.0)
    assert measure.levels == []  # its users are only asked for
    assert shape.tick() == (200, 200.0)  # all at once
    assert [level.users for level in measure.levels] == [1]
    assert shape.tick() == (4, 100.0)
    assert shape.tick() is None
    assert [level.users for level in measure.levels] == [1, 200, 4]


def test_levels_with_the_same_users_are_each_measured():
    measure = Measure()
    told = ticks(LevelShape(plan_of(settings_of(rate="10,20,30"), 5), measure))

    assert told == [(5, 100.0)] * 3 + [None]
    assert [level.rate_rps for level in measure.levels] == [10.0, 20.0, 30.0]


def test_the_shape_goes_where_the_search_leads():
    measure = Measure(capacity_rps=430.0)
    made = plan_of(search_settings(), None)
    ticks(LevelShape(made, measure))

    assert made.search.result.ending is Ending.FOUND
    assert len(measure.levels) == made.search.result.n_probes
    assert {level.rate_rps <= 430 for level in measure.levels} == {True, False}


def test_a_measurement_that_fails_reports_nothing():
    def fail(_level):
        raise RuntimeError("mine")

    made = plan_of(settings_of(sweep="1,2"), None)
    shape = LevelShape(made, fail)
    shape.tick()
    with pytest.raises(RuntimeError, match="mine"):
        shape.tick()

    assert made.n_left == 2  # it counts among the levels that were not measured


def test_locust_does_not_warn_of_a_spawn_rate_that_nobody_chose(caplog):
    (warning,) = {
        node.value
        for node in ast.walk(ast.parse(inspect.getsource(locust.runners)))
        if isinstance(node, ast.Constant) and "100/worker" in str(node.value)
    }
    shape_in_use = ShapeInUse(SimpleNamespace(shape_class=None, runner=None))
    shape_in_use.use_levels(LevelShape(plan_of(settings_of(sweep="200"), None), Measure()))
    for text in (warning, "The last worker went missing"):
        logging.getLogger("locust.runners").warning(text)
    shape_in_use.use_own()
    logging.getLogger("locust.runners").warning(warning)  # of a run without levels

    assert [record.msg for record in caplog.records] == ["The last worker went missing", warning]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        pytest.param({"sweep": "1,2,1000"}, ("1 user", "2 users", "1,000 users"), id="sweep"),
        pytest.param({"rate": "100,0.5"}, ("100 requests/s", "0.5 requests/s"), id="rates"),
        pytest.param({"find_max_rate": "100:5000"}, ("100 requests/s", "5,000 requests/s"), id="search"),
    ],
)
def test_its_names_are_as_long_as_any_levels(asked, names):
    limits = {"threshold": "p99 < 50ms"} if "find_max_rate" in asked else {}
    settings = Settings.parse({**asked, **limits}, "h:1")

    assert plan_of(settings, None).names == names
