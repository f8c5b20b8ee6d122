"""When this process was held up, by looks that came late: stopped, or busy with code that yields to nothing. Pure."""

from collections.abc import Callable, Iterable

from tfsload.records.quiet_times import LEAST_NS

# Of more the last are told, each time: who takes them in keeps those before.
MOST = 100


class LateLooks:
    """Keeps the times by which what was to happen now and then came late, on `time.perf_counter_ns`'s clock."""

    def __init__(self) -> None:
        """Know of none."""
        self._spans_ns: list[tuple[int, int]] = []
        self._due_ns: int | None = None

    def expect(self, due_ns: int) -> None:
        """Know when the next look is due."""
        self._due_ns = due_ns

    def see(self, now_ns: int, quiet_times: Callable[[int, int], Iterable[tuple[int, int]]] | None = None) -> bool:
        """Look; return whether the process stood still since the look that was due.

        Args:
            now_ns: the time.
            quiet_times: returns in which parts of a span nothing was sent or read: a process that has much to do is
                late, too, and goes on. None: in all of it.
        """
        due_ns = self._due_ns
        if due_ns is None or now_ns - due_ns < LEAST_NS:
            return False
        found = [(due_ns, now_ns)] if quiet_times is None else list(quiet_times(due_ns, now_ns))
        self._spans_ns += found
        self._due_ns = now_ns
        return bool(found)

    def within_s(self, begin_ns: int, end_ns: int) -> float:
        """Return for how many seconds of a span the process stood still, as far as is known."""
        return sum(max(min(to_ns, end_ns) - max(from_ns, begin_ns), 0) for from_ns, to_ns in self._spans_ns) / 1e9

    def to_plain(self, unix_offset_ns: int) -> list[list[int]]:
        """Return what a message can hold: of each when it began, in nanoseconds since 1970, and how long; the last."""
        return [[from_ns + unix_offset_ns, to_ns - from_ns] for from_ns, to_ns in self._spans_ns[-MOST:]]
