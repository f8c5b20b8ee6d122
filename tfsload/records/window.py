"""The time in which a level is measured, on one process's clock. Pure."""

from dataclasses import dataclass

# A level is cut into this many slices: their differences tell noise from change.
N_SLICES = 12
_FOREVER_NS = 2**63


@dataclass(frozen=True)
class Window:
    """When a level's requests count.

    Attributes:
        level: its number.
        begin_ns, end_ns: on `time.perf_counter_ns`'s clock; the end is outside.
        is_open_load: whether requests have an instant at which they are due.
        slice_ns: length of a slice; 0: it is not cut.
    """

    level: int
    begin_ns: int
    end_ns: int
    is_open_load: bool = False
    slice_ns: int = 0

    @classmethod
    def of(cls, level: int, begin_ns: int, duration_ns: int, is_open_load: bool) -> "Window":
        """Return the window of a level; its slices are equally long, so the last nanoseconds may be left out."""
        slice_ns = duration_ns // N_SLICES
        return cls(level, begin_ns, begin_ns + slice_ns * N_SLICES, is_open_load, slice_ns)

    @property
    def duration_ns(self) -> int:
        """Its length."""
        return self.end_ns - self.begin_ns

    def overlap_ns(self, begin_ns: int, end_ns: int) -> int:
        """Return how much of a span lies in it."""
        return max(min(end_ns, self.end_ns) - max(begin_ns, self.begin_ns), 0)


# A run without levels: all of it is one.
WHOLE_RUN = Window(0, -_FOREVER_NS, _FOREVER_NS)
# A run with levels, while none is measured: a warm-up, say. Its requests are told apart from those that count.
UNCOUNTED = -1
BETWEEN_LEVELS = Window(UNCOUNTED, _FOREVER_NS, _FOREVER_NS)
