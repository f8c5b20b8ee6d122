"""How likely so many of so many are, exactly. Pure."""

from collections.abc import Iterable
from itertools import accumulate, takewhile
from operator import mul

# Weights below this one are left out, relative to the largest: a probability has no more than 16 digits.
_NEGLIGIBLE = 1e-30


def weights(n: int, share: float, rest: float) -> tuple[int, list[float]]:
    """Return P(Binomial(n, share) = k) for k, k + 1 … up to a common factor, and the first k.

    They are reckoned from the most likely k outwards by P(k - 1) : P(k) = k rest : (n - k + 1) share, so nothing
    overflows or cancels, as factorials or their logarithms would; what is left out is negligible.

    Args:
        n: trials, at least 0.
        share: above 0 and below 1.
        rest: 1 - share, which in floats may be told more finely.
    """
    mode = min(int((n + 1) * share), n)
    downwards = _fading(k * rest / ((n - k + 1) * share) for k in range(mode, 0, -1))
    upwards = _fading((n - k) * share / ((k + 1) * rest) for k in range(mode, n))
    return mode - len(downwards), [*reversed(downwards), 1.0, *upwards]


def at_least(k: int, n: int, share: float) -> float:
    """Return P(Binomial(n, share) >= k); `share` is from 0 to 1."""
    if k <= 0:
        return 1.0
    if not 0 < share < 1 or k > n:
        return float(share >= 1 and k <= n)
    first, likely = weights(n, share, 1 - share)
    return sum(likely[max(k - first, 0) :]) / sum(likely)


def at_most(k: int, n: int, share: float) -> float:
    """Return P(Binomial(n, share) <= k); `share` is from 0 to 1."""
    return at_least(n - k, n, 1 - share) if k < n else 1.0


def _fading(ratios: Iterable[float]) -> list[float]:
    """Return the running products of ratios, none above 1, until they are negligible."""
    return list(takewhile(lambda weight: weight > _NEGLIGIBLE, accumulate(ratios, mul)))
