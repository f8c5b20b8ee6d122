"""Whole numbers as they were typed or sent: which texts are one. Pure."""

# Python refuses to read thousands of them.
_MOST_DIGITS = 18


def whole_number(text: str, most_digits: int = _MOST_DIGITS) -> int | None:
    """Return the whole number, from 0 on, that a text is; None: it is none, or one of more digits than anything has.

    `int` alone would also take "1_000", " 1", "+1" and digits of other scripts.

    >>> whole_number("64"), whole_number("-1"), whole_number("6.4"), whole_number("9" * 100)
    (64, None, None, None)

    Args:
        text: as it came.
        most_digits: that it may have, leading zeros included.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= most_digits else None
