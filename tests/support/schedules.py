"""Reads schedules of arrivals ahead of time."""

from tfsload.load.arrivals import Schedule


def take_until(schedule: Schedule, offset_ns: int) -> list[int]:
    """Take all arrivals due at `offset_ns` or before; return when they are due."""
    taken: list[int] = []
    while schedule.next_ns <= offset_ns:
        taken.append(schedule.pop())
    return taken
