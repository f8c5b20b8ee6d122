"""When a run whose server answers nobody is given up."""

import os
import re
import signal
import time
from types import SimpleNamespace

import pytest

from tests.support.runs import PROJECT, forked, locust, wait_until
from tests.support.summaries import judge, summarise
from tfsload.analysis import exit_codes
from tfsload.analysis.thresholds import parse
from tfsload.records.recorder import Record
from tfsload.run.results import Results
from tfsload.run.silence import DEFAULT_S, Silence, limit_s
from tfsload.run.vigil import Vigil
from tfsload.settings.settings import Settings, SettingsError
from tfsload.target.launcher import EmbeddedServer
from tfsload.transport.failure import PredictionFailure

SWEEP = ["--sweep", "4", "--level-duration", "60", "--warm-up", "0"]
SENT, ANSWERED, IDLE, BOTH = (True, False), (False, True), (False, False), (True, True)


def pulse(has_sent, has_answered):
    return {"has_sent": has_sent, "has_answered": has_answered}


def seconds(*pulses, every_s=1.0):
    """Return the silence after pulses, one after the other."""
    silence = Silence()
    for number, one in enumerate(pulses):
        silence.take(pulse(*one), 100 + every_s * number)
    return silence.seconds


@pytest.mark.parametrize(
    ("pulses", "silent_s"),
    [
        pytest.param([], 0, id="no-word-yet"),
        pytest.param([SENT] * 31, 30, id="nothing-but-requests"),
        pytest.param([SENT] * 20 + [BOTH] + [SENT] * 11, 10, id="an-answer-begins-it-anew"),
        pytest.param([SENT] * 20 + [ANSWERED], 0, id="an-answer-ends-it"),
        pytest.param([IDLE] * 100, 0, id="a-long-wait-time"),
        pytest.param([SENT] + [IDLE] * 100, 0, id="a-failure-and-a-long-wait-time"),
        pytest.param([SENT, SENT] + [IDLE] * 50 + [SENT, SENT], 4, id="rests-are-left-out"),
        pytest.param([BOTH] * 100, 0, id="slow-answers"),
    ],
)
def test_seconds_without_an_answer_are_those_in_which_requests_are_sent(pulses, silent_s):
    assert seconds(*pulses) == pytest.approx(silent_s)


@pytest.mark.parametrize("n_workers", [1, 2, 10])
def test_the_silence_of_many_workers_is_no_longer_than_that_of_one(n_workers):
    assert seconds(*[SENT] * (30 * n_workers + 1), every_s=1 / n_workers) == pytest.approx(30)


def test_one_worker_that_is_answered_keeps_all_alive():
    assert seconds(*[SENT, SENT, BOTH] * 50, every_s=1 / 3) < 1


def test_workers_that_rest_do_not_lengthen_it():
    assert seconds(*[SENT, IDLE] * 30, every_s=0.5) == pytest.approx(29)


@pytest.mark.parametrize(
    ("probes", "silent_s"),
    [
        pytest.param([1] * 61, 0, id="a-rate-far-too-high-is-a-finding"),
        pytest.param([1] * 20 + [2] * 31, 30, id="the-next-one-is-silent-too"),
        pytest.param([1] * 5 + [None] * 20 + [2] * 11, 10, id="and-the-time-between-them-does-not-count"),
        pytest.param([None] * 11 + [1] * 20, 30, id="it-began-before-any-probe"),
    ],
)
def test_a_search_may_have_one_probe_without_an_answer(probes, silent_s):
    silence = Silence()
    for now_s, probe in enumerate(probes):
        silence.take(pulse(*SENT), now_s, probe)

    assert silence.seconds == pytest.approx(silent_s)


def test_an_answered_probe_forgives_the_next_one():
    silence = Silence()
    for now_s, (probe, one) in enumerate([(1, SENT)] * 20 + [(2, SENT)] * 20 + [(2, BOTH)] + [(3, SENT)] * 60):
        silence.take(pulse(*one), now_s, probe)

    assert silence.seconds == 0


@pytest.mark.parametrize(
    ("options", "has_run_time", "expected_s"),
    [
        pytest.param({}, False, None, id="a-plain-run-without-an-end"),
        pytest.param({}, True, DEFAULT_S, id="run-time"),
        pytest.param({"num_tests": "10"}, False, DEFAULT_S, id="num-tests"),
        pytest.param({"sweep": "1,2"}, False, DEFAULT_S, id="sweep"),
        pytest.param({"rate": "5"}, False, DEFAULT_S, id="rate"),
        pytest.param({"find_max_rate": "50:90", "threshold": "p50 < 1s"}, False, DEFAULT_S, id="search"),
        pytest.param({"num_tests": "10", "deadline": "60"}, False, 120, id="a-long-deadline"),
        pytest.param({"num_tests": "10", "deadline": "60", "give_up_after": "30"}, False, 30, id="as-was-asked"),
        pytest.param({"num_tests": "10", "give_up_after": "0"}, False, None, id="never"),
        pytest.param({"give_up_after": "5"}, False, 5, id="asked-for-without-an-end"),
        pytest.param({"give_up_after": " "}, True, DEFAULT_S, id="blank"),
    ],
)
def test_what_is_given_up_after(options, has_run_time, expected_s):
    assert limit_s(Settings.parse(options, None), has_run_time) == expected_s


@pytest.mark.parametrize("given", ["-1", "nan", "inf", "1e9", "soon", "5s"])
def test_bad_times_are_refused(given):
    with pytest.raises(SettingsError, match=r"--give-up-after .*: expected a number of seconds from 0 to"):
        Settings.parse({"give_up_after": given}, None)


def test_a_run_is_given_up_once():
    vigil, results = Vigil(SimpleNamespace(), give_up_after_s=3), Results()
    looks = []
    for now_s in range(8):
        vigil.take("a", pulse(*SENT), now_s, None)
        looks.append(vigil.is_over(results, None, {"a"}))

    assert looks == [False, False, False, True, False, False, False, False]
    assert results.gave_up_after_s == 3


def record_of(n_failed, n_right=0):
    record = Record()
    for number in range(n_failed + n_right):
        failure = PredictionFailure("DEADLINE_EXCEEDED", "late") if number < n_failed else None
        record.add([1], None if failure else [1], failure, 10**6, 10**18)
    return record


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"n_images_asked": 1000}, id="num-tests"),
        pytest.param({"run_time_s": 60.0, "ran_s": 31.0}, id="run-time"),
        pytest.param({"n_levels_left": 2}, id="levels"),
        pytest.param({"thresholds": parse("failed_rate < 100%")}, id="a-threshold-judges-failures"),
    ],
)
@pytest.mark.parametrize("n_failed", [pytest.param(0, id="none-failed-yet"), pytest.param(8, id="eight-failed")])
def test_a_run_that_is_given_up_has_failed_and_says_so(more, n_failed):
    verdict = judge(summarise(record_of(n_failed, n_right=20), gave_up_after_s=30.0, **more))

    assert verdict.exit_code == exit_codes.FAILED
    assert "requests were sent for 30 s, and none was answered" in verdict.sentences[0]
    assert not any("let it end by itself" in reason for reason in verdict.sentences)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param("UNAVAILABLE", "none was answered; see whether the server still runs", id="gone"),
        pytest.param("INVALID_ARGUMENT", "none had a usable answer (INVALID_ARGUMENT); see", id="refused"),
        pytest.param("BAD_REPLY", "none had a usable answer (BAD_REPLY); see", id="unreadable"),
    ],
)
def test_a_run_that_is_given_up_says_what_came_in_place_of_answers(code, told):
    record = Record()
    record.add([1], None, PredictionFailure(code, "no"), 10**6, 10**18)
    verdict = judge(summarise(record, gave_up_after_s=30.0))

    assert f"requests were sent for 30 s, and {told}" in verdict.sentences[0]
    advice = "the server, or its model, refuses what it is sent; see its words in Locust's table of errors"
    assert any(advice in one for one in verdict.sentences) is (code == "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("load", "n_workers", "number"),
    [
        pytest.param(
            ["--num-tests", "1000", "--deadline", "60"], 0, signal.SIGSTOP, id="num-tests-and-a-long-deadline"
        ),
        pytest.param(["-t", "60s", "--deadline", "1"], 2, signal.SIGKILL, id="run-time-on-workers"),
        pytest.param(SWEEP, 0, signal.SIGSTOP, id="sweep"),
        # Whoever waits for the levels quits as they are left, and leaves the workers time to hand over.
        pytest.param(SWEEP, 2, signal.SIGSTOP, id="sweep-on-workers"),
    ],
)
def test_a_server_that_is_gone_for_good_ends_the_run(tmp_path, load, n_workers, number):
    server = EmbeddedServer.start("mnist", PROJECT / "models" / "mnist")
    users = [] if "--sweep" in load else ["-u", "4", "-r", "4"]
    arguments = ["--host", server.address, *users, *load, "--give-up-after", "3"]
    arguments += forked(n_workers)
    environment = {"TFSLOAD_TEST_WAIT_S": "0.02"}
    try:
        with locust(tmp_path, "--headless", "--only-summary", *arguments, **environment) as process:
            wait_until(process.has_spawned, "users")
            os.kill(server.pid, number)
            ended = process.wait()
            if number == signal.SIGSTOP:
                os.kill(server.pid, signal.SIGKILL)
    finally:
        server.stop()

    assert ended.exit_code == exit_codes.FAILED, ended.stdout + ended.stderr
    assert "requests were sent for 3 s, and none was answered" in ended.stdout
    assert "lost" not in ended.stdout + ended.stderr


def test_a_server_that_is_frozen_until_the_end_fails_a_run_that_so_few_failures_would_pass(tmp_path):
    server = EmbeddedServer.start("mnist", PROJECT / "models" / "mnist")
    arguments = ["--host", server.address, "-u", "2", "-r", "2", "-t", "9s", "--deadline", "1"]
    arguments += ["--threshold", "error_rate < 50%"]
    try:
        with locust(tmp_path, "--headless", "--only-summary", *arguments) as process:
            wait_until(process.has_spawned, "users")
            time.sleep(1)  # in which requests are answered
            os.kill(server.pid, signal.SIGSTOP)
            ended = process.wait()
            os.kill(server.pid, signal.SIGKILL)
    finally:
        server.stop()

    assert ended.exit_code == exit_codes.FAILED, ended.stdout + ended.stderr
    assert re.search(r"the last answer came \d(\.\d)? s or more before the end: requests were sent", ended.stdout)
    assert "error_rate < 50% was crossed" not in ended.stdout
