"""What a limit search has found, for people and for the verdict."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Finding:
    """What a level told the search.

    Attributes:
        holds: whether its rate does.
        binding: what it did where not, in words.
        achieved_rps: answers a second; None: not known.
        is_undecided: whether nothing keeps it from holding but that one stall decides a threshold.
        is_unknown: whether it crossed nothing, and only failed to tell that everything holds.
    """

    holds: bool
    binding: tuple[str, ...]
    achieved_rps: float | None
    is_undecided: bool = False
    is_unknown: bool = False


class Ending(Enum):
    """Why a search ended."""

    FOUND = "found"  # a rate was confirmed, and one not far above it failed
    ALL_HOLD = "all hold"  # HIGH was confirmed
    NONE_HOLDS = "none holds"  # LOW failed
    OUT_OF_PROBES = "out of probes"  # the bracket is left wider, or its lower end was not confirmed
    STOPPED = "stopped"  # not finished (yet)


@dataclass(frozen=True)
class SearchResult:
    """What the search found.

    Attributes:
        ending: why it ended.
        rate_rps: the highest rate that held a full-length level; None: no rate did.
        last_passing_rps: the lower end of the bracket; it may have held a short level only. None: none held.
        first_failing_rps: the upper end of the bracket; None: nothing failed.
        binding: what the server did there that it must not, in words.
        n_probes: levels run, the confirmation included; without those that were held once more.
        low_rps, high_rps, max_probes: what was asked for.
        is_undecided: whether all that kept that end from holding is one stall, twice.
    """

    ending: Ending
    rate_rps: float | None
    last_passing_rps: float | None
    first_failing_rps: float | None
    binding: tuple[str, ...]
    n_probes: int
    low_rps: float
    high_rps: float
    max_probes: int
    is_undecided: bool = False

    @property
    def sentence(self) -> str:
        """All this for people, with what to do next."""
        return f"{self.found}: {self.cure}." if self.cure else f"{self.found}."

    @property
    def found(self) -> str:
        """What it found."""
        if self.ending is Ending.NONE_HOLDS:
            return f"Even {number(self.low_rps)} requests/s, the lowest rate asked for, {self._failed()}"
        if self.ending is Ending.ALL_HOLD:
            return f"Up to {number(self.high_rps)} requests/s, the highest rate asked for, all thresholds hold"
        if self.last_passing_rps is None:
            return f"{self._why_open()}: nothing is known"
        if self.ending is Ending.FOUND and self.first_failing_rps is not None:
            best, tried = number(self.last_passing_rps), number(self.first_failing_rps)
            return f"The highest rate that holds: {best} requests/s (the next one tried, {tried}, {self._failed()})"
        return f"{self._why_open()}: {self._lower_end(self.last_passing_rps)}, {self._upper_end()}"

    @property
    def cure(self) -> str:
        """What to do next; empty: it has found what it looked for, or nothing can be said."""
        match self.ending:
            case Ending.NONE_HOLDS:
                return "use a longer --level-duration" if self.is_undecided else "lower LOW"
            case Ending.ALL_HOLD:
                return "raise HIGH"
        if self.last_passing_rps is None or (self.ending is Ending.FOUND and self.first_failing_rps is not None):
            return ""
        if self.last_passing_rps == self.high_rps:
            return "give it a full-length level"
        return f"go on with {self.goes_on_with}"

    @property
    def goes_on_with(self) -> str:
        """Between which rates the next search looks, as the option has it; empty: this one has no further one."""
        is_over = self.ending in (Ending.NONE_HOLDS, Ending.ALL_HOLD, Ending.FOUND) and self.first_failing_rps
        if is_over or self.last_passing_rps in (None, self.high_rps):
            return ""
        return f"{self.last_passing_rps:.12g}:{self.first_failing_rps or self.high_rps:.12g}"

    def _why_open(self) -> str:
        if self.ending is Ending.STOPPED:
            return f"Stopped after {self.n_probes} of at most {self.max_probes} probes"
        return f"All {self.max_probes} probes are used up"

    def _lower_end(self, last_passing_rps: float) -> str:
        how = "holds" if self.rate_rps is not None else "held a short level only"
        return f"{number(last_passing_rps)} requests/s {how}"

    def _upper_end(self) -> str:
        if self.last_passing_rps == self.high_rps:
            return "the highest rate asked for"
        high = self.first_failing_rps or self.high_rps
        what = f" {self._failed()}" if self.first_failing_rps else ", the highest rate asked for, was not tried"
        return f"{number(high)}{what}"

    def _failed(self) -> str:
        told = " and ".join(self.binding) or "did not hold"
        return f"{told}, both times" if self.is_undecided else told


def number(rate: float) -> str:
    """Write a rate with as many digits as it has."""
    return f"{rate:,.12g}"
