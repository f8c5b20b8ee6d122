"""JSON as TensorFlow Serving's parser, RapidJSON, reads it; its refusals in that parser's words. Pure.

What is plain JSON orjson reads. What it does not take is read here, slower: there may be `NaN` and `Infinity`, and
bytes in strings that are not UTF-8, which `str` holds as `surrogateescape` has them; or there is a fault to be told.
"""

import re
from typing import Any

import orjson

_SPACE = re.compile(r"[ \n\r\t]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_EXPONENT_BEGUN = re.compile(r"[eE][+-]?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"n": ("null", None), "t": ("true", True), "f": ("false", False)}
_BYTE_ORDER_MARK = "\xef\xbb\xbf"
_MOST_LEVELS = 1024  # as orjson
_MOST_DIGITS = 20  # of a whole number of 64 bits
_INVALID = "Invalid value."
_BAD_PAIR = "The surrogate pair in string is invalid."
_TOO_BIG = "Number too big to be stored in double."


class JsonError(ValueError):
    """A text that is not JSON; the message is the whole of what the real server says."""

    def __init__(self, words: str, offset: int) -> None:
        super().__init__(f"JSON Parse error: {words} at offset: {offset}")


def read_json(body: bytes) -> Any:
    """Return the value that a text of JSON means; of members of one name the last counts.

    Raises:
        JsonError: it is none, with where that shows, in bytes.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _Reader(body.decode("latin-1")).document()


class _Reader:
    """Reads a text in which each character stands for a byte, so that positions are offsets.

    Without recursion: how deep lists lie in lists is up to whoever sends them.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = len(_BYTE_ORDER_MARK) if text.startswith(_BYTE_ORDER_MARK) else 0

    def document(self) -> Any:
        self._skip_space()
        # A zero byte is the end, as for RapidJSON.
        if self._next in ("", "\0"):
            raise JsonError("The document is empty.", self._at)
        value = self._value()
        self._skip_space()
        if self._next not in ("", "\0"):
            raise JsonError("The document root must not be followed by other values.", self._at)
        return value

    @property
    def _next(self) -> str:
        """The character at the position; "" at the end."""
        return self._text[self._at : self._at + 1]

    def _skip_space(self) -> None:
        self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]

    def _value(self) -> Any:
        around: list[Any] = []  # the lists and objects that have begun, the outermost first
        names: list[str] = []  # of the members whose values are being read
        while True:
            opening = self._next
            if opening in ("[", "{"):
                value: Any = [] if opening == "[" else {}
                self._at += 1
                self._skip_space()
                if self._next != ("]" if opening == "[" else "}"):
                    self._begin(value, around, names)
                    continue
                self._at += 1
            else:
                value = self._scalar(opening)
            while around:
                self._put(value, around[-1], names)
                if self._goes_on(around[-1], names):
                    break
                value = around.pop()
            else:
                return value

    def _begin(self, container: Any, around: list[Any], names: list[str]) -> None:
        if len(around) >= _MOST_LEVELS:
            raise JsonError(f"Nested deeper than {_MOST_LEVELS} levels.", self._at)
        around.append(container)
        if isinstance(container, dict):
            names.append(self._name())

    @staticmethod
    def _put(value: Any, container: Any, names: list[str]) -> None:
        if isinstance(container, list):
            container.append(value)
        else:
            container[names.pop()] = value

    def _goes_on(self, container: Any, names: list[str]) -> bool:
        """Whether another value of the container follows; it is at its beginning then, else behind the container."""
        self._skip_space()
        is_list = isinstance(container, list)
        if self._next == ("]" if is_list else "}"):
            self._at += 1
            return False
        if self._next != ",":
            missing = "']' after an array element" if is_list else "'}' after an object member"
            raise JsonError(f"Missing a comma or {missing}.", self._at)
        self._at += 1
        self._skip_space()
        if not is_list:
            names.append(self._name())
        return True

    def _name(self) -> str:
        if self._next != '"':
            raise JsonError("Missing a name for object member.", self._at)
        name = self._string()
        self._skip_space()
        if self._next != ":":
            raise JsonError("Missing a colon after a name of object member.", self._at)
        self._at += 1
        self._skip_space()
        return name

    def _scalar(self, first: str) -> Any:
        if first == '"':
            return self._string()
        if first in _WORDS:
            word, value = _WORDS[first]
            self._expect(word, self._at)
            return value
        return self._number()

    def _expect(self, word: str, start: int) -> None:
        """Read on behind `word`, which must begin at `start`."""
        for self._at, letter in enumerate(word, start):
            if self._next != letter:
                raise JsonError(_INVALID, self._at)
        self._at += 1

    def _number(self) -> int | float:
        start = self._at
        if (found := _NUMBER.match(self._text, start)) is None:
            return self._unusual_number(start)
        self._at = found.end()
        fraction, exponent = found.groups()
        if exponent is None:
            if begun := _EXPONENT_BEGUN.match(self._text, self._at):
                raise JsonError("Miss exponent in number.", begun.end())
            if fraction is None and self._next == ".":
                raise JsonError("Miss fraction part in number.", self._at + 1)
        if fraction is None and exponent is None and len(found[0]) <= _MOST_DIGITS:
            whole = int(found[0])
            if -(2**63) <= whole < 2**64:
                return whole
        value = float(found[0])
        if value in (float("inf"), float("-inf")):
            raise JsonError(_TOO_BIG, start)
        return value

    def _unusual_number(self, start: int) -> float:
        sign = self._text.startswith("-", start)
        begin = start + sign
        if self._text.startswith("N", begin):
            self._expect("NaN", begin)
            return float("nan")
        if not self._text.startswith("I", begin):
            raise JsonError(_INVALID, begin)
        self._expect("Inf", begin)
        if self._next == "i":
            self._expect("inity", self._at)
        return float("-inf" if sign else "inf")

    def _string(self) -> str:
        parts = []
        self._at += 1
        while True:
            plain = _PLAIN.match(self._text, self._at)
            parts.append(plain[0])  # type: ignore[index]
            self._at = plain.end()  # type: ignore[union-attr]
            if self._next == "\\":
                parts.append(self._escape())
            elif self._next == '"':
                self._at += 1
                return "".join(parts).encode("latin-1").decode("utf-8", "surrogateescape")
            elif self._next in ("", "\0"):
                raise JsonError("Missing a closing quotation mark in string.", self._at)
            else:
                raise JsonError("Invalid encoding in string.", self._at)

    def _escape(self) -> str:
        start = self._at
        letter = self._text[start + 1 : start + 2]
        self._at = start + 2
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter != "u":
            raise JsonError("Invalid escape character in string.", start)
        code = self._hex(start)
        if 0xD800 <= code < 0xDC00:
            if self._text[self._at : self._at + 2] != "\\u":
                raise JsonError(_BAD_PAIR, start)
            self._at += 2
            low = self._hex(start)
            if not 0xDC00 <= low < 0xE000:
                raise JsonError(_BAD_PAIR, start)
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        elif 0xDC00 <= code < 0xE000:
            raise JsonError(_BAD_PAIR, start)
        return chr(code).encode().decode("latin-1")

    def _hex(self, start: int) -> int:
        if (found := _HEX.match(self._text, self._at)) is None:
            raise JsonError("Incorrect hex digit after \\u escape in string.", start)
        self._at += 4
        return int(found[0], 16)
