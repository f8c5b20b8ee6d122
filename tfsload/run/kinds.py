"""The kinds of requests of a run: user classes may make them in their own way, and judge the answers so."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tfsload.analysis.image_counts import NO_LABELS, judge_words
from tfsload.analysis.threshold_kinds import OF_LABELS
from tfsload.analysis.thresholds import Threshold
from tfsload.datasets.dataset import DataError, Dataset
from tfsload.datasets.sizes import MAX_CLASSES
from tfsload.prediction.encoding import Encoded, encoded, given_arrays
from tfsload.prediction.hooks import NO_HOOKS, Hooks, by_hooks
from tfsload.prediction.prediction_user import PredictionUser
from tfsload.prediction.process_run import KindAsked
from tfsload.run.user_hosts import suite_classes
from tfsload.settings.settings import Settings, SettingsError
from tfsload.target.fired import Fired
from tfsload.target.preflight import Preflight
from tfsload.transport.call_spec import CallSpec
from tfsload.transport.given_array import UNNAMED, GivenArray
from tfsload.transport.words import quoted, shown

logger = logging.getLogger(__name__)

_Names = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """One of them, before the server is asked.

    Attributes:
        class_names: of the user classes that make them; empty: all.
        hooks: what these do in their own way.
        encoded: what is fired.
    """

    class_names: _Names
    hooks: Hooks
    encoded: Encoded

    def fired(self, settings: Settings) -> Fired:
        """Return what is fired, as far as the model has to fit it."""
        dataset = self.encoded.dataset
        rows, columns = dataset.images.shape[1:]
        # Of the whole data set: how a model is called is not to hang on how many images are fired.
        lowest, highest = dataset.label_range or (None, None)
        judged_by = self.hooks.is_right.name if self.hooks.is_right else ""
        return Fired(
            (rows, columns),
            lowest,
            highest,
            settings.checks.label_offset,
            dataset.class_names,
            given_arrays(dataset),
            self.encoded.by,
            self.encoded.by_words,
            judged_by,
        )


@dataclass(frozen=True)
class CheckedKind:
    """One of them, as the server takes it.

    Attributes:
        kind: what is fired; None: its examples are held by others.
        class_names: of the user classes that make them; empty: all.
        preflight: what the server said.
        judged_by: whose `is_right` judges the answers; empty: labels do.
    """

    class_names: _Names
    preflight: Preflight
    kind: Kind | None = None
    judged_by: str = ""


def kinds_of(
    dataset: Dataset, user_classes: Iterable[type], is_stopped: Callable[[], bool] = lambda: False
) -> list[Kind]:
    """Return the kinds of requests that users of some classes make: each image is encoded now where they do it.

    Args:
        dataset: the images.
        user_classes: those of the run.
        is_stopped: as of `encoded`.

    Raises:
        SettingsError: a class's own way cannot be taken.
        StoppedError: the run is not wanted any more.
    """
    found = hooks_by_class(user_classes)
    return [Kind(names, hooks, encoded(dataset, hooks.encode, is_stopped=is_stopped)) for names, hooks in found]


def hooks_by_class(user_classes: Iterable[type]) -> list[tuple[_Names, Hooks]]:
    """Return what is done in a way of their own, by the names of the classes that do; no names: by all.

    Raises:
        SettingsError: it cannot be taken.
    """
    found = by_hooks(suite_classes(user_classes), PredictionUser)
    if not found or [hooks for _, hooks in found] == [NO_HOOKS]:
        return [((), NO_HOOKS)]
    return found


def hook_faults(found: Sequence[tuple[_Names, Hooks]], asked: Iterable[Threshold], dataset: Dataset) -> list[str]:
    """Return what cannot be judged: by a class's own `is_right`, or without one.

    Args:
        found: as `hooks_by_class` has it.
        asked: the thresholds.
        dataset: the images, or arrays.
    """
    judges = [hooks.is_right.name for _, hooks in found if hooks.is_right]
    others = [name for names, hooks in found if not hooks.is_right for name in names]
    faults = []
    if dataset.targets is not None and len(judges) < len(found):
        given = GivenArray.of(dataset.targets)
        is_beyond = dataset.targets.dtype.kind in "iu" and (given.highest or 0) >= MAX_CLASSES
        what = f"{given.words} each{f', the highest {given.highest:,}' if is_beyond else ''}"
        whose = f" of {', '.join(others)}" if others else ""
        faults.append(
            f"--dataset {quoted(dataset.name)}: its labels are {what}, and no classes: save whole numbers from 0 "
            f"to {MAX_CLASSES - 1:,}, or have an is_right of your own{whose} judge answers by them"
        )
    elif dataset.labels is None and dataset.targets is None and judges and others:
        faults.append(
            f"{NO_LABELS}, so that answers to users of {', '.join(others)} are neither right nor wrong, and those to "
            f"others are, by {' and '.join(judges)}: run one of them, or give each class an is_right"
        )
    if judges:
        by = judge_words(" and ".join(judges), others)
        faults += [
            f"--threshold {quoted(one.text)}: {by}, so that there are no classes; leave it out (wrong_rate, for one, "
            "needs none)"
            for one in asked
            if one.label is not None and one.metric in OF_LABELS
        ]
    return faults


def calls_text(kinds: Sequence[CheckedKind]) -> str:
    """Return what a short message can hold of how the model is called: one spec, or one for each kind."""
    if len(kinds) == 1 and not kinds[0].class_names:
        return kinds[0].preflight.spec.to_text()
    return json.dumps([[one.class_names, one.preflight.spec.to_text()] for one in kinds], separators=(",", ":"))


def calls_from_text(text: str, class_names: tuple[str, ...]) -> list[tuple[_Names, CallSpec]]:
    """Read what `calls_text` wrote; the names are those of the data set's classes."""
    if text.startswith("{"):
        return [((), CallSpec.from_text(text, class_names))]
    return [(tuple(names), CallSpec.from_text(spec, class_names)) for names, spec in json.loads(text)]


def kinds_asked(
    text: str, dataset: Dataset, user_classes: Iterable[type], held: Mapping[_Names, Dataset]
) -> list[KindAsked]:
    """Return the kinds of a run in a process that is to take part in it; images are encoded where they are not held.

    Args:
        text: how the model is called, as `calls_text` has it.
        dataset: the run's.
        user_classes: of this process.
        held: what was encoded in this process for the run's check, by classes.

    Raises:
        SettingsError: this process has no such classes, or theirs cannot be taken here.
    """
    by_name = {one.__name__: one for one in suite_classes(user_classes)}
    asked = []
    for names, spec in calls_from_text(text, dataset.class_names):
        hooks = NO_HOOKS
        if names:
            here = [by_name[name] for name in names if name in by_name]
            if not here:
                raise SettingsError([f"this worker's locustfile has no user class {' or '.join(map(shown, names))}"])
            ((_, hooks), *more) = by_hooks(here, PredictionUser)
            if more:
                raise SettingsError(
                    [f"user classes {', '.join(names)}: their encode or is_right differ in this worker"]
                )
        if bool(spec.judged_by) != bool(hooks.is_right):
            raise SettingsError([f"user class {names[0] if names else ''}: its is_right is not the master's"])
        own = held.get(names)
        if own is None and spec.given and not dataset.arrays and not hooks.encode:
            own = _by_name(dataset)
        if own is None:
            made = encoded(dataset, hooks.encode)
            if hooks.encode:
                logger.info("Encoded by %s", made.by_words)
            own = made.dataset
            if hooks.encode and (fault := _otherwise(spec, own)):
                raise SettingsError([f"{hooks.encode.name} makes {fault}: have the same locustfile on both"])
        asked.append(KindAsked(names, hooks, own, spec))
    return asked


def by_name(kind: Kind, faults: Sequence[str]) -> Kind | None:
    """Return the same with the arrays that lie beside its images, and these, by name; None: nobody wants them so.

    Args:
        kind: of images, as the data set has them.
        faults: what was wrong with these.

    Raises:
        SettingsError: they cannot be sent.
    """
    dataset = kind.encoded.dataset
    if kind.hooks.encode or not any(f"input {quoted(name)}" in fault for name in dataset.beside for fault in faults):
        return None
    return replace(kind, encoded=encoded(_by_name(dataset), None))


def _by_name(dataset: Dataset) -> Dataset:
    try:
        return dataset.by_name()
    except DataError as error:
        raise SettingsError([str(error)]) from None


def _otherwise(spec: CallSpec, own: Dataset) -> str:
    """Return what is made of an image here, and in the master, where that is not the same; empty: it is."""
    if not spec.given:
        rows, columns = spec.input.pixels
        if not own.arrays and own.images.shape[1:] == (rows, columns):
            return ""
        here = "arrays" if own.arrays else "images of {} × {}".format(*own.images.shape[1:])
        return f"{here} in this worker, and images of {rows} × {columns} in its master"
    for one in spec.given:
        array = own.arrays.get(one.name, own.arrays.get(UNNAMED))
        here = "nothing" if array is None else GivenArray.of(array).words
        if here != one.gives:
            return f"{here} for the input {quoted(one.name)} in this worker, and {one.gives} in its master"
    return ""


def called_words(kinds: Sequence[CheckedKind]) -> str:
    """Return how the model is called, on one line; by class where there are several ways."""
    specs = [one.preflight.spec for one in kinds]
    if len(specs) == 1:
        return specs[0].words
    is_one = len({spec.signature_name for spec in specs}) == 1
    told = [spec.words if is_one else f"{shown(spec.signature_name)}: {spec.words}" for spec in specs]
    return "; ".join(f"{', '.join(map(shown, one.class_names))}: {text}" for one, text in zip(kinds, told, strict=True))
