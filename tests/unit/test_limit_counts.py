"""When requests lay beyond a threshold's limit, as a result keeps it: enough to judge the threshold again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.page_runs import page_run
from tfsload.analysis import thresholds
from tfsload.analysis.edges import limits_of
from tfsload.analysis.limit_counts import MOST_ROWS, LimitCounts, limit_counts
from tfsload.records.half_seconds import HalfSeconds
from tfsload.records.tenths import TENTH_NS

MS = 1_000_000


def counted(text, latencies_ms):
    """Return what is counted of requests: by the tenth in which they were answered, what they took."""
    half_seconds = HalfSeconds(limits_of(thresholds.parse(text)))
    for tenth, latency_ms in latencies_ms:
        done_ns = tenth * TENTH_NS + 1
        half_seconds.batch.append((done_ns - latency_ms * MS, done_ns - latency_ms * MS, done_ns, latency_ms < 1000))
    half_seconds.fill()
    return half_seconds


@pytest.mark.parametrize(
    ("text", "latencies_ms", "begin_tenth", "want"),
    [
        pytest.param("rate > 5", [(3, 1)], 0, (), id="what-does-not-rest-on-many"),
        pytest.param("p90 < 5ms", [], 0, (LimitCounts("p90 < 5ms", 1, ()),), id="nothing"),
        pytest.param(
            "p90 < 5ms",
            [(3, 1), (3, 9), (5, 2000)],
            0,
            (LimitCounts("p90 < 5ms", 1, ((3, 2, 1, 0), (5, 0, 0, 1))),),
            id="a-percentile",
        ),
        pytest.param(
            "mean < 5ms", [(3, 1), (3, 2)], 0, (LimitCounts("mean < 5ms", 1, ((3, 2, 3 * MS, 0),)),), id="mean"
        ),
        pytest.param("p90 < 5ms", [(103, 1)], 100, (LimitCounts("p90 < 5ms", 1, ((3, 1, 0, 0),)),), id="begin"),
        pytest.param(
            "p90 < 5ms",
            [(0, 1), (MOST_ROWS - 1, 9)],
            0,
            (LimitCounts("p90 < 5ms", 1, ((0, 1, 0, 0), (MOST_ROWS - 1, 1, 1, 0))),),
            id="just-short-enough",
        ),
        pytest.param(
            "p90 < 5ms",
            [(0, 1), (4, 9), (5, 1), (MOST_ROWS, 9)],
            0,
            (LimitCounts("p90 < 5ms", 5, ((0, 2, 1, 0), (1, 1, 0, 0), (MOST_ROWS // 5, 1, 1, 0))),),
            id="half-seconds",
        ),
        pytest.param(
            "p90 < 5ms",
            [(0, 1), (9, 9), (5 * MOST_ROWS, 9)],
            0,
            (LimitCounts("p90 < 5ms", 10, ((0, 2, 1, 0), (MOST_ROWS // 2, 1, 1, 0))),),
            id="seconds",
        ),
    ],
)
def test_counts_by_tenth_or_wider(text, latencies_ms, begin_tenth, want):
    assert limit_counts(counted(text, latencies_ms), begin_tenth) == want


@given(st.lists(st.tuples(st.integers(0, 30 * MOST_ROWS), st.integers(1, 2000)), max_size=20))
def test_nothing_is_lost_and_there_are_never_too_many_rows(latencies_ms):
    half_seconds = counted("p90 < 5ms", latencies_ms)
    (counts,) = limit_counts(half_seconds)

    assert tuple(map(sum, zip(*[row[1:] for row in counts.rows], strict=True))) == (
        half_seconds.total("p90 < 5ms") if latencies_ms else ()
    )
    assert [number for number, *_ in counts.rows] == sorted({tenth // counts.n_tenths for tenth, _ in latencies_ms})
    assert len(counts.rows) <= MOST_ROWS + 1


def test_levels_have_their_own_and_a_run_without_levels_has_one():
    rate, plain = page_run("rate"), page_run("thresholds")

    assert rate.limit_counts == ()
    for level in rate.levels:
        (counts,) = level.limit_counts
        assert sum(n for _, n, _, _ in counts.rows) == level.answered
        assert 0 <= counts.rows[0][0] <= counts.rows[-1][0] < level.duration_s * 10
    (counts,) = plain.limit_counts
    assert (counts.threshold, counts.rows[0][0]) == ("p99 < 50ms", 0)
    assert sum(n for _, n, _, _ in counts.rows) == plain.totals.requests - plain.totals.failed_requests
