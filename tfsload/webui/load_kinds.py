"""The kinds of load of the start page: which fields each has, which one a form is of, and what the others leave. Pure.

All that is not of a form's kind is sent as "not asked for": of a sweep that was typed in before another kind was chosen
nothing is run.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tfsload.analysis.next_sweep import SUGGESTED, as_text
from tfsload.settings.options import OPTIONS
from tfsload.transport import words

# Locust's own fields of the form; the last are of its class picker, and what it calls no load shape.
N_USERS, SPAWN_RATE, RUN_TIME, HOST = "user_count", "spawn_rate", "run_time", "host"
USER_CLASSES, SHAPE, NO_SHAPE = "user_classes", "shape_class", "Default"
# The suite's own, for what a run speaks, where there is something to choose.
PROTOCOL = "protocol"
# What has Locust, and the suite, do as if nothing was said. Locust forgets no run time for an empty text, and takes one
# user for what stands there where nobody has touched the form.
_NOT_SAID = {N_USERS: "1", SPAWN_RATE: "1", RUN_TIME: "0"}


@dataclass(frozen=True)
class LoadKind:
    """A kind of load.

    Attributes:
        key: its name in the form.
        title: its name for people.
        says: what it is for, a sentence.
        fields: those that it has; the first asks for it, where it is not that of a plain run.
        suggested: what stands in the first where nobody has said anything.
    """

    key: str
    title: str
    says: str
    fields: tuple[str, ...]
    suggested: str = ""

    @property
    def asked_by(self) -> str:
        """The field that asks for it; empty: it is what a run is without such a field."""
        return self.fields[0] if self.suggested else ""


_LEVELS = ("level_duration", "warm_up")
SWEEP = LoadKind(
    "sweep",
    "Sweep of users",
    "Does the server run in parallel? Level by level more requests are in flight, and what that does to throughput, "
    "latency and errors is shown.",
    ("sweep", *_LEVELS),
    as_text(SUGGESTED),
)
RATES = LoadKind(
    "rates",
    "Given rates",
    "How does the server do at the traffic that it will get? Requests come at these rates, whether it keeps up or not.",
    ("rate", "arrivals", "pacing", N_USERS, *_LEVELS),
    "100,200,400",
)
SEARCH = LoadKind(
    "search",
    "Highest rate that holds",
    "How much traffic can it take? The highest rate is looked for at which every threshold below holds.",
    ("find_max_rate", "arrivals", "pacing", N_USERS, *_LEVELS),
    "100:5000",
)
IMAGES = LoadKind(
    "images",
    "Each image once",
    "How often is the model wrong? Each image is fired exactly once, then the run ends.",
    ("num_tests", N_USERS, SPAWN_RATE, RUN_TIME, "warm_up_requests"),
    "1000",
)
PLAIN = LoadKind(
    "plain",
    "Plain users",
    "Users that send one request after the other until their time is over, or until you stop them.",
    (N_USERS, SPAWN_RATE, RUN_TIME),
)
KINDS = (SWEEP, RATES, SEARCH, IMAGES, PLAIN)
# Those of whose runs a load shape of the locustfile's may say how many users there are.
WITH_SHAPE = (IMAGES, PLAIN)
# Every field that is not of all kinds.
FIELDS = tuple(dict.fromkeys(name for kind in KINDS for name in kind.fields))
_NOTHING = {option.dest: option.default for option in OPTIONS} | _NOT_SAID


def kind_named(key: str) -> LoadKind | None:
    """Return the kind of this name; None: there is none."""
    return next((kind for kind in KINDS if kind.key == key), None)


def kind_of(values: Mapping[str, str]) -> LoadKind:
    """Return what kind of load values ask for, by field; of several kinds at once the first."""
    return next((kind for kind in KINDS if kind.asked_by and is_asked_for(kind, values)), PLAIN)


def is_asked_for(kind: LoadKind, values: Mapping[str, str]) -> bool:
    """Whether the field that asks for this kind, which is not the plain one, says something."""
    return values.get(kind.asked_by, "").strip() not in ("", _NOTHING[kind.asked_by])


def cleared(values: Mapping[str, str], kind: LoadKind) -> dict[str, str]:
    """Return values, by field, without what is not of this kind of load."""
    return dict(values) | {name: _NOTHING[name] for name in FIELDS if name not in kind.fields}


def with_what_is_not_said(values: Mapping[str, str], kind: LoadKind) -> dict[str, str]:
    """Return values, by field, as Locust's form has them where a field that may be empty is."""
    may_be_empty = {RUN_TIME} if kind in WITH_SHAPE else {N_USERS, SPAWN_RATE, RUN_TIME}
    return {
        name: _NOT_SAID[name] if name in may_be_empty and not text.strip() else text for name, text in values.items()
    }


def faults(values: Mapping[str, str], kind: LoadKind) -> list[str]:
    """Return what is missing for this kind of load: without it, another one would be run."""
    if not kind.asked_by or is_asked_for(kind, values):
        return []
    option = next(one for one in OPTIONS if one.dest == kind.asked_by)
    given = values.get(kind.asked_by, "").strip()
    wanted = "how many images are to be fired" if kind is IMAGES else "what the run is to go through"
    return [f"{option.flag} {words.given(given)}: expected {wanted}, such as {kind.suggested}; or choose another load"]
