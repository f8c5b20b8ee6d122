"""Which requests without an answer a load generator explains that stood still."""

import dataclasses

import pytest

from tests.support.golden import result_of
from tests.support.past_runs import MS, SECOND, PastRun
from tfsload.analysis import hold_ups
from tfsload.analysis.result import Users
from tfsload.analysis.series import Second
from tfsload.analysis.workers import HeldUp, Workers

N_USERS = 4
NONE = Second(0.0, 1.0, 0.0, None, None, 0.0, 0, 0, 0, 0, 0)


def run(spans, failed, per_request=1):
    """Return a run of four users, and a deadline of 5 s.

    Args:
        spans: from when on its process stood still, and for how long, in seconds.
        failed: images without an answer, by second.
        per_request: images.
    """
    past = PastRun({"deadline": "5"})
    past.fire(0, SECOND, MS)
    result = result_of(past.end())
    n_failed = sum(failed.values())
    return dataclasses.replace(
        result,
        totals=dataclasses.replace(
            result.totals, failed_requests=n_failed // per_request, failed={"DEADLINE_EXCEEDED": n_failed}
        ),
        seconds=tuple(dataclasses.replace(NONE, at_s=float(n), failed=failed.get(n, 0)) for n in range(30)),
        workers=Workers(held_up=tuple(HeldUp("a", at_s, lasted_s) for at_s, lasted_s in spans)),
        users=Users(N_USERS, N_USERS),
    )


@pytest.mark.parametrize(
    ("spans", "failed", "is_explained"),
    [
        pytest.param([(4.0, 8.0)], {11: 4}, True, id="as-it-goes-on"),
        pytest.param([(4.0, 8.0)], {12: 4}, True, id="as-it-reads-what-came-meanwhile"),
        pytest.param([(4.0, 8.0)], {13: 4}, False, id="after-that"),
        pytest.param([(4.0, 4.0)], {9: 4}, True, id="a-deadline-after-it-began"),
        pytest.param([(4.0, 4.0)], {10: 4}, False, id="later"),
        pytest.param([(4.5, 8.0)], {4: 4}, True, id="in-the-second-in-which-it-began"),
        pytest.param([(4.0, 8.0)], {3: 4}, False, id="before-it"),
        pytest.param([(4.0, 8.0)], {11: 5}, False, id="one-more-than-users"),
        pytest.param([(4.0, 8.0), (20.0, 8.0)], {11: 4, 27: 4}, True, id="each-user-in-each"),
        pytest.param([(4.0, 8.0), (20.0, 8.0)], {11: 8}, False, id="each-user-twice-in-one"),
        pytest.param([(4.0, 8.0), (20.0, 8.0)], {11: 4, 12: 4}, False, id="again-in-the-next-second"),
        pytest.param([(4.0, 8.0), (20.0, 8.0)], {11: 4, 12: 1, 27: 3}, False, id="one-of-them-twice"),
        pytest.param([(8.0, 4.0), (4.0, 4.0)], {9: 4, 13: 4}, True, id="the-one-that-ends-first-explains-first"),
        pytest.param([(4.0, 4.0), (8.0, 4.0)], {9: 4, 13: 4}, True, id="in-whatever-order-they-are-told"),
    ],
)
def test_each_user_has_one_request_in_flight_in_a_standstill(spans, failed, is_explained):
    assert hold_ups.explains_failures(run(spans, failed)) is is_explained


@pytest.mark.parametrize(("n_images", "is_explained"), [(8, True), (10, False)])
def test_requests_of_several_images_are_counted_by_requests(n_images, is_explained):
    assert hold_ups.explains_failures(run([(4.0, 8.0)], {11: n_images}, per_request=2)) is is_explained
