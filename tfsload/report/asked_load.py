"""What load a run was asked for, however far it came. Pure."""

import math
from dataclasses import dataclass
from typing import Literal

from tfsload.analysis.result import RunResult
from tfsload.transport.numerals import whole_number

Kind = Literal["sweep", "rate", "search", "images", "users"]
_BY_OPTION: dict[str, Kind] = {"sweep": "sweep", "rate": "rate", "find_max_rate": "search"}


@dataclass(frozen=True)
class AskedLoad:
    """What was asked for.

    Attributes:
        kind: a sweep of users, given rates, a search for the highest rate, images that are each fired once, or users
            that fire for a time.
        loads: of a sweep its users, of rates these, of a search its ends; empty: another kind, or it is not known.
        level_s: for how long each level was to be measured; None: another kind, or it is not known.
        n_images: that were to be fired; None: another kind.
    """

    kind: Kind
    loads: tuple[float, ...] = ()
    level_s: float | None = None
    n_images: int | None = None

    @property
    def has_levels(self) -> bool:
        """Whether it is of levels."""
        return self.kind in ("sweep", "rate", "search")


def asked_load(result: RunResult) -> AskedLoad:
    """Return what load a run was asked for; where no option tells, its levels do."""
    options = result.asked.options
    for name, kind in _BY_OPTION.items():
        if text := options.get(name, "").strip():
            loads = _numbers(text, ":" if kind == "search" else ",")
            return AskedLoad(kind, loads, next(iter(_numbers(options.get("level_duration", ""))), None))
    if result.search is not None:
        return AskedLoad("search")
    if result.levels:
        return AskedLoad("sweep" if result.levels[0].rate_rps is None else "rate")
    n_images = result.course.n_images_asked or whole_number(options.get("num_tests", ""))
    return AskedLoad("images", n_images=n_images) if n_images else AskedLoad("users")


def _numbers(text: str, between: str = ",") -> tuple[float, ...]:
    """Return the numbers in a text; none where anything else stands there."""
    try:
        numbers = tuple(float(one) for one in text.split(between) if one.strip())
    except ValueError:
        return ()
    return numbers if all(0 < one < math.inf for one in numbers) else ()
