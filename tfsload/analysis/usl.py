"""The Universal Scalability Law, fitted to throughput by users in flight.

The law (N. J. Gunther, "Guerrilla Capacity Planning", Springer 2007, ch. 4 to 6), of a user's cycle N/X:

    X(N) = λN / (1 + σ(N-1) + κN(N-1)),   so   N/X = (slowdown(N) + κN(N-1)) / λ,   slowdown(N) = 1 + σ(N-1)

Its slowdown is that of a queue for something that a request holds for a share σ of its time, if all users come for
it *at once*, every time (Gunther, "A General Theory of Computational Scalability Based on Rational Functions",
arXiv:0808.1431). No queue is slower. Users that hold a lock for a fixed time fall in step and come *in turn*, which is
the fastest: slowdown max(1, σN), a knee where the law has a bend. Users that come *at random* lie between: exact mean
value analysis (M. Reiser and S. S. Lavenberg, J. ACM 27(2), 1980). In all three no number of users gets more than λ/σ.

The law alone, fitted to a lock held for a fixed share p of each request, explains the knee by coherency, and residuals
do not tell: at p = 0.2, users 1 to 16 give σ = 0 ± 0.05 and κ = 0.011 ± 0.003 (least squares, Student's t). So an
interval here holds all σ that the throughputs allow under *any* discipline; that is its lack-of-fit part. The law
itself stays the estimate wherever the throughputs do not refute it.
"""

# Long because the fit and its interval share every helper.

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

# Queueing disciplines, from the law itself to its opposite, in steps that few sweeps tell apart (3 % of a slowdown).
AT_ONCE, AT_RANDOM, IN_TURN = 0.0, 1.0, 2.0
_DISCIPLINES = (AT_ONCE, 0.5, AT_RANDOM, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875, IN_TURN)
# How much sooner a queue is always full, behind the knee, if times scatter less than at random. It makes the slowdowns
# those of simulated queues with gamma-distributed times (scatter 5, 20 and 50 % of their mean), to about 1 %.
_STEADINESS = 4

# A level that is run again seldom agrees better than this (relative), however steady its slices are: clock rates,
# neighbours and memory layout change between levels. It also covers what the disciplines leave out.
_REPEATABILITY = 0.008
# What is known of the noise beforehand (slices, repeatability) counts as much as this many residuals: four to six
# levels less three unknowns are too few to tell the noise by.
_PRIOR_RESIDUALS = 4
# Where squared relative errors add up to more (one throughput wrong by half, say), there is no law in the figures.
_MAX_SQUARED_ERROR = 0.25
# A throughput below this share of the best is none.
_DEAD = 1e-9
Z_95 = 1.959964  # of a normal distribution, 95 % lie within so many standard deviations of its mean
_KNOTS = 400


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % confidence interval.

    Attributes:
        value: the estimate.
        low, high: the interval's ends; low <= value <= high.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Usl:
    """The law, fitted.

    Attributes:
        lambda_rps: λ, the throughput of one user, requests a second.
        sigma: σ >= 0, contention: the share of its time for which a request holds what only one can have. 0: none.
        kappa: κ >= 0, coherency: what each two users cost each other, as a share of a lone request. 0: nothing;
            above, throughput falls in the end.
        discipline: how requests queue: 0, all at once, is the law itself; up to 2, in turn, its slowdown had to be
            replaced.
        cycle_sigma: σ as a share of a user's whole cycle, with its way to the server and back: the curve's.
    """

    lambda_rps: Estimate
    sigma: Estimate
    kappa: Estimate
    discipline: float
    cycle_sigma: Estimate

    def throughputs_rps(self, users: Sequence[int]) -> tuple[float, ...]:
        """Return the fitted curve at numbers of users, in ascending order: requests a second."""
        return self._curve(users, self.lambda_rps.value, self.cycle_sigma.value, self.kappa.value)

    def curve(self, users: Sequence[int]) -> tuple["CurvePoint", ...]:
        """Return the fitted curve at numbers of users, in ascending order, with its band."""
        lows = self._curve(users, self.lambda_rps.low, self.cycle_sigma.high, self.kappa.high)
        highs = self._curve(users, self.lambda_rps.high, self.cycle_sigma.low, self.kappa.low)
        points = zip(users, self.throughputs_rps(users), lows, highs, strict=True)
        return tuple(CurvePoint(n, rps, min(low, rps), max(high, rps)) for n, rps, low, high in points)

    def _curve(self, users: Sequence[int], lambda_rps: float, sigma: float, kappa: float) -> tuple[float, ...]:
        n = np.array(users, dtype=float)
        slowdown = _Queue(n).slowdown(np.array([sigma]), self.discipline)[0]
        return tuple((lambda_rps * n / (slowdown + kappa * n * (n - 1))).tolist())


@dataclass(frozen=True)
class CurvePoint:
    """The fitted law at a number of users.

    Attributes:
        users: N.
        throughput_rps: X(N).
        low_rps, high_rps: the same with λ, σ and κ at those ends of their 95 % intervals that give least and most; the
            ends go together, so the band is wider than the law's own.
    """

    users: int
    throughput_rps: float
    low_rps: float
    high_rps: float


def fit_usl(
    users: Sequence[int],
    throughputs_rps: Sequence[float],
    noise: float = 0.0,
    overhead: float = 0.0,
    most_overhead: float | None = None,
) -> Usl | None:
    """Fit the law to N/X by least squares, relative errors weighing the same (Gunther 2007, section 5.5).

    λ, σ and κ are the law's, unless another discipline fits significantly better. An interval holds each value with
    which the sum of squares, at its least over all the rest, disciplines included, is within t²s² of the least of
    all (profile likelihood: Bates and Watts, "Nonlinear Regression Analysis", Wiley 1988, ch. 6). s² joins both
    sources of error, what is known of the noise and the residuals, as a weighted mean of the two.

    Args:
        users: N of each measurement; a level may be there several times.
        throughputs_rps: X of each measurement, requests a second; those of 0 are left out.
        noise: standard error of a throughput, relative; 0 if not known.
        overhead: the share of a lone user's cycle that lies outside the server (network, client), 0 to 1: the
            server's own contention is higher, σ/(1 - overhead), though not by that above 1.
        most_overhead: the most that this share can be, at which σ's interval ends; None: `overhead`. It begins as if
            there were none.

    Returns:
        The fit; None if there are fewer than three levels, none with one user, or no law in the figures.
    """
    fastest = max(throughputs_rps, default=0.0)
    measured = sorted((n, x) for n, x in zip(users, throughputs_rps, strict=True) if x > _DEAD * fastest)
    if len({n for n, _ in measured}) < 3 or measured[0][0] != 1:
        return None
    n, x = np.array(measured, dtype=float).T
    fit = _Fit(n, n * (x[0] / x), noise)
    if not fit.is_lawful:
        return None
    most = overhead if most_overhead is None else max(overhead, most_overhead)
    return _in_server(fit.usl(float(x[0])), overhead, most)


class _Queue:
    """Slowdowns of N users by contention: a user's cycle N/X as a multiple of a lone user's."""

    def __init__(self, users: Floats) -> None:
        """Take the numbers of users, (levels,), ascending."""
        self._users = users

    def slowdown(self, sigma: Floats, discipline: float) -> Floats:
        """Return the slowdowns, (k, levels), for contentions (k,).

        From at once to at random, a weighted geometric mean; from there to in turn, the excess over in turn
        shrinks, and more so behind the knee. A σ above 1 (two users are slower than one) has only one, at once.
        """
        if discipline == AT_ONCE:
            return self._at_once(sigma)
        at_random = self._at_random(sigma)
        if discipline <= AT_RANDOM:
            between: Floats = self._at_once(sigma) ** (1 - discipline) * at_random**discipline
            return between
        in_turn = np.maximum(1, sigma[:, None] * self._users)
        slowdown: Floats = in_turn * (at_random / in_turn) ** ((IN_TURN - discipline) ** (in_turn**_STEADINESS))
        return slowdown

    def _at_once(self, sigma: Floats) -> Floats:
        return 1 + sigma[:, None] * (self._users - 1)

    def _at_random(self, sigma: Floats) -> Floats:
        knots, table = self._random_table
        return np.stack([np.interp(sigma, knots, column) for column in table.T], axis=1)

    @cached_property
    def _random_table(self) -> tuple[Floats, Floats]:
        """The slowdowns at contentions close enough to interpolate: the recursion runs once, not for each σ."""
        sigma = np.concatenate(([0.0], np.geomspace(1e-3 / self._users[-1], 1, _KNOTS)))
        table = np.empty((len(sigma), len(self._users)))
        queue = np.zeros_like(sigma)
        for n in range(1, int(self._users[-1]) + 1):
            at_queue = sigma * (1 + queue)  # a user that comes finds the queue of n-1 users
            cycle = at_queue + (1 - sigma)
            queue = n * at_queue / cycle
            table[:, self._users == n] = cycle[:, None]
        return sigma, table


@dataclass(frozen=True)
class _Profile:
    """One queueing discipline: the least squared errors by contention.

    Attributes:
        discipline: which.
        grid: contentions (k,), ascending from 0.
        errors: least sum of squared relative errors (k,).
        best: the contention of the least of all, and that error.
    """

    discipline: float
    grid: Floats
    errors: Floats
    best: tuple[float, float]


class _Fit:
    """Least squares of cycle = (slowdown + κN(N-1)) / λ, and all that fits nearly as well."""

    def __init__(self, users: Floats, cycles: Floats, noise: float) -> None:
        """Take N, ascending from 1, their cycles N/X in any unit, and the noise known beforehand."""
        self._queue = _Queue(users)
        self._weights = 1 / cycles
        self._coherency = users * (users - 1) / cycles
        self._profiles = [self._profile(discipline, grid) for discipline, grid in self._grids(users, cycles)]
        self._best = min(self._profiles, key=lambda profile: profile.best[1])
        known = noise**2 + _REPEATABILITY**2
        n_residuals = max(0, len(users) - 3)
        freedom = _PRIOR_RESIDUALS + n_residuals
        variance = (_PRIOR_RESIDUALS * known + self._best.best[1]) / freedom
        self._max_error = self._best.best[1] + variance * student_t_95(freedom) ** 2

    @property
    def is_lawful(self) -> bool:
        """Whether the errors are small enough to speak of a law; it bounds all intervals, too."""
        return self._max_error < _MAX_SQUARED_ERROR

    def usl(self, unit_rps: float) -> Usl:
        """Return the estimates and their intervals; `unit_rps` is the rate at which a cycle is 1."""
        law = self._profiles[0]
        chosen = law if law.best[1] <= self._max_error else self._best
        sigma = chosen.best[0]
        slowdown = self._slowdown(np.array([sigma]), chosen.discipline)
        lone_cycle, kappa_cycle, _ = self._solve(slowdown)
        lows, highs = zip(*(self._bounds(profile) for profile in self._profiles if self._fits(profile)), strict=True)
        low, high = np.min(lows, axis=0), np.max(highs, axis=0)
        return Usl(
            lambda_rps=_estimate(unit_rps / lone_cycle[0], unit_rps * low[0], unit_rps * high[0]),
            sigma=_estimate(sigma, low[1], high[1]),
            kappa=_estimate(kappa_cycle[0] / lone_cycle[0], low[2], high[2]),
            discipline=chosen.discipline,
            cycle_sigma=_estimate(sigma, low[1], high[1]),
        )

    def _fits(self, profile: _Profile) -> bool:
        return profile.best[1] <= self._max_error

    @staticmethod
    def _grids(users: Floats, cycles: Floats) -> list[tuple[float, Floats]]:
        # From (1 - λ·cycle(1))² and σλ(N-1)/cycle(N) - 1 both within √_MAX_SQUARED_ERROR = ½: σ < 3·cycle(N)/(N-1).
        more = users > 1
        top = 3 * float(np.max(cycles[more] / (users[more] - 1))) / float(np.min(cycles[~more]))
        step = 1e-3 / users[-1]
        shares = np.concatenate(([0.0], np.geomspace(step, 1, _KNOTS)))
        beyond = np.geomspace(1, top, _KNOTS // 2)[1:] if top > 1 else np.empty(0)
        return [
            (discipline, np.concatenate((shares, beyond)) if discipline == AT_ONCE else shares)
            for discipline in _DISCIPLINES
        ]

    def _profile(self, discipline: float, grid: Floats) -> _Profile:
        errors = self._errors(grid, discipline)
        zoomed, zoomed_errors = grid, errors
        for _ in range(4):
            at = int(np.argmin(zoomed_errors))
            zoomed = np.linspace(zoomed[max(at - 1, 0)], zoomed[min(at + 1, len(zoomed) - 1)], 41)
            zoomed_errors = self._errors(zoomed, discipline)
        at = int(np.argmin(zoomed_errors))
        return _Profile(discipline, grid, errors, (float(zoomed[at]), float(zoomed_errors[at])))

    def _slowdown(self, sigma: Floats, discipline: float) -> Floats:
        return self._queue.slowdown(sigma, discipline) * self._weights

    def _errors(self, sigma: Floats, discipline: float) -> Floats:
        return self._solve(self._slowdown(sigma, discipline))[2]

    def _solve(self, slowdown: Floats) -> tuple[Floats, Floats, Floats]:
        """Least squares of 1 = a·slowdown + c·coherency with c >= 0, row by row, by trying both active sets.

        Returns:
            a (1/λ), c (κ/λ) and the sum of squares, (k,) each; the sum is infinite where a is not positive.
        """
        ss = (slowdown**2).sum(axis=1)
        sc = slowdown @ self._coherency
        cc = self._coherency @ self._coherency
        s, c = slowdown.sum(axis=1), self._coherency.sum()
        # Not 0, for at one user coherency is 0 and slowdown is not; but rounding may make it so.
        determinant = np.maximum(ss * cc - sc**2, 1e-12 * ss * cc)
        per_pair = np.maximum(0, (c * ss - s * sc) / determinant)
        alone = (s - per_pair * sc) / ss
        residuals = 1 - alone[:, None] * slowdown - per_pair[:, None] * self._coherency
        return alone, per_pair, np.where(alone > 0, (residuals**2).sum(axis=1), np.inf)

    def _bounds(self, profile: _Profile) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Return the least and the greatest (λ, σ, κ) that one discipline allows."""
        least_sigma, most_sigma = self._sigma_range(profile)
        sigma = np.linspace(least_sigma, most_sigma, 101)
        slowdown = self._slowdown(sigma, profile.discipline)
        kappa_low, kappa_high = self._kappa_range(slowdown)
        # 1/λ at each σ and some κ between: where the sum of (1 - terms/λ)² is the greatest error.
        kappa = np.linspace(kappa_low, kappa_high, 21)
        terms = slowdown + kappa[:, :, None] * self._coherency
        square, total = (terms**2).sum(axis=2), terms.sum(axis=2)
        spare = self._max_error - (terms.shape[2] - total**2 / square)
        reach = np.sqrt(np.maximum(0, spare) / square)
        alone = total / square
        return (
            (float((1 / (alone + reach)).min()), float(sigma[0]), float(kappa_low.min())),
            (float((1 / (alone - reach)).max()), float(sigma[-1]), float(kappa_high.max())),
        )

    def _sigma_range(self, profile: _Profile) -> tuple[float, float]:
        inside = [profile.best[0], *profile.grid[profile.errors <= self._max_error]]
        low, high = min(inside), max(inside)
        below, above = profile.grid[profile.grid < low], profile.grid[profile.grid > high]
        return (
            self._edge(profile.discipline, low, below[-1]) if len(below) else low,
            self._edge(profile.discipline, high, above[0]) if len(above) else high,
        )

    def _edge(self, discipline: float, inside: float, outside: float) -> float:
        """Return the σ between the two at which the error reaches its greatest, by bisection."""
        for _ in range(30):
            middle = (inside + outside) / 2
            if self._errors(np.array([middle]), discipline)[0] <= self._max_error:
                inside = middle
            else:
                outside = middle
        return inside

    def _kappa_range(self, slowdown: Floats) -> tuple[Floats, Floats]:
        """Return the least and the greatest κ for each row: a ratio of two coefficients (E. C. Fieller, 1954).

        The error with κ is levels - (Σt)²/Σt² for t = slowdown + κ·coherency; a quadratic in κ where it is greatest.
        """
        spare = slowdown.shape[1] - self._max_error
        c, cc = self._coherency.sum(), self._coherency @ self._coherency
        s, ss, sc = slowdown.sum(axis=1), (slowdown**2).sum(axis=1), slowdown @ self._coherency
        square, half, constant = c**2 - spare * cc, s * c - spare * sc, s**2 - spare * ss
        root = np.sqrt(np.maximum(0, half**2 - square * constant))
        ends = np.stack([(-half + root) / square, (-half - root) / square])
        return np.maximum(0, ends.min(axis=0)), np.maximum(0, ends.max(axis=0))


def _in_server(usl: Usl, overhead: float, most_overhead: float) -> Usl:
    sigma = usl.sigma
    value = _without(overhead, sigma.value)
    return replace(usl, sigma=_estimate(value, sigma.low, _without(most_overhead, sigma.high)))


def _without(overhead: float, sigma: float) -> float:
    """Return a contention as a share of what is left of a cycle without its overhead."""
    in_server = min(1.0, sigma / (1 - overhead)) if overhead < 1 else float(sigma > 0)
    return max(sigma, in_server)


def student_t_95(freedom: int) -> float:
    """Return the 97.5th percentile of Student's t, right to 0.3 % for 4 degrees of freedom and more.

    Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.5.
    """
    z = Z_95
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def _estimate(value: float, low: float, high: float) -> Estimate:
    # The ends come from another computation: rounding must not put the value outside.
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))
