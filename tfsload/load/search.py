"""The limit search: the highest open rate that holds all thresholds. A pure state machine.

Bracket, bisect, confirm. Probes are short levels: LOW, the middle, and HIGH if need be, so that a server is
never overloaded by more than the square root of HIGH / LOW at one step; then the bracket between the highest
rate that held and the lowest that failed is halved until it is narrow. "Half" is geometric: what counts is
how many times more one rate is than another. The rate found must hold in one full-length level.

What an overloaded server achieved tells its capacity, and its limit is often near that or a little below.
That is a guess, and is only used to choose the next rate to try: a bracket's ends were both measured. Nor can
a wrong guess cost the answer: it is tried only if either outcome leaves enough probes for plain halving.
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tfsload.analysis.limit import Ending, SearchResult, number
from tfsload.load.arrivals import rate_fault
from tfsload.load.bracket import Bracket
from tfsload.transport.words import quoted

# In widths of a bracket that is narrow enough: so far from a guess two probes, below and above, close the bracket.
BESIDE = 0.35
# The next step away from a guess that was wrong, or from a rate that failed its confirmation, as a factor.
STRIDE = 1.25
# How many more probes than plain halving wrong guesses may cost, all together.
N_SPARE = 1


@dataclass(frozen=True)
class Probe:
    """One level to run.

    Attributes:
        rate_rps: the rate to offer.
        is_confirmation: whether it is to confirm the rate that was found.
        is_repeat: whether it is held once more, because one stall decided it the first time.
    """

    rate_rps: float
    is_confirmation: bool = False
    is_repeat: bool = False

    @property
    def is_full(self) -> bool:
        """Whether it must have its full length; the others may be short."""
        return self.is_confirmation or self.is_repeat


@dataclass(frozen=True)
class ProbeReport:
    """What a probe found: as `RateSearch.tell` takes it."""

    probe: Probe
    holds: bool
    binding: tuple[str, ...]
    achieved_rps: float | None
    is_undecided: bool = False


class RateSearch:
    """Asks for one probe after the other, until the limit is known or the probes are used up.

    With the defaults, and HIGH up to 1,000 times LOW, the rate found for a server that holds exactly the rates
    up to its capacity is within 4 % of that capacity, whatever achieved rates are reported.

    Near its limit a server may answer either way, and short levels may flatter. If a rate fails its
    confirmation, the search goes on below it with full-length levels only, and takes a bracket twice as wide
    for narrow enough: a limit cannot be told more finely than it moves. It never tries a rate above one that
    failed, so it cannot go round in a circle, and ends with what it has when the probes are used up.

    A probe that one stall decides is held once more at full length, which uses up none of the probes; if one stall
    decides that too, the rate does not hold.

    Attributes:
        n_probes: levels run, the confirmation included; one that was held once more counts as one.
    """

    def __init__(self, low_rps: float, high_rps: float, max_probes: int = 12, resolution: float = 0.04) -> None:
        """Start with nothing known.

        Args:
            low_rps, high_rps: the range to search, requests a second.
            max_probes: how many levels may be run, the confirmation included; at least 2.
            resolution: how far above the rate that holds the first failing one may be, as a share of it.

        Raises:
            ValueError: the range is none, or the others make no sense.
        """
        _check_range(low_rps, high_rps)
        if max_probes < 2:
            raise ValueError(f"expected at least 2 probes (one, and its confirmation), got {max_probes}")
        if not 0.001 <= resolution <= 1:
            raise ValueError(f"expected a resolution from 0.001 to 1, got {resolution}")
        self._low = float(low_rps)
        self._high = float(high_rps)
        self._max_probes = max_probes
        self._resolution = resolution
        self._held: list[float] = []  # ascending, all below the first failing rate
        self._failing: ProbeReport | None = None
        self._confirmed: float | None = None  # the highest rate that held a full-length level
        self._n_refuted = 0  # full-length levels that failed
        self._estimate: float | None = None  # of the server's capacity
        self._guess_limit = 0  # probes that may be used until the bracket is narrow, wrong guesses included
        self._under_way: Probe | None = None
        self.n_probes = 0

    @property
    def last_passing(self) -> float | None:
        """The highest rate that held, below all that failed; see `is_confirmed`."""
        return self._held[-1] if self._held else None

    @property
    def first_failing(self) -> float | None:
        """The lowest rate that failed; None: none did."""
        return self._failing.probe.rate_rps if self._failing else None

    @property
    def binding(self) -> tuple[str, ...]:
        """What the server did at the first failing rate that it must not, in words."""
        return self._failing.binding if self._failing else ()

    @property
    def is_confirmed(self) -> bool:
        """Whether the last passing rate held a full-length level."""
        return self._confirmed is not None

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing left to try."""
        return not self._n_left or self._none_holds or (self._is_closed and self.is_confirmed)

    @property
    def expected_probes_left(self) -> int:
        """About how many probes are still to be reported, with the one under way."""
        return len(self.expected_probes())

    def expected_probes(self) -> list[Probe]:
        """Return what is likely to be tried, the probe under way first: a rehearsal with a likely limit."""
        rehearsal, probes = copy.deepcopy(self), []
        estimate = self._estimate
        limit = estimate or self._bracket.middle
        while (probe := rehearsal.next()) is not None:
            rehearsal.tell(probe.rate_rps <= limit, achieved_rps=estimate)
            probes.append(probe)
        return probes

    @property
    def most_probes_left(self) -> int:
        """How many may still be reported at most, with the one under way; none where the search is finished."""
        return 0 if self.is_finished else self._n_left

    @property
    def low_rps(self) -> float:
        """The lowest rate of the range."""
        return self._low

    @property
    def result(self) -> SearchResult:
        """What is known; to be asked for once the search is finished, or where it was stopped."""
        return SearchResult(
            ending=self._ending,
            rate_rps=self._confirmed,
            last_passing_rps=self.last_passing,
            first_failing_rps=self.first_failing,
            binding=self.binding,
            n_probes=self.n_probes,
            low_rps=self._low,
            high_rps=self._high,
            max_probes=self._max_probes,
            is_undecided=self._failing is not None and self._failing.is_undecided,
        )

    def next(self) -> Probe | None:
        """Return the level to run; the same one until it was reported. None: the search is finished."""
        if self._under_way is None and not self.is_finished:
            self._under_way = self._choose()
        return self._under_way

    def tell(
        self,
        holds: bool,
        binding: tuple[str, ...] = (),
        achieved_rps: float | None = None,
        is_undecided: bool = False,
    ) -> None:
        """Take what the probe under way found.

        Args:
            holds: whether all thresholds held.
            binding: what was otherwise than it must be, in words.
            achieved_rps: answers a second; None: not known. Only a failing probe's is looked at.
            is_undecided: whether all that keeps it from holding is one stall.

        Raises:
            RuntimeError: no probe is under way.
        """
        if self._under_way is None:
            raise RuntimeError("no probe is under way: call next() first")
        if is_undecided and not self._under_way.is_repeat:
            self._under_way = replace(self._under_way, is_repeat=True)
            return
        report = ProbeReport(self._under_way, holds, tuple(binding), achieved_rps, is_undecided)
        self._under_way = None
        self.n_probes += 1
        if holds:
            self._hold(report.probe)
        else:
            self._fail(report)

    def _hold(self, probe: Probe) -> None:
        if probe.rate_rps != self.last_passing:
            self._held.append(probe.rate_rps)
        if probe.is_confirmation:
            self._confirmed = probe.rate_rps

    def _fail(self, report: ProbeReport) -> None:
        is_new_bracket = self._failing is None or report.probe.is_confirmation
        self._failing = report
        self._held = [held for held in self._held if held < report.probe.rate_rps]
        self._learn(report.probe.rate_rps, report.achieved_rps)
        if report.probe.is_confirmation:
            self._resolution *= 1 if self._n_refuted else 2
            self._n_refuted += 1
        if is_new_bracket:
            plain = self.n_probes + self._bracket.n_halvings
            self._guess_limit = min(plain + N_SPARE, self._max_probes - 1)

    def _learn(self, rate: float, achieved: float | None) -> None:
        """Estimate the capacity: what was achieved under overload, or else the rate that just failed."""
        if achieved is None or not 0 < achieved < math.inf:
            return
        if achieved * (1 + self._resolution) < rate:
            self._estimate = achieved
        elif self._estimate is None:
            self._estimate = rate

    @property
    def _n_left(self) -> int:
        return self._max_probes - self.n_probes

    @property
    def _none_holds(self) -> bool:
        return self._failing is not None and not self._held

    @property
    def _bracket(self) -> Bracket:
        return Bracket(self.last_passing or self._low, self.first_failing or self._high, self._resolution)

    @property
    def _is_closed(self) -> bool:
        return self.last_passing == self._high or (self._failing is not None and self._bracket.is_narrow)

    @property
    def _ending(self) -> Ending:
        if self._none_holds:
            return Ending.NONE_HOLDS
        if self.is_confirmed and self._is_closed:
            return Ending.FOUND if self._failing else Ending.ALL_HOLD
        return Ending.STOPPED if self._n_left else Ending.OUT_OF_PROBES

    def _choose(self) -> Probe:
        if not self._held:
            return Probe(self._low)
        if not self.is_confirmed and (self._is_closed or self._n_left == 1 or self._n_refuted):
            return Probe(self._step_down(), is_confirmation=True)
        if self._failing is None:
            return Probe(self._climb())
        return Probe(self._split(), is_confirmation=self._n_refuted > 0)

    def _step_down(self) -> float:
        """Return the rate to confirm: the highest that held; nearer to the last one refuted, if that is far above."""
        bracket = self._bracket
        step = bracket.friendly(bracket.high / STRIDE**self._n_refuted)
        return step if self._n_refuted and bracket.is_cut_by(step) else bracket.low

    def _climb(self) -> float:
        """Return the next rate while nothing has failed: the middle, then HIGH."""
        bracket = self._bracket
        if self.last_passing == self._low and not bracket.is_narrow:
            return bracket.friendly(bracket.middle)
        return self._high

    def _split(self) -> float:
        """Return a rate inside the bracket: near the guess if that is safe, else the middle."""
        bracket = self._bracket
        n_after = self._guess_limit - self.n_probes - 1
        for guess in map(bracket.friendly, self._guesses()):
            if bracket.is_cut_by(guess) and bracket.n_halvings_beside(guess) <= n_after:
                return guess
        return bracket.friendly(bracket.middle)

    def _guesses(self) -> Iterator[float]:
        """Yield where the limit is likely to be, the most useful first; nothing if there is no telling."""
        bracket, estimate = self._bracket, self._estimate
        if estimate is None:
            return
        if estimate <= bracket.low:  # an overloaded server achieves less than it can
            yield bracket.low * STRIDE
        elif estimate >= bracket.high:  # latency crosses its threshold below the capacity
            yield bracket.high / STRIDE
        else:
            beside = math.exp(BESIDE * bracket.narrow)
            below, above = estimate / beside, estimate * beside
            # First what cuts off the longer side: that pays for the guess.
            yield from (below, above) if estimate > bracket.middle else (above, below)


def parse_range(text: str) -> tuple[float, float]:
    """Read LOW:HIGH, two rates in requests a second.

    Raises:
        ValueError: says what was given and what was expected.

    >>> parse_range("100:5000")
    (100.0, 5000.0)
    """
    try:
        # "1_000" is Python's own spelling.
        low, high = (float(part) for part in text.replace("_", "?").split(":"))
    except ValueError:
        raise ValueError(f"expected LOW:HIGH, two rates in requests/s such as 100:5000, got {quoted(text)}") from None
    _check_range(low, high)
    return low, high


def _check_range(low_rps: float, high_rps: float) -> None:
    named = (("LOW", low_rps), ("HIGH", high_rps))
    if faults := [f"{name}: {fault}" for name, rate in named if (fault := rate_fault(rate))]:
        raise ValueError("; ".join(faults))
    if low_rps >= high_rps:
        raise ValueError(f"expected LOW below HIGH, got {number(low_rps)}:{number(high_rps)}")
