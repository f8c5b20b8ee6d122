"""Runs for whoever draws them: those of `past_runs`, and what is hard to draw. The same to the digit each time."""

import dataclasses
import functools
import math
import random
from collections.abc import Callable

from tests.support.golden import result_of
from tests.support.hostile import hostile
from tests.support.past_runs import MS, PAST_RUNS, SECOND, PastRun
from tfsload.analysis import exit_codes
from tfsload.analysis.abort import Aborted
from tfsload.analysis.class_rows import class_rows
from tfsload.analysis.held import Held
from tfsload.analysis.image_counts import ImageCounts, Misread
from tfsload.analysis.result import Asked, Course, RunResult, Server
from tfsload.analysis.series import Second
from tfsload.analysis.totals import Totals
from tfsload.analysis.verdict import Reason, Verdict
from tfsload.records.confusion import ConfusionMatrix
from tfsload.records.level import Level
from tfsload.records.record import Record

MANY = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64)


def closed_sweep(*levels: tuple[float, ...], threshold: str = "", **options: str) -> RunResult:
    """Return a sweep of levels: users, and which share of the requests fails and by which latency grows, or none."""
    sweep = ",".join(f"{level[0]:g}" for level in levels)
    past = PastRun({"sweep": sweep, **({"threshold": threshold} if threshold else {}), **options})
    for number, (users, *further) in enumerate(levels, 1):
        hold_closed(past, number, int(users), 4.0 * users, *further)
    return result_of(past.end())


def hold_closed(
    past: PastRun, number: int, users: int, latency_ms: float, fails: float = 0.0, grows: float = 0.0
) -> None:
    """Hold a level in which a share of the requests fails, and latency grows by a share until its end."""
    begin_ns = past.hold(Level(number, users, None, 2.0, 10.0))
    image = 0
    for user in range(users):
        now_ns = begin_ns + user * MS // 3
        while now_ns < begin_ns + 10 * SECOND:
            grown = 1 + grows * (now_ns - begin_ns) / (10 * SECOND)
            latency_ns = past.jitter(latency_ms * MS * grown)
            code = "RESOURCE_EXHAUSTED" if past.random.random() < fails else ""
            past.fire(image % 1000, now_ns, latency_ns, code=code)
            now_ns += latency_ns + 20_000
            image += 1


def many() -> RunResult:
    """Twenty levels, far apart."""
    past = PastRun({"sweep": ",".join(map(str, MANY)), "threshold": "p99 < 400ms"})
    for number, users in enumerate(MANY, 1):
        hold_closed(past, number, users, max(20.0, 5.0 * users))
    return result_of(past.end())


def one() -> RunResult:
    """One level."""
    past = PastRun({"sweep": "4"})
    hold_closed(past, 1, 4, 8.0)
    return result_of(past.end())


def unsettled() -> RunResult:
    """Levels that were held twice, one of them not steadily."""
    past = PastRun({"sweep": "1,2,4,1,2,4", "threshold": "p99 < 12ms; p50 < 11ms; error_rate < 5%"})
    for number, users in enumerate((1, 2, 4, 1, 2, 4), 1):
        hold_closed(past, number, users, 4.0 * users if users > 2 else 5.0, grows=0.8 if number == 6 else 0.0)
    return result_of(past.end())


def endless() -> RunResult:
    """More and more requests fail, in the end all of them."""
    past = PastRun({"sweep": "1,2,4,8,16", "threshold": "p99 < 20ms; failed_rate < 1%; p90 < 1s"})
    for number, (users, fails) in enumerate(((1, 0.0), (2, 0.0005), (4, 0.02), (8, 0.2), (16, 1.0)), 1):
        hold_closed(past, number, users, 3.0 * users, fails=fails)
    return result_of(past.end())


def all_failed() -> RunResult:
    """No request had an answer."""
    past = PastRun({"num_tests": "200"})
    for image in range(200):
        past.fire(image, SECOND + image * MS, 2 * MS, code="UNAVAILABLE")
    past.results.n_requests = past.results.n_done = 200
    return result_of(past.end())


def spotless() -> RunResult:
    """No answer is wrong."""
    past = PastRun({"sweep": "1,2", "threshold": "error_rate < 1%"})
    for number in (1, 2):
        begin_ns = past.hold(Level(number, number, None, 2.0, 10.0))
        for n in range(1500 * number):
            past.fire(48 * (n % 20), begin_ns + n * 6_660_000 // number, past.jitter(5 * MS))
    return result_of(past.end())


def long() -> RunResult:
    """Ten minutes without levels, with a stall, and failures and mismatches among the errors."""
    rows = []
    made = random.Random(3)
    for second in range(600):
        is_stalled = 300 <= second < 303
        rate = 0.0 if is_stalled else 1600 + made.random() * 200
        p99 = None if is_stalled else int(8e6 * (60 if second == 303 else 1 + made.random()))
        p50 = None if is_stalled else 4_000_000
        failed, mismatched = (40, 0) if second == 303 else (0, second % 97 == 5)
        rows.append(
            Second(float(second), 1.0, rate, p50, p99, 8.0, int(rate), made.randrange(30), failed, mismatched, 0)
        )
    base = result_of(PAST_RUNS["thresholds"]())
    totals = dataclasses.replace(base.totals, compared=100_000, mismatched=7, duration_s=600.0)
    return dataclasses.replace(base, seconds=tuple(rows), totals=totals)


def many_classes() -> RunResult:
    """Forty classes, and 257 misread images."""
    made = random.Random(5)
    confusion = ConfusionMatrix()
    for label in range(40):
        for _ in range(60):
            answer = label if made.random() < 0.9 else made.randrange(40)
            confusion.add_all([label], [answer])
    misread = tuple(Misread(7 * n, n % 40, 1 + n % 5) for n in range(257))
    pixels = {one.image: made.randbytes(28 * 28).hex() for one in misread[:200]}
    images = ImageCounts((5,) * 2000, misread, pixels, {one.image: (one.predicted + 1) % 40 for one in misread})
    rows = tuple(map(tuple, confusion.to_plain()))
    return dataclasses.replace(one(), classes=class_rows(confusion), confusion=rows, images=images)


def slow_rates() -> RunResult:
    """Rates below one a second are told, too."""
    past = PastRun({"rate": "0.5,1.5,40", "threshold": "p99 < 50ms"})
    for number, rate in enumerate((0.5, 1.5, 40.0), 1):
        past.open_level(number, rate, 4.0)
    return result_of(past.end())


def unanswered() -> RunResult:
    """A seventh of the requests had no answer, and many thresholds are crossed, in a run without levels."""
    crossed = (
        "p99 < 20ms",
        "p90 < 20ms",
        "mean < 1ms",
        "max < 1ms",
        "rate > 9000",
        "error_rate < 1%",
        "wrong_rate < 1%",
    )
    past = PastRun(
        {"threshold": "; ".join((*crossed, "failed_rate < 1%", "recall[5] > 99%")), "images_per_request": "1"}
    )
    for n in range(2000):
        past.fire(n % 1000, SECOND + n * 5 * MS, past.jitter(3 * MS), code="UNAVAILABLE" if n % 7 == 3 else "")
    return result_of(past.end())


def aborted() -> RunResult:
    """A threshold ended the run within its third level, and two more were never begun."""
    options = {"sweep": "1,2,4,8,16", "threshold": "p50 < 3ms abort=2s; p99 < 1s; p90[users=16] < 1s"}
    past = PastRun(options)
    for number, users in ((1, 1), (2, 2)):
        hold_closed(past, number, users, 4.0 * users)
    limit = past.settings.checks.thresholds[0]
    past.results.n_levels_left = 3
    past.results.aborted = Aborted(Held(limit, "4 users", 16e6, False, -4.33), 2.0)
    return result_of(past.end())


def refused() -> RunResult:
    """A run that was never begun."""
    reasons = ("--num-tests 'x': expected a whole number, got 'x'", "--host 'a b': expected HOST:PORT")
    return RunResult(
        totals=Totals.of(Record(), 0.0, is_timed=False),
        course=Course(),
        server=Server(),
        asked=Asked({"num_tests": "x", "model_name": "mnist"}),
        verdict=Verdict(exit_codes.BAD_USAGE, tuple(map(Reason, reasons))),
    )


def stalled_search() -> RunResult:
    """Hostile words wherever there are some."""
    return hostile(result_of(PAST_RUNS["search"]()))


def unmeasured() -> RunResult:
    """A sweep of levels in which nothing was answered in time to count."""
    past = PastRun({"sweep": "1,2"})
    past.hold(Level(1, 1, None, 2.0, 10.0))
    past.hold(Level(2, 2, None, 2.0, 10.0))
    return result_of(past.end())


_FURTHER: dict[str, Callable[[], RunResult]] = {
    "many": many,
    "one": one,
    "unsettled": unsettled,
    "endless": endless,
    "all-failed": all_failed,
    "spotless": spotless,
    "long": long,
    "many-classes": many_classes,
    "slow-rates": slow_rates,
    "unanswered": unanswered,
    "aborted": aborted,
    "refused": refused,
    "hostile-search": stalled_search,
    "unmeasured": unmeasured,
}
PAGE_RUNS = (*PAST_RUNS, *_FURTHER)
assert len(set(PAGE_RUNS)) == len(PAGE_RUNS), "two runs have one name"


@functools.cache
def page_run(kind: str) -> RunResult:
    """Return a run by its name in `PAGE_RUNS`."""
    result = result_of(PAST_RUNS[kind]()) if kind in PAST_RUNS else _FURTHER[kind]()
    assert all(math.isfinite(level.achieved_rps) for level in result.levels)
    return result
