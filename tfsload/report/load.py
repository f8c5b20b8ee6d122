"""What load a run was of, in words: what was asked for, however far it came. Pure."""

from collections.abc import Sequence

from tfsload.analysis.figures import on_average, users
from tfsload.analysis.result import RunResult
from tfsload.report import units
from tfsload.report.asked_load import asked_load
from tfsload.report.level_load import load_of
from tfsload.transport.numerals import whole_number

# More levels than this are told by the first and the last one.
_MOST_NAMED = 6


def load(result: RunResult) -> str:
    """Return what load there was, in words."""
    return with_images(_load(result), result.asked.options.get("images_per_request", ""), len(result.images.fired))


def with_images(load: str, images_per_request: str, n_images: int) -> str:
    """Return a load in words, with how many images a request holds, where that is not one.

    >>> with_images("4 users", "50", 1000), with_images("4 users", "1", 1000), with_images("4 users", "", 0)
    ('4 users · 50 images a request', '4 users', '4 users')

    Args:
        load: in words.
        images_per_request: as it was asked for; a run that was refused may have what is no number.
        n_images: images that are fired; 0: not known.
    """
    asked = whole_number(images_per_request)
    average = "" if asked is None else on_average(asked or 1, n_images)
    images = "" if images_per_request in ("", "1") else f"{images_per_request} images a request{average}"
    return " · ".join(part for part in (load, images) if part)


def _load(result: RunResult) -> str:
    asked, levels, n_left = asked_load(result), result.levels, result.course.n_levels_left
    n_users = result.users.n_users_asked
    if asked.kind == "search":
        ends = asked.loads if result.search is None else (result.search.low_rps, result.search.high_rps)
        return f"search from {' to '.join(map(units.rate, ends))} requests/s" if len(ends) == 2 else "search"
    if asked.kind == "images":
        images = f"{units.count(asked.n_images)} images, each once"
        return " · ".join(filter(None, [images, users(n_users) if n_users else ""]))
    if asked.kind == "users":
        return users(n_users) if n_users else ""
    measured = [load_of(level) for level in levels]
    loads = asked.loads if asked.loads and (n_left or not levels) else measured  # what it was for, however far it came
    if not loads:
        return ""
    lasts: set[float | None] = {level.duration_s for level in levels} or {asked.level_s}
    each_s = lasts.pop() if len(lasts) == 1 else None
    each = "" if each_s is None else f" · {units.span(each_s)} each"
    done = f" · {len(levels)} of {len(levels) + n_left} levels measured" if n_left else ""
    return f"{_of_levels(loads, asked.kind == 'rate')}{each}{done}"


def _of_levels(loads: Sequence[float], is_open: bool) -> str:
    """Return levels in words: all of them, or their number with the least and the most load."""
    if not is_open and len(loads) == 1:
        return f"sweep of {users(int(loads[0]))}"
    if len(loads) <= _MOST_NAMED:
        named = ", ".join(f"{one:,.12g}" for one in loads)
    else:
        named = f"{min(loads):,.12g} to {max(loads):,.12g} in {len(loads)} levels of"
    return f"{'rates' if is_open else 'sweep'} of {named} {'requests/s' if is_open else 'users'}"
