"""When this process stood still: stopped, asleep with its machine, or busy with code that yields to nothing. Pure."""

# What comes later by less is no standstill: a machine that has much to do is that late.
LEAST_NS = 1_000_000_000
# More are not kept one by one.
MOST = 100


class HoldUps:
    """Keeps the times by which what was to happen once a second came late, on `time.perf_counter_ns`'s clock."""

    def __init__(self) -> None:
        """Know of none."""
        self._spans_ns: list[tuple[int, int]] = []
        self._due_ns: int | None = None

    def expect(self, due_ns: int) -> None:
        """Know when the next look is due."""
        self._due_ns = due_ns

    def see(self, now_ns: int) -> bool:
        """Look; return whether the process stood still until now."""
        if self._due_ns is None or now_ns - self._due_ns < LEAST_NS:
            return False
        self._spans_ns.append((self._due_ns, now_ns))
        del self._spans_ns[:-MOST]
        self._due_ns = now_ns
        return True

    def within_s(self, begin_ns: int, end_ns: int) -> float:
        """Return for how many seconds of a span the process stood still, as far as is known."""
        return sum(max(min(to_ns, end_ns) - max(from_ns, begin_ns), 0) for from_ns, to_ns in self._spans_ns) / 1e9

    def to_plain(self, unix_offset_ns: int) -> list[list[int]]:
        """Return what a message can hold: of each when it began, in nanoseconds since 1970, and how long it was."""
        return [[from_ns + unix_offset_ns, to_ns - from_ns] for from_ns, to_ns in self._spans_ns]
