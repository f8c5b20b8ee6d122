"""Which levels support no verdict, and why. Pure."""

from tfsload.analysis import standstills, validity
from tfsload.analysis.doubts import Doubt
from tfsload.analysis.held import Held
from tfsload.analysis.judged import FAILURE_METRICS
from tfsload.analysis.level_names import told_name
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult
from tfsload.analysis.validity import Breach
from tfsload.analysis.verdict import Reason


def doubts_by_level(result: RunResult) -> dict[int, tuple[Reason, ...]]:
    """Return why levels support no verdict, by number; those that do are not among them."""
    by_level = {
        level.number: (*_doubts_told(result, level), *_standstills_told(result, level), *_drops_told(result, level))
        for level in result.levels
    }
    return {number: reasons for number, reasons in by_level.items() if reasons}


def breaches_of_levels(result: RunResult, by_level: dict[int, tuple[Reason, ...]]) -> tuple[Breach, ...]:
    """Return the same as breaches of rules, in the order of the levels."""
    return tuple(
        Breach(validity.level_rule(level.name, level.number), reason.what, reason.cure)
        for level in result.levels
        for reason in by_level.get(level.number, ())
    )


def _doubts_told(result: RunResult, level: LevelResult) -> tuple[Reason, ...]:
    name = told_name(result.levels, level)
    return tuple(
        Reason(f"{name}: {doubt.what}", _cure(result, level, doubt)) for doubt in _doubts_that_count(result, level)
    )


def _cure(result: RunResult, level: LevelResult, doubt: Doubt) -> str:
    """Return what to do about a doubt: how long levels should be is not told where others took the CPU in any."""
    return (result.noise_cure or doubt.cure) if level.is_of_drift(doubt) else doubt.cure


def _standstills_told(result: RunResult, level: LevelResult) -> tuple[Reason, ...]:
    return () if _crosses_by_failures(result, level) else standstills.reasons_of_level(result, level)


def _drops_told(result: RunResult, level: LevelResult) -> tuple[Reason, ...]:
    if not level.dropped or result.search is not None or any(_sees_drops(held, level) for held in result.thresholds):
        return ()
    users = "its only user was" if level.users == 1 else f"all {level.users:,} users were"
    arrivals = "arrival was" if level.dropped == level.offered == 1 else "arrivals were"
    name = told_name(result.levels, level)
    what = f"{name}: {level.dropped:,} of {level.offered:,} {arrivals} dropped, since {users} busy"
    cure = "ask for less, pass a higher -u, or say with --threshold how many may be (such as 'dropped_rate < 1%')"
    return (Reason(what, cure),)


def _sees_drops(held: Held, level: LevelResult) -> bool:
    """Whether a threshold already judges a level's dropped arrivals: they count as endless for latencies."""
    threshold = held.threshold
    if held.level != level.number:
        return False
    is_latency = threshold.unit_kind == "duration" and not threshold.is_lag
    return threshold.metric == "dropped_rate" or (is_latency and threshold.is_upper)


def _doubts_that_count(result: RunResult, level: LevelResult) -> tuple[Doubt, ...]:
    """Return a level's doubts; of a search's, those that its result rests on: an overloaded probe is never stable."""
    if result.search is None:
        # A crossed limit on failures is a fact, and what they leave untold comes after it.
        return level.generator_doubts if _crosses_by_failures(result, level) else level.doubts
    at_this_rate = [other for other in result.levels if other.rate_rps == level.rate_rps]
    if level is not at_this_rate[-1]:
        return ()  # it was measured again, in full length
    if level.rate_rps == result.search.rate_rps:
        return level.doubts
    return level.generator_doubts if level.rate_rps == result.search.first_failing_rps else ()


def _crosses_by_failures(result: RunResult, level: LevelResult) -> bool:
    return bool(level.failed) and any(
        held.holds is False and held.level == level.number and held.threshold.metric in FAILURE_METRICS
        for held in result.thresholds
    )
