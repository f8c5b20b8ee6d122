"""How the text of an option becomes its value. Each raises ValueError with what is expected.

What holds several values raises FaultsError, in which each that is faulty is quoted; else what was given is not told.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from tfsload.analysis.switch import OFF, ON, is_on
from tfsload.load import arrivals, search
from tfsload.transport.faults import FaultsError
from tfsload.transport.input_text import name_and_text
from tfsload.transport.numerals import whole_number
from tfsload.transport.pixel_scale import PixelScale
from tfsload.transport.words import LONGEST_SENTENCE, LONGEST_VALUE, SEPARATED, quoted

# A seed may be any number that is typed.
_MOST_DIGITS = 99


def text(value: str) -> str:
    """Read a text; the command line may hold bytes that are none."""
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes of the command line that are not UTF-8
        raise ValueError("text in UTF-8") from None
    return value


def required_text(value: str) -> str:
    """Read a text that is not empty."""
    if not value:
        raise ValueError("a name")
    return text(value)


def integer(low: int, high: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number from `low` to `high`; None: without end."""
    expected = f"a whole number of at least {low:,}" if high is None else f"a whole number from {low:,} to {high:,}"

    def read(value: str) -> int:
        size = whole_number(value.removeprefix("-"), _MOST_DIGITS)
        number = -size if size is not None and value.startswith("-") else size
        if number is None or number < low or (high is not None and number > high):
            raise ValueError(expected)
        return number

    return read


def optional_integer(low: int, high: int) -> Callable[[str], int | None]:
    """Return what reads a whole number as `integer` does, and None from an empty text."""
    read = integer(low, high)
    return lambda value: read(value) if value else None


def _number(value: str, expected: str) -> float:
    # float() alone would also take Python's own "1_000" and digits of other scripts
    if "_" in value or not value.isascii():
        raise ValueError(expected)
    try:
        number = float(value)
    except ValueError:
        raise ValueError(expected) from None
    if not math.isfinite(number):
        raise ValueError(expected)
    return number


def seconds(highest: float, may_be_0: bool = False, lowest: float = 0) -> Callable[[str], float]:
    """Return what reads seconds up to `highest`, from `lowest` where there is one, else above 0 or from it."""
    is_from = may_be_0 or lowest > 0
    span = f"from {lowest:g} to {highest:,}" if is_from else f"above {lowest:g} and at most {highest:,}"
    expected = f"a number of seconds {span}"

    def read(value: str) -> float:
        number = _number(value, expected)
        if number > highest or number < lowest or (number == 0 and not may_be_0):
            raise ValueError(expected)
        return number

    return read


def optional_seconds(highest: float) -> Callable[[str], float | None]:
    """Return what reads seconds from 0 to `highest`, and None from an empty text."""
    read = seconds(highest, may_be_0=True)
    return lambda value: read(value) if value else None


def list_of(read_one: Callable[[str], Any], expected: str) -> Callable[[str], tuple[Any, ...]]:
    """Return what reads values separated by commas, none from an empty text; `expected` is said of any fault."""

    def read(value: str) -> tuple[Any, ...]:
        try:
            return tuple(read_one(part.strip()) for part in value.split(",")) if value else ()
        except ValueError:
            raise ValueError(expected) from None

    return read


def rate(value: str) -> float:
    """Read requests a second, as the load can keep to them."""
    number = _number(value, "")
    if arrivals.rate_fault(number):
        raise ValueError
    return number


def rate_range(value: str) -> tuple[float, float] | None:
    """Read LOW:HIGH, in requests a second; None from an empty text."""
    try:
        return search.parse_range(value) if value else None
    except ValueError as fault:
        # The one who calls says "expected" before whatever it is.
        words = str(fault).replace("LOW: expected", "LOW to be").replace("HIGH: expected", "HIGH to be")
        raise ValueError(words.removeprefix("expected ")) from None


def switch(value: str) -> bool:
    """Read what is true or false, in any of the usual words."""
    if value.lower() not in (*ON, *OFF):
        raise ValueError("true or false")
    return is_on(value)


def one_of(*choices: str) -> Callable[[str], str]:
    """Return what reads one of these words."""

    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(" or ".join(choices))
        return value

    return read


def several(value: str, read_one: Callable[[str], Any]) -> tuple[Any, ...]:
    """Return the values in a text that holds several, separated by semicolons.

    Raises:
        FaultsError: some cannot be read; each is quoted, with what is expected in its place.
    """
    values, faults = [], []
    for part in filter(None, map(str.strip, value.split(";"))):
        try:
            values.append(read_one(part))
        except ValueError as expected:
            faults.append(f"{quoted(part)}: expected {expected}")
    if faults:
        raise FaultsError(list(dict.fromkeys(faults)))
    return tuple(values)


def _pairs(value: str, read_one: Callable[[str], tuple[str, str]], what: str) -> tuple[tuple[str, str], ...]:
    """Return names and texts, each name once."""
    pairs = several(value, read_one)
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FaultsError([f"{quoted(name)} is there more often: expected each {what} once" for name in twice])
    return pairs


def metadata(value: str) -> tuple[tuple[str, str], ...]:
    """Read pairs of key and value, `key=value`, separated by semicolons."""
    parts = [part.strip() for part in value.split(";") if part.strip()]
    for number, part in enumerate(parts, 1):
        if fault := _metadata_fault(part):
            # Which one, and not its text: it is a secret.
            raise ValueError(f"{fault} ({_ordinal(number)} of {len(parts)})")
    return tuple((part.partition("=")[0], part.partition("=")[2]) for part in parts)


def _metadata_fault(part: str) -> str:
    """Return what was expected, and what is there instead, of one key=value; empty: it can be sent."""
    key, separator, text = part.partition("=")
    found = ""
    if not separator:
        found = "there is no '='"
    elif key != key.lower() and _METADATA_KEY.fullmatch(key.lower()):
        found = "there are capitals in the key"
    elif not _METADATA_KEY.fullmatch(key):
        found = "the key holds other characters than a-z, 0-9, '_', '.' and '-'"
    elif not (text.isascii() and text.isprintable()):
        found = "the value holds others"
    if found:
        return f"key=value in printable ASCII, keys in lower case, several {SEPARATED}; {found}"
    if key.startswith("grpc-") or key.endswith("-bin") or key in _OWN_HEADERS:
        return "keys other than HTTP's and gRPC's own headers (grpc-…), and no binary values (…-bin)"
    return ""


def _ordinal(number: int) -> str:
    return {1: "the first", 2: "the second", 3: "the third"}.get(number, f"number {number}")


def notes(value: str) -> tuple[tuple[str, str], ...]:
    """Read what a run is to be remembered by: pairs of key and value, `key=value`, separated by semicolons.

    >>> notes("commit=1a2b3c4; why=a = b")
    (('commit', '1a2b3c4'), ('why', 'a = b'))
    """
    return _pairs(value, _note, "key")


def _note(part: str) -> tuple[str, str]:
    line = " ".join(text(part).split())
    key, equals, note = (half.strip() for half in line.partition("="))
    if not (key and equals):
        raise ValueError(f"key=value, such as commit=1a2b3c4, several {SEPARATED}")
    if len(key) > LONGEST_VALUE or len(line) > LONGEST_SENTENCE:
        raise ValueError(
            f"keys of at most {LONGEST_VALUE} characters, and {LONGEST_SENTENCE:,} with their value; it is longer"
        )
    return key, note


def inputs(value: str) -> tuple[tuple[str, str], ...]:
    """Read the values of a signature's other inputs: `NAME=VALUE`, separated by semicolons.

    >>> inputs("keep_prob=1.0; training=false")
    (('keep_prob', '1.0'), ('training', 'false'))
    """
    return _pairs(value, _input, "input")


def _input(part: str) -> tuple[str, str]:
    try:
        return name_and_text(text(part))
    except ValueError as expected:
        raise ValueError(f"{expected}, several {SEPARATED}") from None


def pixel_scale(value: str) -> PixelScale | None:
    """Read what pixels become; None from an empty text."""
    return PixelScale.parse(value) if value else None


_METADATA_KEY = re.compile(r"[0-9a-z_.-]+")
# A request has them already, or HTTP/2 forbids them (RFC 9113, section 8.2.2).
_OWN_HEADERS = {
    "connection",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
}
