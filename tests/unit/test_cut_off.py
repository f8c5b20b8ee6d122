"""What a run without levels is told by that was stopped while its server hung: its rate, its limits, its verdict."""

import dataclasses

import pytest

from tests.support.golden import result_of, text_of
from tests.support.past_runs import MS, SECOND, UNIX_OFFSET_NS, PastRun
from tests.support.standing_server import BEGIN_NS, NEVER, Server, ran
from tfsload.analysis import exit_codes
from tfsload.run.result_making import course_of, make_result

LASTS_S = 15.0


def hung(from_s=1.7, n_users=32, threshold="", lasts_s=LASTS_S, n_images=None, deadline_s=60.0, to_s=NEVER, **server):
    """Return a run whose server answers nobody for a time, by default until the run is stopped."""
    options = {"threshold": threshold, "deadline": f"{deadline_s:g}"} if threshold else {"deadline": f"{deadline_s:g}"}
    if n_images is not None:
        options["num_tests"] = str(n_images)
    past = PastRun(options)
    past.results.begun_unix_s = (UNIX_OFFSET_NS + BEGIN_NS) / SECOND
    Server(past, [(from_s, to_s)], deadline_s=deadline_s, **server).serve(n_users, lasts_s, n_images=n_images)
    past.run_time = ran(lasts_s)
    past.results.ended_unix_s = past.results.begun_unix_s + lasts_s
    return past.end()


@pytest.mark.parametrize(
    ("from_s", "n_answered"),
    [pytest.param(1.7, 2720, id="early"), pytest.param(7.5, 12_000, id="half-way")],
)
def test_a_rate_is_that_of_the_time_until_users_were_stopped(from_s, n_answered):
    totals = result_of(hung(from_s)).totals

    assert totals.requests == pytest.approx(n_answered, rel=0.02)
    assert totals.duration_s == pytest.approx(LASTS_S, rel=0.01)
    assert totals.requests_per_s == pytest.approx(n_answered / LASTS_S, rel=0.02)


@pytest.mark.parametrize("metric", ["rate", "right_rate[1s]"])
def test_a_rate_that_the_server_had_before_it_hung_is_not_held(metric):
    held = result_of(hung(threshold=f"{metric} > 1000/s")).thresholds[0]

    assert held.holds is False


def test_images_that_were_all_fired_end_with_the_last_answer():
    """What a process takes to end a run that has nothing left to do is none of the server's time."""
    past = hung(from_s=NEVER, n_images=1000, lasts_s=NEVER, n_users=4)
    past.results.ended_unix_s = past.results.begun_unix_s + 60

    assert result_of(past).totals.duration_s == pytest.approx(5, rel=0.01)


def test_images_that_were_not_all_fired_end_with_the_run():
    past = hung(n_users=4)
    past = dataclasses.replace(past, options={**past.options, "num_tests": "1000"})

    assert result_of(past).totals.duration_s == pytest.approx(LASTS_S, rel=0.01)


@pytest.mark.parametrize(
    ("told_s", "rate_rps"),
    [pytest.param({"one": 10.0, "other": 8.0}, 400, id="as-far-as-all-have-told"), pytest.param({}, 1600, id="nobody")],
)
def test_the_rate_of_a_run_under_way_falls_while_its_server_hangs(told_s, rate_rps):
    past = PastRun({"deadline": "60"})
    Server(past, [(2.0, NEVER)], deadline_s=60.0).serve(32, 1.99)
    past.end()
    record = past.results.records[0]
    record.waited, record.cut_off, record.seconds.until_ns = None, 0, 0  # no user was stopped yet
    past.results.told_until_unix_ns = {
        worker: UNIX_OFFSET_NS + BEGIN_NS + int(at_s * SECOND) for worker, at_s in told_s.items()
    }

    result = make_result(past.results, past.checked, course_of(past.results, past.checked), is_under_way=True)

    assert result.totals.requests_per_s == pytest.approx(rate_rps, rel=0.02)


@pytest.mark.parametrize(
    ("text", "given", "holds"),
    [
        pytest.param("p99 < 100ms", {}, None, id="of-more-than-a-hundredth-in-one-half-second"),
        pytest.param("p99 < 100ms", {"n_users": 4, "from_s": 11.0}, True, id="of-less-than-the-percentile-leaves-out"),
        pytest.param("p99 < 100ms", {"lasts_s": 3.0}, False, id="of-a-run-too-short-to-tell-stalls"),
        pytest.param("p99 < 30s", {}, True, id="waited-for-less-than-the-limit"),
        pytest.param("mean < 50ms", {}, None, id="a-mean"),
        pytest.param("mean < 30s", {}, True, id="a-mean-above-all-waits"),
        pytest.param("max < 1s", {"n_users": 1}, False, id="the-maximum"),
        pytest.param("max < 30s", {}, True, id="the-maximum-above-all-waits"),
        pytest.param("p99 < 100ms", {"from_s": NEVER}, True, id="in-flight-as-ever"),
    ],
)
def test_a_request_that_was_cut_off_is_as_slow_as_it_had_waited(text, given, holds):
    held = result_of(hung(threshold=text, **given)).thresholds[0]

    assert held.holds is holds, held


@pytest.mark.parametrize(
    ("code", "n_beyond", "n_told"),
    [
        pytest.param("", 0, 20, id="answers-alone"),
        pytest.param("", 15, 35, id="cut-off-beyond-the-limit"),
        pytest.param("UNAVAILABLE", 0, 20, id="without-an-answer"),
    ],
)
def test_of_how_many_samples_a_percentile_is_is_told_with_those_that_were_cut_off(code, n_beyond, n_told):
    past = PastRun({"threshold": "p99.9 < 100ms"})
    for n in range(20):
        past.fire(n, BEGIN_NS + n * MS, MS, code=code if n < 5 else "")
    for _ in range(n_beyond):
        past.recorder.count_cut_off(BEGIN_NS, BEGIN_NS, BEGIN_NS + SECOND, None)
    held = result_of(past.end()).thresholds[0]

    assert held.value is None
    assert held.why_unknown.startswith(f"{n_told} samples do not carry it")


@pytest.mark.parametrize(
    ("given", "lasted"),
    [
        pytest.param({}, "13 s or more", id="most-of-it"),
        pytest.param({"n_users": 1, "lasts_s": 60.0, "from_s": 30.0}, "30 s or more", id="a-lone-user"),
        pytest.param({"from_s": 8.0}, "7 s or more", id="at-the-end"),
    ],
)
def test_a_run_that_ends_in_a_silence_supports_no_verdict(given, lasted):
    verdict = result_of(hung(**given)).judged
    n = given.get("n_users", 32)
    waited = "1 request that waited was" if n == 1 else f"{n} requests that waited were"

    assert verdict.exit_code == exit_codes.INVALID
    assert verdict.sentences == (
        f"the last answer came {lasted} before the end, and {waited} stopped: what they would have come to is not "
        "known; see whether the server still runs, and its log; let it last longer than the --deadline, "
        "or pass a shorter one",
    )


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"from_s": NEVER}, id="no-silence"),
        pytest.param({"from_s": 11.0}, id="a-short-one"),
        pytest.param({"to_s": 9.0}, id="one-that-ended"),
        pytest.param({"from_s": NEVER, "latency_s": 8.0, "n_users": 4, "lasts_s": 60.0}, id="slow-answers"),
    ],
)
def test_other_runs_are_told_of_none(given):
    assert not [one for one in result_of(hung(**given)).judged.sentences if "last answer" in one]


def test_for_how_long_they_had_waited_is_told():
    text = " ".join(text_of(hung()).split())

    assert (
        "(32 more were in flight when their users were stopped, up to 13 s after they were sent, and not counted)"
        in text
    )


def test_a_run_of_which_nothing_was_answered_says_that_requests_were_sent():
    verdict = result_of(hung(from_s=0.0)).judged

    assert verdict.exit_code == exit_codes.INVALID
    assert "32 requests were sent, and all were in flight when the run was stopped" in verdict.sentences[0]


def test_waits_are_merged_and_sent():
    past = PastRun({"threshold": "max < 1s"})
    past.recorder.count_cut_off(0, 0, 3 * SECOND, None)
    past.recorder.count_cut_off(0, 0, 50 * MS, None)
    past.end()

    assert past.results.records[0].waited.max_ns == 3 * SECOND
    assert past.results.records[0].waited.count == 2


@pytest.mark.parametrize(
    ("n_given_up", "options", "told"),
    [
        pytest.param(0, {}, None, id="none"),
        pytest.param(1, {}, "1 request was given up by user code before an answer came", id="one"),
        pytest.param(153, {}, "153 requests were given up by user code before an answer came", id="many"),
        pytest.param(2, {"sweep": "1"}, "2 requests were given up by user code before an answer came", id="in-levels"),
    ],
)
def test_requests_that_user_code_gives_up_are_told_of_as_that(n_given_up, options, told):
    past = PastRun(options)
    for n in range(100):
        past.fire(n, BEGIN_NS + n * MS, MS)
    for _ in range(n_given_up):
        past.recorder.count_cut_off(BEGIN_NS, BEGIN_NS, BEGIN_NS + 22 * MS, None, given_up=True)
    result = result_of(past.end())
    sentences = [one for one in result.judged.sentences if "user code" in one]

    assert (result.n_given_up, result.totals.cut_off, result.uncounted.cut_off) == (n_given_up, 0, 0)
    assert [one.startswith(told) for one in sentences] == ([True] if told else [])
    assert not told or result.judged.exit_code == exit_codes.INVALID


def test_a_request_that_was_given_up_is_as_slow_as_it_had_waited():
    past = PastRun({"threshold": "max < 10ms"})
    past.fire(0, BEGIN_NS, MS)
    past.recorder.count_cut_off(BEGIN_NS, BEGIN_NS, BEGIN_NS + 22 * MS, None, given_up=True)

    assert result_of(past.end()).thresholds[0].holds is False
