"""Sweeps on a machine where other programs take CPU in some of the levels."""

from tests.support.golden import result_of
from tests.support.past_runs import MS, N_IMAGES, SECOND, PastRun
from tfsload.analysis.result import RunResult
from tfsload.records.level import Level
from tfsload.records.neighbours import Neighbour, Neighbours

TAKEN = Neighbours(2, 0.76, 0.02, (Neighbour("make", 812, 0.76),))
QUIET = Neighbours(2, 0.04, 0.02)
USERS = (1, 2, 4, 8)
SERVICE_MS = 4.0


def noisy_sweep(
    noisy: tuple[int, ...], at_once: int = 1, users: tuple[int, ...] = USERS, grows: int = 0, **options: str
) -> RunResult:
    """Return a sweep of a server that serves so many requests at once, as others left it the CPUs for one.

    Args:
        noisy: the levels, from 1 on, in which others took CPU: there it serves one request at a time.
        at_once: requests that it serves at once otherwise.
        users: by level.
        grows: the level, from 1 on, whose latency grows; 0: none.
        options: of the run.
    """
    past = PastRun({"sweep": ",".join(map(str, users)), **options})
    for number, n_users in enumerate(users, 1):
        n_at_once = 1 if number in noisy else min(at_once, n_users)
        latency_ms = SERVICE_MS * n_users / n_at_once
        neighbours = TAKEN if number in noisy else QUIET
        if number == grows:
            hold_growing(past, number, n_users, latency_ms, neighbours)
        else:
            past.close_level(number, n_users, latency_ms, neighbours=neighbours)
    return result_of(past.end())


def hold_growing(past: PastRun, number: int, users: int, latency_ms: float, neighbours: Neighbours) -> None:
    """Hold a level whose latency grows by four fifths until its end."""
    level = Level(number, users, None, 2.0, 10.0)
    begin_ns = past.hold(level, neighbours=neighbours)
    image = 0
    for user in range(users):
        now_ns = begin_ns - 2 * SECOND + user * MS // 3
        while now_ns < begin_ns + 10 * SECOND:
            grown = 1 + 0.8 * max(now_ns - begin_ns, 0) / (10 * SECOND)
            latency_ns = past.jitter(latency_ms * MS * grown)
            past.fire(image % N_IMAGES, now_ns, latency_ns)
            now_ns += latency_ns + 20_000
            image += 1
