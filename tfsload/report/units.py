"""Figures in words."""


def percent(fraction: float | None) -> str:
    """Write a fraction as a percentage with at most two decimals: 0.021 → 2.1%; – where there is none."""
    if fraction is None:
        return "–"
    return f"{100 * fraction:.2f}".rstrip("0").rstrip(".") + "%"


def duration(nanoseconds: float) -> str:
    """Write a duration in µs below 1 ms, in ms below 10 s, and in s above, with three digits or more."""
    if nanoseconds < 1e6:
        return f"{nanoseconds / 1e3:.0f} µs"
    if nanoseconds < 1e7:
        return f"{nanoseconds / 1e6:.2f} ms"
    if nanoseconds < 1e10:
        return f"{nanoseconds / 1e6:,.1f} ms"
    return f"{nanoseconds / 1e9:,.2f} s"
