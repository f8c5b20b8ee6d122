"""Everything that is checked before any load: options, data, the server and its model."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tfsload.analysis import exit_codes, thresholds
from tfsload.analysis.option_limits import MAX_USERS
from tfsload.analysis.result import NOTHING_ASKED, Asked
from tfsload.analysis.thresholds import Threshold, ThresholdError
from tfsload.datasets.dataset import DataError, Dataset
from tfsload.load import plan
from tfsload.prediction.hooks import Hooks
from tfsload.prediction.process_run import RunImages, load_images, requests_for
from tfsload.run.asked import as_asked
from tfsload.run.data_faults import data_faults, number_faults
from tfsload.run.judged_before import with_cost_of_judging
from tfsload.run.kinds import CheckedKind, Kind, by_name, hook_faults, hooks_by_class, kinds_of
from tfsload.run.user_hosts import BY_OPTION, HostAsked
from tfsload.settings import rules
from tfsload.settings.refusal import RunRefused
from tfsload.settings.settings import Settings, SettingsError
from tfsload.target import preflight
from tfsload.target.embedded import EmbeddedModel
from tfsload.target.preflight import MisfitError, NoServerError, Preflight
from tfsload.target.references import References
from tfsload.target.trial import TrialError, UnjudgedError
from tfsload.target.verification import OtherModelError, VerificationError, record_references
from tfsload.target.waiting import StoppedError, Wait, ask_when_ready
from tfsload.transport import words
from tfsload.transport.address import parse_address
from tfsload.transport.call_spec import PIXELS, CallSpec
from tfsload.transport.contract import Transport
from tfsload.transport.spoken import Spoken
from tfsload.transport.tls import TlsFileError
from tfsload.transport.words import shown

logger = logging.getLogger(__name__)

# A summary does not wait longer than this for a server that hangs, however long a request may take.
_LONGEST_AFTERWARDS_S = 30.0
_DATA_OPTIONS = ("dataset", "num_tests")
# What a run is refused with that cannot start.
_CODES: Mapping[type[Exception], int] = {
    TlsFileError: exit_codes.BAD_USAGE,
    NoServerError: exit_codes.FAILED,
    MisfitError: exit_codes.BAD_USAGE,
    UnjudgedError: exit_codes.BAD_USAGE,
    VerificationError: exit_codes.FAILED,
    OtherModelError: exit_codes.INVALID,
    TrialError: exit_codes.FAILED,
    StoppedError: exit_codes.INVALID,
}


@dataclass(frozen=True)
class Checked:
    """A run that can start.

    Attributes:
        settings: with the server's address set.
        transport: the way there, closed by now.
        n_images: images that it fires: once each, or over and over.
        remarks: how they were read, where that is worth telling, a sentence each.
        is_labelled: whether they have labels, so that answers are right or wrong.
        class_names: what their classes are called, by label; empty: by their numbers.
        data_fingerprint: of these images.
        preflight: what the server said of its model, for the first of
        kinds: the kinds of requests, by user class; empty: one, of the images as they are.
        references: the answers without load, where they are to be compared; else None.
        asked: the options, as they may be kept.
        images: these images, where this process holds them; None: they are to be loaded.
        is_embedded: whether the server is the embedded one, since none was named.
    """

    settings: Settings
    transport: Transport
    n_images: int
    data_fingerprint: str
    preflight: Preflight
    references: References | None = None
    asked: Asked = NOTHING_ASKED
    images: RunImages | None = None
    is_embedded: bool = False
    remarks: tuple[str, ...] = ()
    is_labelled: bool = True
    class_names: tuple[str, ...] = ()
    kinds: tuple[CheckedKind, ...] = ()

    @property
    def all_kinds(self) -> tuple[CheckedKind, ...]:
        """The kinds of requests, also where there is one alone."""
        return self.kinds or (CheckedKind((), self.preflight),)

    @property
    def judged_by(self) -> str:
        """Whose own `is_right` judges answers; empty: labels do."""
        return " and ".join(dict.fromkeys(one.judged_by for one in self.kinds if one.judged_by))

    @property
    def by_labels(self) -> tuple[str, ...]:
        """The user classes that have none, where others do."""
        return tuple(name for one in self.kinds if not one.judged_by for name in one.class_names)

    def without_images(self) -> "Checked":
        """Return the same without what others hold."""
        return replace(self, images=None, kinds=tuple(replace(one, kind=None) for one in self.kinds))


def check(
    options: Mapping[str, Any],
    asked: HostAsked,
    transport_class: type[Transport],
    embedded: EmbeddedModel,
    faults: list[str],
    wait: Wait | None = None,
    user_classes: Sequence[type] = (),
) -> Checked:
    """Check a run; the embedded server is started where no host is named.

    Args:
        options: by name, as text.
        asked: which server; none named: the embedded one.
        transport_class: the way there.
        embedded: starts it.
        faults: what is wrong beside, with the locustfile; told together with all others.
        wait: with which somebody else may end the wait for a server, or for images to be encoded; None: nobody may.
        user_classes: those of the run, which may have ways of their own.

    Raises:
        RunRefused: with all faults of the options, or of the data, or of the server.
    """
    settings, dataset, kinds = _checked_here(options, asked, faults, transport_class.spoken(), user_classes, wait)
    is_embedded = settings.connection.target is None
    try:
        if is_embedded:
            answered = _ask_embedded(embedded, settings, transport_class, kinds, wait)
        else:
            answered = _ask(settings, transport_class, kinds, wait)
    except tuple(_CODES) as error:
        faults = list(getattr(error, "faults", [str(error)]))
        raise RunRefused(next(code for kind, code in _CODES.items() if isinstance(error, kind)), faults) from None
    made = {one.class_names: one.kind.encoded.dataset for one in answered.kinds if one.kind is not None}
    images = RunImages.of(dataset, {names: own for names, own in made.items() if own is not dataset})
    return Checked(
        answered.settings,
        answered.transport,
        len(dataset),
        images.fingerprint,
        answered.kinds[0].preflight,
        answered.references,
        as_asked(options, asked.text if asked.named_by == BY_OPTION else None),
        images,
        is_embedded,
        dataset.remarks,
        dataset.labels is not None or all(one.hooks.is_right for one in kinds),
        tuple(map(words.shown, dataset.class_names)),
        answered.kinds,
    )


@dataclass(frozen=True)
class _Answered:
    """What a server has answered before the load; the attributes are those of `Checked`."""

    settings: Settings
    transport: Transport
    kinds: tuple[CheckedKind, ...]
    references: References | None


def _ask(settings: Settings, transport_class: type[Transport], kinds: Sequence[Kind], wait: Wait | None) -> _Answered:
    """Ask the server of these settings, and see it answer, or record what is to be compared; raise one of `_CODES`."""
    transport = transport_class(settings.model, settings.connection)
    transport.check_files()
    is_verified = settings.checks.verify > 0 and not settings.report.dry_run
    references = References(*settings.checks.compared_by) if is_verified else None
    answered: list[CheckedKind] = []
    for one in kinds:
        kind, found = _fitting(transport, one, settings, wait)
        called = transport_class(settings.model, settings.connection, found.spec)
        found = with_cost_of_judging(found, called, kind)
        who = f" ({', '.join(kind.class_names)})" if len(kinds) > 1 else ""
        logger.info("Signature %s%s: %s", shown(found.spec.signature_name), who, found.spec.words)
        dataset, n_before = kind.encoded.dataset, len(answered) * requests_for(settings, len(kind.encoded.dataset))
        if references is not None:
            references.add(record_references(settings.checks, called, dataset, found.servable, wait), n_before)
        answered.append(CheckedKind(kind.class_names, found, kind, found.fired.judged_by))
    called = transport_class(settings.model, settings.connection, answered[0].preflight.spec)
    called.check_files()  # it keeps what it reads: after the run they may be gone, and it is asked once more then
    return _Answered(settings, called, tuple(answered), references)


def _fitting(transport: Transport, kind: Kind, settings: Settings, wait: Wait | None) -> tuple[Kind, Preflight]:
    """Return a kind of requests that the model takes, and what the server said; raise as `ask_when_ready`.

    Where it takes no images alone, and has inputs by the names of arrays that lie beside them, it is sent all by name.
    """
    try:
        return kind, ask_when_ready(transport, kind.fired(settings), wait=wait)
    except MisfitError as error:
        misfit = error
    try:
        named = by_name(kind, misfit.faults)
        found = None if named is None else ask_when_ready(transport, named.fired(settings), wait=wait)
    except (SettingsError, MisfitError) as error:  # what images lack may be the easier one to mend
        further = [one for one in error.faults if one not in misfit.faults]
        raise MisfitError([*misfit.faults, *further]) from None
    if named is None or found is None:
        raise misfit
    logger.info("%s", shown(named.encoded.dataset.remarks[0]))
    return named, found


def _ask_embedded(
    embedded: EmbeddedModel,
    settings: Settings,
    transport_class: type[Transport],
    kinds: Sequence[Kind],
    wait: Wait | None,
) -> _Answered:
    """Ask the embedded server as `_ask` does; of one that has just ended, another in its place."""

    def ask() -> _Answered:
        spoken = transport_class.spoken()
        target = parse_address(embedded.address(settings.model.name, spoken), spoken=spoken)
        return _ask(settings.at_ready(target), transport_class, kinds, wait)

    try:
        return ask()
    except (NoServerError, VerificationError):
        if not embedded.has_just_ended():
            raise
    return ask()


def has_changed(checked: Checked) -> str:
    """Ask the server again, after a run; return what has changed meanwhile, or an empty text.

    A server that no longer answers has not changed: requests without an answer tell of it.
    """
    for kind in checked.all_kinds:
        try:
            timeout_s = min(preflight.patience_s(checked.settings.model), _LONGEST_AFTERWARDS_S)
            now = preflight.ask(checked.transport, kind.preflight.fired, timeout_s)
        except NoServerError:
            return ""
        except MisfitError as error:
            return "; ".join(error.faults)
        before = kind.preflight
        if now.model_version != before.model_version:
            return f"version {before.model_version} answered before, {now.model_version} after"
        if _described(now.spec) != _described(before.spec):
            return f"its signature was {before.spec.words}, and became {now.spec.words}"
    return ""


def _described(spec: CallSpec) -> CallSpec:
    """Return how a model is called, as far as it describes itself: what a text holds, or an open shape, was tried."""
    spec = replace(spec, judged_by="")
    if spec.input.form == PIXELS and not spec.input.is_open:
        return spec
    images = replace(spec.input, form="", scale="", shape=(), border=0)
    images = replace(images, feature="", feature_dtype="", file="", features=())
    return replace(spec, input=images)


def hide_secrets(options: Mapping[str, Any]) -> None:
    """Have what is secret among options be left out of whatever is shown, also before a run is checked."""
    try:
        settings = Settings.parse({name: options[name] for name in ("metadata",) if name in options}, None)
    except SettingsError:
        return  # a check says what is wrong with it
    words.hide(value for _, value in settings.connection.metadata)


def web_origins(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the further pages that may start and stop runs in the web UI, which needs them before any run.

    Raises:
        RunRefused: they cannot be read.
    """
    try:
        return Settings.parse({name: options[name] for name in ("web_origin",) if name in options}, None).web_origins
    except SettingsError as error:
        raise RunRefused(exit_codes.BAD_USAGE, error.faults) from None


def _thresholds(options: Mapping[str, Any]) -> tuple[Threshold, ...]:
    """Return the thresholds that can be read; what is wrong with others is told beside."""
    try:
        return thresholds.parse(str(options.get("threshold", "")))
    except ThresholdError:
        return ()


def _checked_here(
    options: Mapping[str, Any],
    asked: HostAsked,
    faults: list[str],
    spoken: Spoken,
    user_classes: Sequence[type],
    wait: Wait | None,
) -> tuple[Settings, Dataset, list[Kind]]:
    """Check what needs no server: the options, the data and the user classes, with the faults of all at once."""
    faults = [*faults, *asked.faults]
    settings = dataset = None
    found = _hooks(user_classes, faults)
    try:
        settings = Settings.parse(options, asked.text, asked.named_by, spoken)
    except SettingsError as error:
        faults += error.faults
    try:
        dataset = load_images(settings or Settings.parse({name: options[name] for name in _DATA_OPTIONS}, None))
    except SettingsError as error:
        faults += [fault for fault in error.faults if fault not in faults]
    except DataError as error:
        faults.append(str(error))
    if dataset is not None:
        limits = _thresholds(options)
        faults += hook_faults(found, limits, dataset)
        faults += data_faults(limits, dataset, any(hooks.is_right for _, hooks in found))
    if settings is not None:
        words.hide(value for _, value in settings.connection.metadata)
        faults += plan.faults(settings.load, settings.checks.thresholds)
        faults += [] if dataset is None else number_faults(settings, dataset)
    faults += rules.exit_code_faults(options.get("exit_code_on_error", exit_codes.FAILED))
    n_users = options.get("num_users")
    if n_users is not None and not 1 <= n_users <= MAX_USERS:
        faults.append(f"-u {n_users}: expected from 1 to {MAX_USERS:,} users")
    if faults or settings is None or dataset is None:
        raise RunRefused(exit_codes.BAD_USAGE, faults)
    try:
        # Last, for it may take a while.
        return settings, dataset, kinds_of(dataset, user_classes, lambda: wait is not None and wait.is_stopped)
    except SettingsError as error:
        raise RunRefused(exit_codes.BAD_USAGE, error.faults) from None
    except StoppedError as error:
        raise RunRefused(exit_codes.INVALID, [str(error)]) from None


def _hooks(user_classes: Sequence[type], faults: list[str]) -> list[tuple[tuple[str, ...], Hooks]]:
    """Return what user classes do in ways of their own; what is wrong with them is added to the faults."""
    try:
        return hooks_by_class(user_classes)
    except SettingsError as error:
        faults += error.faults
        return []
