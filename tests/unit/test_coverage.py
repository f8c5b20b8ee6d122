"""Each image exactly once, whatever workers do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.load.leases import Lease, Leases


def drain(leases, worker):
    """Take and deliver all that is waiting; return the requests made."""
    made = []
    while (lease := leases.grant(worker)) is not None:
        made.extend(range(lease.start, lease.stop))
        assert leases.deliver(lease.number)
    return made


@pytest.mark.parametrize(
    ("n_requests", "chunk", "sizes"),
    [
        pytest.param(10, 5, [5, 5], id="even"),
        pytest.param(11, 5, [5, 5, 1], id="a-rest"),
        pytest.param(3, 100, [3], id="one-chunk"),
        pytest.param(1, 1, [1], id="one-request"),
    ],
)
def test_ranges_are_cut_by_the_chunk(n_requests, chunk, sizes):
    leases = Leases(n_requests, chunk)
    granted = []
    while (lease := leases.grant("w")) is not None:
        granted.append(lease)

    assert [len(lease) for lease in granted] == sizes
    assert sorted(r for lease in granted for r in range(lease.start, lease.stop)) == list(range(n_requests))


@pytest.mark.parametrize(("n_requests", "chunk"), [pytest.param(0, 1, id="nothing"), pytest.param(1, 0, id="no-chunk")])
def test_senseless_sizes_are_refused(n_requests, chunk):
    with pytest.raises(ValueError, match="at least one"):
        Leases(n_requests, chunk)


def test_a_lost_workers_leases_go_to_another():
    leases = Leases(10, 5)
    lost = leases.grant("a")

    assert leases.lose("a") == [lost]
    assert sorted(drain(leases, "b")) == list(range(10))
    assert leases.is_finished


def test_a_worker_that_comes_back_is_not_counted_twice():
    leases = Leases(5, 5)
    first = leases.grant("a")
    leases.lose("a")
    second = leases.grant("b")

    assert second.number != first.number
    assert not leases.deliver(first.number)
    assert leases.deliver(second.number)
    assert leases.done == 5


def test_what_a_worker_does_not_name_is_given_out_again():
    leases = Leases(10, 5)
    kept, dropped = leases.grant("a"), leases.grant("a")

    assert leases.keep_only("a", [kept.number]) == [dropped]
    assert leases.keep_only("b", []) == []
    again = leases.grant("b")
    assert (again.start, again.stop) == (dropped.start, dropped.stop)
    assert not leases.deliver(dropped.number)


def test_nothing_is_delivered_twice():
    leases = Leases(5, 5)
    lease = leases.grant("a")

    assert leases.deliver(lease.number)
    assert not leases.deliver(lease.number)
    assert leases.done == 5


def test_half_a_lease_counts_half_and_leaves_the_run_unfinished():
    leases = Leases(10, 10)
    lease = leases.grant("a")

    assert leases.deliver(lease.number, n_open=4)
    assert leases.done == 6
    assert not leases.is_finished


@given(st.integers(1, 60), st.integers(1, 9), st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("gdl"))))
def test_any_history_ends_with_each_request_counted_once(n_requests, chunk, history):
    leases = Leases(n_requests, chunk)
    held: dict[str, list[Lease]] = {"a": [], "b": [], "c": []}
    counted: list[int] = []
    for worker, action in history:
        if action == "g":
            lease = leases.grant(worker)
            if lease is not None:
                held[worker].append(lease)
        elif action == "d" and held[worker]:
            lease = held[worker].pop(0)
            if leases.deliver(lease.number):
                counted.extend(range(lease.start, lease.stop))
        elif action == "l":
            leases.lose(worker)  # it may live on, and deliver what it no longer holds
    for worker in held:
        leases.lose(worker)
    counted.extend(drain(leases, "last"))

    assert sorted(counted) == list(range(n_requests))
    assert leases.is_finished


# A warm-up before what counts


def test_nothing_that_counts_is_given_out_before_the_last_of_the_warm_up_has_ended():
    leases = Leases(4, 4, n_warm_up=2, warm_up_chunk=1)
    first, second = leases.grant("a"), leases.grant("b")

    assert (first.is_warm_up, second.is_warm_up) == (True, True)
    assert leases.deliver(first.number)
    assert leases.grant("a") is None
    assert (leases.is_warming_up, leases.has_waiting, leases.n_warm_up_left, leases.done) == (True, False, 1, 0)
    assert leases.deliver(second.number)
    assert leases.grant("a") == Lease(2, 0, 4)
    assert not leases.is_warming_up


@pytest.mark.parametrize(
    ("n_warm_up", "chunk", "ranges"),
    [
        pytest.param(2, 5, [(0, 2)], id="fewer-than-there-are"),
        pytest.param(7, 2, [(0, 2), (2, 3), (0, 2), (2, 3), (0, 1)], id="round-and-round"),
        pytest.param(0, 1, [], id="none"),
    ],
)
def test_a_warm_up_goes_round_the_requests_there_are(n_warm_up, chunk, ranges):
    leases = Leases(3, 3, n_warm_up, chunk)
    granted = []
    while (lease := leases.grant("a")) is not None and lease.is_warm_up:
        granted.append((lease.start, lease.stop))
        leases.deliver(lease.number)

    assert granted == ranges


def test_a_lost_workers_part_of_the_warm_up_goes_to_another_and_counts_once():
    leases = Leases(5, 5, n_warm_up=4, warm_up_chunk=4)
    lost = leases.grant("a")
    assert leases.lose("a") == [lost]

    again = leases.grant("b")
    assert (again.start, again.stop, again.is_warm_up) == (0, 4, True)
    assert not leases.deliver(lost.number)
    assert leases.n_warm_up_left == 4
    assert leases.deliver(again.number)
    assert sorted(drain(leases, "b")) == list(range(5))


@given(
    st.integers(1, 30),
    st.integers(1, 9),
    st.integers(0, 60),
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("gdlk"))),
)
def test_any_history_of_a_warm_up_ends_with_exactly_so_many_before_each_request_once(n_requests, chunk, n, history):
    leases = Leases(n_requests, chunk, n, chunk)
    held: dict[str, list[Lease]] = {"a": [], "b": [], "c": []}
    warmed_up, counted = 0, []

    def deliver(lease):
        nonlocal warmed_up
        if leases.deliver(lease.number):
            warmed_up += len(lease) if lease.is_warm_up else 0
            counted.extend([] if lease.is_warm_up else range(lease.start, lease.stop))

    for worker, action in history:
        if action == "g" and (lease := leases.grant(worker)) is not None:
            assert lease.is_warm_up == (warmed_up < n)
            held[worker].append(lease)
        elif action == "d" and held[worker]:
            deliver(held[worker].pop(0))
        elif action == "l":
            leases.lose(worker)  # it may live on, and deliver what it no longer holds
        elif action == "k":
            leases.keep_only(worker, [lease.number for lease in held[worker][1:]])
    for worker in held:
        leases.lose(worker)
    while (lease := leases.grant("last")) is not None:
        deliver(lease)

    assert warmed_up == n
    assert sorted(counted) == list(range(n_requests))
    assert leases.is_finished
