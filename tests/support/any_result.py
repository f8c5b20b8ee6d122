"""Results of runs with whatever figures: extremes, gaps, levels that differ by a millionth or by a million."""

import dataclasses
import math

from hypothesis import strategies as st

from tests.support.page_runs import page_run
from tfsload.analysis.image_counts import ImageCounts, Misread
from tfsload.analysis.latency import LatencyCounts
from tfsload.analysis.level_result import Cpu
from tfsload.analysis.result import RunResult
from tfsload.analysis.series import Second


class Unprinted:
    """A result that fills no screen where a test of it fails."""

    def __init__(self, result: RunResult) -> None:
        self.result = result

    def __repr__(self) -> str:
        return "a result"


LONGEST_NS = 7200 * 10**9
RATES = st.one_of(st.just(0.0), st.floats(1e-4, 1e7))
LATENCIES_NS = st.one_of(st.none(), st.sampled_from([0.0, math.inf]), st.floats(0.5, LONGEST_NS))
COUNTS = st.one_of(st.sampled_from([0, 1, 10**12]), st.integers(0, 10**9))
SECONDS = st.builds(
    Second,
    at_s=st.floats(0, 1e5),
    lasts_s=st.one_of(st.sampled_from([0.0, 1e-7, 1.0]), st.floats(0.001, 64)),
    rate_rps=RATES,
    p50_ns=st.one_of(st.none(), st.just(0), st.integers(0, LONGEST_NS)),
    p99_ns=st.one_of(st.none(), st.just(0), st.integers(0, LONGEST_NS)),
    in_flight=st.floats(0, 1e5),
    predictions=COUNTS,
    wrong=COUNTS,
    failed=COUNTS,
    mismatched=COUNTS,
    dropped=COUNTS,
)
CPUS = st.builds(Cpu, busy=st.floats(0, 2), waited=st.floats(0, 1), mean_wait_ns=st.floats(0, 10**10))


@st.composite
def latency_counts(draw):
    values = sorted(draw(st.sets(st.one_of(st.integers(0, 3), st.integers(0, LONGEST_NS)), max_size=30)))
    # Their sum is one of 64 bits.
    most = [min(10**12, 2**58 // max(value, 1)) for value in values]
    buckets = tuple(
        (value, draw(st.one_of(st.just(n), st.integers(1, n)))) for value, n in zip(values, most, strict=True)
    )
    count = sum(n for _, n in buckets)
    return (
        LatencyCounts(count, sum(v * n for v, n in buckets), values[0], values[-1], buckets)
        if values
        else LatencyCounts()
    )


@st.composite
def levels(draw):
    base = page_run("sweep").levels[0]
    is_open = draw(st.booleans())
    # One of which it is not known leaves all charts over time away.
    begun_is_known = draw(st.sampled_from([st.just(True), st.just(True), st.booleans()]))
    at_s = draw(st.floats(0, 1e6))
    found = []
    for number in range(1, draw(st.integers(0, 8)) + 1):
        rate = draw(RATES)
        users = draw(st.one_of(st.integers(1, 3), st.integers(1, 100_000)))
        requests = draw(st.integers(0, 10**9))
        change = dataclasses.replace(
            base,
            number=number,
            users=users,
            rate_rps=draw(st.one_of(st.sampled_from([1.0, 1.000001]), st.floats(0.01, 1e6))) if is_open else None,
            name=draw(st.sampled_from([f"{users} users", "<b>a level</b> " * 9, "", "a\x00\n\u202e|level"])),
            achieved_rps=rate,
            achieved_low_rps=rate * draw(st.floats(0, 1)) if rate else None,
            achieved_high_rps=rate * draw(st.floats(1, 3)) if rate else None,
            upper_end_ns={p: draw(LATENCIES_NS) for p in (50.0, 90.0, 95.0, 99.0, 99.9)},
            latency=draw(latency_counts()),
            requests=requests,
            failed_requests=draw(st.integers(0, requests)),
            wrong=draw(st.none() | COUNTS),
            dropped=draw(COUNTS),
            lag_p99_ns=draw(LATENCIES_NS),
            n_users=draw(st.integers(0, users)),
            round_trip_ns=draw(st.none() | st.integers(0, LONGEST_NS)),
            missing_workers=draw(st.sampled_from([(), ("a\x1b[31m",)])),
            cpu=tuple(draw(st.lists(CPUS, max_size=2))),
            unsteady=draw(st.sampled_from(["", "throughput went up"])),
            begun_s=at_s if draw(begun_is_known) else None,
            warm_up_s=draw(st.sampled_from([0.0, 2.0, 1e5])),
            duration_s=draw(st.one_of(st.just(0.0), st.floats(0.1, 1e5))),
            seconds=tuple(draw(st.lists(SECONDS, max_size=4))),
        )
        found.append(change)
        at_s += change.warm_up_s + change.duration_s + draw(st.sampled_from([0.0, 1.0, 1e4]))  # one after the other
    return tuple(found)


@st.composite
def totals_like(draw, base):
    requests = draw(st.one_of(st.integers(0, 2), st.integers(0, 10**9)))
    latency = draw(latency_counts())
    return dataclasses.replace(
        base,
        requests=requests,
        failed_requests=draw(st.integers(0, requests)),
        wrong=draw(st.none() | COUNTS),
        dropped=draw(COUNTS),
        compared=draw(COUNTS),
        mismatched=draw(COUNTS),
        duration_s=draw(st.one_of(st.just(0.0), st.floats(0.001, 1e6))),
        requests_per_s=draw(st.none() | RATES),
        images_per_s=draw(st.none() | RATES),
        latency=latency,
        latency_ns={p: draw(st.integers(0, LONGEST_NS)) for p in base.latency_ns if latency.count},
    )


@st.composite
def results(draw):
    """Return a result; what belongs together in a real one need not here."""
    base = page_run(draw(st.sampled_from(["sweep", "rate", "endless", "thresholds", "search"])))
    classes = draw(st.lists(st.integers(0, 2000), min_size=1, max_size=25, unique=True))
    confusion = {(draw(st.sampled_from(classes)), draw(st.sampled_from(classes))): draw(COUNTS) for _ in range(6)}
    rows = tuple(
        dataclasses.replace(page_run("sweep").classes[0], label=label, images=draw(COUNTS), right=0)
        for label in classes
    )
    misread = tuple(Misread(draw(st.integers(0, 50)), draw(st.sampled_from(classes)), 1) for _ in range(3))
    held = draw(levels())
    if not held:  # a run without levels
        base = dataclasses.replace(base, scaling=None, search=None)
    return dataclasses.replace(
        base,
        totals=draw(totals_like(base.totals)),
        levels=held,
        seconds=tuple(draw(st.lists(SECONDS, max_size=8))),
        confusion=tuple((label, answer, count) for (label, answer), count in confusion.items()),
        classes=rows,
        images=ImageCounts(
            (1,) * draw(st.integers(0, 60)), misread, {1: "00"}, {2: 3}, is_labelled=draw(st.booleans())
        ),
    )


@st.composite
def unprinted_results(draw):
    """Return a result that fills no screen where a test of it fails."""
    return Unprinted(draw(results()))
