"""By how much a worker's clock differs from that of the process that leads a run, told from messages. Pure."""

# Clocks of workers that differ by less are taken to be the same: a message takes its time, too.
SAME_CLOCK_NS = 250_000_000
# A worker whose first message was not in time has another clock once it was heard of for so long: until then
# this process may have been held up, and read what had waited for it.
SETTLES_AFTER_NS = 3_000_000_000


class WorkerClock:
    """What is known of one worker's clock.

    A message comes late by what the clocks differ and by the time that it took, which is never less than nothing. So
    the least lateness of all is the clock's, and what a message has beyond that is its own: its way was long, or this
    process was held up, by a debugger, say, and its records are of when they say.
    """

    def __init__(self) -> None:
        """Have heard of nothing."""
        self._heard_ns: int | None = None
        self._first_ns = self._least_ns = 0  # lateness

    def hear(self, unix_ns: int, now_ns: int) -> None:
        """Hear of a message.

        Args:
            unix_ns: what the worker's clock showed when it was sent, in nanoseconds since 1970.
            now_ns: what the clock here shows.
        """
        lateness_ns = now_ns - unix_ns
        if self._heard_ns is None:
            self._heard_ns, self._first_ns, self._least_ns = now_ns, lateness_ns, lateness_ns
        self._least_ns = min(self._least_ns, lateness_ns)

    @property
    def shift_ns(self) -> int:
        """What is to be added to the worker's times for those of this process; 0 where the clocks are the same."""
        return self._least_ns if abs(self._least_ns) > SAME_CLOCK_NS else 0

    @property
    def behind_ns(self) -> int:
        """By how much the worker's times, so moved, are behind ours: little, and as exact as a message is fast."""
        return self._least_ns - self.shift_ns

    def is_settled(self, now_ns: int) -> bool:
        """Whether `shift_ns` is known: where the first message was in time, later ones come late by themselves."""
        if self._heard_ns is None:
            return False
        return abs(self._first_ns) <= SAME_CLOCK_NS or now_ns - self._heard_ns >= SETTLES_AFTER_NS
