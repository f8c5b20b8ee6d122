"""What the workers' pulses say together: whether anybody can go on. Pure."""

from collections.abc import Iterable
from typing import Any


class Pulses:
    """Keeps the last pulse of each worker."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._last: dict[str, dict[str, Any]] = {}

    def take(self, worker: str, pulse: dict[str, Any]) -> None:
        """Take a worker's pulse."""
        self._last[worker] = pulse

    def lack(self, workers: Iterable[str]) -> bool:
        """Whether nothing was heard yet of one of these."""
        return any(worker not in self._last for worker in workers)

    def stall(self, workers: Iterable[str], has_waiting: bool, may_have_other_users: bool = False) -> str:
        """Return why no request can end any more; empty while one can, or while that is not known.

        Users that wait, for however long, can go on.

        Args:
            workers: that live and are fit for the run.
            has_waiting: whether requests wait to be given out.
            may_have_other_users: whether users of other classes may be all there is for a time.
        """
        workers = set(workers)
        pulses = [pulse for worker, pulse in self._last.items() if worker in workers]
        if len(pulses) < len(workers):
            return ""
        if not any(pulse["n_users"] for pulse in pulses):
            return "" if may_have_other_users else "no user that fires images is left"
        n_stuck = sum(pulse["n_stuck"] for pulse in pulses)
        if not n_stuck or any(_can_go_on(pulse, has_waiting) for pulse in pulses):
            return ""
        what = "1 request was" if n_stuck == 1 else f"{n_stuck:,} requests were"
        return f"{what} in hand long after the --deadline, and no other could be made"


def _can_go_on(pulse: dict[str, Any], has_waiting: bool) -> bool:
    has_free_user = pulse["n_users"] > pulse["n_stuck"]
    return has_free_user and (has_waiting or pulse["n_open"] > pulse["n_stuck"])
