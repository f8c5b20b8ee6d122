"""Each image exactly once: which requests are given out to whom, and which are done. Pure book-keeping.

Slicing a data set by worker would lose the slice of a worker that dies. Here workers lease short ranges,
and hand a range's results over in one message: the range counts once, whoever delivers it first, and a
lost worker's ranges are given to another.

A warm-up is given out likewise, before all that counts: nothing that counts is given out until the last of it has
ended, so that a slow first answer delays nothing that is measured.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Lease:
    """A range of requests given to one worker.

    Attributes:
        number: its own number; a range that is given out again gets a new one.
        start, stop: the requests, as in `range(start, stop)`.
        is_warm_up: whether they are made before all that counts, and do not.
    """

    number: int
    start: int
    stop: int
    is_warm_up: bool = False

    def __len__(self) -> int:
        return self.stop - self.start


class Leases:
    """Gives out `range(n_requests)` in leases, a warm-up before them, and counts each request once."""

    def __init__(self, n_requests: int, chunk: int, n_warm_up: int = 0, warm_up_chunk: int = 1) -> None:
        """Begin with nothing given out.

        Args:
            n_requests: those that count.
            chunk: the most of them in a lease.
            n_warm_up: requests of the warm-up: the first ones, and from the first one again where it has more.
            warm_up_chunk: the most of those in a lease.

        Raises:
            ValueError: nothing is to be made, or none at a time.
        """
        if n_requests < 1 or chunk < 1 or warm_up_chunk < 1:
            raise ValueError(
                f"expected at least one request and chunk, got {n_requests}, {chunk} and {warm_up_chunk} to warm up"
            )
        self._n_requests = n_requests
        self._waiting = deque((start, min(start + chunk, n_requests)) for start in range(0, n_requests, chunk))
        self._warm_up = deque(_rounds(n_warm_up, n_requests, warm_up_chunk))
        self._n_warm_up_left = n_warm_up  # that were not delivered
        self._held: dict[int, tuple[str, Lease]] = {}
        self._next_number = 0
        self._done = 0

    @property
    def done(self) -> int:
        """Requests that were delivered."""
        return self._done

    @property
    def is_finished(self) -> bool:
        """Whether every request was delivered."""
        return self._done == self._n_requests

    @property
    def n_warm_up_left(self) -> int:
        """Requests of the warm-up that were not delivered."""
        return self._n_warm_up_left

    @property
    def is_warming_up(self) -> bool:
        """Whether nothing that counts is given out yet."""
        return self._n_warm_up_left > 0

    def grant(self, worker: str) -> Lease | None:
        """Give out the next range; None while nothing is waiting (it may wait again, if a worker is lost)."""
        if not self.has_waiting:
            return None
        is_warm_up = self.is_warming_up
        start, stop = (self._warm_up if is_warm_up else self._waiting).popleft()
        lease = Lease(self._next_number, start, stop, is_warm_up)
        self._next_number += 1
        self._held[lease.number] = (worker, lease)
        return lease

    def on_its_way(self, worker: str, newest: int) -> Lease | None:
        """Return a lease that was given to a worker and was not there when it spoke; None: there is none.

        Args:
            worker: it speaks.
            newest: the highest number that it knew of then.
        """
        held = (lease for holder, lease in self._held.values() if holder == worker and lease.number > newest)
        return next(held, None)

    def deliver(self, number: int, n_open: int = 0) -> bool:
        """Take a lease's results. False if they must not be counted: the range was given to another since.

        Args:
            number: the lease's.
            n_open: how many of its requests were not made, where the run was stopped in the middle.
        """
        held = self._held.pop(number, None)
        if held is None:
            return False
        n_made = len(held[1]) - n_open
        if held[1].is_warm_up:
            self._n_warm_up_left -= n_made
        else:
            self._done += n_made
        return True

    @property
    def has_waiting(self) -> bool:
        """Whether a range waits to be given out now."""
        return bool(self._warm_up if self.is_warming_up else self._waiting)

    def keep_only(self, worker: str, numbers: list[int], newest: int | None = None) -> list[Lease]:
        """Take back what a worker is thought to hold and does not name: the message was lost, here or there.

        Args:
            worker: it speaks.
            numbers: of the leases that it holds.
            newest: the highest number that it knew of when it spoke; later ones may be on their way to it. None: all
                have arrived, or will never.
        """
        return self._take_back(
            lambda holder, lease: (
                holder == worker and lease.number not in numbers and (newest is None or lease.number <= newest)
            )
        )

    def lose(self, worker: str) -> list[Lease]:
        """Take back all that a lost worker holds, to be given out again; return it."""
        return self._take_back(lambda holder, _: holder == worker)

    def _take_back(self, is_meant: Callable[[str, Lease], bool]) -> list[Lease]:
        back = [lease for holder, lease in self._held.values() if is_meant(holder, lease)]
        for lease in back:
            del self._held[lease.number]
            (self._warm_up if lease.is_warm_up else self._waiting).appendleft((lease.start, lease.stop))
        return back


def _rounds(n: int, n_requests: int, chunk: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of at most `chunk` requests, `n` in all: from the first one on, and again after the last."""
    begun = 0
    while begun < n:
        start = begun % n_requests
        size = min(chunk, n - begun, n_requests - start)
        yield start, start + size
        begun += size
