"""What a verdict says of a server that stood still: to the end, in the middle, in a level; and of one that did not."""

import dataclasses

import pytest

from tests.support.golden import result_of
from tests.support.past_runs import PAST_RUNS, SECOND, UNIX_OFFSET_NS, PastRun
from tests.support.standing_server import BEGIN_NS, NEVER, Server, ran
from tfsload.analysis import exit_codes, validity
from tfsload.analysis.judge import judge
from tfsload.analysis.workers import HeldUp
from tfsload.records.level import Level

GATE = "error_rate < 5%; p50 < 250ms"
UNJUDGED = [(7.3, 22.3), (7.3, NEVER), (0.0, 22.3), (0.0, NEVER)]


def run(n_users=4, lasts_s=30.0, wait_s=0.0, n_images=None, limit_s=None, threshold=GATE, **server):
    """Return the verdict on a run without levels, and what of it is about a standstill."""
    deadline_s = server.get("deadline_s", 5.0)
    options = {"threshold": threshold, "deadline": f"{deadline_s:g}"}
    if n_images is not None:
        options["num_tests"] = str(n_images)
    past = PastRun(options)
    past.results.begun_unix_s = (UNIX_OFFSET_NS + BEGIN_NS) / SECOND
    ended_s = Server(past, **server).serve(n_users, NEVER if n_images else lasts_s, wait_s, n_images)
    past.run_time = ran(None if n_images else lasts_s, limit_s) if n_images is None else None
    past.results.ended_unix_s = past.results.begun_unix_s + (ended_s if n_images else lasts_s)
    past.end()
    return told(judge(result_of(past)))


def told(verdict):
    rule = next(rule for rule in verdict.rules if rule.name == validity.GOES_ON)
    return verdict, [one for one in rule.reasons if "last answer" in one], [str(one) for one in verdict.notes]


@pytest.mark.parametrize(
    ("given", "lasted"),
    [
        pytest.param({"frozen": [(7.3, NEVER)]}, "22 s or more", id="three-quarters-of-it"),
        pytest.param({"frozen": [(22.3, NEVER)]}, "7 s or more", id="a-deadline-and-more"),
        pytest.param({"frozen": [(7.3, NEVER)], "wait_s": 1.0}, "22 s or more", id="users-that-wait"),
        pytest.param(
            {"frozen": [(7.3, NEVER)], "n_users": 1, "wait_s": 0.98}, "20.1 s or more", id="1-request-a-second"
        ),
        pytest.param({"frozen": [(4.3, NEVER)], "deadline_s": 20.0}, "25 s or more", id="a-long-deadline"),
        pytest.param({"frozen": [(4.3, NEVER)], "n_images": 868}, "14.2 s or more", id="images-two-rounds"),
    ],
)
def test_a_server_that_answers_nobody_at_the_end_fails_the_run(given, lasted):
    verdict, reasons, notes = run(**given)

    assert verdict.exit_code == exit_codes.FAILED
    assert reasons == [
        f"the last answer came {lasted} before the end: requests were sent, and none was answered; see whether the "
        "server still runs, and its log"
    ]
    assert not any("answer came" in note for note in notes)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="all-is-well"),
        pytest.param({"frozen": [(26.3, NEVER)]}, id="less-than-a-deadline"),
        pytest.param({"n_users": 1, "latency_s": 4.9}, id="slow-answers"),
        pytest.param({"n_users": 1, "wait_s": 8.0}, id="users-that-wait-longer-than-a-deadline"),
        pytest.param({"n_users": 1, "wait_s": 8.0, "lost": [3], "threshold": "error_rate < 60%"}, id="one-of-few"),
        pytest.param(
            {"n_users": 1, "wait_s": 9.0, "lasts_s": 270.0, "deadline_s": 1.0, "lost": [28, 29]}
            | {"threshold": "error_rate < 20%"},
            id="the-last-two-of-few",
        ),
        pytest.param({"n_users": 1, "lost": [200]}, id="one-lost-of-a-lone-user"),
        pytest.param({"n_users": 1, "lost": [1240]}, id="the-last-but-one-is-lost"),
        pytest.param({"lost": [1000, 1001, 1002, 1003]}, id="all-in-flight-are-lost-at-once"),
        pytest.param({"n_images": 1000, "lost": [1000]}, id="the-last-image-is-lost"),
        pytest.param({"n_images": 1000, "lost": range(997, 1001)}, id="the-last-of-all-users-are-lost"),
        pytest.param({"lasts_s": 600.0, "wait_s": 1.0, "lost": range(0, 2400, 40)}, id="lost-now-and-then"),
        pytest.param(
            {"n_users": 1, "lasts_s": 300.0, "lost": [n for n in range(99) if n % 3 != 1], "latency_s": 4.0,
             "threshold": "error_rate < 90%"},
            id="a-server-too-slow-for-the-deadline",
        ),
    ],
)  # fmt: skip
def test_an_honest_run_is_not_told_of_a_standstill(given):
    verdict, reasons, notes = run(**given)

    assert not reasons
    assert not any("nothing was answered" in note or "last answer" in note for note in notes)
    assert verdict.exit_code == exit_codes.PASS or "samples" in verdict.sentences[0], verdict.sentences


@pytest.mark.parametrize("n_users", [pytest.param(1, id="a-lone-user"), pytest.param(4, id="four-users")])
@pytest.mark.parametrize(
    "before_s", [pytest.param(0.1, id="at-the-end"), pytest.param(2, id="near-it"), pytest.param(345, id="in-mid-run")]
)
@pytest.mark.parametrize("of_deadline", [0.3, 0.4, 0.5, 0.6])
def test_what_a_slow_server_loses_once_is_no_standstill(of_deadline, before_s, n_users):
    """All in flight get no answer, and those that follow take their time, or are cut off by the end."""
    latency_s = 5 * of_deadline
    first = 1 + n_users * int((600 - 5 - before_s) / latency_s)
    lost = range(first, first + n_users)
    _, reasons, notes = run(n_users, 600.0, latency_s=latency_s, lost=lost, threshold="error_rate < 5%")

    assert not reasons
    assert not any("nothing was answered" in note or "last answer" in note for note in notes)


@pytest.mark.parametrize(
    ("given", "lasted"),
    [
        pytest.param({"latency_s": 0.02, "frozen": [(292.5, NEVER)]}, "7 s or more", id="a-fast-one"),
        pytest.param({"latency_s": 2.5, "frozen": [(289.5, NEVER)]}, "12 s or more", id="half-a-deadline"),
        pytest.param({"latency_s": 4.5, "frozen": [(285.5, NEVER)]}, "16 s or more", id="near-the-deadline"),
    ],
)
def test_a_lone_user_whose_server_goes_for_good_is_told(given, lasted):
    verdict, (reason,), _ = run(1, 300.0, threshold="error_rate < 5%", **given)

    assert verdict.exit_code == exit_codes.FAILED
    assert f"the last answer came {lasted} before the end" in reason


@pytest.mark.parametrize(
    ("given", "note"),
    [
        pytest.param(
            {"frozen": [(7.3, 18.3)]}, "nothing was answered for 10 s or more from 8 s on, though", id="in-the-middle"
        ),
        pytest.param({"frozen": [(3.3, 14.3)], "n_images": 1000}, "nothing was answered for 10 s or more", id="images"),
        pytest.param({"frozen": [(7.3, NEVER)], "limit_s": 60.0}, "answer came 22 s or more", id="stopped-by-hand"),
    ],
)
def test_what_does_not_fail_a_run_is_noted(given, note):
    verdict, reasons, notes = run(**given)

    assert not reasons
    assert sum(note in one for one in notes) == 1, notes
    assert verdict.exit_code == (exit_codes.INVALID if "limit_s" in given else exit_codes.PASS)


@pytest.mark.parametrize(
    ("lost", "ended", "is_told"),
    [
        pytest.param((), {}, True, id="it-ended-by-itself"),
        pytest.param(("w1",), {}, False, id="a-worker-was-lost"),
        pytest.param((), {"gave_up_after_s": 20.0}, False, id="given-up-is-said-already"),
        pytest.param((), {"run_time_s": None, "ran_s": None}, False, id="no-end-of-its-own"),
        pytest.param((), {"ended_unix_s": 0.0}, False, id="it-goes-on"),
        pytest.param((), {"deadline_s": None}, False, id="written-before-deadlines-were"),
    ],
)
def test_only_the_end_of_a_run_that_is_known_fails_it(lost, ended, is_told):
    past = PastRun({"threshold": GATE}, run_time=ran(30.0))
    Server(past, frozen=[(7.3, NEVER)]).serve(4, 30.0)
    past.results.ended_unix_s, past.results.lost_workers = (UNIX_OFFSET_NS + BEGIN_NS) / SECOND + 30.0, set(lost)
    result = result_of(past.end())
    _, reasons, _ = told(judge(dataclasses.replace(result, course=dataclasses.replace(result.course, **ended))))

    assert bool(reasons) == is_told


def test_a_run_without_any_answer_is_told_of_that_alone():
    verdict, reasons, notes = run(frozen=[(0, NEVER)], threshold="error_rate < 5%")

    assert not reasons
    assert not any("came" in note or "nothing was" in note for note in notes)
    assert verdict.exit_code == exit_codes.THRESHOLD


def test_of_several_workers_one_that_is_answered_keeps_all_from_a_standstill():
    """Only the end tells them apart: to one nothing is answered any more, to the other everything."""
    past = PastRun({"threshold": GATE}, run_time=ran(30.0))
    Server(past, frozen=[(7.3, NEVER)]).serve(4, 30.0)
    Server(past).serve(1, 30.0)
    past.results.ended_unix_s = (UNIX_OFFSET_NS + BEGIN_NS) / SECOND + 30.0
    _, reasons, notes = told(judge(result_of(past.end())))

    assert not reasons
    assert not any("came" in note or "nothing was" in note for note in notes)


def test_of_a_server_that_refuses_every_request_the_last_answer_is_told():
    """Each fails at once, and users wait between two of them."""
    past = PastRun({"threshold": "error_rate < 60%"}, run_time=ran(30.0))
    Server(past).serve(2, 12.3, wait_s=0.2)
    for number in range(60):
        past.fire(number, BEGIN_NS + int((12.4 + 0.29 * number) * SECOND), SECOND // 1000, code="UNAVAILABLE")
    past.results.ended_unix_s = (UNIX_OFFSET_NS + BEGIN_NS) / SECOND + 30.0
    _, reasons, _ = told(judge(result_of(past.end())))

    assert [reason.partition(":")[0] for reason in reasons] == ["the last answer came 17 s or more before the end"]


@pytest.mark.parametrize("unjudged", UNJUDGED)
def test_a_server_whose_answers_cannot_be_judged_has_not_stood_still(unjudged):
    _, reasons, notes = run(unjudged=unjudged)

    assert not reasons
    assert not any("nothing was answered" in note or "last answer" in note for note in notes)


def test_a_server_that_stands_still_is_told_beside_answers_that_cannot_be_judged():
    verdict, reasons, _ = run(unjudged=(3.3, 9.3), frozen=[(12.3, NEVER)])

    assert verdict.exit_code == exit_codes.FAILED
    assert ["17 s or more before the end" in one for one in reasons] == [True]


def test_a_search_may_end_in_a_probe_that_nobody_answers():
    past = PAST_RUNS["search"]()
    result = result_of(past)
    *seconds, last = result.levels[-1].seconds
    silent = [dataclasses.replace(last, rate_rps=0.0, in_flight=9.0, failed=9, at_s=last.at_s + n) for n in range(9)]
    level = dataclasses.replace(result.levels[-1], seconds=(*seconds, *silent))
    course = dataclasses.replace(result.course, ended_unix_s=1.0)
    ended = dataclasses.replace(result, levels=(*result.levels[:-1], level), course=course)

    assert result.course.deadline_s == 5
    assert not told(judge(ended))[1]
    assert not any("nothing was answered" in one for one in judge(ended).sentences)
    assert told(judge(dataclasses.replace(ended, search=None)))[1]


def level_of(frozen=(), latency_s=0.01, n_users=4, sent_before_s=0.0, held_up=(), n_workers=1):
    """Return the verdict on a sweep of one level, whose server is frozen for times of it.

    Args:
        frozen: when, in seconds since its window began.
        latency_s: of an answer.
        n_users: of the level.
        sent_before_s: for how long requests were sent before it.
        held_up: when processes of the load generator stood still: since its window began, for how long, and which did.
        n_workers: how many processes there were.
    """
    past = PastRun({"sweep": "4", "threshold": "error_rate < 50%"})
    begin_ns = past.hold(Level(1, n_users, None, 2.0, 20.0))
    Server(past, frozen, latency_s).serve(
        n_users, 20.0 + sent_before_s, begin_ns=begin_ns - int(sent_before_s * SECOND)
    )
    past.results.ended_unix_s = 1.0
    result = result_of(past.end())
    level = dataclasses.replace(*result.levels, begun_s=100.0)
    spans = tuple(HeldUp(one, 100.0 + level.warm_up_s + at_s, lasted_s) for at_s, lasted_s, one in held_up)
    workers = dataclasses.replace(result.workers, n=n_workers, held_up=spans)
    return told(judge(dataclasses.replace(result, levels=(level,), workers=workers)))


@pytest.mark.parametrize(
    ("given", "exit_code", "sentence"),
    [
        pytest.param(
            {"frozen": [(12.3, NEVER)]},
            exit_codes.FAILED,
            "the last answer came 7 s or more before the end of the last level (4 users): requests were sent",
            id="the-last-level-ends-so",
        ),
        pytest.param(
            {"frozen": [(5.3, 13.3)]},
            exit_codes.INVALID,
            "4 users: nothing was answered for 7 s or more from 6 s of it on; see whether the server still runs",
            id="in-the-middle",
        ),
    ],
)
def test_a_level_of_a_server_that_stood_still_supports_no_verdict(given, exit_code, sentence):
    verdict, _, _ = level_of(**given)

    assert verdict.exit_code == exit_code
    assert sum(one.startswith(sentence) for one in verdict.sentences) == 1, verdict.sentences


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="all-is-well"),
        pytest.param({"frozen": [(16.3, 19)]}, id="less-than-a-deadline"),
        pytest.param({"latency_s": 4.8, "n_users": 1, "sent_before_s": 0.1}, id="slow-answers-across-its-begin"),
    ],
)
def test_an_honest_level_is_not_told_of_a_standstill(given):
    verdict, reasons, _ = level_of(**given)

    assert not reasons
    assert not any("nothing was answered" in one for one in verdict.sentences)


@pytest.mark.parametrize(
    ("held_up", "n_workers", "is_told"),
    [
        pytest.param([(5.3, 8.0, "a")], 1, False, id="all-of-it-its-own"),
        pytest.param([(5.3, 5.0, "a")], 1, False, id="more-than-half-of-it"),
        pytest.param([(5.3, 2.0, "a")], 1, True, id="less-than-half-of-it"),
        pytest.param([(14.0, 5.0, "a")], 1, True, id="another-time"),
        pytest.param([(5.3, 2.0, "a"), (8.5, 3.0, "a")], 1, False, id="twice-and-together-more-than-half-of-it"),
        pytest.param([(5.3, 8.0, "a"), (5.3, 8.0, "b")], 2, False, id="both-processes"),
        pytest.param([(5.3, 8.0, "a")], 2, True, id="one-of-two-processes"),
        pytest.param([(5.3, 8.0, "a"), (5.3, 2.0, "b")], 2, True, id="one-of-two-and-the-other-for-a-while"),
    ],
)
def test_a_level_that_the_load_generator_did_not_read_is_not_blamed_on_the_server(held_up, n_workers, is_told):
    verdict, _, _ = level_of(frozen=[(5.3, 13.3)], held_up=held_up, n_workers=n_workers)

    assert any("nothing was answered" in one for one in verdict.sentences) is is_told
