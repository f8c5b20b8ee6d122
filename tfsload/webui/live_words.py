"""Where a run stands, in the words of its page: the same for who reads the page and for the script that renews it."""

import math
from dataclasses import dataclass

from tfsload.analysis.doubts import in_short
from tfsload.analysis.figures import count, percent, rate, span, users
from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.level_breaches import doubts_by_level
from tfsload.analysis.level_names import told_name
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.analysis.threshold_words import told_words
from tfsload.analysis.verdict import Reason
from tfsload.report import states
from tfsload.report.page.cards import Card
from tfsload.report.page.reasons import grouped
from tfsload.report.standing import Standing


@dataclass(frozen=True)
class LiveWords:
    """What a page says of a run under way.

    Attributes:
        title: of the browser's tab; begins with the state.
        state: what is under way.
        left: how far that is.
        share: the same, of 1.
        has_share: whether it has an end that is known.
        so_far: what its levels have come to; empty: none has ended.
        who: how many users and processes there are.
        trouble: what has gone wrong on the way; empty: nothing.
        cards: what was counted.
        levels_done: that have ended.
        hint: when charts and tables come.
    """

    title: str
    state: str
    left: str
    share: float
    has_share: bool
    so_far: str
    who: str
    trouble: str
    cards: tuple[Card, ...]
    levels_done: int
    hint: str


def live_words(standing: Standing, so_far: str = "") -> LiveWords:
    """Return where a run stands; `so_far`: what its levels have come to, in words."""
    state, left, share = _state(standing), _left(standing), standing.share
    return LiveWords(
        title=f"{state} · tfsload",
        state=state,
        left=left,
        share=share or 0.0,
        has_share=share is not None,
        so_far=so_far,
        who=_who(standing),
        trouble=_trouble(standing),
        cards=_cards(standing),
        levels_done=standing.levels_done,
        hint=_hint(standing),
    )


def so_far_words(result: RunResult) -> str:
    """Return what the levels that have ended have come to."""
    levels = result.levels
    of_levels = [held for held in result.thresholds if not held.threshold.is_of_sweep]  # that one is known at its end
    done = f"{len(levels):,} level{'' if len(levels) == 1 else 's'} done"
    doubtful = _doubtful(result)
    sound = "stable" if len(levels) == 1 else "all stable"
    told = [f"{done}, {f'in doubt: {doubtful}' if doubtful else sound}"]
    if crossed := [told_words(held.threshold) for held in of_levels if held.holds is False]:
        told.append(f"crossed: {_listed(crossed)}")
    elif of_levels and all(held.holds for held in of_levels):
        told.append("thresholds hold so far")
    return " · ".join(told)


def _doubtful(result: RunResult) -> str:
    """Return which levels are in doubt, each with the first reason, as reports tell them; empty: none is."""
    found = [
        Reason(f"{told_name(result.levels, level)}: {_why_doubted(result, level)}")
        for level in result.levels
        if states.of_level(result, level).key != "pass"
    ]
    told = ["".join(piece.text for piece in lead) for lead, _ in grouped(result, found, has_head=True)]
    return " ".join(told).removesuffix(".")


def _why_doubted(result: RunResult, level: LevelResult) -> str:
    """Return it in short."""
    state = states.of_level(result, level)
    if state.key == "failed":
        return state.word
    found = [doubt.what for doubt in level.doubts]
    name = told_name(result.levels, level)
    found += [one.what.removeprefix(f"{name}: ") for one in doubts_by_level(result).get(level.number, ())]
    return in_short(found[0]) if found else state.word


def _listed(texts: list[str]) -> str:
    return ", ".join(dict.fromkeys(texts))


def _state(standing: Standing) -> str:
    if standing.is_ending:
        return "Ending: the last answers are being taken in"
    place = standing.place
    if place is not None:
        return f"Running: level {place.number:,} of {place.in_words}, {place.name}"
    if standing.has_levels:
        return "Running: between two levels" if standing.levels_done else "Running: its users are being started"
    if standing.warm_up_requests_left:
        return "Running: warming up"
    if standing.images_asked is not None:
        return f"Running: {count(standing.images_asked)} images, each once"
    return f"Running: {users(standing.users_asked)}"


def _hint(standing: Standing) -> str:
    what = "Charts, latencies and images come"
    if standing.has_levels:
        return f"{what} at each level's end: while one is measured, nothing is put together."
    if standing.workers:
        return f"{what} every few seconds."
    why = "this one process sends the load, and putting them together would delay it"
    return f"{what} at the run's end: {why}. With --processes or workers they come every few seconds."


def _left(standing: Standing) -> str:
    if standing.is_ending:
        return ""
    if standing.place is not None:
        if standing.elapsed_s is None:
            return "waiting for its users"
        what = "warming up" if standing.elapsed_s < standing.warm_up_s else "measuring"
        return f"{what} · {standing.left}"
    if standing.has_levels:
        return ""
    if standing.warm_up_requests_left:
        return f"{count(standing.warm_up_requests_left)} requests to go before anything counts"
    if standing.images_asked is not None:
        return f"{count(standing.counted.predictions)} of {count(standing.images_asked)} images"
    return f"{span(math.floor(standing.elapsed_s or 0))} so far" if standing.lasts_s is None else standing.left


def _who(standing: Standing) -> str:
    """Return who takes part, as far as the headline does not tell."""
    if standing.users != standing.users_asked:
        told = f"{standing.users:,} of {users(standing.users_asked)}"
    else:
        told = users(standing.users) if standing.workers or standing.is_open_load else ""
    if not standing.workers:
        return told
    return f"{told} on {standing.workers:,} worker{'' if standing.workers == 1 else 's'}"


def _trouble(standing: Standing) -> str:
    lost = standing.lost_workers
    if not lost:
        return ""
    return f"{len(lost):,} worker{' was' if len(lost) == 1 else 's were'} lost: {', '.join(lost)}"


def _cards(standing: Standing) -> tuple[Card, ...]:
    counted = standing.counted
    of = "this level" if standing.has_levels else "this run"
    if not counted.requests:
        nothing = "nothing counts yet" if standing.has_levels or standing.warm_up_requests_left else "nothing yet"
        if standing.levels_done and standing.place is None:
            nothing = "no level is under way"
        return tuple(Card(title, "–", "", nothing) for title in (f"Rate of {of}", f"Error rate of {of}", "In flight"))
    mismatched = f" · {counted.mismatched:,} mismatched" if counted.mismatched else ""
    wrong = NO_LABELS if counted.wrong is None else f"{counted.wrong:,} wrong"
    wrong += f" · {counted.failed:,} failed{mismatched} · of {count(counted.predictions)} images"
    answered = f"{count(counted.requests)} requests so far"
    if counted.images_per_s is not None and counted.predictions != counted.requests:
        answered += f" · {rate(counted.images_per_s)} images/s"
    return (
        Card(f"Rate of {of}", rate(counted.rate_rps), "requests/s", answered),
        Card(f"Error rate of {of}", percent(counted.error_rate), "", wrong),
        _in_flight(standing),
    )


def _in_flight(standing: Standing) -> Card:
    counted = standing.counted
    if standing.is_open_load:
        of = f"of {count(counted.offered)} that were due · {users(standing.users)} at most in flight"
        return Card("Dropped arrivals", count(counted.dropped), "", of)
    return Card("In flight, at most", count(standing.users), "", "each user has one request at a time")
