"""How likely so many of so many are, exactly. Pure."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

# Weights below this one are left out, relative to the largest: a probability has no more than 16 digits.
_NEGLIGIBLE = 1e-30
# So many are reckoned first, then twice as many again and again: of millions of trials tens of thousands count.
_FIRST_PIECE = 256


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
    downwards = _fading(mode, lambda i: (mode - i) * rest / ((n - mode + i + 1) * share))
    upwards = _fading(n - mode, lambda i: (n - mode - i) * share / ((mode + i + 1) * rest))
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


def _fading(n: int, ratio: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> list[float]:
    """Return the running products of n ratios at most, none above 1, until they are negligible.

    Args:
        n: ratios that there are.
        ratio: returns those of some places, from 0 on.
    """
    pieces: list[float] = []
    begin, size, product = 0, _FIRST_PIECE, 1.0
    while begin < n and product > _NEGLIGIBLE:
        ratios = ratio(np.arange(begin, min(begin + size, n), dtype=np.float64))
        ratios[0] *= product
        products = np.multiply.accumulate(ratios)
        pieces += products[products > _NEGLIGIBLE].tolist()
        begin, size, product = begin + size, 2 * size, float(products[-1])
    return pieces
