"""Does the server run requests in parallel? Asked of servers whose answer is known."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tfsload.analysis.scaling import LevelPoint, assess
from tfsload.analysis.sweep import SPREAD, error_of

SERVICE_S = 0.01
DOUBLING = (1, 2, 4, 8, 16, 32)
DOUBT = "too little of it"


def workers(count, service_s=SERVICE_S, overhead_s=0.0):
    """Return the throughput by users of some workers; the overhead, network and client, has room for all."""
    return lambda n: min(n / (service_s + overhead_s), count / service_s)


def lock(share):
    """Return the throughput of a server that holds one lock for a share of each request."""
    return lambda n: min(n, 1 / share) / SERVICE_S


def law(sigma, kappa=0.0):
    return lambda n: n / (1 + sigma * (n - 1) + kappa * n * (n - 1)) / SERVICE_S


def sweep(server, levels=DOUBLING, noise=0.0, seed=0, untrusted=()):
    """Return a sweep of 12 slices a level, that scatter by a share of the throughput."""
    random = np.random.default_rng(seed)
    points = []
    for n in levels:
        slices = server(n) * (1 + random.uniform(-1, 1, 12) * noise * 3**0.5)
        rate = float(slices.mean())
        doubt = DOUBT if n in untrusted else ""
        points.append(LevelPoint(n, rate, n / rate * 1e9, tuple(slices.tolist()), doubt))
    return points


def said(*args, **more):
    return assess(sweep(*args, **more)).answer.sentence


@pytest.mark.parametrize("count", [pytest.param(count, id=f"{count}-workers") for count in (1, 2, 4, 8)])
@pytest.mark.parametrize(
    ("overhead_s", "noise"),
    [
        pytest.param(0.0, 0.0, id="clean"),
        pytest.param(0.0, 0.02, id="noisy"),
        pytest.param(0.0003, 0.0, id="overhead"),
        pytest.param(0.0003, 0.02, id="noisy-with-overhead"),
    ],
)
def test_workers_are_counted(count, overhead_s, noise):
    scaling = assess(sweep(workers(count, overhead_s=overhead_s), noise=noise))

    assert scaling.interval.value == pytest.approx(count, rel=0.05)
    assert scaling.stops_growing_at == count
    assert scaling.falls_beyond is None
    assert scaling.alone_ns == pytest.approx((SERVICE_S + overhead_s) * 1e9, rel=0.02)
    assert scaling.usl.sigma.low <= 1 / count <= scaling.usl.sigma.high
    assert scaling.answer.kind == ("no" if count == 1 else "yes")


@pytest.mark.parametrize(
    ("server", "levels", "kind", "answer", "growth"),
    [
        pytest.param(
            workers(1),
            DOUBLING,
            "no",
            "No: requests are served one at a time, about 1.00 at once (0.89 to 1.11).",
            "Throughput does not grow with users (at most 1.00× one user): they only wait longer.",
            id="one-worker",
        ),
        pytest.param(
            workers(4),
            DOUBLING,
            "yes",
            "Yes: about 4.00 requests run in parallel (3.55 to 4.45).",
            "Throughput stops growing at 4 users (4.00× one user), then requests queue.",
            id="four-workers",
        ),
        pytest.param(
            workers(100),
            (1, 2, 4, 8),
            "yes",
            "Yes: at least about 8.00 requests run in parallel (6.91 to 9.16).",
            "Throughput was still growing at 8 users (8.00× one user), the most that were tried.",
            id="more-workers-than-users",
        ),
        pytest.param(
            workers(64),
            (1, 64, 128),
            "yes",
            "Yes: about 64.0 requests run in parallel (56.3 to 71.9).",
            "Throughput stops growing at 64 users (64.00× one user), then requests queue.",
            id="many-workers",
        ),
        pytest.param(
            lock(0.5),
            DOUBLING,
            "yes",
            "Yes: about 2.00 requests run in parallel (1.78 to 2.22).",
            "Throughput stops growing at 2 users (2.00× one user), then requests queue.",
            id="a-lock-held-half-the-time",
        ),
        pytest.param(
            lock(0.7),
            DOUBLING,
            "cannot tell",
            "Hardly or yes: about 1.43 requests are served at once (1.27 to 1.58).",
            "Throughput stops growing at 2 users (1.43× one user), then requests queue. To tell hardly from yes: ",
            id="a-lock-held-most-of-the-time",
        ),
        pytest.param(
            lock(0.73),
            DOUBLING * 6,
            "no",
            "Hardly: parts of requests run in parallel, about 1.37 at once (1.30 to 1.43).",
            "Throughput stops growing at 2 users (1.37× one user), then requests queue.",
            id="a-lock-looked-at-closely",
        ),
        pytest.param(
            lock(0.9),
            DOUBLING,
            "no",
            "No: requests are served one at a time, about 1.11 at once (0.99 to 1.23).",
            "Throughput hardly grows with users (at most 1.11× one user; at 2 users): they mostly wait longer.",
            id="a-lock-held-nearly-always",
        ),
        pytest.param(
            law(0.05, 0.01),
            DOUBLING,
            "yes",
            "Yes: about 4.02 requests run in parallel (3.54 to 4.52).",
            "Throughput stops growing at 8 users (4.19× one user), then requests queue, "
            "and it falls beyond 16 users (2.57× at 32 users).",
            id="retrograde",
        ),
        pytest.param(
            law(1.0, 0.02),
            DOUBLING,
            "no",
            "No: requests are served one at a time, about 0.97 at once (0.86 to 1.09).",
            "Throughput does not grow with users (at most 1.00× one user): they only wait longer, "
            "and it falls beyond 4 users (0.62× at 32 users).",
            id="serial-and-retrograde",
        ),
        pytest.param(
            workers(8, service_s=0.0005, overhead_s=0.0001),
            DOUBLING,
            "yes",
            "Yes: about 9.60 requests run in parallel (4.69 to 10.8).",
            "Throughput stops growing at 16 users (9.60× one user), then requests queue.",
            id="short-service-but-beyond-doubt",
        ),
        pytest.param(
            workers(1, service_s=0.00015),
            DOUBLING,
            "no",
            "No: requests are served one at a time, about 1.00 at once (0.00 to 1.11).",
            "Throughput does not grow with users (at most 1.00× one user): they only wait longer.",
            id="short-service-that-does-not-grow",
        ),
    ],
)
def test_answers(server, levels, kind, answer, growth):
    told = assess(sweep(server, levels)).answer

    assert told.kind == kind
    assert told.sentence.startswith(f"{answer} A lone request takes ")
    assert growth in told.sentence


@pytest.mark.parametrize(
    ("points", "why", "cure"),
    [
        pytest.param([], "no level has 1 user", "--sweep 1,2,4,8", id="nothing"),
        pytest.param(sweep(workers(2), (2, 4, 8)), "no level has 1 user", "begin the sweep with 1", id="no-lone-user"),
        pytest.param(sweep(workers(2), (1,)), "only one level", "--sweep 1,2,4,8", id="one-level"),
        pytest.param(sweep(workers(2), (1, 1)), "only one level", "--sweep 1,2,4,8", id="one-level-twice"),
        pytest.param(
            sweep(workers(2), untrusted=(1,)),
            "the level with 1 user cannot be trusted: too little",
            ": too little of it.",
            id="lone-user-untrusted",
        ),
        pytest.param(
            sweep(workers(2), untrusted=DOUBLING[1:]),
            "no level with more than 1 user can be trusted",
            "; the one with 2 users: too little of it.",
            id="all-others-untrusted",
        ),
        pytest.param(
            [LevelPoint(1, 0.0, 0.0), *sweep(workers(2), (2, 4))], "no request was answered", "see why", id="no-answers"
        ),
        pytest.param(
            [LevelPoint(1, 100.0, 0.0), *sweep(workers(2), (2, 4))],
            "no request was answered",
            "see why",
            id="no-answer-lies-within-the-level",
        ),
        pytest.param(
            sweep(workers(1), (1, 2)) + sweep(workers(8), (8,), untrusted=(8,)),
            "it was higher at 8 users, which cannot be trusted",
            "8 users, measured so that it can be trusted",
            id="an-untrusted-level-contradicts",
        ),
        pytest.param(
            sweep(workers(1, service_s=0.00015, overhead_s=0.0001)),
            "A lone request takes 0.250 ms; how much of it is its way",
            "more `--images-per-request`",
            id="short-service-looks-parallel",
        ),
        pytest.param(
            sweep(law(0.7), (1, 2)), "still growing at 2 users", "--sweep 1,2,4,8,1`", id="grew-with-few-users"
        ),
        pytest.param(
            sweep(law(0.65), (1, 2, 4, 8), untrusted=(4, 8)),
            "still growing at 2 users (1.21× one user), the most that were measured well enough to be trusted; "
            "it was higher at 4 users, which cannot be trusted",
            "4 users, measured so that it can be trusted",
            id="grew-before-levels-that-cannot-be-trusted",
        ),
        pytest.param(
            [LevelPoint(n, 150 if n > 1 else 100, 1e7, (1, 2, 9) * 4) for n in (1, 2, 4)],
            "scatters too much",
            "--level-duration",
            id="too-noisy",
        ),
    ],
)
def test_no_answer_where_there_is_none(points, why, cure):
    answer = assess(points).answer

    assert answer.kind == "cannot tell"
    assert answer.sentence.startswith("Cannot tell: ")
    assert why in answer.sentence
    assert cure in answer.sentence


@pytest.mark.parametrize(
    ("points", "said"),
    [
        pytest.param([], "Cannot tell: the sweep was not run to its end.", id="nothing"),
        pytest.param(sweep(workers(2), (1,)), "Cannot tell: the sweep was not run to its end.", id="one-level"),
        pytest.param(
            sweep(workers(2), (8, 4)),
            "Cannot tell: the sweep was not run to its end. Throughput does not grow beyond 4 users",
            id="the-lone-user-is-to-come",
        ),
        pytest.param(
            sweep(workers(2), (1, 2), untrusted=(1,)),
            "Cannot tell: the level with 1 user cannot be trusted: too little of it.",
            id="lone-user-untrusted",
        ),
        pytest.param(sweep(workers(2), (1, 2, 4, 8)), "Yes: about 2.00 requests", id="enough-of-it"),
        pytest.param(sweep(lock(0.85), (1, 2)), "Cannot tell: about ", id="growing-so-far"),
    ],
)
def test_of_a_sweep_that_was_ended_early_nothing_is_advised_that_was_asked_for(points, said):
    sentence = assess(points, is_whole=False).answer.sentence

    assert sentence.startswith(said)
    assert "sweep further" not in sentence


def test_a_sweep_that_was_ended_while_throughput_grew_is_to_be_run_to_its_end():
    whole, early = (assess(sweep(lock(0.85), (1, 2)), is_whole=is_whole).answer.sentence for is_whole in (True, False))

    assert whole.endswith("sweep further (`--sweep 1,2,4,8,1`).")
    assert early.endswith("let the sweep run to its end.")


def test_levels_are_compared_with_the_lone_user():
    levels = assess(sweep(workers(4), (1, 2, 8))).levels

    assert [level.users for level in levels] == [1, 2, 8]
    assert [level.speed_up for level in levels] == pytest.approx([1, 2, 4])
    assert [level.efficiency for level in levels] == pytest.approx([1, 1, 0.5])


def test_without_a_lone_user_nothing_is_compared():
    scaling = assess(sweep(workers(4), (2, 4, 8)))

    assert [(level.speed_up, level.efficiency) for level in scaling.levels] == [(None, None)] * 3
    assert (scaling.alone_ns, scaling.interval, scaling.usl) == (None, None, None)
    assert scaling.stops_growing_at == 4


def test_untrusted_levels_are_shown_and_carry_nothing():
    starved = sweep(workers(4), (16, 32), untrusted=(16, 32))
    scaling = assess(sweep(workers(8), (1, 2, 4, 8)) + starved)

    assert len(scaling.levels) == 6
    assert [level.is_trusted for level in scaling.levels] == [True] * 4 + [False] * 2
    assert scaling.answer.sentence.startswith("Yes: at least about 8.00 requests run in parallel (6.91 to 9.16).")
    assert scaling.answer.sentence.endswith(
        "still growing at 8 users (8.00× one user), the most that were measured well enough to be trusted."
    )
    assert scaling.usl == assess(sweep(workers(8), (1, 2, 4, 8))).usl


def test_an_untrusted_peak_does_not_take_away_what_is_certain():
    assert said(workers(8), untrusted=(8, 16, 32)).startswith("Yes: at least about 4.00 ")


def test_levels_error_is_that_of_their_mean_by_noise_and_by_how_equal_runs_differ():
    one, two = assess(sweep(workers(2), (1, 2), noise=0.2)).levels

    assert error_of((one,)) == one.error == pytest.approx(math.hypot(one.noise, SPREAD))
    assert error_of((one, two)) == pytest.approx(math.hypot(math.hypot(one.noise, two.noise) / 2, SPREAD / 2**0.5))
    assert error_of((dataclasses.replace(one, noise=0.0, n_runs=4),)) == pytest.approx(SPREAD / 2)


def test_repeats_of_a_level_are_taken_together():
    points = [LevelPoint(1, 100.0, 1e7), LevelPoint(2, 190.0, 1e7), LevelPoint(1, 104.0, 1.2e7)]
    alone, two = assess(points).levels

    assert (alone.users, alone.throughput_rps, alone.mean_latency_ns) == (1, 102.0, 1.1e7)
    assert alone.noise == pytest.approx(2 / 102)
    assert two.speed_up == pytest.approx(190 / 102)


def test_a_trusted_repeat_replaces_an_untrusted_one():
    points = [LevelPoint(1, 100.0, 1e7), LevelPoint(2, 50.0, 4e7, doubt=DOUBT), LevelPoint(2, 200.0, 1e7)]
    two = assess(points).levels[1]

    assert (two.throughput_rps, two.is_trusted) == (200.0, True)


@pytest.mark.parametrize("share", [pytest.param(0.2, id="share-0.2"), pytest.param(0.5, id="share-0.5")])
@pytest.mark.parametrize("overhead_s", [pytest.param(0.0, id="bare"), pytest.param(0.0003, id="overhead")])
def test_the_contention_of_a_lock_lies_in_its_interval(share, overhead_s):
    def server(n):
        return min(n / (SERVICE_S + overhead_s), 1 / (share * SERVICE_S))

    for seed in range(10):
        sigma = assess(sweep(server, noise=0.01, seed=seed)).usl.sigma
        assert sigma.low <= share <= sigma.high
        assert sigma.high - sigma.low < 0.15 * share


@pytest.mark.parametrize("count", [1, 2, 4, 8])
@pytest.mark.parametrize("overhead_s", [0.0005, 0.001, 0.004])
def test_a_round_trip_that_is_known_is_no_service(count, overhead_s):
    points = sweep(workers(count, overhead_s=overhead_s), noise=0.01)
    blind, known = assess(points), assess(points, round_trip_ns=overhead_s * 1e9)

    assert known.interval.value == pytest.approx(count, rel=0.05)
    assert blind.interval.value == pytest.approx(count * (1 + overhead_s / SERVICE_S), rel=0.05)
    assert known.interval.low <= count <= known.interval.high
    # As many users as there are workers keep all of them busy but for the way; the next more fill that, and it shows.
    assert known.stops_growing_at in ((count, 2 * count) if overhead_s <= 0.001 else (2 * count,))
    assert known.usl.sigma.low <= 1 / count <= known.usl.sigma.high
    assert known.usl.sigma.value == pytest.approx(1 / count, rel=0.05)
    assert known.answer.kind == ("no" if count == 1 else "yes")
    assert known.round_trip_ns == overhead_s * 1e9


@pytest.mark.parametrize("levels", [(1, 2, 3, 4), (1, 2, 4), (1, 2, 4, 6), (1, 2, 4, 8, 12)])
@pytest.mark.parametrize("overhead_s", [0.0003, 0.0009])
def test_users_that_never_queue_are_growth_however_long_the_way(levels, overhead_s):
    scaling = assess(sweep(workers(1000, 0.001, overhead_s), levels), round_trip_ns=overhead_s * 1e9)

    assert scaling.stops_growing_at is None
    assert f"Throughput was still growing at {levels[-1]} users" in scaling.answer.sentence


def test_growth_of_levels_that_queue_is_growth_however_long_the_way():
    scaling = assess(sweep(law(0.5)), round_trip_ns=SERVICE_S * 0.3e9)

    # Of the 30 % that the way takes, 4 users are 20 % below 32.
    assert scaling.stops_growing_at == assess(sweep(law(0.5))).stops_growing_at == 8


def test_a_round_trip_that_is_known_raises_contentions_value_and_upper_end():
    points = sweep(workers(2, overhead_s=0.002))
    default, known = assess(points).usl.sigma, assess(points, round_trip_ns=2_000_000).usl.sigma

    assert default.value < default.high < 0.5 < known.high
    assert known.value == pytest.approx(0.5, rel=0.02)
    assert known.low == default.low


@pytest.mark.parametrize(
    ("server", "round_trip_ms", "sentence"),
    [
        pytest.param(workers(1, 0.0008, 0.0001), 0.1, "No: requests are served one at a time", id="short-serial"),
        pytest.param(workers(1, 0.0003, 0.0001), 0.1, "No or hardly: about 1.00 requests", id="a-quarter-is-the-way"),
        pytest.param(workers(4, 0.0003, 0.0001), 0.1, "Yes: about 4.00 ", id="short-parallel"),
        pytest.param(
            workers(1, 0.001, 0.0008),
            0.8,
            "No or hardly: about 1.00 requests are served at once (0.56 to 1.30). Of a lone request's 1.80 ms, "
            "the server takes 1.00 ms; the other 0.800 ms (44%) are its way there and back, where any number are under "
            "way at once. Throughput stops growing at 2 users (1.80× one user as the client sees it, "
            "network included), then requests queue. "
            "To tell no from hardly: send heavier requests (more `--images-per-request`), or measure nearer",
            id="a-long-way-to-a-serial-server",
        ),
        pytest.param(
            workers(1, 0.001, 0.0008), 0.7, "No or hardly: about 1.10 requests are served at once", id="a-shorter-one"
        ),
        pytest.param(
            workers(1, 0.001, 0.02), 20.0, "Cannot tell: about 1.00 requests seem to be served at once", id="far-away"
        ),
        pytest.param(workers(8, 0.001, 0.0008), 0.8, "Yes: about 8.00 ", id="a-long-way-to-many-workers"),
        pytest.param(workers(1), 20.0, "No: ", id="a-round-trip-longer-than-a-request"),
        pytest.param(
            workers(1, 0.001, 0.0003),
            0.55,
            "Cannot tell: about 1.30 requests at once with their way to the server and back, but only 0.75 without it",
            id="a-way-that-would-explain-more",
        ),
        pytest.param(lock(0.75), 0.1, "No or hardly: about 1.32 requests are served at once", id="hardly"),
    ],
)
def test_what_a_known_round_trip_lets_one_say(server, round_trip_ms, sentence):
    assert assess(sweep(server), round_trip_ns=round_trip_ms * 1e6).answer.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("last", "noise", "stops", "falls"),
    [
        pytest.param(104.0, 0.0, 2, None, id="a-little-more-is-no-growth"),
        pytest.param(109.0, 0.0, 2, None, id="nearly-a-tenth-more-is-none"),
        pytest.param(110.0, 0.0, None, None, id="more-is-growth"),
        pytest.param(110.0, 0.2, None, None, id="more-is-growth-in-the-table-whatever-the-noise"),
        pytest.param(92.0, 0.0, 2, None, id="a-little-less-is-no-fall"),
        pytest.param(90.0, 0.0, 2, 2, id="less-is-a-fall"),
        pytest.param(90.0, 0.2, 2, None, id="less-within-noise-is-none"),
    ],
)
def test_growth_is_what_the_table_shows_and_a_fall_is_more_than_noise(last, noise, stops, falls):
    slices = tuple(1 + noise * sign for sign in (1, -1) * 6)
    rates = {1: 50.0, 2: 100.0, 4: last}
    points = [LevelPoint(n, rate, n / rate * 1e9, tuple(rate * share for share in slices)) for n, rate in rates.items()]
    scaling = assess(points)

    assert (scaling.stops_growing_at, scaling.falls_beyond) == (stops, falls)


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param({"users": 0}, id="no-user"),
        pytest.param({"throughput_rps": -1.0}, id="negative-throughput"),
        pytest.param({"throughput_rps": math.nan}, id="no-number"),
        pytest.param({"mean_latency_ns": math.inf}, id="infinite-latency"),
        pytest.param({"slice_rates_rps": (1.0, -1.0)}, id="negative-slice"),
        pytest.param({"n_failed": -1}, id="negative-failures"),
    ],
)
def test_senseless_figures_are_refused(figures):
    with pytest.raises(ValueError, match="expected"):
        LevelPoint(**{"users": 1, "throughput_rps": 1.0, "mean_latency_ns": 1.0, **figures})


positive = st.floats(1e-6, 1e12)
level_points = st.builds(
    LevelPoint,
    users=st.one_of(st.sampled_from(DOUBLING), st.integers(1, 200)),
    throughput_rps=positive,
    mean_latency_ns=positive,
    slice_rates_rps=st.lists(positive, max_size=4).map(tuple),
    doubt=st.sampled_from(("", "", "", DOUBT)),
    n_failed=st.sampled_from((0, 0, 0, 1, 1000)),
)


def numbers(value):
    """Return all numbers in a nest of dataclasses and tuples."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers(part)]
    if isinstance(value, list | tuple):
        return [number for part in value for number in numbers(part)]
    return [value] if isinstance(value, int | float) else []


@settings(max_examples=scaled(80))
@given(st.lists(level_points, max_size=10))
def test_any_sweep_gives_an_answer_and_no_nonsense(points):
    scaling = assess(points)

    assert all(math.isfinite(number) for number in numbers(dataclasses.asdict(scaling)))
    assert scaling.answer.sentence.endswith(".")
    assert (
        scaling.answer.sentence.split(":")[0]
        in {
            "yes": ("Yes",),
            "no": ("No", "No or hardly", "Hardly"),
            "cannot tell": ("Hardly or yes", "Cannot tell"),
        }[scaling.answer.kind]
    )
    assert assess(points) == scaling


@settings(max_examples=scaled(40))
@given(st.lists(level_points, max_size=8), st.integers(-20, 20))
def test_the_unit_of_rates_does_not_matter(points, exponent):
    # A power of two, so that rounding does not matter either.
    factor = 2.0**exponent
    scaled = assess(
        [
            dataclasses.replace(
                point,
                throughput_rps=point.throughput_rps * factor,
                slice_rates_rps=tuple(rate * factor for rate in point.slice_rates_rps),
            )
            for point in points
        ]
    )
    scaling = assess(points)

    assert [level.speed_up for level in scaled.levels] == [level.speed_up for level in scaling.levels]
    assert (scaled.stops_growing_at, scaled.falls_beyond) == (scaling.stops_growing_at, scaling.falls_beyond)
    assert (scaled.usl is None) is (scaling.usl is None)
    if scaling.usl is not None:
        assert (scaled.usl.sigma, scaled.usl.kappa) == (scaling.usl.sigma, scaling.usl.kappa)
