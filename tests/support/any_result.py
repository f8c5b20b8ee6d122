"""Results of runs with whatever figures: extremes, gaps, levels that differ by a millionth or by a million."""

import dataclasses
import math

from hypothesis import strategies as st

from tests.support.page_runs import page_run
from tfsload.analysis.image_counts import ImageCounts, Misread
from tfsload.analysis.latency import LatencyCounts
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
LATENCIES_NS = st.one_of(st.none(), st.just(math.inf), st.floats(1, LONGEST_NS))
COUNTS = st.integers(0, 10**9)
SECONDS = st.builds(
    Second,
    at_s=st.floats(0, 1e5),
    lasts_s=st.floats(0.001, 64),
    rate_rps=RATES,
    p50_ns=st.none() | st.integers(0, LONGEST_NS),
    p99_ns=st.none() | st.integers(0, LONGEST_NS),
    in_flight=st.floats(0, 1e5),
    predictions=COUNTS,
    wrong=COUNTS,
    failed=COUNTS,
    mismatched=COUNTS,
    dropped=COUNTS,
)


@st.composite
def latency_counts(draw):
    values = sorted(draw(st.sets(st.integers(1, LONGEST_NS), max_size=30)))
    buckets = tuple((value, draw(st.integers(1, 10**6))) for value in values)
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
    found = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        rate = draw(RATES)
        users = draw(st.integers(1, 100_000))
        requests = draw(st.integers(0, 10**9))
        change = dataclasses.replace(
            base,
            number=number,
            users=users,
            rate_rps=draw(st.floats(0.01, 1e6)) if is_open else None,
            name=draw(st.sampled_from([f"{users} users", "<b>a level</b> " * 9, ""])),
            achieved_rps=rate,
            achieved_low_rps=rate * draw(st.floats(0, 1)) if rate else None,
            achieved_high_rps=rate * draw(st.floats(1, 3)) if rate else None,
            upper_end_ns={p: draw(LATENCIES_NS) for p in (50.0, 90.0, 95.0, 99.0, 99.9)},
            latency=draw(latency_counts()),
            requests=requests,
            failed_requests=draw(st.integers(0, requests)),
            unsteady=draw(st.sampled_from(["", "throughput went up"])),
            begun_s=draw(st.none() | st.floats(0, 1e6)),
            duration_s=draw(st.floats(0.1, 1e5)),
            seconds=tuple(draw(st.lists(SECONDS, max_size=4))),
        )
        found.append(change)
    return tuple(found)


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
    return dataclasses.replace(
        base,
        levels=draw(levels()),
        seconds=tuple(draw(st.lists(SECONDS, max_size=8))),
        confusion=tuple((label, answer, count) for (label, answer), count in confusion.items()),
        classes=rows,
        images=ImageCounts((1,) * draw(st.integers(0, 60)), misread, {1: "00"}, {2: 3}),
    )


@st.composite
def unprinted_results(draw):
    """Return a result that fills no screen where a test of it fails."""
    return Unprinted(draw(results()))
