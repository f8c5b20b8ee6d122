"""What the suite says of a server, against what the server knows of itself: whole runs, held to the truth.

`truth_server.py` is told how it behaves and keeps a log; `locustfiles/truthful.py` writes down each request. Runs
that need little CPU go at the same time. Where a run finds itself invalid, because the machine had no time for it,
it is made again: what must be true is what a valid run says.
"""

import contextlib
import functools
import os
import re
import subprocess
import sys
from collections.abc import Mapping

import grpc
import pytest

from tests.support.channels import open_channel
from tests.support.runs import FULL_SPEED, free_port, locust, run_headless
from tests.support.schedules import take_until
from tests.support.sweep_text import read
from tests.support.truth import (
    NS_PER_S,
    PREDICT,
    Case,
    Run,
    number,
    parse_table,
    percentile_ns,
    run_all,
    run_in_peace,
    truth_server,
)
from tests.support.truth_server import Answers, Service
from tfsload.analysis import exit_codes
from tfsload.analysis.figures import percent
from tfsload.analysis.levels import QUEUE_GROWS
from tfsload.load.arrivals import Schedule
from tfsload.records.window import N_SLICES
from tfsload.settings.settings import Settings

pytestmark = pytest.mark.timing


def schedule_ns(rate: float, arrivals: str, begin_s: float, seconds: float, seed: int = 1) -> list[int]:
    """Return the arrivals of a first level that fall in its window, in ns from the beginning of its warm-up."""
    schedule = Schedule(rate, arrivals, seed, level=1)
    begin_ns = int(begin_s * NS_PER_S)
    end_ns = begin_ns + int(seconds * NS_PER_S) // N_SLICES * N_SLICES
    return [offset_ns for offset_ns in take_until(schedule, end_ns - 1) if offset_ns >= begin_ns]


# The server itself


@pytest.mark.parametrize(
    ("script", "arrivals_ms", "done_ms"),
    [
        pytest.param({}, [1, 1], [1, 1], id="at-once"),
        pytest.param({"service_ms": 10}, [0, 1, 2], [10, 11, 12], id="no-limit"),
        pytest.param({"service_ms": 10, "workers": 1}, [0, 1, 30], [10, 20, 40], id="one-worker"),
        pytest.param({"service_ms": 10, "workers": 2}, [0, 1, 2, 3, 4], [10, 11, 20, 21, 30], id="two-workers"),
        pytest.param({"service_ms": 10, "lock_share": 0.5}, [0, 0, 0, 20], [10, 15, 20, 30], id="half-locked"),
    ],
)
def test_requests_are_done_when_the_queue_says(script, arrivals_ms, done_ms):
    service = Service(**script)

    assert [service.done_ns(round(arrival * 1e6)) / 1e6 for arrival in arrivals_ms] == done_ms


def test_requests_scatter_about_their_time():
    service = Service(service_ms=10, scatter=0.1)
    done_ms = [service.done_ns(0, crc) / 1e6 for crc in range(10_010)]

    assert min(done_ms) == 9
    assert max(done_ms) == 11
    assert sum(done_ms) / len(done_ms) == pytest.approx(10)


def test_scores_are_the_messages_own():
    honest, of_another_class, of_other_values = (
        Answers("class").scores(123, False),
        Answers("class").scores(123, True),
        Answers("values").scores(123, True),
    )
    answered = honest.index(max(honest))

    assert honest == Answers("values").scores(123, False)
    assert of_another_class.index(max(of_another_class)) != answered
    assert of_other_values.index(max(of_other_values)) == answered
    assert of_other_values != honest
    assert len({tuple(Answers().scores(crc, False)) for crc in range(0, 2**32, 99_999_999)}) == 43


@pytest.mark.parametrize("transport", ["native", "grpcio"])
def test_the_server_logs_each_request_and_swaps_by_its_rule(tmp_path, transport):
    messages = [bytes([number]) * 5000 for number in range(30)]
    with truth_server(tmp_path, service_ms=20, workers=10, swap=[8, "class"]) as server:
        channel = open_channel(Settings.parse({"transport": transport}, server.address).connection)
        predict = channel.unary_unary(PREDICT)
        alone = [predict(message, timeout=20) for message in messages[:2]]
        together = [call.result(timeout=20) for call in [predict.future(message, timeout=20) for message in messages]]
        with pytest.raises(grpc.RpcError) as unknown:
            channel.unary_unary("/no/Such")(b"", timeout=20)
        channel.close()
        served = server.end()

    assert unknown.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert [one.is_swapped for one in served] == [one.in_flight >= 8 for one in served]
    assert sum(one.is_swapped for one in served) >= 30 - 7 - 10
    assert len(served) == 32
    assert [one.in_flight for one in served[:2]] == [1, 1]
    assert all(together[number] == alone[number] for number in range(2))
    assert all(one.departure_ns >= one.arrival_ns + 20e6 for one in served)
    # Ten are served at a time: the third lot begins when the second is done.
    assert served[-1].departure_ns >= served[2].arrival_ns + 60e6


def test_a_frozen_server_answers_later(tmp_path):
    with truth_server(tmp_path, freeze=[2, 0.5]) as server:
        channel = open_channel(Settings.parse({}, server.address).connection)
        predict = channel.unary_unary(PREDICT)
        for message in (b"before", b"in it", b"after"):
            predict(message, timeout=20)
        channel.close()
        served = server.end()

    stayed_s = [(one.departure_ns - one.arrival_ns) / NS_PER_S for one in served]
    assert stayed_s[1] >= 0.5
    assert stayed_s[0] < 0.5 > stayed_s[2]


# 1. Does it run in parallel?

# What requests take by the script. The server's timers are late by some tenths of a millisecond, in which requests
# overlap as well: what is true of a run is what the server logged of it.
SERVICE_MS = 10
# A figure in the table has three digits.
ROUNDING = 0.005
# How far the suite's way to the server may be from what the server logged of it, and its best throughput from the
# script's: the parallelism is made of the two.
WAY_OFF_MS = 0.5
BEST_OFF = 0.02
PARALLELISM_OFF = BEST_OFF + WAY_OFF_MS / SERVICE_MS
SWEEPS = {1: "1,2,4,8", 2: "1,2,4,8", 4: "1,2,4,8,16", 8: "1,4,8,16,32"}
LOCK_SHARES = (0.2, 0.5)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Return a function from a number of workers, or a lock's share, to the run that was made on such a server.

    One at a time: on one machine, they would measure one another.
    """
    level = ("--level-duration", "1.8", "--warm-up", "0.4")
    cases = {}
    for workers, users in SWEEPS.items():
        # Requests that all take the same time are answered in batches of k, and one more or less is seen.
        server = {"service_ms": SERVICE_MS, "workers": workers, "scatter": 0.1}
        cases[workers] = Case(server, ("--sweep", users, *level), most_delay_ms=3)
    for share in LOCK_SHARES:
        server = {"service_ms": SERVICE_MS, "lock_share": share}
        cases[share] = Case(server, ("--sweep", "1,2,4,8,16", *level), most_delay_ms=3)

    @functools.cache
    def run_of(name):
        return run_in_peace(tmp_path_factory.mktemp("sweep"), {name: cases[name]})[name]

    return run_of


@pytest.mark.parametrize("workers", SWEEPS)
def test_a_server_with_k_workers_runs_k_requests_in_parallel(sweep, workers):
    run = sweep(workers)
    parallelism, alone_ms, way_ms = map(
        float,
        re.search(
            r"^parallelism  ([\d.]+) \(.*\): that throughput × \(([\d.]+) ms alone − ([\d.]+) ms on",
            run.text,
            re.MULTILINE,
        ).groups(),
    )
    alone_ns = [request.latency_ns for request in run.counted(1)]
    stay_ms = run.mean_stay_ms(1)

    assert run.ended.exit_code == exit_codes.PASS, run.text
    assert alone_ms == pytest.approx(sum(alone_ns) / len(alone_ns) / 1e6, rel=ROUNDING)
    assert way_ms == pytest.approx(alone_ms - stay_ms, abs=WAY_OFF_MS)
    best = max(number(row["req/s"]) for row in run.table)
    assert best == pytest.approx(workers / SERVICE_MS * 1e3, rel=BEST_OFF)
    # Which is that of the best level, where the parallelism takes the mean of those that come near.
    assert parallelism == pytest.approx(best * (alone_ms - way_ms) / 1e3, rel=2 * BEST_OFF)
    assert parallelism == pytest.approx(workers * stay_ms / SERVICE_MS, rel=PARALLELISM_OFF)


@pytest.mark.parametrize(
    ("workers", "head", "growth"),
    [
        pytest.param(1, "No: requests are served one at a time, about", "(not grow|hardly grows|at 2 users)", id="1"),
        pytest.param(2, "Yes: about", "stops growing at [24] users", id="2"),
        pytest.param(4, "Yes: about", "stops growing at (4|8) users", id="4"),
        pytest.param(8, "Yes: about", "stops growing at (8|16) users", id="8"),
    ],
)
def test_the_answer_is_the_truth(sweep, workers, head, growth):
    run = sweep(workers)
    found = re.search(rf"^{head} ([\d.]+) .*\(([\d.]+) to ([\d.]+)\)\..*{growth}", run.text, re.MULTILINE)

    assert found, run.text
    value, low, high = map(number, found.groups()[:3])
    truth = workers * run.mean_stay_ms(1) / SERVICE_MS
    assert low <= truth <= high
    assert value == pytest.approx(truth, rel=PARALLELISM_OFF)


@pytest.mark.parametrize("share", LOCK_SHARES)
def test_a_lock_is_found_by_the_share_of_time_for_which_it_is_held(sweep, share):
    run = sweep(share)
    sigma, low, high = map(float, re.search(r"contention σ ([\d.]+) \(([\d.]+) to ([\d.]+)\)", run.text).groups())
    truth = share * SERVICE_MS / run.mean_stay_ms(1)

    assert run.ended.exit_code == exit_codes.PASS, run.text
    assert low <= truth <= high
    assert sigma == pytest.approx(truth, rel=0.06)


def test_levels_in_which_requests_are_refused_are_neither_fitted_nor_best(tmp_path):
    # From the fifth in flight on, requests are refused at once, again and again, thousands of times a second.
    level = ("--level-duration", "1.8", "--warm-up", "0.4")
    with truth_server(tmp_path, service_ms=10, workers=2, scatter=0.1, refuse=5) as truth:
        run = run_headless(tmp_path, "--host", truth.address, "--sweep", "1,2,4,6", *level, **FULL_SPEED)
    said = read(run.stdout)
    last = parse_table(run.stdout)[-1]

    assert run.exit_code == exit_codes.FAILED
    assert number(last["failed"]) > 100
    assert number(last["req/s"]) < 250  # two workers answer 200
    assert re.search(r"^not used     6 users \(.*\) had requests without an answer", run.stdout, re.MULTILINE)
    assert 6 not in said.best_users
    # Where the machine had no time for the lone user there is nothing to compare with.
    assert 6 in said.left_out or "level with 1 user cannot be trusted" in said.sentence


# Runs of a few seconds that need little CPU, all at the same time, for 2. and 6. to 9.

FREEZE_S = 2.0
CAPPED = {"rate": 100, "arrivals": "poisson", "begin_s": 0.3, "seconds": 2}
SHARED = {"rate": 150, "arrivals": "poisson", "begin_s": 0.3, "seconds": 2}


def rate_arguments(load: Mapping) -> tuple[str, ...]:
    return (
        "--rate", str(load["rate"]), "--arrivals", load["arrivals"],
        "--warm-up", str(load["begin_s"]), "--level-duration", str(load["seconds"]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    level = ("--level-duration", "2", "--warm-up", "0.3")
    standing_open = ("--rate", "100", "--arrivals", "constant", "--level-duration", "10", "--warm-up", "0")
    standing_closed = ("--sweep", "1", "--level-duration", "6", "--warm-up", "0")
    two_users = ("--sweep", "2", *level)
    port = str(free_port())
    ports = ("--master-bind-port", port, "--master-port", port)
    cases = {
        "standstill, open": Case({"service_ms": 1, "freeze": [300, FREEZE_S]}, standing_open, False),
        # A lone user sends up to 200 in the second before the level begins.
        "standstill, closed": Case({"service_ms": 5, "freeze": [350, FREEZE_S]}, standing_closed, False),
        "idle": Case({"service_ms": 100, "workers": 2}, ("--sweep", "4", "--level-duration", "4", "--warm-up", "0.5")),
        "two closed": Case({"service_ms": 20, "workers": 4}, ("--sweep", "4,12", *level)),
        # Whoever comes in the warm-up waits for most of it.
        "two open": Case({"service_ms": 50, "freeze": [1, 0.25]}, ("--rate", "60,120", *level)),
        "shared": Case({"service_ms": 50}, ("--processes", "2", *ports, *rate_arguments(SHARED))),
        "crossed": Case({"service_ms": 10}, (*two_users, "--threshold", "p90 < 5ms")),
        "held": Case({"service_ms": 10}, (*two_users, "--threshold", "p90 < 1s; failed_rate < 1%; rate > 20")),
        # A thousandth and more of arrivals dropped say nothing of how long they would have taken.
        "capped": Case(
            {"service_ms": 50}, ("-u", "2", *rate_arguments(CAPPED), "--threshold", "dropped_rate < 1%"), False
        ),
        "too few": Case({"service_ms": 10}, (*two_users, "--threshold", "p99 < 1s"), False),
    }
    return run_in_peace(tmp_path_factory.mktemp("quick"), cases)


# 2. A server that stands still


def test_open_load_sees_a_standstill_as_all_who_come_meanwhile(quick):
    run = quick["standstill, open"]
    latencies_ns = [request.latency_ns for request in run.counted(1)]
    (row,) = run.table
    observed_s = {percentile: percentile_ns(latencies_ns, percentile) / 1e9 for percentile in (50, 90, 99)}

    # A fifth of the time nobody was answered, and who came then waited for 0 to 2 s.
    counted = run.rows[0]
    assert len(latencies_ns) == counted["requests"]
    # The last one is due 10 ms before the end; on a slow machine it ends behind it, and is told apart.
    begin_ns, end_ns = run.windows[0][1]
    crossing = [request for request in run.heard if begin_ns <= request.due_ns < end_ns <= request.done_ns]
    assert len(crossing) <= 2
    assert (counted["offered"], counted["requests"]) == (1000, 1000 - len(crossing))
    assert counted["straddling"] == len(crossing)
    assert observed_s[90] == pytest.approx(1.0, abs=0.1)
    assert observed_s[99] == pytest.approx(1.9, abs=0.1)
    # The table's are upper ends: the plain ones are not above them, but for the rounding to three digits.
    assert number(row["p90 ms"]) / 1e3 >= observed_s[90] * (1 - ROUNDING)
    assert number(row["p99 ms"]) / 1e3 >= observed_s[99] * (1 - ROUNDING)
    assert number(row["p50 ms"]) / 1e3 < 0.1


def test_closed_load_hides_a_standstill(quick):
    run = quick["standstill, closed"]
    latencies_ns = [request.latency_ns for request in run.counted(1)]
    slow = [latency_ns for latency_ns in latencies_ns if latency_ns >= FREEZE_S * 0.9e9]

    assert len(slow) == 1
    assert percentile_ns(latencies_ns, 90) < 0.1e9
    assert number(run.table[0]["max ms"]) / 1e3 >= FREEZE_S * (1 - ROUNDING)


# 3. Answers that are not one's own

FIRST_SWAPPED = 8


@pytest.fixture(scope="module")
def swaps(tmp_path_factory):
    # A lone user's first requests take longer than later ones.
    level = ("--verify", "1000", "--warm-up", "0.4", "--level-duration", "1.2")
    limit = ("--threshold", "mismatched_rate <= 0%")
    cases = {
        how: Case({"service_ms": 2, "workers": 2, "swap": [FIRST_SWAPPED, how]}, ("--sweep", "1,8,32", *level, *limit))
        for how in ("class", "values")
    }
    few = Case({"service_ms": 2, "workers": 2, "swap": [FIRST_SWAPPED, "class"]}, ("--sweep", "1", *level, *limit))
    return run_in_peace(tmp_path_factory.mktemp("swaps"), {**cases, "few": few})


def test_no_answer_is_swapped_and_none_mismatches(swaps):
    run = swaps["few"]

    assert sum(one.is_swapped for one in run.served) == 0
    assert run.ended.exit_code == exit_codes.PASS, run.text
    assert re.search(r"mismatched +0% \(0\)", run.text)
    assert re.search(r"^✓ mismatched_rate <= 0%  ", run.text, re.MULTILINE)


@pytest.mark.parametrize("how", ["class", "values"])
def test_as_many_answers_mismatch_as_were_swapped(swaps, how):
    run = swaps[how]
    swapped = dict.fromkeys((1, 2, 3), 0)
    for heard, served in run.pairs():
        if heard.level in swapped:
            swapped[heard.level] += served.is_swapped
    printed = [number(row["mismatched"]) for row in run.table]

    assert printed == list(swapped.values())
    assert printed[0] == 0
    assert min(printed[1:]) > 0
    total = int(re.search(r"mismatched +[\d.]+% \(([\d,]+)\)", run.text)[1].replace(",", ""))
    assert total == sum(printed)
    # By the server's log alone: those between are of requests that lie across an edge.
    for level, users in ((2, 8), (3, 32)):
        begin_ns, end_ns = run.window(level)
        inside = sum(
            one.is_swapped for one in run.served if begin_ns <= one.arrival_ns and one.departure_ns
            and one.departure_ns < end_ns
        )  # fmt: skip
        assert 0 <= inside - printed[level - 1] <= 2 * users
    assert run.ended.exit_code == exit_codes.THRESHOLD, run.text
    assert "mismatched_rate <= 0% was crossed at 32 users" in run.text


# 4. The highest rate that holds

CAPACITY_RPS = 400
LIMITS = ("p90 < 75ms", "p90 < 100ms")


@pytest.fixture(scope="module")
def searches(tmp_path_factory):
    search = ("--find-max-rate", "50:2000", "--arrivals", "constant", "--level-duration", "3", "--warm-up", "0.2")
    server = {"service_ms": 40, "workers": 16}
    # At its capacity a server never makes good what it is late by.
    cases = {limit: Case(server, (*search, "--threshold", limit), most_delay_ms=15) for limit in LIMITS}
    return run_in_peace(tmp_path_factory.mktemp("searches"), cases)


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param("p90 < 75ms", id="a-little-above-the-service"),
        pytest.param("p90 < 100ms", id="well-above-the-service"),
    ],
)
def test_the_search_finds_the_capacity(searches, limit):
    run = searches[limit]
    found = re.search(
        r"The highest rate that holds: ([\d,.]+) requests/s \(the next one tried, ([\d,.]+), (.*)\)", run.text
    )

    assert found, run.text
    assert number(found[1]) == pytest.approx(CAPACITY_RPS, rel=0.05)
    assert number(found[2]) > number(found[1])
    assert limit in found[3] or QUEUE_GROWS in found[3]
    assert len(run.table) <= 12
    assert run.ended.exit_code == exit_codes.PASS, run.text


# 5. Who is the bottleneck?


@pytest.mark.parametrize(
    ("load", "cause"),
    [
        pytest.param(("--sweep", "8"), "8 users: the load generator was the bottleneck: it kept", id="closed"),
        pytest.param(("--rate", "400"), "400 requests/s: the load generator sent late: 1 request in 100", id="open"),
    ],
)
def test_a_busy_generator_makes_a_run_invalid(tmp_path, load, cause):
    case = Case({}, (*load, "--level-duration", "1", "--warm-up", "0"))
    run = run_all(tmp_path, {"busy": case}, TFSLOAD_TEST_TRUTH_BURN_MS="5")["busy"]

    assert run.ended.exit_code == exit_codes.INVALID
    # On a machine that has not even a CPU for it, that is the cause.
    assert cause in run.text or "kept the load generator off its CPU" in run.text


_BURN = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be tied to a CPU here")
def test_a_generator_that_others_keep_off_its_cpu_makes_a_run_invalid(tmp_path):
    cpu = min(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            burning = subprocess.Popen([sys.executable, "-c", _BURN])
            stack.callback(lambda burning=burning: (burning.kill(), burning.wait(20)))
            os.sched_setaffinity(burning.pid, {cpu})
        server = stack.enter_context(truth_server(tmp_path / "server", service_ms=1))
        # Without the locustfile of the other tests, which takes precedence over all others.
        arguments = ("--headless", "--only-summary", "--host", server.address, "--sweep", "4", "--level-duration", "2")
        process = stack.enter_context(locust(tmp_path / "run", *arguments, "--warm-up", "0.5", **FULL_SPEED))
        os.sched_setaffinity(process.pid, {cpu})
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert "other programs kept the load generator off its CPU" in ended.stdout


# 6. to 9. What is counted where, and what is held against it


def test_an_idle_generator_before_a_slow_server_is_valid(quick):
    assert quick["idle"].ended.exit_code == exit_codes.PASS, quick["idle"].text
    assert number(quick["idle"].table[0]["req/s"]) == pytest.approx(20, rel=0.05)


@pytest.mark.parametrize("load", ["two closed", "two open"])
def test_a_row_holds_what_began_and_ended_in_its_level(quick, load):
    run = quick[load]
    seen = run.pairs()

    assert run.ended.exit_code == exit_codes.PASS, run.text
    assert all(heard.due_ns <= one.arrival_ns <= one.departure_ns <= heard.done_ns for heard, one in seen)
    for level, (printed, row) in enumerate(zip(run.table, run.rows, strict=True), 1):
        begin_ns, end_ns = run.window(level)
        whole = [heard for heard in run.heard if begin_ns <= heard.due_ns and heard.done_ns < end_ns]
        assert run.counted(level) == whole
        assert row["requests"] == len(whole)
        # By the server's log alone: those between are of requests that were due, or there, outside of the window.
        inside = [
            one for one in run.served if begin_ns <= one.arrival_ns and one.departure_ns and one.departure_ns < end_ns
        ]
        assert 0 <= len(inside) - row["requests"] <= 2 * max(one.in_flight for one in run.served)
        assert number(printed["max ms"]) == pytest.approx(max(heard.latency_ns for heard in whole) / 1e6, rel=ROUNDING)
        answered = sum(begin_ns <= heard.done_ns < end_ns for heard in run.heard)
        assert number(printed["req/s"]) == pytest.approx(answered / 2, rel=ROUNDING)


@pytest.mark.parametrize("load", ["two closed", "two open"])
def test_requests_across_an_edge_are_counted_apart(quick, load):
    run = quick[load]
    n_cut_off = len(run.served) - len(run.heard)
    for level, printed in enumerate(run.table, 1):
        begin_ns, end_ns = run.window(level)
        across = [
            heard for heard in run.heard if heard.due_ns < end_ns and heard.done_ns >= begin_ns and heard.level != level
        ]
        # After the last level users are stopped in the middle of requests that nobody hears of.
        unheard = number(printed["straddling"]) - len(across)
        assert 0 <= unheard <= (n_cut_off if level == len(run.table) else 0)
    uncounted = re.search(r"not counted +([\d,]+) requests", run.text)
    assert int(uncounted[1].replace(",", "")) == sum(heard.level == -1 for heard in run.heard)


def test_the_warm_up_of_open_load_keeps_its_latencies_to_itself(quick):
    run = quick["two open"]
    (begin_ns, _), first_ns = run.window(1), min(heard.due_ns for heard in run.heard)
    slow = [heard for heard in run.heard if heard.latency_ns > 0.2e9]

    assert slow
    assert {heard.level for heard in slow} == {-1}
    assert first_ns < begin_ns


def offsets_ns(run: Run, load: Mapping) -> list[int]:
    """Return when the requests that were sent in the first level's window were due, from its warm-up's beginning."""
    offsets = []
    for heard in run.heard:
        begin_ns, end_ns = run.windows[heard.process][1]
        if begin_ns <= heard.due_ns < end_ns:
            offsets.append(heard.due_ns - begin_ns + int(load["begin_s"] * NS_PER_S))
    return sorted(offsets)


def test_arrivals_without_a_free_user_are_dropped_and_counted(quick):
    run = quick["capped"]
    (row,), (printed,) = run.rows, run.table
    expected, sent = schedule_ns(**CAPPED), offsets_ns(run, CAPPED)

    assert row["offered"] == len(expected)
    assert row["sent"] == len(sent)
    assert row["sent"] + row["dropped"] == row["offered"]
    assert set(sent) < set(expected)
    # Two users and 50 ms of service: fewer than 40 a second.
    assert 80 >= row["sent"] > 40
    assert (number(printed["offered"]), number(printed["dropped"])) == (row["offered"], row["dropped"])
    share = percent(row["dropped"] / row["offered"])
    assert f"dropped_rate < 1% was crossed at 100 requests/s: {share}\n" in run.text
    assert run.ended.exit_code == exit_codes.INVALID, run.text


def test_two_processes_offer_one_schedule(quick):
    run = quick["shared"]
    (row,), (printed,) = run.rows, run.table
    expected = schedule_ns(**SHARED)

    assert run.ended.exit_code == exit_codes.PASS, run.text
    assert len(run.windows) == 2
    assert row["offered"] == row["sent"] == len(expected)
    assert printed["dropped"] == "0"
    assert offsets_ns(run, SHARED) == expected
    assert row["requests"] == len(run.counted(1))


@pytest.mark.parametrize(
    ("run", "exit_code", "said"),
    [
        pytest.param(
            "crossed", exit_codes.THRESHOLD, r"p90 < 5 ms was crossed at 2 users: up to \d+\.\d+ ms", id="crossed"
        ),
        pytest.param("held", exit_codes.PASS, r"✓ .*1 s .*\n✓ failed_rate < 1% .*\n✓ rate > 20/s ", id="held"),
        pytest.param(
            "too few",
            exit_codes.INVALID,
            r"p99 < 1 s at 2 users cannot be judged: [2-6]\d\d samples do not carry it, 662 would",
            id="too-few",
        ),
    ],
)
def test_thresholds_decide_the_exit_code(quick, run, exit_code, said):
    assert quick[run].ended.exit_code == exit_code, quick[run].text
    assert re.search(said, quick[run].text), quick[run].text
