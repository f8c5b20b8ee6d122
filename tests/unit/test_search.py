"""The limit search, against servers that are simple, noisy, or lie."""

import math
import random
from collections import Counter
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tfsload.analysis.limit import Ending
from tfsload.load.search import Probe, RateSearch, parse_range

CROSSED = ("crossed p99 < 20 ms",)


class Reported(NamedTuple):
    """A probe, and whether it held."""

    probe: Probe
    holds: bool


class RecordedSearch(RateSearch):
    """A search that keeps what was reported to it, in order."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.history = []

    def next(self):
        self.asked = super().next()
        return self.asked

    def tell(self, holds, *rest, **options):
        n_before = self.n_probes
        super().tell(holds, *rest, **options)
        if self.n_probes > n_before:
            self.history.append(Reported(self.asked, holds))


def drive(search, holds, achieved=lambda _: None):
    """Run a search to its end against a server; return it."""
    while (probe := search.next()) is not None:
        is_good = holds(probe)
        search.tell(is_good, () if is_good else CROSSED, achieved(probe))
        assert is_sound(search)
    return search


def is_sound(search):
    low, high = search.last_passing, search.first_failing
    return (low is None or high is None or low < high) and search.is_finished == (search.next() is None)


def find(capacity, low=100, high=5000, knows_achieved=True, **options):
    """Search the limit of a server that holds exactly the rates up to its capacity."""
    return drive(
        RecordedSearch(low, high, **options),
        lambda probe: probe.rate_rps <= capacity,
        lambda probe: min(probe.rate_rps, capacity) if knows_achieved else None,
    )


def rates(search):
    return [report.probe.rate_rps for report in search.history]


def capacities(low, high, n):
    return [low * (high / low) ** (i / n) for i in range(n + 1)]


def assert_found(search, capacity):
    result = search.result
    assert result.rate_rps <= capacity
    assert result.rate_rps >= 0.95 * capacity
    assert search.n_probes <= 12
    assert search.history[-1].probe == Probe(result.rate_rps, is_confirmation=True)
    assert sum(report.probe.is_confirmation for report in search.history) == 1


@pytest.mark.heavy
@pytest.mark.parametrize("knows_achieved", [True, False], ids=["achieved", "blind"])
@pytest.mark.parametrize("ratio", [1.001, 1.03, 1.05, 1.3, 2, 7, 50, 300, 1000])
def test_every_capacity_is_found(ratio, knows_achieved):
    for capacity in capacities(37, 37 * ratio, 1_000):
        assert_found(find(capacity, 37, 37 * ratio, knows_achieved), capacity)


@given(st.floats(0.001, 900), st.floats(1.0001, 1000), st.floats(0, 1), st.booleans())
def test_every_capacity_is_found_in_any_range(low, ratio, place, knows_achieved):
    capacity = min(max(low * ratio**place, low), low * ratio)

    assert_found(find(capacity, low, low * ratio, knows_achieved), capacity)


@given(
    st.floats(1.001, 1000),
    st.floats(0, 1),
    st.lists(st.one_of(st.none(), st.floats(0, 1.2), st.sampled_from([math.nan, math.inf, -1.0])), min_size=12),
)
@settings(max_examples=scaled(500))
def test_achieved_rates_that_lie_cost_no_answer(ratio, place, lies):
    capacity = min(100 * ratio**place, 100 * ratio)
    shares = iter(lies)

    def achieved(probe):
        share = next(shares)
        return None if share is None else share * probe.rate_rps

    assert_found(drive(RecordedSearch(100, 100 * ratio), lambda probe: probe.rate_rps <= capacity, achieved), capacity)


def test_the_achieved_rate_saves_probes():
    knowing = [find(capacity).n_probes for capacity in capacities(100, 5000, 500)]
    blind = [find(capacity, knows_achieved=False).n_probes for capacity in capacities(100, 5000, 500)]

    assert max(knowing) <= 8
    assert max(blind) <= 10
    assert sorted(knowing)[250] <= 6 < sorted(blind)[250]


def test_first_low_then_the_middle_then_high():
    search = find(790)

    assert rates(search) == [100, 707, 5000, 801, 779, 779]
    assert search.result.ending is Ending.FOUND
    assert search.binding == CROSSED


@pytest.mark.parametrize("capacity", [120, 455, 705])
def test_high_is_not_tried_where_the_middle_fails(capacity):
    assert max(rates(find(capacity))) == 707


def test_a_limit_by_latency_is_looked_for_below_the_capacity():
    """A threshold is crossed at four fifths of the rate that the server can achieve."""
    limits = capacities(100, 5000, 200)
    searches = [
        drive(
            RecordedSearch(100, 5000),
            lambda probe, limit=limit: probe.rate_rps <= limit,
            lambda probe, limit=limit: min(probe.rate_rps, limit / 0.8),
        )
        for limit in limits
    ]
    blind = [find(limit, knows_achieved=False) for limit in limits]

    for search, limit in zip(searches, limits, strict=True):
        assert_found(search, limit)
    assert sum(search.n_probes for search in searches) < sum(search.n_probes for search in blind)


def test_rates_are_friendly_numbers():
    for capacity in capacities(100, 5000, 300):
        assert all(rate == float(f"{rate:.2e}") for rate in rates(find(capacity)))


def test_a_fine_resolution_takes_the_digits_that_it_needs():
    search = find(1_234.567, 1_000, 1_500, max_probes=30, resolution=0.001)

    assert search.result.ending is Ending.FOUND
    assert 1_234.567 / 1.001 <= search.result.rate_rps <= 1_234.567


def test_low_and_high_are_tried_as_they_were_asked_for():
    search = find(10_000, 123.456, 6_543.21)

    assert rates(search)[0] == 123.456
    assert rates(search)[-1] == 6_543.21


@pytest.mark.parametrize(
    ("search", "ending", "rate_rps", "sentence"),
    [
        pytest.param(
            find(790),
            Ending.FOUND,
            779,
            "The highest rate that holds: 779 requests/s (the next one tried, 801, crossed p99 < 20 ms).",
            id="found",
        ),
        pytest.param(
            find(80),
            Ending.NONE_HOLDS,
            None,
            "Even 100 requests/s, the lowest rate asked for, crossed p99 < 20 ms: lower LOW.",
            id="none-holds",
        ),
        pytest.param(
            find(9_000),
            Ending.ALL_HOLD,
            5_000,
            "Up to 5,000 requests/s, the highest rate asked for, all thresholds hold: raise HIGH.",
            id="all-hold",
        ),
        pytest.param(
            find(790, knows_achieved=False, max_probes=5),
            Ending.OUT_OF_PROBES,
            707,
            "All 5 probes are used up: 707 requests/s holds, 1,880 crossed p99 < 20 ms: go on with 707:1880.",
            id="out-of-probes",
        ),
        pytest.param(
            find(790, max_probes=3),
            Ending.OUT_OF_PROBES,
            707,
            "All 3 probes are used up: 707 requests/s holds, 5,000, the highest rate asked for, was not tried: "
            "go on with 707:5000.",
            id="out-of-probes-before-high",
        ),
        pytest.param(
            drive(RecordedSearch(100, 5000, max_probes=3), lambda probe: not probe.is_confirmation),
            Ending.OUT_OF_PROBES,
            None,
            "All 3 probes are used up: 100 requests/s held a short level only, 707 crossed p99 < 20 ms: "
            "go on with 100:707.",
            id="never-confirmed",
        ),
        pytest.param(
            RecordedSearch(100, 5000),
            Ending.STOPPED,
            None,
            "Stopped after 0 of at most 12 probes: nothing is known.",
            id="stopped-at-once",
        ),
    ],
)
def test_a_result_says_what_it_means(search, ending, rate_rps, sentence):
    result = search.result

    assert (result.ending, result.rate_rps, result.sentence) == (ending, rate_rps, sentence)


def test_a_search_may_be_stopped_in_the_middle():
    search = RecordedSearch(100, 200)
    for _ in range(3):
        search.next()
        search.tell(holds=True)

    assert search.result.sentence == (
        "Stopped after 3 of at most 12 probes: 200 requests/s held a short level only, "
        "the highest rate asked for: give it a full-length level."
    )
    assert search.result.rate_rps is None


@pytest.mark.parametrize(
    ("binding", "says"),
    [
        pytest.param((), "100 requests/s, the lowest rate asked for, did not hold: lower LOW", id="unnamed"),
        pytest.param(("crossed p99 < 20 ms", "fell ill"), "crossed p99 < 20 ms and fell ill: lower LOW", id="two"),
    ],
)
def test_all_thresholds_that_were_crossed_are_named(binding, says):
    search = RecordedSearch(100, 200)
    search.next()
    search.tell(holds=False, binding=binding)

    assert says in search.result.sentence
    assert search.binding == binding


@pytest.mark.parametrize("capacity", [400, 600, 700, 770])
def test_short_levels_may_flatter(capacity):
    """They hold up to 800 requests/s, full-length levels less."""
    search = drive(
        RecordedSearch(100, 5000),
        lambda probe: probe.rate_rps <= (capacity if probe.is_confirmation else 800),
        lambda probe: min(probe.rate_rps, 800),
    )
    lengths = [report.probe.is_confirmation for report in search.history]

    assert lengths == sorted(lengths)  # once a confirmation has failed, all levels have their full length
    assert 0.9 * capacity <= search.result.rate_rps <= capacity


def test_low_may_fail_its_confirmation():
    search = drive(RecordedSearch(100, 103), lambda probe: not probe.is_confirmation and probe.rate_rps <= 100)

    assert rates(search) == [100, 103, 100]
    assert search.result.ending is Ending.NONE_HOLDS


@given(st.lists(st.booleans(), min_size=30), st.floats(1.001, 19_000), st.integers(2, 30), st.booleans())
@settings(max_examples=scaled(500))
def test_any_answers_come_to_an_end(answers, ratio, max_probes, knows_achieved):
    answer = iter(answers)
    search = RecordedSearch(50, 50 * ratio, max_probes=max_probes)
    drive(search, lambda _: next(answer), lambda probe: 0.7 * probe.rate_rps if knows_achieved else None)
    result = search.result

    assert search.n_probes <= max_probes
    assert all(50 <= rate <= 50 * ratio for rate in rates(search))
    assert result.ending is not Ending.STOPPED
    assert "requests/s" in result.sentence
    if result.rate_rps is not None:
        failed = [report.probe.rate_rps for report in search.history if not report.holds]
        assert Probe(result.rate_rps, True) in [report.probe for report in search.history if report.holds]
        assert result.rate_rps < min(failed, default=math.inf)


def noisy(capacity, spread, seed):
    """Search the limit of a server that is more and more likely to fail within `spread` of its capacity."""
    chance = random.Random(seed)

    def holds(probe):
        return chance.random() < 1 / (1 + (probe.rate_rps / capacity) ** (1 / spread))

    return drive(RecordedSearch(100, 5000), holds, lambda probe: min(probe.rate_rps, capacity) * chance.gauss(1, 0.01))


@pytest.mark.parametrize(
    ("spread", "off"), [pytest.param(0.01, 0.1, id="a-little-noise"), pytest.param(0.03, 0.2, id="much-noise")]
)
def test_noise_near_the_limit_costs_some_accuracy_and_no_more(spread, off):
    n = 400
    chance = random.Random(1)
    endings = Counter()
    n_near = 0
    for seed in range(n):
        capacity = math.exp(chance.uniform(math.log(150), math.log(4000)))
        result = noisy(capacity, spread, seed).result
        endings[result.ending] += 1
        n_near += result.rate_rps is not None and abs(result.rate_rps / capacity - 1) < off

    assert endings[Ending.FOUND] > 0.9 * n
    assert n_near > 0.9 * n


def test_the_probe_under_way_stays_until_it_is_reported():
    search = RecordedSearch(100, 5000)

    assert search.next() is search.next()
    assert search.next() == Probe(100.0)
    assert search.n_probes == 0
    search.tell(holds=True)
    assert search.next() == Probe(707.0)


@pytest.mark.parametrize("is_started", [True, False], ids=["reported-twice", "never-asked"])
def test_a_report_needs_a_probe(is_started):
    search = RecordedSearch(100, 5000)
    if is_started:
        search.next()
        search.tell(holds=True)

    with pytest.raises(RuntimeError, match="call next"):
        search.tell(holds=True)


@pytest.mark.parametrize("knows_achieved", [True, False], ids=["achieved", "blind"])
def test_the_probes_left_count_down_to_none(knows_achieved):
    search = RecordedSearch(100, 5000)
    left = []
    for _ in count():
        left.append(search.expected_probes_left)
        if (probe := search.next()) is None:
            break
        assert search.expected_probes_left == left[-1]  # asking changes nothing
        search.tell(probe.rate_rps <= 790, achieved_rps=min(probe.rate_rps, 790) if knows_achieved else None)

    assert left[-1] == 0
    assert left == sorted(left, reverse=True)
    assert left[0] == 10


@pytest.mark.parametrize(
    ("text", "low_high"),
    [
        pytest.param("100:5000", (100, 5000), id="integers"),
        pytest.param("0.5:2.5", (0.5, 2.5), id="decimals"),
        pytest.param(" 1 : 1e3 ", (1, 1000), id="blanks-and-exponents"),
    ],
)
def test_a_range_is_read(text, low_high):
    assert parse_range(text) == low_high


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "expected LOW:HIGH, .* such as 100:5000, got ''", id="nothing"),
        pytest.param("100", "got '100'", id="one-rate"),
        pytest.param("1:2:3", "got '1:2:3'", id="three-rates"),
        pytest.param("100-5000", "got '100-5000'", id="another-sign"),
        pytest.param("a:b", "got 'a:b'", id="no-numbers"),
        pytest.param("1,000:5,000", "got '1,000:5,000'", id="thousands"),
        pytest.param(":5000", "got ':5000'", id="no-low"),
        pytest.param("5000:100", "LOW below HIGH, got 5,000:100", id="turned-round"),
        pytest.param("100:100", "LOW below HIGH, got 100:100", id="no-width"),
        pytest.param("0:100", "LOW: expected a rate from 0.001 .* got 0.0", id="from-zero"),
        pytest.param("-5:100", "LOW: .* got -5.0", id="negative"),
        pytest.param("nan:inf", "LOW: .* got nan; HIGH: .* got inf", id="all-faults-at-once"),
        pytest.param("1:1e9", "HIGH: .* to 1,000,000 requests/s", id="higher-than-a-schedule-can-be"),
    ],
)
def test_a_bad_range_is_refused(text, says):
    with pytest.raises(ValueError, match=says):
        parse_range(text)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param({"low_rps": 10, "high_rps": 10}, "LOW below HIGH", id="no-width"),
        pytest.param({"low_rps": 0}, "LOW: ", id="from-zero"),
        pytest.param({"high_rps": math.nan}, "HIGH: .* got nan", id="nan"),
        pytest.param({"max_probes": 1}, "at least 2 probes .* got 1", id="one-probe"),
        pytest.param({"resolution": 0}, "a resolution from 0.001 to 1, got 0", id="no-resolution"),
        pytest.param({"resolution": math.nan}, "got nan", id="resolution-nan"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        RecordedSearch(**({"low_rps": 10, "high_rps": 100} | arguments))
