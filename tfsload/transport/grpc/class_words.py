"""Classes that a model answers as texts. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from tfsload.transport.words import quoted

# Labels of digits, as models write them that answer in words.
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:\.0+)?")
_EXPECTED = "a label that is a class's number, {words}"


class ClassWords:
    """Reads the texts of a model's answers: the data set's names, digits in words where it has none, or numbers.

    A word is a label, wherever it comes from; a number is a class of the model's, which may be moved.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Get ready for a data set whose classes have these names, by label; none: they are called by numbers."""
        words = names or _DIGITS
        self._expected = _EXPECTED.format(
            words="or a class of the data set's by its name" if names else "or a digit in words"
        )
        self._exact = {word: label for label, word in enumerate(words)}
        # `a` and `A` may be two classes: they are told apart by their case, and all others whatever it is.
        folded = [_folded(word) for word in words]
        n_of = Counter(folded)
        self._folded = {word: label for label, word in enumerate(folded) if n_of[word] == 1}

    def label_of(self, text: str) -> int | None:
        """Return which label a text is, whatever its case and the spaces around it; None: no word that is known."""
        for word in (text, text.strip()):
            if word in self._exact:
                return self._exact[word]
        return self._folded.get(_folded(text))

    def number_of(self, text: str) -> int:
        """Return the class of the model's that a text is the number of.

        Raises:
            ValueError: it is no number; with what was expected.
        """
        word = text.strip()
        if not _NUMBER.fullmatch(word):
            raise ValueError(f"answers {quoted(text)}: expected {self._expected}")
        return int(float(word))


def _folded(word: str) -> str:
    return unicodedata.normalize("NFC", word.strip()).casefold()
