"""What every run is held to, beside its thresholds: each rule by name, with the reasons for which it does not hold."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tfsload.analysis import exit_codes
from tfsload.analysis.result import RunResult
from tfsload.analysis.verdict import Reason, Rule

# Without these a run has failed.
GOES_ON = "the server goes on answering"
ANSWERED = "every request is answered"
SAME_ANSWERS = "answers are those without load"
OTHERS_SUCCEED = "the requests of other users succeed"
USERS_RAISE_NOTHING = "the users' own code raises nothing"
LISTENERS_RAISE_NOTHING = "listeners and greenlets raise nothing"
# Without these it supports no verdict.
WORKERS_STAY = "all workers take part and stay"
MEASURED = "something is measured"
ENDS_BY_ITSELF = "the run ends by itself"
USERS_WAIT = "users wait for their answers"
USERS_RUN = "the users that were asked for run"
GENERATOR_RUNS = "the load generator goes on"
ONE_MODEL = "one model gives all answers"
# Of answers that do not name it.
ONE_MODEL_SAID = "one model answers, as the server says before, between levels and after"
FINDS_A_RATE = "the search finds a rate"
# Without this it crosses thresholds.
A_RATE_HOLDS = "a rate holds all thresholds"

_FAILING = (GOES_ON, ANSWERED, SAME_ANSWERS, OTHERS_SUCCEED, USERS_RAISE_NOTHING, LISTENERS_RAISE_NOTHING)


class Breach(NamedTuple):
    """A reason for which a rule does not hold.

    Attributes:
        rule: its name.
        what: what was found.
        cure: what to do about it; empty: nothing can be said.
    """

    rule: str
    what: str
    cure: str = ""

    @property
    def reason(self) -> Reason:
        """What the verdict says of it."""
        return Reason(self.what, self.cure)


def level_rule(name: str, number: int) -> str:
    """Return the rule that a level supports a verdict; a sweep may have several levels of one name."""
    return f"level {number} ({name}) supports a verdict"


def one_model_rule(result: RunResult) -> str:
    """Return the rule that one model has answered: held by its answers, or by what the server says of itself."""
    return ONE_MODEL if result.server.names_model else ONE_MODEL_SAID


def held_rules(result: RunResult, breaches: Iterable[Breach]) -> tuple[Rule, ...]:
    """Return all rules that a run is held to, those that hold as well.

    Args:
        result: the run's.
        breaches: what was found against them.
    """
    found: dict[str, list[str]] = {rule: [] for rule in _applying(result)}
    for breach in breaches:
        found.setdefault(breach.rule, []).append(str(breach.reason))
    return tuple(Rule(rule, _exit_code(rule), tuple(reasons)) for rule, reasons in found.items())


def _exit_code(rule: str) -> int:
    """Return what becomes of a run for which a rule does not hold."""
    if rule in _FAILING:
        return exit_codes.FAILED
    return exit_codes.THRESHOLD if rule == A_RATE_HOLDS else exit_codes.INVALID


def _applying(result: RunResult) -> Iterator[str]:
    """Yield what this run is held to: of what it did not ask for nothing is said."""
    yield GOES_ON
    yield ANSWERED
    if result.verified.n_images:
        yield SAME_ANSWERS
    if result.others.names:
        yield OTHERS_SUCCEED
    yield from (USERS_RAISE_NOTHING, LISTENERS_RAISE_NOTHING, WORKERS_STAY, MEASURED, ENDS_BY_ITSELF, USERS_RUN)
    if result.n_given_up:
        yield USERS_WAIT
    yield one_model_rule(result)
    if result.workers.held_up and not result.levels:  # of those each level's own rule tells
        yield GENERATOR_RUNS
    yield from (level_rule(level.name, level.number) for level in result.levels)
    if result.search is not None:
        yield from (FINDS_A_RATE, A_RATE_HOLDS)
