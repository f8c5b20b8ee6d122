"""A load generator that stood still: how it knows, and what its runs and levels are worth."""

import dataclasses
from types import SimpleNamespace

import gevent
import pytest

from tests.support.golden import result_of
from tests.support.level_rows import closed_row
from tests.support.past_runs import MODEL, PAST_RUNS, SECOND, UNIX_OFFSET_NS, PastRun
from tests.support.pulsing_process import Process
from tests.support.standing_server import BEGIN_NS, NEVER, Server, ran
from tfsload.analysis import exit_codes, validity
from tfsload.analysis.doubts import HELD_UP_CURE
from tfsload.analysis.judge import judge
from tfsload.analysis.workers import HeldUp
from tfsload.records.cpu import CpuShares
from tfsload.records.level import Level
from tfsload.records.together import BATCH
from tfsload.run import pulse
from tfsload.run.late_looks import LateLooks
from tfsload.transport.failure import PredictionFailure

LASTS_S = 16.0
SINCE = ", from 4 s on: nothing was sent or read meanwhile"


@pytest.mark.parametrize(
    ("looks", "lasted_s"),
    [
        pytest.param([], 0, id="no-look"),
        pytest.param([0.001, 0.2, 0.9], 0, id="a-little-late"),
        pytest.param([0.0, 8.0, 0.0], 8, id="once"),
        pytest.param([1.5, 0.0, 2.0], 3.5, id="twice"),
    ],
)
def test_a_look_that_is_late_tells_of_a_standstill(looks, lasted_s):
    """`looks`: by how many seconds each came late."""
    late_looks, now_s = LateLooks(), 0.0
    for late_s in looks:
        late_looks.expect(int((now_s + 1) * SECOND))
        now_s += 1 + late_s
        assert late_looks.see(int(now_s * SECOND)) is (late_s >= 1)

    assert late_looks.within_s(0, NEVER * SECOND) == pytest.approx(lasted_s)


def test_a_standstill_is_told_once_however_often_it_is_looked_at():
    late_looks = LateLooks()
    late_looks.expect(SECOND)

    assert [late_looks.see(9 * SECOND), late_looks.see(9 * SECOND + 1), late_looks.see(int(9.5 * SECOND))] == [
        True,
        False,
        False,
    ]
    assert late_looks.to_plain(100) == [[SECOND + 100, 8 * SECOND]]


@pytest.mark.parametrize(
    ("begin_s", "end_s", "within_s"),
    [(0, 20, 8), (0, 3, 2), (5, 20, 4), (2, 6, 4), (9, 20, 0), (0, 1, 0)],
)
def test_of_a_span_that_part_counts_that_lies_in_it(begin_s, end_s, within_s):
    late_looks = LateLooks()
    late_looks.expect(SECOND)
    late_looks.see(9 * SECOND)

    assert late_looks.within_s(begin_s * SECOND, end_s * SECOND) == within_s


def test_a_pulse_tells_of_one_also_as_it_stops():
    process = Process()
    process.pulse._late_looks.expect(process.now_ns)
    process.now_ns += 3 * SECOND
    process.pulse.stop()
    process.pulse.stop()

    assert [[lasted_ns for _, lasted_ns in told["held_up"]] for told in process.told] == [[3 * SECOND]]


@pytest.mark.parametrize("stalled_s", [1.3, 1.5, 1.9, 2.5])
@pytest.mark.parametrize("n_sleeps_before", range(1, 5))
def test_a_standstill_hardly_longer_than_a_beat_is_seen_wherever_it_falls(monkeypatch, stalled_s, n_sleeps_before):
    process, slept_s = Process(), []

    def sleep(seconds):
        if len(slept_s) == 12:
            raise gevent.GreenletExit
        slept_s.append(seconds)
        # Held up in the middle of a sleep.
        process.now_ns += int(
            (max(seconds, seconds / 2 + stalled_s) if len(slept_s) == n_sleeps_before else seconds) * SECOND
        )

    monkeypatch.setattr(pulse.gevent, "sleep", sleep)
    with pytest.raises(gevent.GreenletExit):
        process.pulse._beat()

    assert sum(slept_s) == pytest.approx(len(process.told) * pulse.INTERVAL_S)
    ((_, lasted_ns),) = process.told[-1]["held_up"]
    assert stalled_s - 0.25 < lasted_ns / SECOND <= stalled_s


class LatePulse:
    """A process whose pulse was due a second after 0 s, and comes ten seconds later; what it did meanwhile is given."""

    def __init__(self):
        self.process = Process()
        self.process.run.sent_ns = self.process.run.answered_ns = self.begin_ns = self.process.now_ns
        self.process.pulse._late_looks.expect(self.at(1))

    def at(self, second):
        return self.begin_ns + int(second * SECOND)

    def answer(self, *seconds, way="waiting"):
        """Have a request end at each of these: as one that waits to be counted, or as one that is counted at once."""
        run = self.process.run
        for number, second in enumerate(seconds):
            at_ns = self.at(second)
            if way == "waiting" or (way == "in-turns" and number % 3):
                run.recorder.waiting.append(([1], [1], at_ns, at_ns, at_ns, None, None, MODEL, 0))
            else:
                failure = PredictionFailure("UNAVAILABLE", "gone") if way == "failures" else None
                run.recorder.record([1], None if failure else [2], failure, at_ns, at_ns, at_ns, None)
            run.answered_ns = at_ns
            if len(run.recorder.waiting) >= BATCH:
                run.recorder.settle()

    def send(self, *seconds):
        for user, second in zip(self.process.users, seconds, strict=False):
            user.sent_ns = self.process.run.sent_ns = self.at(second)

    def told(self):
        self.process.now_ns = self.at(11)
        held_up = self.process.look()["held_up"]
        return [((from_ns - self.begin_ns) / SECOND, lasted_ns / SECOND) for from_ns, lasted_ns in held_up]


@pytest.mark.parametrize("way", ["waiting", "counted-at-once", "failures", "in-turns"])
@pytest.mark.parametrize(
    ("answered", "sent", "told"),
    [
        pytest.param([], [], [(1, 10)], id="nothing"),
        pytest.param([0.5], [0.5], [(1, 10)], id="before-it-alone"),
        pytest.param([0.01 * n for n in range(1100)], [], [], id="answers-all-the-time"),
        pytest.param([0.5 * n for n in range(22)], [], [], id="fewer-than-a-batch"),
        pytest.param([0.01 * n for n in range(500)], [], [(4.99, 6.01)], id="answers-for-a-while"),
        pytest.param([10.9 + 0.001 * n for n in range(99)], [], [(1, 9.9)], id="answers-once-it-goes-on"),
        pytest.param(
            [0.01 * n for n in range(300)] + [9 + 0.01 * n for n in range(200)], [], [(2.99, 6.01)], id="both"
        ),
        pytest.param([], [0.9 * n for n in range(13)], [], id="requests-that-leave"),
        pytest.param([], [10.99], [(1, 9.99)], id="a-request-that-leaves-once-it-goes-on"),
    ],
)
def test_a_process_that_goes_on_while_its_pulse_is_late_stood_not_still(answered, sent, told, way):
    late = LatePulse()
    late.process.users = [SimpleNamespace(sent_ns=0, in_hand_ns=0) for _ in range(20)]
    late.answer(*answered, way=way)
    late.send(*sent)

    assert late.told() == [pytest.approx(one) for one in told]


def test_a_last_look_gives_nothing_up():
    process = Process(n_users=0)
    for _ in range(pulse.IDLE_LOOKS):
        told = process.pulse.look(is_last=True)

    assert told["n_discarded"] == 0


def held_up(*spans, n_workers=1, lasts_s=LASTS_S, deadline_s=5.0, lost=(), threshold="", frozen=()):
    """Return a run without levels of whose processes some stood still: worker, from, to.

    Where the first did, nothing was answered: with one worker that is all of them.
    """
    options = {"deadline": f"{deadline_s:g}", **({"threshold": threshold} if threshold else {})}
    past = PastRun(options)
    past.results.begun_unix_s = (UNIX_OFFSET_NS + BEGIN_NS) / SECOND
    stood = [(from_s, to_s) for worker, from_s, to_s in spans if n_workers == 1]
    server = Server(past, stood + list(frozen), deadline_s=NEVER if not frozen else deadline_s)
    server.serve(8, lasts_s)
    for image in lost:
        past.fire(image, BEGIN_NS + 4 * SECOND, int(deadline_s * SECOND), code="DEADLINE_EXCEEDED")
    past.run_time = ran(lasts_s)
    past.results.n_workers = n_workers
    past.results.ended_unix_s = past.results.begun_unix_s + lasts_s
    for worker, from_s, to_s in spans:
        from_ns = UNIX_OFFSET_NS + BEGIN_NS + int(from_s * SECOND)
        past.results.held_up.setdefault(worker, []).append([from_ns, int((to_s - from_s) * SECOND)])
    return result_of(past.end())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(
            {"spans": [("a", 4.0, 12.0)]},
            f"the load generator stood still for 8 s (50% of the run){SINCE}",
            id="all-of-it",
        ),
        pytest.param(
            {"spans": [("b", 4.0, 12.0)], "n_workers": 2},
            f"1 of 2 processes of the load generator stood still for 8 s (50% of the run){SINCE}",
            id="one-of-two-workers",
        ),
        pytest.param(
            {"spans": [("a", 4.0, 12.0)], "lost": range(8)},
            f"the load generator stood still for 8 s (50% of the run){SINCE}, and 8 requests had no answer by then",
            id="requests-that-nobody-gave-the-time",
        ),
        pytest.param(
            {"spans": [("a", 4.0, 9.6)], "threshold": "p99 < 50s; failed_rate < 1%"},
            f"the load generator stood still for 5.6 s (35% of the run){SINCE}",
            id="with-thresholds-that-hold",
        ),
        pytest.param(
            {"spans": [("a", 4.0, NEVER)], "lasts_s": 20.0},
            f"the load generator stood still for 16 s (80% of the run){SINCE}",
            id="beyond-the-end",
        ),
    ],
)
def test_a_run_of_a_load_generator_that_stood_still_supports_no_verdict(given, told):
    spans = given.pop("spans")
    verdict = held_up(*spans, **given).judged
    given["spans"] = spans

    assert verdict.exit_code == exit_codes.INVALID
    assert [reason.what for reason in verdict.reasons] == [told]
    assert not [note.what for note in verdict.notes if "answer" in note.what]


@pytest.mark.parametrize(
    ("given", "exit_code", "told"),
    [
        pytest.param(
            {"spans": [("a", 30.0, 31.2)], "lasts_s": 60.0}, exit_codes.PASS, "stood still for 1.2 s", id="short"
        ),
        pytest.param(
            {"spans": [("a", 4.0, 12.0)], "lost": range(11)},
            exit_codes.FAILED,
            "11 of",
            id="more-lost-than-were-in-flight",
        ),
        pytest.param(
            {"spans": [("a", 4.0, 6.0)], "lost": range(3)},
            exit_codes.FAILED,
            "3 of",
            id="a-standstill-below-the-deadline",
        ),
        pytest.param(
            {"spans": [("a", 2.0, 3.2)], "lasts_s": 40.0, "frozen": [(15.0, NEVER)]},
            exit_codes.FAILED,
            "the last answer came",
            id="a-server-that-stood-still-at-another-time",
        ),
        pytest.param(
            {"spans": [("a", 2.0, 6.5)], "lasts_s": 40.0, "frozen": [(20.0, 26.0)]},
            exit_codes.FAILED,
            "8 of",
            id="a-server-that-hung-long-after-it",
        ),
        pytest.param(
            {"spans": [("b", 4.0, 12.0)], "n_workers": 2, "lost": range(8)},
            exit_codes.FAILED,
            "8 of",
            id="more-than-the-users-of-the-process-that-stood-still",
        ),
    ],
)
def test_what_it_does_not_explain_is_judged_as_ever(given, exit_code, told):
    spans = given.pop("spans")
    verdict = held_up(*spans, **given).judged
    given["spans"] = spans

    assert verdict.exit_code == exit_code
    assert told in " ".join(map(str, (*verdict.reasons, *verdict.notes)))


@pytest.mark.parametrize(
    ("span", "kept"),
    [
        pytest.param((-4.0, -1.0), [], id="before-the-first-request"),
        pytest.param((-4.0, 0.3), [], id="all-but-a-moment-of-it-before-that"),
        pytest.param((-4.0, 3.0), [(0.0, 3.0)], id="into-the-run"),
        pytest.param((4.0, 12.0), [(4.0, 8.0)], id="in-the-run"),
        pytest.param((12.0, 30.0), [(12.0, 4.0)], id="beyond-its-end"),
        pytest.param((16.5, 30.0), [], id="after-its-end"),
    ],
)
def test_of_a_standstill_that_part_is_told_that_was_measured(span, kept):
    result = held_up(("a", *span), threshold="p50 < 1s")

    assert [(one.at_s, pytest.approx(one.lasted_s)) for one in result.workers.held_up] == kept
    assert (result.judged.exit_code == exit_codes.PASS) == (not kept)


@pytest.mark.parametrize(
    ("until_s", "threshold", "exit_code"),
    [
        pytest.param(6.0, "", exit_codes.PASS, id="no-limit"),
        pytest.param(6.0, "error_rate < 50%", exit_codes.PASS, id="a-limit-on-answers"),
        pytest.param(6.0, "rate > 1", exit_codes.INVALID, id="a-limit-on-speed"),
        pytest.param(9.0, "", exit_codes.INVALID, id="for-as-long-as-a-deadline"),
    ],
)
def test_a_short_standstill_leaves_what_answers_came_to(until_s, threshold, exit_code):
    verdict = held_up(("a", 4.0, until_s), threshold=threshold).judged

    assert verdict.exit_code == exit_code
    assert sum("stood still" in one.what for one in (*verdict.reasons, *verdict.notes)) == 1


@pytest.mark.parametrize(("held_up_s", "is_told"), [(0.0, False), (0.4, False), (4.0, True)])
def test_a_level_in_which_it_stood_still_is_told_of_that_alone(held_up_s, is_told):
    row = closed_row(cpu=(CpuShares(0.95, 0.0, 0.0, held_up_s), CpuShares(0.1, 0.0, 0.0)))
    doubts = [str(doubt) for doubt in (*row.generator_doubts, *row.sample_doubts)]

    assert [doubt.startswith("the load generator stood still for 4 s of it") for doubt in doubts] == [is_told]


@pytest.mark.parametrize("begun_s", [0.0, 30.0], ids=["first-level", "later-level"])
@pytest.mark.parametrize("ahead_s", [0, 3600, -3600], ids=["same-clock", "fast-worker", "slow-worker"])
def test_where_a_level_lies_in_the_run_is_told_as_where_it_stood_still(begun_s, ahead_s):
    """The server is not blamed: nothing was read from the 11th second of the level's window on."""
    past = PastRun({"sweep": "4"})
    begin_ns = past.hold(Level(1, 4, None, 10.0, 20.0))
    cpu = (CpuShares(0.31, 0.004, 21_000.0, 9.0),)
    past.runs[-1] = dataclasses.replace(past.runs[-1], begun_s=begun_s, cpu=cpu)
    begun_unix_s = (UNIX_OFFSET_NS + begin_ns) / SECOND - 10.0 - begun_s
    # Records are of the worker's clock, all else is of the leader's.
    past.results.begun_unix_s, past.results.ended_unix_s = begun_unix_s + ahead_s, begun_unix_s + ahead_s + 60
    Server(past, [(11.0, NEVER)], deadline_s=NEVER).serve(4, 20.0, begin_ns=begin_ns)
    from_ns = int((begun_unix_s + ahead_s + begun_s + 21) * SECOND)
    past.results.held_up["a"] = [[from_ns, 9 * SECOND]]
    result = result_of(past.end())

    (one,) = result.workers.held_up
    assert (one.at_s, one.lasted_s) == pytest.approx((begun_s + 21, 9.0), abs=1e-3)
    assert judge(result).exit_code == exit_codes.INVALID
    assert not any("answer came" in one or "nothing was answered" in one for one in judge(result).sentences)


@pytest.mark.parametrize(("has_levels", "is_told"), [(False, True), (True, False)])
def test_of_levels_only_each_levels_own_rule_tells_that_it_stood_still(has_levels, is_told):
    result = result_of(PAST_RUNS["sweep"]()) if has_levels else held_up(("a", 4.0, 12.0))
    workers = dataclasses.replace(result.workers, held_up=(HeldUp("a", 4.0, 8.0),))
    rules = [rule.name for rule in judge(dataclasses.replace(result, workers=workers)).rules]

    assert (validity.GENERATOR_RUNS in rules) == is_told
    assert bool(result.levels) == has_levels


def test_no_reason_is_named_that_is_never_noticed():
    """A clock that stands still with its machine tells of no sleep."""
    assert not [word for word in ("sleep", "slept") if word in HELD_UP_CURE]


def test_who_stood_still_is_written_and_read():
    result = held_up(("a", 4.0, 12.0))

    assert dataclasses.replace(type(result).from_plain(result.to_plain())) == result
    assert [(one.worker, one.lasted_s) for one in result.workers.held_up] == [("a", 8.0)]
