"""What users send next: seeded rounds, or leases."""

import itertools

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.runs import wait_for
from tfsload.load.leases import Lease
from tfsload.load.supply import EndlessSupply, LeasedSupply


def draw(supply, n):
    return [supply.next()[0] for _ in range(n)]


@given(st.integers(1, 50), st.integers(0, 3), st.integers(0, 5))
def test_each_round_holds_each_request_once(n_requests, seed, worker_index):
    supply = EndlessSupply(n_requests, seed, worker_index)

    for _ in range(3):
        assert sorted(draw(supply, n_requests)) == list(range(n_requests))


def test_the_seed_makes_the_order():
    orders = {
        (seed, worker): tuple(draw(EndlessSupply(100, seed, worker), 200)) for seed in (1, 2) for worker in (0, 1)
    }

    assert orders[1, 0] == tuple(draw(EndlessSupply(100, 1, 0), 200))
    assert len(set(orders.values())) == 4  # another seed, another worker: another order


class Coordinator:
    """Answers at once, as a process without workers does."""

    def __init__(self, ranges):
        self.waiting = list(ranges)
        self.delivered = []
        self.asked = 0
        self.numbers = itertools.count()
        self.supply = LeasedSupply(self.answer, self.delivered.append)

    def answer(self, held):
        self.held = held
        self.asked += 1
        self.supply.grant(Lease(next(self.numbers), *self.waiting.pop(0)) if self.waiting else None)


@pytest.mark.parametrize("n_users", [pytest.param(1, id="one-user"), pytest.param(7, id="seven-users")])
def test_leased_requests_are_each_drawn_once_and_delivered(n_users):
    coordinator = Coordinator([(0, 5), (5, 10), (10, 12)])
    drawn = []

    def user():
        while True:
            number, lease = coordinator.supply.next()
            gevent.idle()
            drawn.append(number)
            coordinator.supply.done(lease)

    users = [gevent.spawn(user) for _ in range(n_users)]
    wait_for(lambda: len(coordinator.delivered) == 3)
    gevent.killall(users)

    assert sorted(drawn) == list(range(12))
    assert sorted(coordinator.delivered) == [0, 1, 2]


def test_a_lease_is_delivered_when_its_last_request_ends_in_any_order():
    coordinator = Coordinator([(0, 3)])
    supply = coordinator.supply
    leases = [supply.next()[1] for _ in range(3)]

    supply.done(leases[2])
    supply.done(leases[0])
    assert coordinator.delivered == []
    assert supply.n_open(0) == 1
    supply.done(leases[1])
    assert coordinator.delivered == [0]
    assert supply.n_open(0) == 0


def test_one_question_at_a_time():
    asked = []
    supply = LeasedSupply(asked.append, lambda _lease: None)

    users = [gevent.spawn(supply.next) for _ in range(5)]
    wait_for(lambda: asked)
    gevent.idle()
    assert len(asked) == 1
    supply.grant(Lease(0, 0, 5))
    gevent.joinall(users, timeout=10)

    assert sorted(user.value[0] for user in users) == [0, 1, 2, 3, 4]


def test_a_lost_answer_is_asked_for_again(monkeypatch):
    monkeypatch.setattr("tfsload.load.supply.ANSWER_LIMIT_S", 0.001)
    asked = []
    supply = LeasedSupply(asked.append, lambda _lease: None)
    user = gevent.spawn(supply.next)
    wait_for(lambda: len(asked) > 2)
    supply.grant(Lease(7, 3, 5))

    assert user.get(timeout=10) == (3, 7)
    assert asked[0] == []


def test_the_question_names_what_is_held():
    coordinator = Coordinator([(0, 2), (2, 4)])
    for _ in range(2):
        coordinator.supply.next()

    assert coordinator.held == [0]


def test_who_awaits_the_end_of_a_warm_up_asks_again_soon(monkeypatch):
    monkeypatch.setattr("tfsload.load.supply.ASK_SOON_S", 0.001)
    monkeypatch.setattr("tfsload.load.supply.ASK_AGAIN_S", 3600)
    asked = []
    supply = LeasedSupply(asked.append, lambda _lease: None)
    user = gevent.spawn(supply.next)
    wait_for(lambda: asked)
    supply.grant(None, is_soon=True)
    wait_for(lambda: len(asked) == 2)
    supply.grant(Lease(3, 0, 1))

    assert user.get(timeout=10) == (0, 3)


def test_a_closed_supply_asks_no_more():
    asked = []
    supply = LeasedSupply(asked.append, lambda _lease: None)
    supply.close()
    user = gevent.spawn(supply.next)
    gevent.idle()
    user.kill()

    assert asked == []


def test_a_process_that_got_nothing_asks_again(monkeypatch):
    monkeypatch.setattr("tfsload.load.supply.ASK_AGAIN_S", 0.001)
    coordinator = Coordinator([])
    user = gevent.spawn(coordinator.supply.next)
    wait_for(lambda: coordinator.asked > 1)
    coordinator.waiting.append((3, 4))  # a lost worker's

    assert user.get(timeout=10) == (3, 0)


def test_a_lease_that_comes_twice_is_worked_off_once():
    """The leader was held up, and has read a question and its repetition."""
    asked, delivered = [], []
    supply = LeasedSupply(asked.append, delivered.append)
    gevent.spawn(supply.next)
    gevent.idle()
    supply.grant(Lease(3, 0, 2))
    supply.grant(Lease(3, 0, 2))
    supply.next()
    supply.done(3)
    supply.done(3)

    assert delivered == [3]
    assert supply.held().n_open == 0
    assert (supply.held().leases, supply.held().newest) == ((), 3)
