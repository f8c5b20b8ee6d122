"""Reads what a sweep has printed, as a person does: the table of speed-ups, and the sentence below it."""

import re
from dataclasses import dataclass

HEADS = ("Yes", "No", "No or hardly", "Hardly", "Hardly or yes", "Cannot tell")
# The last digit of two printed numbers.
ROUNDING = 0.011


@dataclass(frozen=True)
class Said:
    """A sweep's text.

    Attributes:
        head: the answer's first words, one of `HEADS`.
        sentence: all of it.
        speed_ups: by users, of levels that count.
        left_out: speed-ups by users, of levels that do not, marked `!`.
        effective: effective parallelism, low and high end, ms of a lone request and of its way; None: not printed.
        best_users: the levels that the best throughput is the mean of.
        law: the line of the fitted law; empty: none.
    """

    head: str
    sentence: str
    speed_ups: dict[int, float]
    left_out: dict[int, float]
    effective: dict[str, float | None] | None
    best_users: tuple[int, ...]
    law: str

    def find(self, pattern: str) -> tuple[float, ...] | None:
        """Return the numbers of a pattern in the sentence, upper or lower case; None where it is not there."""
        found = re.search(pattern.replace("#", r"([\d.,]*\d)"), self.sentence, re.IGNORECASE)
        return found and tuple(map(number, found.groups()))


def number(text: str) -> float:
    return float(text.replace(",", ""))


def read(text: str) -> Said:
    """Read a summary."""
    heads = "|".join(sorted(HEADS, key=len, reverse=True))
    (sentence,) = re.findall(rf"^(?:{heads}): .*$", text, re.MULTILINE)
    line = re.search(r"^speed-up \(efficiency\) by users  (.*)$", text, re.MULTILINE)
    levels = re.findall(r"([\d,]+)( !)?: ([\d.,]+)×", line[1]) if line else []
    best = re.search(r"best throughput: .*?(?:at|\()\s*([\d, and]+) users?", text)
    law = re.search(r"^Universal Scalability Law.*$", text, re.MULTILINE)
    return Said(
        head=sentence.split(":")[0],
        sentence=sentence,
        speed_ups={int(number(users)): number(value) for users, mark, value in levels if not mark},
        left_out={int(number(users)): number(value) for users, mark, value in levels if mark},
        effective=_effective(text),
        best_users=tuple(int(number(users)) for users in re.split(r", | and ", best[1])) if best else (),
        law=law[0] if law else "",
    )


def _effective(text: str) -> dict[str, float | None] | None:
    found = re.search(
        r"effective parallelism ([\d.,]+) \(best throughput × (?:the )?([\d.,e+-]+) ms a request at one user"
        r"(?:, less ([\d.,e+-]+) ms on its way)?\)(?:, ([\d.,]+) to ([\d.,]+) at 95 %)?",
        text,
    )
    if not found:
        return None
    names = ("value", "alone_ms", "way_ms", "low", "high")
    return {name: part and number(part) for name, part in zip(names, found.groups(), strict=True)}
