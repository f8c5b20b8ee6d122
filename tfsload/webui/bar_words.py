"""What the bar above Locust's page says. Pure."""

from dataclasses import dataclass

from tfsload.report.states import ICONS, State

NOTHING, STARTING, RUNNING = (
    State("none", "Nothing under way"),
    State("running", "Starting"),
    State("running", "Running"),
)


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
    """

    key: str
    state: str
    more: str
    refusal: str
    run: int | None
    link: str


def nothing_yet(refusal: str) -> BarWords:
    """Return what is said before the first run."""
    return BarWords(NOTHING.key, NOTHING.word, "", refusal, None, "")


def starting(refusal: str) -> BarWords:
    """Return what is said while a run is about to begin; `/runs/live` leads to it."""
    return BarWords(STARTING.key, STARTING.word, "", refusal, None, "")


def under_way(run: int, state: str, more: tuple[str, ...], refusal: str) -> BarWords:
    """Return what is said of the run under way; `state` as of `live_words`."""
    word, _, rest = state.partition(": ")
    told = " · ".join(filter(None, (rest, *more)))
    return BarWords(RUNNING.key, word, told, refusal, run, f"Watch run {run:,}")


def ended(run: int, state: State, why: str, refusal: str) -> BarWords:
    """Return what is said of the last run."""
    return BarWords(state.key, f"{ICONS[state.key]} {state.word}", why, refusal, run, f"Report of run {run:,}")
