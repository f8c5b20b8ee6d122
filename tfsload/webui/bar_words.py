"""What the bar above Locust's page says. Pure."""

from dataclasses import dataclass

from tfsload.report.states import ICONS, State

NOTHING, STARTING, RUNNING = (
    State("none", "Nothing under way"),
    State("running", "Starting"),
    State("running", "Running"),
)
# Locust counts each request from the first one on.
WITH_WARM_UPS = "Locust's own totals below include warm-ups; Levels, Accuracy and the run's page do not."


@dataclass(frozen=True)
class BarWords:
    """What it says.

    Attributes:
        key: names the state's colour: "none", "running", or one of `tfsload.report.states`.
        state: in a word, with its icon.
        more: what is under way, or why the last run ended so; empty: nothing is to be said.
        refusal: what was refused last; empty: nothing.
        run: number of the run that is linked; None: there is none.
        link: what that link is called; empty: there is none.
        note: what is to be known of Locust's figures below; empty: nothing.
    """

    key: str
    state: str
    more: str
    refusal: str
    run: int | None
    link: str
    note: str = ""


def nothing_yet(refusal: str) -> BarWords:
    """Return what is said before the first run."""
    return BarWords(NOTHING.key, NOTHING.word, "", refusal, None, "")


def starting(refusal: str) -> BarWords:
    """Return what is said while a run is about to begin; `/runs/live` leads to it."""
    return BarWords(STARTING.key, STARTING.word, "", refusal, None, "")


def under_way(run: int, state: str, more: tuple[str, ...], refusal: str, has_warm_up: bool) -> BarWords:
    """Return what is said of the run under way; `state` as of `live_words`."""
    word, _, rest = state.partition(": ")
    told = " · ".join(filter(None, (rest, *more)))
    return BarWords(RUNNING.key, word, told, refusal, run, f"Watch run {run:,}", WITH_WARM_UPS if has_warm_up else "")


def ended(run: int, state: State, why: str, refusal: str, has_warm_up: bool) -> BarWords:
    """Return what is said of the last run."""
    word, note = f"{ICONS[state.key]} {state.word}", WITH_WARM_UPS if has_warm_up else ""
    return BarWords(state.key, word, why, refusal, run, f"Report of run {run:,}", note)
