"""What a level has come to while it is measured: counters that are there anyway, nothing put together. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tfsload.records.record import Record


@dataclass(frozen=True)
class LevelCounts:
    """Counters of a level under way, of one process or of several together.

    Attributes:
        level: its number.
        measured_s: for how long it has been measured; of several processes the shortest time.
        requests, failed_requests: requests that lie in its window as a whole, and those of them without an answer.
        predictions, wrong, failed: images in them, those answered wrongly, and those without an answer.
        compared, mismatched, offered, dropped: as of `tfsload.records.record.Record`.
        rate_rps: answers that came in the window, a second.
        right_per_s: of each latency limit in ns, images that were answered rightly within it, a second.
        n_processes: that have told theirs.
    """

    level: int
    measured_s: float
    requests: int = 0
    failed_requests: int = 0
    predictions: int = 0
    wrong: int = 0
    failed: int = 0
    compared: int = 0
    mismatched: int = 0
    offered: int = 0
    dropped: int = 0
    rate_rps: float = 0.0
    right_per_s: Mapping[int, float] = field(default_factory=dict)
    n_processes: int = 1

    @classmethod
    def of(cls, level: int, record: Record, measured_s: float) -> "LevelCounts":
        """Return what one process has counted.

        Args:
            level: its number.
            record: of the level, so far.
            measured_s: for how long it has been measured, above 0.
        """
        return cls(
            level=level,
            measured_s=measured_s,
            requests=record.requests,
            failed_requests=record.failed_requests,
            predictions=record.predictions,
            wrong=record.wrong,
            failed=sum(record.failed.values()),
            compared=record.compared,
            mismatched=record.mismatched,
            offered=record.offered,
            dropped=record.dropped,
            rate_rps=sum(record.slice_answers) / measured_s,
            right_per_s={within_ns: count / measured_s for within_ns, count in record.right.items()},
        )

    @classmethod
    def together(cls, counts: Iterable["LevelCounts"]) -> "LevelCounts | None":
        """Return what several processes have counted of the same level; None where there are none."""
        total: LevelCounts | None = None
        for one in counts:
            total = one if total is None else total._plus(one)
        return total

    def _plus(self, other: "LevelCounts") -> "LevelCounts":
        right = dict(self.right_per_s)
        for within_ns, per_s in other.right_per_s.items():
            right[within_ns] = right.get(within_ns, 0.0) + per_s
        sums = {name: getattr(self, name) + getattr(other, name) for name in _SUMMED}
        measured_s = min(self.measured_s, other.measured_s)
        return LevelCounts(level=self.level, measured_s=measured_s, right_per_s=right, **sums)

    def to_plain(self) -> dict[str, Any]:
        """Return what a message can hold."""
        right = {str(within_ns): per_s for within_ns, per_s in self.right_per_s.items()}
        return {**vars(self), "right_per_s": right}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "LevelCounts":
        """Read what `to_plain` wrote."""
        right = {int(within_ns): per_s for within_ns, per_s in plain["right_per_s"].items()}
        return cls(**{**plain, "right_per_s": right})


_SUMMED = (
    "requests",
    "failed_requests",
    "predictions",
    "wrong",
    "failed",
    "compared",
    "mismatched",
    "offered",
    "dropped",
    "rate_rps",
    "n_processes",
)
