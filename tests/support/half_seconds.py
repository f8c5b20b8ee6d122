"""Half-seconds one by one, as they are defined: what tests hold the product's quicker reckoning against."""

from collections import deque
from collections.abc import Iterator

from tfsload.records.half_seconds import HalfSeconds
from tfsload.records.tenths import TENTHS_A_HALF_SECOND, Count

# Beyond all tenths.
_NEVER = 2**63


def half_seconds_of(counted: HalfSeconds, text: str) -> Iterator[tuple[int, Count]]:
    """Yield half-seconds by their first tenth for a threshold: all that differ, and hold something."""
    tenths = counted.tenths(text)
    coming = next(tenths, None)
    inside: deque[tuple[int, Count]] = deque()
    count = Count()
    while coming is not None or inside:
        # The next begin with which a tenth comes in at the half-second's end, or has left it at its begin.
        comes_in = _NEVER if coming is None else coming[0] - TENTHS_A_HALF_SECOND + 1
        goes_out = inside[0][0] + 1 if inside else _NEVER
        if coming is not None and comes_in <= goes_out:
            count = count.plus(coming[1])
            inside.append(coming)
            coming = next(tenths, None)
        if goes_out <= comes_in:
            count = count.minus(inside.popleft()[1])
        if inside:
            yield min(comes_in, goes_out), count
