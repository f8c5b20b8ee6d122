"""A threshold in words, the same in every sentence and table. Pure."""

from tfsload.analysis.thresholds import Threshold, unit_ns


def asked_words(threshold: Threshold) -> str:
    """Return what was asked for, as `p99 < 20 ms`."""
    return f"{threshold.subject} {threshold.operator} {bound_words(threshold)}"


def told_words(threshold: Threshold) -> str:
    """Return the same with what it does where it is crossed, as `p99 < 20 ms abort`: what a sentence has."""
    return " ".join([asked_words(threshold), *threshold.text.split()[3:]])


def bound_words(threshold: Threshold) -> str:
    """Return a threshold's limit, as `20 ms`, `0.5%` or `500/s`."""
    limit = threshold.limit
    match threshold.unit_kind:
        case "duration":
            return f"{limit / unit_ns(threshold.unit):,.12g} {unit_word(threshold.unit)}"
        case "share":
            return f"{100 * limit:.12g}%"
        case "rate":
            return f"{limit:,.12g}/s"
    return f"{limit:,.12g}"


def unit_word(unit: str) -> str:
    """Return a unit of time as people write it.

    >>> unit_word("us"), unit_word("ms")
    ('µs', 'ms')
    """
    return "µs" if unit == "us" else unit
