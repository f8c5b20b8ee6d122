"""Figures in words."""


def percent(fraction: float | None) -> str:
    """Write a fraction as a percentage with at most two decimals: 0.021 → 2.1%; – where there is none.

    What is not quite none or not quite all is never called that: 0.00001 → 0.001%, 0.99999 → 99.999%.
    """
    if fraction is None:
        return "–"
    decimals = 2
    while 0 < fraction < 1 and f"{100 * fraction:.{decimals}f}" in (f"{0:.{decimals}f}", f"{100:.{decimals}f}"):
        decimals += 1
    return f"{100 * fraction:.{decimals}f}".rstrip("0").rstrip(".") + "%"


def duration(nanoseconds: float) -> str:
    """Write a duration in µs below 1 ms, in ms below 10 s, and in s above."""
    if nanoseconds < 1e6:
        return f"{nanoseconds / 1e3:.0f} µs"
    if nanoseconds < 1e7:
        return f"{nanoseconds / 1e6:.2f} ms"
    if nanoseconds < 1e10:
        return f"{nanoseconds / 1e6:,.1f} ms"
    return f"{nanoseconds / 1e9:,.2f} s"
