"""What was given and what others say, as a terminal, a log and a page may have it: short, steering nothing, no secret.

Pure, but for the secrets of the run that this process takes part in, which are kept here to be left out.
"""

import difflib
import re
import shlex
from collections.abc import Iterable

# A server may say as much as it likes, and a value may be a whole file by mistake.
LONGEST_WORDS = 300
LONGEST_VALUE = 100
LONGEST_SENTENCE = 1000
HIDDEN = "(hidden)"
# How values are told apart of which an option takes several; a form that has a line for each says so in its place.
SEPARATED = "separated by ';'"
# Shorter values are words of every day, and hiding them would garble what a server says.
_SHORTEST_SECRET = 6

# A name with a pass word before a host, as URLs have it.
_USERINFO = re.compile(r"(?<=//)[^/@\s]+@|^[^/@\s]+:[^/@\s]*@")

# What Python has for bytes from 0x80 on that are no UTF-8 (PEP 383), less the byte.
_BYTE_0 = 0xDC00
_BYTES = frozenset(map(chr, range(_BYTE_0 + 0x80, _BYTE_0 + 0x100)))

_secrets: re.Pattern[str] | None = None


def hide(secrets: Iterable[str]) -> None:
    """Leave these values out of others' words from now on, and what their words are ("Bearer" and a token)."""
    global _secrets
    parts = {part for secret in secrets for part in (secret.strip(), *secret.split())}
    hidden = sorted((part for part in parts if len(part) >= _SHORTEST_SECRET and part != "Bearer"), key=len)
    _secrets = re.compile("|".join(map(re.escape, reversed(hidden)))) if hidden else None


def redacted(text: str) -> str:
    """Return a text without the secrets that `hide` was told of."""
    return _secrets.sub(HIDDEN, text) if _secrets is not None else text


def shown(words: str) -> str:
    r"""Return a server's words: on one line, cut, nothing that steers a terminal, and no secret that it repeats.

    >>> shown("two\nlines")
    'two?lines'
    """
    return cut(_printable(redacted(words)), LONGEST_WORDS)


def quoted(value: object) -> str:
    r"""Return what was given, in quotes, cut, without a secret, nor a pass word before a host.

    >>> quoted("mnist\x1b[2J")
    "'mnist\\x1b[2J'"
    """
    return repr(cut(without_password(redacted(str(value))), LONGEST_VALUE))


def given(value: str) -> str:
    """Return what was given, in quotes; of an empty text that it is one.

    >>> given("x"), given("")
    ("'x'", 'is empty')
    """
    return quoted(value) if value else "is empty"


def path_shown(path: str) -> str:
    r"""Return a path as it is; one that would break a line or steer a terminal as bash reads it.

    >>> path_shown("/tmp/my report"), path_shown("/tmp/x\ny")
    ('/tmp/my report', "$'/tmp/x\\ny'")
    """
    return path if path.isprintable() else f"$'{_escaped(path)}'"


def shell_word(path: str) -> str:
    r"""Return a path as a word of a command, on one line.

    >>> shell_word("out"), shell_word("my report"), shell_word("x\ny")
    ('out', "'my report'", "$'x\\ny'")
    """
    return shlex.quote(path) if path.isprintable() else path_shown(path)


def _escaped(text: str) -> str:
    return "".join(letter if letter.isprintable() and letter not in "'\\" else _escape(letter) for letter in text)


def _escape(letter: str) -> str:
    if letter in "'\\":
        return f"\\{letter}"
    if letter in _BYTES:
        return f"\\x{ord(letter) - _BYTE_0:02x}"
    # Beyond ASCII, `\x` would be a byte.
    return repr(letter)[1:-1] if letter.isascii() else f"\\U{ord(letter):08x}"


def without_password(address: str) -> str:
    """Return an address without a name and pass word before its host.

    >>> without_password("me:secret@model:8500"), without_password("model:8500")
    ('(hidden)@model:8500', 'model:8500')
    """
    return _USERINFO.sub(f"{HIDDEN}@", address)


def sentence(text: str) -> str:
    """Return a sentence on one line; of a long one its beginning and its end, where the cure stands."""
    line = _printable(" ".join(text.split()))
    if len(line) <= LONGEST_SENTENCE:
        return line
    half = LONGEST_SENTENCE // 2
    return f"{line[: half - 1]}…{line[-half:]}"


def lines(text: str) -> str:
    r"""Return lines as they are, without what steers a terminal.

    >>> lines("a\tb\nc\x1b[31m")
    'a\tb\nc?[31m'
    """
    if text.isprintable():  # most are, and this is asked of each text of a page
        return text
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)


def one_of(option: str, names: Iterable[str], otherwise: str) -> str:
    """Return what to pass, or what to do where there is nothing to pass.

    >>> one_of("--output-name", ["a", "b"], "export another model")
    'pass --output-name with one of a, b'
    """
    listed = ", ".join(map(shown, names))
    return f"pass {option} with one of {listed}" if listed else otherwise


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a hint at the name that one may have meant, behind a blank; empty: there is none like it.

    >>> did_you_mean("Keep_prop", ["images", "keep_prob"]), did_you_mean("x", ["images"])
    (" (did you mean 'keep_prob'?)", '')
    """
    # Others' names may be long, and it takes the square of that.
    known = {cut(one, LONGEST_VALUE).lower(): one for one in sorted(names, reverse=True)}
    near = difflib.get_close_matches(cut(name, LONGEST_VALUE).lower(), known, n=1)
    return f" (did you mean {quoted(known[near[0]])}?)" if near else ""


def cut(text: str, longest: int) -> str:
    """Return a text of at most that many characters; one that is cut ends with "…"."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)
