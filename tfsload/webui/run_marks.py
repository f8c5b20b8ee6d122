"""What tells runs of a session apart beside their load: notes, thresholds, and options that are not all alike. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tfsload.analysis import thresholds
from tfsload.analysis.threshold_words import told_words
from tfsload.analysis.thresholds import ThresholdError
from tfsload.settings.options import OPTIONS
from tfsload.transport.words import cut
from tfsload.webui import load_kinds
from tfsload.webui.fault_places import FLAGS
from tfsload.webui.load_kinds import N_USERS, RUN_TIME, SPAWN_RATE
from tfsload.webui.session_runs import SessionRun

# A row of the list is to stay one: the run's page has all of it.
_MOST, _LONGEST = 3, 60
_NOTE, _THRESHOLD = "note", "threshold"
# What the words for a run's load tell.
_OF_LOAD = ("sweep", "rate", "find_max_rate", "num_tests", "level_duration", "images_per_request", N_USERS)
_CALLED = {**FLAGS, RUN_TIME: "run time", SPAWN_RATE: "ramp-up"}
_DEFAULTS = {option.dest: option.default for option in OPTIONS}


@dataclass(frozen=True)
class Marks:
    """What tells a run from others, in short.

    Attributes:
        notes: that it was given; empty: none.
        thresholds: that it has to hold; empty: none.
        others: which model it was of, and options, where these are not the same in all runs; empty: they are, or it
            has what is so by itself.
    """

    notes: str
    thresholds: str
    others: str


def marks(runs: Sequence[SessionRun]) -> dict[int, Marks]:
    """Return what tells each of these runs apart, by its number."""
    values = {run.number: _that_apply(run.fields) for run in runs}
    various = _various(values.values())
    subjects = {run.came_to.subject for run in runs if run.came_to is not None}
    return {
        run.number: Marks(
            _listed(_parts(run.fields.get(_NOTE, ""))),
            _listed(_limits(run.fields.get(_THRESHOLD, ""))),
            _listed([*_subject(run, subjects), *_options(values[run.number], various)]),
        )
        for run in runs
    }


def _that_apply(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of fields that a run of their kind of load goes by, and that nothing else in the list tells."""
    kind = load_kinds.kind_of(fields)
    left_out = {_NOTE, _THRESHOLD, *_OF_LOAD, *(set(load_kinds.FIELDS) - set(kind.fields))}
    return {name: text.strip() for name, text in fields.items() if name not in left_out}


def _various(all_values: Iterable[Mapping[str, str]]) -> set[str]:
    """Return the names of the fields that do not hold the same wherever they are there."""
    found: dict[str, set[str]] = {}
    for values in all_values:
        for name, text in values.items():
            found.setdefault(name, set()).add(text)
    return {name for name, texts in found.items() if len(texts) > 1}


def _subject(run: SessionRun, subjects: set[str]) -> list[str]:
    return [run.came_to.subject] if len(subjects) > 1 and run.came_to is not None else []


def _options(values: Mapping[str, str], various: set[str]) -> list[str]:
    """Return options as they are typed; what is so by itself is told by the others' being otherwise."""
    return [
        f"{_CALLED.get(name) or name.replace('_', ' ')} {text}"
        for name, text in values.items()
        if name in various and text not in ("", _DEFAULTS.get(name))
    ]


def _parts(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))


def _limits(text: str) -> list[str]:
    """Return thresholds as they are written everywhere; what is none, as it was typed."""
    try:
        return list(dict.fromkeys(map(told_words, thresholds.parse(text))))
    except ThresholdError:
        return _parts(text)


def _listed(parts: Sequence[str]) -> str:
    """Return the first of some texts, each cut, and how many more there are; in a text there may be commas."""
    more = [f"{len(parts) - _MOST} more"] if len(parts) > _MOST else []
    return " · ".join([*(cut(part, _LONGEST) for part in parts[:_MOST]), *more])
