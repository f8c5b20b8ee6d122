"""Each image exactly once: which requests are given out to whom, and which are done. Pure book-keeping.

Slicing a data set by worker would lose the slice of a worker that dies. Here workers lease short ranges,
and hand a range's results over in one message: the range counts once, whoever delivers it first, and a
lost worker's ranges are given to another.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Lease:
    """A range of requests given to one worker.

    Attributes:
        number: its own number; a range that is given out again gets a new one.
        start, stop: the requests, as in `range(start, stop)`.
    """

    number: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


class Leases:
    """Gives out `range(n_requests)` in leases of at most `chunk` requests, and counts each request once."""

    def __init__(self, n_requests: int, chunk: int) -> None:
        if n_requests < 1 or chunk < 1:
            raise ValueError(f"expected at least one request and chunk, got {n_requests} and {chunk}")
        self._n_requests = n_requests
        self._waiting = deque((start, min(start + chunk, n_requests)) for start in range(0, n_requests, chunk))
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

    def grant(self, worker: str) -> Lease | None:
        """Give out the next range; None while nothing is waiting (it may wait again, if a worker is lost)."""
        if not self._waiting:
            return None
        start, stop = self._waiting.popleft()
        lease = Lease(self._next_number, start, stop)
        self._next_number += 1
        self._held[lease.number] = (worker, lease)
        return lease

    def deliver(self, number: int, n_open: int = 0) -> bool:
        """Take a lease's results. False if they must not be counted: the range was given to another since.

        Args:
            number: the lease's.
            n_open: how many of its requests were not made, where the run was stopped in the middle.
        """
        held = self._held.pop(number, None)
        if held is None:
            return False
        self._done += len(held[1]) - n_open
        return True

    @property
    def has_waiting(self) -> bool:
        """Whether a range waits to be given out."""
        return bool(self._waiting)

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
            self._waiting.appendleft((lease.start, lease.stop))
        return back
