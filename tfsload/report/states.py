"""The states in which a run, or a level of it, may be: each a word, an icon and a colour. Pure."""

from dataclasses import dataclass

from tfsload.analysis import exit_codes
from tfsload.analysis.figures import percent, rate
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.no_answer import none_answered
from tfsload.analysis.result import RunResult
from tfsload.analysis.sweep import LevelPoint, ScaledLevel, Sweep
from tfsload.analysis.validity import level_rule


@dataclass(frozen=True)
class State:
    """A state.

    Attributes:
        key: names its colour and icon: "pass", "failed", "crossed", "invalid" or "refused".
        word: for people.
    """

    key: str
    word: str


OF_RUN = {
    exit_codes.PASS: State("pass", "PASS"),
    exit_codes.FAILED: State("failed", "FAILED"),
    exit_codes.BAD_USAGE: State("refused", "REFUSED"),
    exit_codes.THRESHOLD: State("crossed", "THRESHOLD CROSSED"),
    exit_codes.INVALID: State("invalid", "INVALID"),
}
# Of a run that came to no result, by a fault of this suite's or of somebody's code beside it.
BROKEN_OFF = State("failed", "BROKEN OFF")
# Whether a probe's rate does; None: one stall decides it.
HOLDS = {True: "yes", False: "no", None: "open"}
# For the tab's title, the icon as a character.
ICONS = {"pass": "✓", "failed": "✗", "refused": "✗", "crossed": "↑", "invalid": "?"}


def of_run(result: RunResult) -> State:
    """Return a run's state, by its verdict."""
    return OF_RUN[result.judged.exit_code]


def of_level(result: RunResult, level: LevelResult) -> State:
    """Return a level's state: figures that support no verdict look so, wherever they are."""
    if level.failed_requests:
        return State("failed", f"{percent(level.failed_requests / level.requests)} failed")
    if not level.is_stable:
        return State("invalid", "unstable")
    if is_doubted(result, level):
        return State("invalid", "doubted")
    return State("pass", "stable")


def is_doubted(result: RunResult, level: LevelResult) -> bool:
    """Whether a level's figures support no verdict."""
    return not level.is_stable or level.number in result.judged.doubted_levels


def is_doubted_as_a_whole(result: RunResult) -> bool:
    """Whether a run supports no verdict for another reason than levels that are in doubt."""
    of_levels = {level_rule(level.name, level.number) for level in result.levels}
    return any(
        rule.exit_code == exit_codes.INVALID and not rule.holds and rule.name not in of_levels
        for rule in result.judged.rules
    )


def best_level(result: RunResult) -> LevelResult | None:
    """Return the level with the highest throughput, of those that are stable and left nothing without an answer.

    None: none is. Arrivals that were dropped are left without an answer, too.

    Of a sweep, the one with the fewest users to which more users add less than 10 %: they mostly wait longer.
    Of a search it is the last level at the highest rate that holds, which was measured in full; what may fail there,
    the search has judged.
    """
    if result.search is not None:
        at_this_rate = [level for level in result.levels if level.rate_rps == result.search.rate_rps]
        found = at_this_rate[-1] if at_this_rate else None
        return found if found is not None and found.answered and not is_doubted(result, found) else None
    fit = [
        level
        for level in result.levels
        if level.answered and not (level.failed_requests or level.dropped) and not is_doubted(result, level)
    ]
    if not fit or fit[0].rate_rps is not None:
        return max(fit, key=lambda level: level.achieved_rps, default=None)
    # By the rule of the sweep's sentence, in which levels of one number of users are taken together, too.
    sweep = Sweep.of([LevelPoint(level.users, level.achieved_rps, level.latency.mean_ns) for level in fit])
    at_knee = [level for level in fit if sweep.knee is not None and level.users == sweep.knee.users]
    return max(at_knee, key=lambda level: level.achieved_rps)


def higher_level(result: RunResult, best: LevelResult) -> ScaledLevel | None:
    """Return what more users in flight bring at most, where that is more than at the best level of a sweep.

    It is less than 10 % more; None: the best level has the highest, or it is no sweep.
    """
    levels = result.scaling.levels if result.scaling is not None else ()
    of_more = [level for level in levels if level.is_trusted and level.users > best.users]
    highest = max(of_more, key=lambda level: level.throughput_rps, default=None)
    return highest if highest is not None and highest.throughput_rps > best.achieved_rps else None


def why_none_is_best(result: RunResult) -> str:
    """Return in words why no level is the best one."""
    levels = result.levels
    if result.search is not None:
        if result.search.rate_rps is None:
            return "no rate was found that holds"
        return f"the level at {rate(result.search.rate_rps)} requests/s supports no verdict"
    if not any(level.answered for level in levels):
        return none_answered(result.totals.failed)
    if all(is_doubted(result, level) for level in levels):
        return "the level supports no verdict" if len(levels) == 1 else "no level supports a verdict"
    if all(level.failed_requests or level.dropped for level in levels):
        return f"requests had no answer at {'the level' if len(levels) == 1 else 'every level'}"
    return "each level supports no verdict, or left requests without an answer"
