"""Which request a process's users send next: all of them over and over, or those that it has leased."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Protocol

import gevent
import numpy as np
from gevent.queue import SimpleQueue

from tfsload.load.leases import Lease

# How soon a process that got nothing asks again: another worker's lease may come free.
ASK_AGAIN_S = 0.25
# Where the last of a warm-up is awaited, all that counts comes free with it: processes are to begin together.
ASK_SOON_S = 0.05
# How long an answer may take. Messages have no receipt; one may be lost while a connection is made anew.
ANSWER_LIMIT_S = 3.0


class Supply(Protocol):
    """What users draw requests from."""

    def next(self) -> tuple[int, int | None]:
        """Return a request's number and its lease (None: none); may wait."""

    def is_awaited_by(self, user: Any) -> bool:
        """Whether a user, by its greenlet, waits in `next`."""

    def done(self, lease: int | None) -> None:
        """Tell that one request of the lease has ended."""

    def give_back(self, number: int, lease: int | None) -> None:
        """Tell that a request was not made, and never will be by the user that drew it."""

    def held(self) -> "Held":
        """Return what this process has yet to do."""

    def give_up(self) -> list[int]:
        """Hold nothing any more, since nobody is left to make the requests; return the leases that were held."""

    def close(self) -> None:
        """End whatever goes on beside the users."""


@dataclass(frozen=True)
class Held:
    """What a process has yet to do.

    Attributes:
        leases: numbers of the leases that it holds.
        newest: the highest number of a lease that it was ever given; -1: none.
        n_open: requests of them that have not ended.
    """

    leases: tuple[int, ...] = ()
    newest: int = -1
    n_open: int = 0


class EndlessSupply:
    """Every request over and over, each round in an order of its own drawn from the seed."""

    def __init__(self, n_requests: int, seed: int, worker_index: int) -> None:
        rounds = self._rounds(n_requests, np.random.default_rng([seed, worker_index]))
        # Returns the next request's number. No method, which were two calls more for every request.
        self.next: Callable[[], tuple[int, None]] = chain.from_iterable(rounds).__next__

    @staticmethod
    def _rounds(n_requests: int, random: np.random.Generator) -> Iterator[Iterable[tuple[int, None]]]:
        while True:
            yield zip(random.permutation(n_requests).tolist(), repeat(None))

    def is_awaited_by(self, user: Any) -> bool:  # noqa: ARG002  (as LeasedSupply has it)
        """Whether a user waits for a request: never."""
        return False

    def done(self, lease: int | None) -> None:
        """Nothing is kept."""

    def give_back(self, number: int, lease: int | None) -> None:
        """Nothing is kept: each request comes again."""

    def held(self) -> Held:
        """Return that nothing is held."""
        return Held()

    def give_up(self) -> list[int]:
        """Nothing is held."""
        return []

    def close(self) -> None:
        """Nothing is to be ended."""


class LeasedSupply:
    """Requests that the coordinator has leased to this process.

    One lease is asked for ahead of need, so that users do not wait for a message to go round.
    """

    def __init__(self, ask: Callable[[list[int]], None], deliver: Callable[[int], None]) -> None:
        """Start empty.

        Args:
            ask: asks the coordinator for a lease, naming those held; the answer comes to `grant`.
            deliver: hands over a lease's results, once all its requests have ended.
        """
        self._ask = ask
        self._deliver = deliver
        self._is_asking = False
        self._ask_number = 0
        self._check: Any = None  # the greenlet that asks again where no answer comes
        self._is_closed = False
        self._queue: SimpleQueue[tuple[int, int]] = SimpleQueue()
        self._open: dict[int, int] = {}  # requests not yet ended, by lease
        self._newest, self._newest_size = -1, 0
        self._waiting: set[Any] = set()  # greenlets in `next`

    def next(self) -> tuple[int, int]:
        """Return the next leased request, waiting for one if need be."""
        if self._queue.qsize() <= self._newest_size // 2:
            self._ask_once()
        user = gevent.getcurrent()
        self._waiting.add(user)
        try:
            return self._queue.get()
        finally:
            self._waiting.discard(user)

    def is_awaited_by(self, user: Any) -> bool:
        """Whether a user, by its greenlet, waits for a request."""
        return user in self._waiting

    def done(self, lease: int | None) -> None:
        """Count one request of a lease as ended; the last one delivers the lease."""
        if lease not in self._open:
            return  # given up meanwhile: others make its requests
        self._open[lease] -= 1
        if not self._open[lease]:
            del self._open[lease]
            self._deliver(lease)

    def give_back(self, number: int, lease: int | None) -> None:
        """Offer a request to the others, whose user was ended before it had an answer."""
        if lease in self._open:
            self._queue.put((number, lease))

    def held(self) -> Held:
        """Return which leases are held, and how many of their requests have not ended."""
        return Held(tuple(self._open), self._newest, sum(self._open.values()))

    def give_up(self) -> list[int]:
        """Hold nothing any more; return the leases that were held. Users that come later ask anew."""
        given_up = list(self._open)
        self._open.clear()
        while not self._queue.empty():
            self._queue.get_nowait()
        return given_up

    def n_open(self, lease: int) -> int:
        """Requests of a lease that have not ended; 0 where it was delivered or never granted."""
        return self._open.get(lease, 0)

    def grant(self, lease: Lease | None, is_soon: bool = False) -> None:
        """Take the coordinator's answer; None: nothing is free now, but will be soon where it says so."""
        if lease is not None and lease.number <= self._newest:
            return  # the answer to a question that was asked twice
        self._forget_check()
        if lease is None:
            self._check = gevent.spawn_later(ASK_SOON_S if is_soon else ASK_AGAIN_S, self._ask_again)
            return
        self._is_asking = False
        self._open[lease.number] = len(lease)
        self._newest, self._newest_size = max(self._newest, lease.number), len(lease)
        for number in range(lease.start, lease.stop):
            self._queue.put((number, lease.number))

    def close(self) -> None:
        """Ask no more."""
        self._is_closed = True
        self._forget_check()

    def _ask_once(self) -> None:
        if self._is_asking or self._is_closed:
            return
        self._is_asking = True
        self._ask_number += 1
        self._check = gevent.spawn_later(ANSWER_LIMIT_S, self._check_answered, self._ask_number)
        self._ask(list(self._open))

    def _ask_again(self) -> None:
        self._is_asking = False
        if self._waiting:  # else it would get what it has no user for; the next one that comes asks by itself
            self._ask_once()

    def _forget_check(self) -> None:
        """Take away the timer of a question that was answered: else they gather by the thousand, for seconds."""
        if self._check is not None:
            self._check.kill(block=False)
            self._check = None

    def _check_answered(self, ask_number: int) -> None:
        if self._is_asking and ask_number == self._ask_number:
            self._ask_again()
