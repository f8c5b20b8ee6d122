"""What was asked for with `--threshold`, and how far it was held, as a table on the terminal: a row each."""

import math
from collections.abc import Sequence

from tfsload.analysis.held import Held
from tfsload.analysis.held_words import HeldWords, words_of
from tfsload.report.tables import Column, fitted

_FIRST = {"crossed": 0, "unknown": 1, "held": 2}


def lines(thresholds: Sequence[Held], width: int) -> tuple[str, ...]:
    """Return a line for each threshold, of at most so many characters; the verdict names all levels that cross it."""
    worst = list(map(words_of, at_worst(thresholds)))
    rows = fitted(
        [
            Column("", [f"{words.mark} {words.asked}" for words in worst], is_text=True),
            Column("", [words.value for words in worst], is_text=True, leaves=2),
            Column("", [_margin(words) for words in worst], is_text=True, leaves=1),
            Column("", [f"at {words.where}" if words.where else "" for words in worst], is_text=True, leaves=0),
        ],
        width,
    ).rows
    marks = {words.mark: words.state_word for words in worst if words.state != "held"}
    return (*rows, "  ".join(f"{mark}: {word}" for mark, word in marks.items())) if marks else rows


def at_worst(thresholds: Sequence[Held]) -> list[Held]:
    """Return each threshold once.

    Of several levels it is the one in which it is crossed the furthest, cannot be judged, or is held with the least to
    spare.
    """
    by_text: dict[str, list[Held]] = {}
    for held in thresholds:
        by_text.setdefault(held.threshold.text, []).append(held)
    return [min(group, key=_order) for group in by_text.values()]


def _margin(words: HeldWords) -> str:
    return words.state_word if words.state == "unknown" else words.margin or words.state_word


def _order(held: Held) -> tuple[int, float]:
    margin = math.inf if held.margin is None else held.margin
    return _FIRST[words_of(held).state], margin
