"""Runs that are INVALID, by reason, with what cures each: other options, or something else."""

import dataclasses

from tests.support.golden import result_of
from tests.support.page_runs import page_run
from tests.support.past_runs import MS, SECOND, UNIX_OFFSET_NS, PastRun
from tests.support.standing_server import ran
from tfsload.analysis import thresholds
from tfsload.analysis.attendance import Attended
from tfsload.analysis.doubts import Doubt
from tfsload.analysis.held import Held
from tfsload.analysis.judge import judge
from tfsload.analysis.limit import Ending, SearchResult
from tfsload.analysis.option_limits import MAX_LEVEL_S
from tfsload.analysis.workers import HeldUp

LOCUSTS = {"num_users": "10", "spawn_rate": "", "run_time": "10"}


def judged(result, **parts):
    """Return a run with other parts, judged by them."""
    parts = {
        name: dataclasses.replace(getattr(result, name), **part) if isinstance(part, dict) else part
        for name, part in parts.items()
    }
    changed = dataclasses.replace(result, verdict=None, **parts)
    options = {**LOCUSTS, **changed.asked.options}
    changed = dataclasses.replace(changed, asked=dataclasses.replace(changed.asked, options=options))
    return dataclasses.replace(changed, verdict=judge(changed))


def plain(**parts):
    """Return a run that fires for ten seconds, without thresholds."""
    return judged(page_run("thresholds"), **{"thresholds": (), **parts})


def images(**parts):
    return judged(page_run("demo"), **parts)


def sweep(*doubts, number=2, **level):
    """Return a sweep in whose level with this number something is in doubt."""
    whole = page_run("sweep")
    levels = tuple(
        dataclasses.replace(one, sample_doubts=doubts, **level) if one.number == number else one for one in whole.levels
    )
    return judged(whole, levels=levels)


def rates(**level):
    whole = page_run("rate")
    last = dataclasses.replace(whole.levels[-1], **level)
    return judged(whole, levels=(whole.levels[0], last), thresholds=())


def search(ending, last_passing=None, first_failing=None, **finding):
    whole = page_run("search-of-nothing")
    found = SearchResult(ending, None, last_passing, first_failing, ("crossed p99 < 50 ms",), 2, 100, 400, 12)
    *others, lowest = whole.levels
    lowest = dataclasses.replace(lowest, finding=dataclasses.replace(lowest.finding, **finding))
    return judged(whole, search=found, levels=(*others, lowest))


def undecided(result, text, where="", level=None, **held):
    (threshold,) = thresholds.parse(text)
    held = {"value": None, "why_unknown": "5 samples do not carry it, 662 would", "cure": "let it last longer", **held}
    one = Held(threshold, where, holds=None, margin=None, level=level, **held)
    return judged(result, thresholds=(one,))


def as_long_as_may_be(result):
    options = {**result.asked.options, "level_duration": f"{MAX_LEVEL_S}"}
    return judged(result, asked={"options": options})


def in_a_hanging_end():
    past = PastRun({"deadline": "60"}, run_time=ran(10.0))
    past.results.begun_unix_s = (UNIX_OFFSET_NS + SECOND) / SECOND
    past.results.ended_unix_s = past.results.begun_unix_s + 10.0
    for n in range(500):
        past.fire(n % 1000, SECOND + n * 4 * MS, past.jitter(3.2 * MS))
    past.recorder.count_cut_off(4 * SECOND, 4 * SECOND, 11 * SECOND, None)
    return judged(result_of(past.end()))


TOO_EARLY = Doubt("unstable: it grew", "use a longer --warm-up", wants_warmer=True)
DRIFTS = Doubt("unstable: it went up and down", "use a longer --level-duration", wants_longer=True)
BUSY = Doubt("the load generator was the bottleneck", "use --processes or more workers")

HELD_UP = {"held_up": (HeldUp("host_1", 2.0, 30.0),)}
NOTHING = {"requests": 0, "failed_requests": 0, "predictions": 0, "cut_off": 0, "latency_ns": {}}

# By reason: the run, what its first reason says, and the options that cure it; or what does instead.
CURED = {
    "a-level-too-short": (lambda: sweep(DRIFTS), "2 users: unstable", {"level_duration": "20"}),
    "a-level-too-early": (lambda: sweep(TOO_EARLY), "2 users: unstable", {"warm_up": "12"}),
    "both": (lambda: sweep(TOO_EARLY, DRIFTS), "2 users: unstable", {"level_duration": "20", "warm_up": "12"}),
    "too-few-samples": (
        lambda: page_run("slow-rates"),
        "0.5 requests/s: too few samples: 5 answered",
        {"level_duration": "192"},
    ),
    "dropped-arrivals": (rates, "400 requests/s: 160 of 4,000 arrivals were dropped", {"num_users": "1000"}),
    "nothing-in-a-level": (lambda: page_run("unmeasured"), "no request was made", {"level_duration": "20"}),
    "nothing-in-a-time": (lambda: plain(totals=NOTHING), "no request was made", {"run_time": "20"}),
    "nothing-was-answered-in-time": (
        lambda: plain(totals={**NOTHING, "cut_off": 3}, course={"deadline_s": 30.0}),
        "3 requests were sent, and all were in flight",
        {"run_time": "60"},
    ),
    "nothing-was-compared": (
        lambda: plain(verified={"n_images": 5}),
        "nothing was compared",
        {"run_time": "20"},
    ),
    "a-silent-end": (in_a_hanging_end, "the last answer came", {"run_time": "120"}),
    "images-that-are-left-when-the-time-is-over": (
        lambda: images(course={"n_images_asked": 2000, "run_time_s": 10.0, "ran_s": 10.0}),
        "only 1,000 of 2,000 images were fired",
        {"run_time": "30"},
    ),
    "users-not-all-started": (
        lambda: plain(users={"n": 4, "n_users_asked": 10, "attended": None}),
        "only 4 of 10 users were started",
        {"spawn_rate": "2"},
    ),
    "a-search-that-was-not-finished": (
        lambda: search(Ending.OUT_OF_PROBES, 150.0, 300.0),
        "All 12 probes are used up",
        {"find_max_rate": "150:300"},
    ),
    "a-search-whose-lowest-rate-had-too-few-samples": (
        lambda: search(Ending.NONE_HOLDS, None, 100.0, is_unknown=True),
        "Even 100 requests/s",
        {"level_duration": "20"},
    ),
    "a-percentile-of-a-level": (
        lambda: page_run("many"),
        "p99 < 400 ms at 1 user cannot be judged",
        {"level_duration": "20"},
    ),
    "a-percentile-of-a-run": (
        lambda: undecided(plain(totals={"requests": 300}), "p99 < 1s"),
        "p99 < 1 s cannot be judged",
        {"run_time": "30"},
    ),
    "one-stall": (
        lambda: undecided(plain(), "p99 < 1s", value=1e9, cure="let the run last longer"),
        "p99 < 1 s cannot be judged",
        {"run_time": "20"},
    ),
}

OUTSIDE = {
    "a-busy-generator": (lambda: sweep(BUSY), "2 users: the load generator", "use --processes or more workers"),
    "an-unfit-worker": (
        lambda: page_run("stopped"),
        "worker host_1 could not take part",
        "mend what keeps that worker",
    ),
    "a-lost-worker": (lambda: page_run("invalid"), "1 of 2 workers was lost", "run again with workers that stay"),
    "lost-requests": (lambda: plain(workers={"n_unaccounted": 3}), "3 requests that workers", "run again"),
    "a-time-that-was-cut-short": (lambda: plain(course={"ran_s": 3.0}), "stopped after 3.0 s", "let it end by itself"),
    "levels-that-are-left": (
        lambda: judged(page_run("sweep"), course={"n_levels_left": 2}),
        "the run was stopped with 2 levels to go",
        "let it end by itself",
    ),
    "images-that-are-left": (
        lambda: images(course={"n_images_asked": 2000}),
        "only 1,000 of 2,000 images were fired",
        "let the run come to its end",
    ),
    "nobody-to-fire-images": (
        lambda: images(course={"stalled": "no users"}),
        "the run was ended, since",
        "let the run come to its end",
    ),
    "no-time-of-its-own": (
        lambda: plain(totals=NOTHING, course={"run_time_s": None, "ran_s": None}),
        "no request was made",
        "let the run last longer",
    ),
    "answers-that-were-not-waited-for": (lambda: plain(totals={"given_up": 3}), "3 requests were given up", "let pred"),
    "a-generator-that-stood-still": (
        lambda: plain(workers=HELD_UP, course={"deadline_s": 5.0}),
        "1 of 2 processes of the load generator stood still",
        "see what held it up",
    ),
    "users-that-ended": (
        lambda: plain(users={"attended": Attended(100.0, 40.0, 4)}),
        "only ",
        "see in the log",
    ),
    "two-models": (lambda: plain(server={"wrong_model": "2 answered"}), "2 answered", "name one with --model-version"),
    "a-model-that-changed": (
        lambda: plain(server={"changed": "1, then 2"}),
        "the server's model",
        "see that one model",
    ),
    "a-search-that-knows-nothing": (
        lambda: search(Ending.STOPPED),
        "Stopped after 2",
        "let the search come to its end",
    ),
    "a-level-that-was-not-run": (
        lambda: undecided(page_run("sweep"), "p99[users=16] < 1s", "16 users", cure="let it end by itself"),
        "p99[users=16] < 1 s at 16 users cannot be judged",
        "let it end by itself",
    ),
    "a-class-that-was-not-fired": (
        lambda: undecided(plain(), "recall[5] > 9%", why_unknown="nothing was measured that it is about", cure=""),
        "recall[5] > 9% cannot be judged",
        "see the log",
    ),
    "levels-as-long-as-they-may-be": (
        lambda: as_long_as_may_be(undecided(page_run("sweep"), "p99.99 < 1s", "1 user", 1)),
        "p99.99 < 1 s at 1 user cannot be judged",
        "let it last longer",
    ),
}
