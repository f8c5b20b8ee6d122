"""Classes that a model answers as texts. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from tfsload.transport.words import quoted

# Labels of digits, as models write them that answer in words.
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:\.0+)?")
# A number and words around it: 7 - seven, LABEL_7, digit 7. The words alone, without marks.
_DIGITS_IN_WORDS = re.compile(r"[0-9]+")
_SIGNED = re.compile(r"(?:^|\s)[-+−][0-9]")  # class -1 is none
_WORDS = re.compile(r"[^\W\d_]+")
_MOST_PLACES = 9
_EXPECTED = "a label that is a class's number, {words}"


class ClassWords:
    """Reads the texts of a model's answers: the data set's names, digits in words where it has none, or numbers.

    A word is a label, wherever it comes from; a number is a class of the model's, which may be moved. Either may stand
    among other words, as in *7 - seven* or *LABEL_7*, where it is the only one.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Get ready for a data set whose classes have these names, by label; none: they are called by numbers."""
        words = names or _DIGITS
        self._has_names = bool(names)
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
        label = self._folded.get(_folded(text))
        if label is None and not self._has_names and not _DIGITS_IN_WORDS.search(text):
            labels = self._labels_among(text)
            return labels.pop() if len(labels) == 1 else None
        return label

    def _labels_among(self, text: str) -> set[int]:
        return {self._folded[word] for word in map(_folded, _WORDS.findall(text)) if word in self._folded}

    def number_of(self, text: str) -> int:
        """Return the class of the model's that a text is the number of.

        Raises:
            ValueError: it is no number; with what was expected.
        """
        word = text.strip()
        if _NUMBER.fullmatch(word):
            return int(float(word))
        numbers = _DIGITS_IN_WORDS.findall(word)
        is_one = len(numbers) == 1 and len(numbers[0]) <= _MOST_PLACES and not _SIGNED.search(word)
        if is_one and _WORDS.search(word):
            number = int(numbers[0])
            if self._has_names or self._labels_among(word) <= {number}:
                return number
        raise ValueError(f"answers {quoted(text)}: expected {self._expected}")


def _folded(word: str) -> str:
    return unicodedata.normalize("NFC", word.strip()).casefold()
