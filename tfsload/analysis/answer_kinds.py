"""Which answers a sweep's interval leaves: requests are served in parallel, hardly, or not. Pure."""

import math

from tfsload.analysis.parallelism import Parallelism
from tfsload.analysis.sweep import Growth

# Requests served at once, up to which the answer is No.
SERIAL_UP_TO = 1.25
# Up to here it is Hardly, a kind of No: a second worker would idle for more than half of the time, which nobody means
# who asks for parallel serving. But parts of requests do run beside one another, and that is said.
HARDLY_UP_TO = 1.5

# Where less than this is left, with the overhead taken off, more was taken off than there is.
OVERCORRECTED_BELOW = 0.8


def is_overcorrected(interval: Parallelism) -> bool:
    """Whether so little is left in the server that it tells nothing: too much was taken off for the way there."""
    return interval.value < OVERCORRECTED_BELOW and interval.at_most > SERIAL_UP_TO


def possible(growth: Growth, interval: Parallelism) -> tuple[str, ...]:
    """Return the answers that the sweep allows: "no", "hardly", "yes", those that lie side by side."""
    found = _between(interval.low, interval.high * room_to_grow(growth))
    return ("no", "hardly") if found == ("no",) and _is_grown(growth) else found


def may_change_with_more_users(growth: Growth, interval: Parallelism) -> bool:
    """Whether what more users may bring is why more than one answer is possible."""
    reach = interval.high * room_to_grow(growth)
    return _between(interval.low, reach) != _between(interval.low, interval.high)


def hardly_grows(growth: Growth, interval: Parallelism) -> bool:
    """Whether throughput grows with users by so little at most that the answer is No."""
    return possible(growth, interval) == ("no",)


def room_to_grow(growth: Growth) -> float:
    """Return how many times the throughput more users may bring; infinite where nothing speaks against it.

    By Amdahl's law (the Universal Scalability Law without coherency), which goes through the lone user and the last
    level: 1.25 times the throughput at 2 users becomes 1.7 times with more; at 8 users, 1.3 times becomes 1.4.
    """
    if growth.sweep.higher_left_out is not None:
        return math.inf
    last = growth.last
    if growth.knee is not last:
        return 1.0
    speed_up = growth.speed_up(last)
    contention = (last.users / speed_up - 1) / (last.users - 1)
    return max(1.0, 1 / contention / speed_up) if contention > 0 else math.inf


def _is_grown(growth: Growth) -> bool:
    """Whether throughput grew by so much that to call it one request at a time takes faith in the round trip."""
    return growth.speed_up(growth.highest) > SERIAL_UP_TO


def _between(low: float, high: float) -> tuple[str, ...]:
    is_found = {
        "no": low <= SERIAL_UP_TO,
        "hardly": low <= HARDLY_UP_TO and high > SERIAL_UP_TO,
        "yes": high > HARDLY_UP_TO,
    }
    return tuple(word for word, is_one in is_found.items() if is_one)
