"""Reads what a sweep has printed, as a person does: the table of levels, and the sentence below it."""

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
        speed_ups: by users, of levels that count; of several with as many users the mean.
        left_out: speed-ups by users, of levels that do not, for they are marked `?` or had requests without an answer.
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
    # No cell holds two spaces.
    rows = [re.split(r"  +", line) for line in text.splitlines() if re.match(r"[\d,]+ users?( \?)?  ", line)]
    levels = [(row[0].split(), row[2].removesuffix("×")) for row in rows if row[2].endswith("×")]
    failing = re.search(r"^not used     (.*) had requests without", text, re.MULTILINE)
    failed = {int(number(users)) for users in re.findall(r"([\d,]+) users? \(", failing[1])} if failing else set()
    speed_ups = _of_users(levels, failed)
    left_out = {int(number(name[0])) for name, _ in levels if name[-1] == "?"} | failed
    best = re.search(r"^throughput   .*(?:[, ]at|\()\s*([\d, and]+) users?", text, re.MULTILINE)
    law = re.search(r"^scaling law  .*$", text, re.MULTILINE)
    return Said(
        head=sentence.split(":")[0],
        sentence=sentence,
        speed_ups={users: value for users, value in speed_ups.items() if users not in left_out},
        left_out={users: value for users, value in speed_ups.items() if users in left_out},
        effective=_effective(text),
        best_users=tuple(int(number(users)) for users in re.split(r", | and ", best[1])) if best else (),
        law=law[0] if law else "",
    )


def _of_users(levels: list[tuple[list[str], str]], failed: set[int]) -> dict[int, float]:
    """Return speed-ups by users: of several levels the mean of those that are not marked, where one is not.

    Where requests failed it is not printed in which of several, and none of them counts.
    """
    by_users: dict[int, list[tuple[bool, float]]] = {}
    for name, value in levels:
        by_users.setdefault(int(number(name[0])), []).append((name[-1] == "?", number(value)))
    counted = {
        users: (users not in failed and [one for one in found if not one[0]]) or found
        for users, found in by_users.items()
    }
    return {users: sum(value for _, value in found) / len(found) for users, found in counted.items()}


def _effective(text: str) -> dict[str, float | None] | None:
    found = re.search(
        r"^parallelism  ([\d.,]+) \(([\d.,]+) to ([\d.,]+) at 95%\): "
        r"that throughput × \(?([\d.,]+) ms alone(?: − ([\d.,]+) ms on the way\))?$",
        text,
        re.MULTILINE,
    )
    if not found:
        return None
    names = ("value", "low", "high", "alone_ms", "way_ms")
    return {name: part and number(part) for name, part in zip(names, found.groups(), strict=True)}
