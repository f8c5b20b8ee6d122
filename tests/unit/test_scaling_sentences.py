"""The sentence below a sweep against the table above it, read off the printed summary."""

import dataclasses
import itertools
import math
import re
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tests.support.level_rows import MS, closed_row, doubts_of, run_of, samples
from tests.support.summaries import judge, render, summarise
from tests.support.sweep_text import ROUNDING, read
from tfsload.analysis.doubts import Doubt
from tfsload.analysis.levels import LevelRow, level_row
from tfsload.records.recorder import Record
from tfsload.records.window import N_SLICES

DOUBT = "unstable: throughput went up and down"
# A throughput is higher by more than this, or it is called the same.
SAME = 1.1
# What a speed-up has in it that parallelism has not.
WAY = "(?: as the client sees it, network included)?"
# What the sentence may say of the table: each is held against it where it is said.
PHRASES = {
    "stops growing": r"stops growing at # users?",
    "stops growing, by how much": r"stops growing at # users? \(#× one user",
    "stops growing, and the highest": rf"stops growing at # users? \(#× one user{WAY}; #× at # users?\)",
    "still growing": rf"still growing at # users? \(#× one user{WAY}\)",
    "hardly grows": rf"hardly grows with users \(at most #× one user{WAY}; at # users?\)",
    "does not grow": rf"does not grow with users \(at most #× one user{WAY}\)",
    "stops, without a lone user": r"throughput does not grow beyond # users? \(# requests/s\)",
    "grows, without a lone user": r"throughput grows up to # users? \(# requests/s\)",
    "falls": r"falls beyond # users? \(#× at # users?\)",
    "was higher where it cannot be trusted": r"it was higher at # users?, which cannot be trusted",
    "at once": r"about # (?:requests [a-z ]+|at once) \(# to #\)",
    "the way": r"Of a lone request's # ms, the server takes # ms; the other # ms \(#%\) are its way there",
    "no way": r"A lone request takes # ms",
    "no or hardly, left open": r"the answer is at most # at once",
    "hardly or yes, left open": r"the answer is at least # at once",
}
# Between which answers a cure decides, by what is said.
TO_TELL = {"Cannot tell": [""], "No or hardly": [" no from hardly"], "Hardly or yes": [" hardly from yes"]}


def near(speed_up):
    """Return what may be the same speed-up, as the mean of several that were each rounded."""
    return pytest.approx(speed_up, abs=ROUNDING, rel=0.002)


def text_of(rows):
    record = Record()
    for row in rows:
        record.merge(row.record)
    summary = summarise(record, levels=rows)
    return render(summary, judge(summary), "mnist, version 1,", "127.0.0.1:8500")


def row(users, rate_rps, latency_ms=None, way_ms=None, n_failed=0, doubt="", slices=None):
    """Return a level of 10 s: its figures as they were measured, whatever the rules say of them."""
    record = Record()
    shares = slices or (1,) * N_SLICES
    n_answers = round(rate_rps * 10)
    ends = [round(n_answers * part / sum(shares)) for part in itertools.accumulate(shares, initial=0)]
    answers = [end - begin for begin, end in itertools.pairwise(ends)]
    record.slice_answers = answers
    record.requests = sum(answers) + n_failed
    record.predictions = record.requests
    record.failed_requests = n_failed
    if n_failed:
        record.failed["RESOURCE_EXHAUSTED"] = n_failed
    if sum(answers):
        record.latency.record(int((latency_ms or users / rate_rps * 1e3) * MS))
    made = level_row(run_of(users, round_trip_ns=None if way_ms is None else int(way_ms * MS)), record)
    return dataclasses.replace(
        made, generator_doubts=(), sample_doubts=(Doubt(doubt, "run again"),) if doubt else (), unsteady=""
    )


def assert_holds(rows: list[LevelRow]) -> None:
    """Hold all that the sentence says against the table."""
    said = read(text_of(rows))
    assert_growth_holds(said)
    assert_answer_holds(said)
    assert_reason_holds(said)
    assert_left_out_is_not_used(said, rows)
    assert_growth_without_a_lone_user_holds(said, rows)


def assert_growth_holds(said):
    highest = max(said.speed_ups.values(), default=None)
    largest = max(said.speed_ups, default=None)
    if found := said.find(PHRASES["stops growing"]):
        users = int(found[0])
        beyond = [speed_up for more, speed_up in said.speed_ups.items() if more > users]
        assert beyond, "nothing was measured beyond"
        assert max(beyond) <= said.speed_ups[users] * SAME + ROUNDING
    if found := said.find(PHRASES["stops growing, by how much"]):
        assert found[1] == near(said.speed_ups[int(found[0])])
    if found := said.find(PHRASES["stops growing, and the highest"]):
        assert found[2] == near(said.speed_ups[int(found[3])]) == near(highest)
    if found := said.find(PHRASES["still growing"]):
        assert found[0] == largest
        assert found[1] == near(said.speed_ups[largest])
        others = [speed_up for users, speed_up in said.speed_ups.items() if users != largest]
        assert found[1] > max(others) * SAME - ROUNDING or is_by_users(said.speed_ups)
        assert found[1] > 1
        assert said.head != "No"
    if found := said.find(PHRASES["hardly grows"]):
        assert found[0] == near(said.speed_ups[int(found[1])]) == near(highest)
        assert SAME - ROUNDING <= found[0] <= 1.25 + ROUNDING
        assert said.head == "No"
    if found := said.find(PHRASES["does not grow"]):
        assert found[0] == near(highest)
        assert found[0] <= SAME + ROUNDING
    if found := said.find(PHRASES["falls"]):
        assert found[0] < found[2] == largest
        assert found[1] == near(said.speed_ups[largest])
        assert said.speed_ups[largest] < highest
    if found := said.find(PHRASES["was higher where it cannot be trusted"]):
        assert said.left_out[int(found[0])] > highest
    grown = [f"{users}: {x}" for users, x in said.left_out.items() if highest and x > highest * SAME + ROUNDING]
    assert not grown or "which cannot be trusted" in said.sentence or is_lacking(said), grown


def is_by_users(speeds):
    """Whether speed grew by 10 % with twice as many users from the first level that is nearly as fast as the last."""
    last = max(speeds)
    first = min(users for users, speed in speeds.items() if speed * SAME >= speeds[last] - ROUNDING * SAME)
    if first == last:
        return True  # but for what was rounded
    return math.log(speeds[last] / speeds[first]) >= math.log2(1.1) * math.log(last / first) - ROUNDING


def assert_growth_without_a_lone_user_holds(said, rows):
    stops, grows = said.find(PHRASES["stops, without a lone user"]), said.find(PHRASES["grows, without a lone user"])
    if not (stops or grows):
        return
    counted = [one for one in rows if not doubts_of(one) and not one.record.failed_requests]
    rates = {
        users: statistics.fmean(one.achieved_rps for one in counted if one.level.users == users)
        for users in {one.level.users for one in counted}
    }
    users, told_rps = map(int, stops or grows)
    assert is_lacking(said)
    assert told_rps == pytest.approx(rates[users], rel=0.01, abs=1)
    assert (users == max(rates)) is bool(grows)
    if stops:
        assert max(rates[more] for more in rates if more > users) <= rates[users] * SAME + ROUNDING
    else:
        is_more = all(rates[users] >= rates[fewer] * SAME - ROUNDING for fewer in rates if fewer < users)
        assert is_more or is_by_users(rates)


def assert_answer_holds(said):
    if is_lacking(said):
        return
    numbers = said.effective
    assert 0 <= numbers["low"] <= numbers["value"] <= numbers["high"]
    highest = max(said.speed_ups.values())
    if found := said.find(PHRASES["at once"]):
        assert found == (numbers["value"], numbers["low"], numbers["high"])
    low, high = numbers["low"], numbers["high"]
    may_be_more = "still growing" in said.sentence or "which cannot be trusted" in said.sentence
    match said.head:
        case "Yes":
            assert low >= 1.5 - ROUNDING
            assert highest > 1.4
            assert ("at least about" in said.sentence) is may_be_more
        case "No":
            assert high <= 1.25 + ROUNDING
            assert highest <= 1.25 + ROUNDING
            assert ("less than one" in said.sentence) is (high < 1)
        case "No or hardly":
            assert high <= 1.5 + ROUNDING
            assert low <= 1.25 + ROUNDING
        case "Hardly":
            assert 1.25 - ROUNDING <= low <= high <= 1.5 + ROUNDING
        case "Hardly or yes":
            assert 1.25 - ROUNDING <= low <= 1.5 + ROUNDING
            assert high >= 1.5 - ROUNDING or may_be_more
    to_tell = [] if "once more would tell little" in said.sentence else TO_TELL.get(said.head, [])
    assert re.findall(r"\. To tell([^:]*):", said.sentence) == to_tell
    if found := said.find(PHRASES["no or hardly, left open"]):
        assert (said.head, *found) == ("No or hardly", numbers["high"])
    if found := said.find(PHRASES["hardly or yes, left open"]):
        assert (said.head, *found) == ("Hardly or yes", numbers["low"])
    assert said.find(r"This rests on the ") is None or said.left_out
    named = re.search(r"This rests on the levels with ([\d, and]+) users", said.sentence)
    assert named is None or [int(users) for users in re.findall(r"\d+", named[1])] == sorted(said.speed_ups)
    assert "This rests on the " in said.sentence or not said.left_out


def is_lacking(said):
    """Whether the sweep has not got what any answer needs."""
    return said.head == "Cannot tell" and said.find(r"about # requests") is None


def assert_reason_holds(said):
    if is_lacking(said):
        return
    if found := said.find(PHRASES["the way"]):
        alone_ms, server_ms, way_ms, share = found
        assert (alone_ms, way_ms) == (said.effective["alone_ms"], said.effective["way_ms"])
        assert way_ms + server_ms == pytest.approx(alone_ms, rel=0.06, abs=0.011)
        assert share / 100 == pytest.approx(way_ms / alone_ms, rel=0.06, abs=0.011)
    else:
        (alone_ms,) = said.find(PHRASES["no way"])
        assert alone_ms == said.effective["alone_ms"]


def assert_left_out_is_not_used(said, rows):
    is_counted = {one.level.users for one in rows if not doubts_of(one) and not one.record.failed_requests}
    assert set(said.speed_ups) <= is_counted
    assert set(said.best_users) <= is_counted
    if without := [one for one in rows if not one.record.failed_requests]:
        assert read(text_of(without)).law == said.law
    for users in said.left_out:
        assert users not in is_counted


users_of_levels = st.one_of(st.sampled_from((1, 2, 4, 8, 16)), st.integers(1, 40))
slices = st.one_of(st.none(), st.lists(st.integers(1, 9), min_size=N_SLICES, max_size=N_SLICES).map(tuple))


@st.composite
def any_sweeps(draw):
    """Return levels in any order, lawful ones and such as no server gives."""
    way_ms = draw(st.one_of(st.none(), st.floats(0.01, 30)))
    alone_rps = draw(st.floats(5, 3000))
    rows = []
    for users in draw(st.lists(users_of_levels, min_size=1, max_size=7)):
        rate_rps = alone_rps if users == 1 else alone_rps * draw(st.floats(0.2, 1.2)) * users ** draw(st.floats(0, 1))
        latency_ms = users / rate_rps * 1e3 * draw(st.sampled_from((1, 1, 1, 0.95, 0.3, 2)))
        doubt = draw(st.sampled_from(("", "", "", "", DOUBT)))
        n_failed = draw(st.sampled_from((0, 0, 0, 0, 1, 648)))
        rate_rps = draw(st.sampled_from((rate_rps,) * 9 + (0.0,)))
        rows.append(row(users, rate_rps, latency_ms, way_ms, n_failed, doubt, draw(slices)))
    return rows


def test_where_requests_failed_in_one_of_two_equal_levels_both_are_left_out():
    assert_holds([row(1, 5), row(2, 5), row(16, 5, n_failed=1), row(1, 5), row(16, 80, doubt=DOUBT)])


@settings(max_examples=scaled(100))
@given(any_sweeps())
def test_no_sentence_contradicts_its_table(rows):
    assert_holds(rows)


@settings(max_examples=scaled(40))
@given(
    st.integers(1, 9), st.floats(0.2, 20), st.floats(0.01, 1.5), st.lists(st.floats(0.85, 1.15), min_size=6, max_size=6)
)
def test_no_sentence_on_workers_contradicts_its_table(workers, service_ms, way, errors):
    way_ms = service_ms * way
    assert_holds(
        [
            row(n, 1e3 * min(n / (service_ms + way_ms), workers / service_ms) * error, way_ms=way_ms)
            for n, error in zip((1, 2, 4, 8, 16, 32), errors, strict=True)
        ]
    )


# What was seen, and what is of its kind


def sweep_of(rates_rps, way_ms, users=(1, 2, 4, 8), **more):
    return [row(n, rate_rps, way_ms=way_ms, **more) for n, rate_rps in zip(users, rates_rps, strict=True)]


@pytest.mark.parametrize("way_ms", [0.1, 0.3, 0.4, 0.43, 0.45, 0.5, 0.6, 0.9])
@pytest.mark.parametrize(
    "slices",
    [
        pytest.param(None, id="steady"),
        pytest.param((10, 12, 14) * 4, id="restless"),
        pytest.param((1, 2, 9) * 4, id="noisy"),
    ],
)
@pytest.mark.parametrize(
    "rates_rps",
    [pytest.param((1022, 1500, 1900, 2207), id="doubled"), pytest.param((1000, 1300, 1500, 1660), id="two-thirds")],
)
def test_a_throughput_that_grows_is_neither_called_steady_nor_one_at_a_time(rates_rps, slices, way_ms):
    rows = sweep_of(rates_rps, way_ms, slices=slices)
    said = read(text_of(rows))

    assert "stops growing at 1 user" not in said.sentence
    assert "one at a time" not in said.sentence
    assert said.find(r"still growing at # users")[0] == 8
    assert_holds(rows)


SWEEPS = [
    pytest.param(
        sweep_of((100, 200, 201, 199), 0.3),
        "Yes",
        [
            "Of a lone request's 10.0 ms, the server takes 9.7 ms; the other 0.300 ms (3%) are",
            "stops growing at 2 users",
        ],
        id="the-reason-is-given",
    ),
    pytest.param(
        sweep_of((100, 2_000, 190_000, 191_000), 0.3, (1, 20, 2_000, 4_000)),
        "Yes",
        ["about 1,847.8 requests run in parallel", "stops growing at 2,000 users"],
        id="thousands-at-once",
    ),
    pytest.param(
        sweep_of((100, 101), 0.3, (1, 2)),
        "No",
        ["does not grow with users (at most 1.01× one user as the client sees it, network included)"],
        id="two",
    ),
    pytest.param(sweep_of((100, 99, 101), 0.3, (1, 1, 2)), "No", ["does not grow with users"], id="a-lone-user-twice"),
    pytest.param(
        sweep_of((400, 100, 390, 200), 0.3, (8, 1, 4, 2)), "Yes", ["stops growing at 4 users"], id="unordered"
    ),
    pytest.param(
        sweep_of((200, 400), 0.3, (2, 4)),
        "Cannot tell",
        ["no level has 1 user", "Throughput grows up to 4 users (400 requests/s), the most of them."],
        id="no-lone-user",
    ),
    pytest.param(
        sweep_of((200, 400, 402, 398), 0.3, (2, 4, 8, 16)),
        "Cannot tell",
        ["no level has 1 user", "Throughput does not grow beyond 4 users (400 requests/s)."],
        id="no-lone-user-and-no-growth",
    ),
    pytest.param(
        [row(1, 100, way_ms=0.3, doubt=DOUBT), *sweep_of((200, 400, 402), 0.3, (2, 4, 8))],
        "Cannot tell",
        [
            f"the level with 1 user cannot be trusted: {DOUBT}.",
            "Among the levels that can be trusted, throughput does not grow beyond 4 users (400 requests/s).",
        ],
        id="a-lone-user-in-doubt",
    ),
    pytest.param(
        [*sweep_of((100,), 0.3, (1,)), row(2, 200, doubt=DOUBT)],
        "Cannot tell",
        [f"no level with more than 1 user can be trusted; the one with 2 users: {DOUBT}."],
        id="nothing-to-grow-to",
    ),
    pytest.param(
        sweep_of((100, 80, 60), 0.3, (1, 2, 4)),
        "No",
        [
            "does not grow with users (at most 1.00× one user as the client sees it, network included)",
            "falls beyond 1 user (0.60× at 4 users)",
        ],
        id="slower-from-the-second-user-on",
    ),
    pytest.param(
        sweep_of((100, 195, 290, 150), 0.3),
        "Yes",
        [
            "stops growing at 4 users (2.90× one user as the client sees it, network included)",
            "falls beyond 4 users (1.50× at 8 users)",
        ],
        id="falling",
    ),
    pytest.param(
        [*sweep_of((100, 140), 0.3, (1, 2)), row(4, 300, way_ms=0.3, doubt=DOUBT)],
        "Cannot tell",
        [
            "This rests on the levels with 1 and 2 users, which can be trusted.",
            f"it was higher at 4 users, which cannot be trusted: {DOUBT}.",
            "To tell: 4 users, measured so",
        ],
        id="a-doubted-level-is-higher",
    ),
    pytest.param(
        [*sweep_of((100, 195, 390), 0.3, (1, 2, 4)), row(4, 20, way_ms=0.3, doubt=DOUBT)],
        "Yes",
        ["still growing at 4 users (3.90× one user as the client sees it, network included), the most that were tried"],
        id="a-doubted-level-was-measured-again",
    ),
    pytest.param(
        sweep_of((500, 900, 1150, 1140), 1.0),
        "Cannot tell",
        ["the server takes 1.00 ms; the other 1.00 ms (50%) are", "heavier requests"],
        id="half-of-it-is-the-way",
    ),
    pytest.param(
        sweep_of((100, 125, 126, 124), None),
        "No or hardly",
        [
            "how much of it is its way to the server and back was not measured",
            "To tell no from hardly: measure each",
            "If it stays open, the answer is at most 1.39 at once.",
        ],
        id="between-two-answers",
    ),
    pytest.param(
        sweep_of((100, 150, 151, 150) * 2, 0.1, (1, 2, 4, 8) * 2),
        "Hardly or yes",
        ["To tell hardly from yes: measure each level several times", "the answer is at least 1.37 at once."],
        id="between-the-two-others",
    ),
    pytest.param(
        sweep_of((100, 125, 126, 124) * 4, None, (1, 2, 4, 8) * 4),
        "No or hardly",
        [". Measuring each level once more would tell little: the answer is at most 1.32 at once."],
        id="measured-four-times",
    ),
    pytest.param(
        sweep_of((1000, 1020, 1060, 1120), 0.1),
        "No",
        ["hardly grows with users (at most 1.12× one user as the client sees it, network included; at 8 users): they"],
        id="grown-by-little",
    ),
    pytest.param(
        sweep_of(range(10, 131, 10), 0.1, range(1, 14)), "Yes", ["still growing at 13 users (13.00×"], id="one-by-one"
    ),
    pytest.param(
        sweep_of((100, 120, 130), 0.1, (1, 2, 3)), "Cannot tell", ["with more users", "sweep further"], id="short"
    ),
    pytest.param(
        sweep_of((100, 100, 101), 12.0, (1, 2, 4)),
        "No",
        ["A lone request takes 10.0 ms, no longer than a call that asks the model for nothing (12.0 ms)"],
        id="a-round-trip-that-is-longer-than-all",
    ),
]


@pytest.mark.heavy
@pytest.mark.parametrize(("rows", "head", "phrases"), SWEEPS)
def test_what_is_said_of_a_sweep(rows, head, phrases):
    said = read(text_of(rows))

    assert said.head == head
    for phrase in phrases:
        assert phrase in said.sentence
    assert_holds(rows)


@pytest.mark.heavy
@pytest.mark.parametrize("phrase", PHRASES.values(), ids=PHRASES)
def test_each_phrase_is_said_of_one_of_these_sweeps(phrase):
    assert any(read(text_of(sweep.values[0])).find(phrase) is not None for sweep in SWEEPS)


# Levels with failures


@pytest.mark.parametrize("n_failed", [1, 648])
@pytest.mark.parametrize("rate_rps", [150, 400, 900], ids=["less", "as-much", "more"])
def test_a_level_with_failures_is_neither_fitted_nor_best(n_failed, rate_rps):
    good = sweep_of((100, 195, 380, 400), 0.3)
    said, clean = read(text_of([*good, row(16, rate_rps, way_ms=0.3, n_failed=n_failed)])), read(text_of(good))

    assert 16 in said.left_out
    assert said.best_users == clean.best_users == (4, 8)
    assert said.law == clean.law
    assert said.effective == clean.effective
    assert ("which cannot be trusted" in said.sentence) is (rate_rps == 900)


def test_failing_levels_are_named_with_what_their_rates_are():
    text = text_of([*sweep_of((100, 195, 380), 0.3, (1, 2, 4)), row(8, 390, way_ms=0.3, n_failed=1234)])

    assert (
        "\nnot used     8 users (1,234) had requests without an answer; req/s and speed-up are of answers alone\n"
        in text
    )
    assert "not used" not in text_of(sweep_of((100, 195, 380), 0.3, (1, 2, 4)))


def test_a_lone_user_with_failures_is_nothing_to_compare_with():
    text = text_of([row(1, 100, n_failed=3), *sweep_of((195, 380), 0.3, (2, 4))])

    assert "×" not in text
    assert "Cannot tell: the level with 1 user cannot be trusted: 3 requests had no answer there; see why" in text


def test_what_was_refused_is_no_throughput():
    refused = samples(n=12_000, latency_ns=MS, is_failed=True)
    answered = samples(n=1200, latency_ns=6 * MS)
    rows = [closed_row(), closed_row([*answered, *refused], users=8)]
    text = text_of(rows)

    assert re.search(r"^8 users +120 +1\.00× ", text, re.MULTILINE)
    assert rows[1].achieved_rps == pytest.approx(120)
    # All levels together: 2,400 answers in 20 s.
    assert "rate         120 requests/s (of answered requests)" in text
