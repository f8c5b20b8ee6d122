"""`--dry-run`: all that comes before a run's load, a few predictions, and what would be run; then the process ends."""

from collections.abc import Mapping
from typing import Any

from tfsload.analysis import exit_codes
from tfsload.analysis.figures import on_average, span, users
from tfsload.analysis.threshold_words import told_words
from tfsload.load.plan import Plan
from tfsload.report import directory, where
from tfsload.run.checks import Checked
from tfsload.run.judged_before import judged_trial
from tfsload.run.kinds import CheckedKind
from tfsload.run.surroundings import made_by
from tfsload.settings import readers
from tfsload.settings.options import OWN_PREFIX
from tfsload.settings.refusal import RunRefused
from tfsload.settings.settings import Settings
from tfsload.suite import arguments, run_warnings
from tfsload.suite.run_warnings import how_long
from tfsload.target.trial import Trial, TrialError
from tfsload.transport.words import lines, path_shown, redacted, shown

_LABEL_WIDTH = 13
_IS_FOR_WEB_UI = f"{OWN_PREFIX}is_for_web_ui"
_DONE = "DRY RUN: all is there; a few predictions were sent, and nothing measured"
# A dozen images, none of which is right, tell that a model is broken and not unlucky; of some chance ones, some more.
_N_IMAGES = 20
_NOT_A_WORKERS = "--dry-run with --worker: a worker has nothing to check before a run; leave one of them out"
NOT_BY_CODE = "dry_run: it belongs to Locust's own program; leave it out here, or call locust with --dry-run"


def is_asked_for(options: Mapping[str, Any]) -> bool:
    """Whether options, by name, ask for it; what cannot be read does, and is refused by the check that follows."""
    try:
        return readers.switch(str(options.get("dry_run", "false")).strip())
    except ValueError:
        return True


def listen(parser: Any) -> None:
    """Have the parser make a process of its own of a dry run (on `init_command_line_parser`)."""
    arguments.after_parsing(parser, stay_alone)


def stay_alone(options: Any) -> None:
    """Let a process that only checks open no web UI, wait for no workers, fork none, and begin no files of Locust's."""
    if not is_asked_for(vars(options)):
        return
    options.processes = None
    if options.worker:
        return  # it is refused
    setattr(options, _IS_FOR_WEB_UI, not (options.headless or options.autostart))
    options.headless, options.autostart, options.master = True, False, False
    options.csv_prefix, options.stats_history_enabled = None, False


def refuse_worker(options: Mapping[str, Any]) -> None:
    """Refuse to be a worker.

    Raises:
        RunRefused: it was asked for.
    """
    if is_asked_for(options):
        raise RunRefused(exit_codes.BAD_USAGE, [_NOT_A_WORKERS])


def words(checked: Checked, plan: Plan | None, shape: object | None, options: Mapping[str, Any]) -> str:
    """Make a few predictions of a run that was checked; return in words what was found, and what would be run.

    Args:
        checked: the run.
        plan: its levels; None: it has none.
        shape: the locustfile's own load shape; None: there is none.
        options: Locust's, by name.

    Raises:
        RunRefused: a prediction had no answer.
    """
    first, *_ = checked.kinds
    assert first.kind is not None  # as long as a run has not begun
    try:
        trial = judged_trial(first.kind, checked.transport, first.preflight, _N_IMAGES)
    except TrialError as error:
        raise RunRefused(exit_codes.FAILED, [str(error)]) from None
    model = checked.settings.model
    over = where.over(checked.transport.protocol)
    at = f"at {checked.settings.connection.server.text}{over} (tfsload {made_by().suite})"
    title = f"Model {model.name}, version {checked.preflight.model_version}, {at}"
    rows = [f"{label:<{_LABEL_WIDTH}}{text}" for label, text in _rows(checked, plan, shape, options, trial)]
    return lines(redacted("\n".join(["", title, "", *rows, "", _DONE])))


def _rows(
    checked: Checked, plan: Plan | None, shape: object | None, options: Mapping[str, Any], trial: Trial
) -> list[tuple[str, str]]:
    settings = checked.settings
    model, report = settings.model, settings.report
    rows = [
        *(row for kind in checked.kinds for row in _called(kind, is_named=len(checked.kinds) > 1)),
        (
            "data",
            f"{settings.data.dataset}: {_number(checked.n_images, 'image')}, "
            f"{_per_request(model.images_per_request, checked.n_images)}",
        ),
        *(("", shown(one)) for one in checked.remarks),
        *(("", one) for one in run_warnings.unlabelled(checked)),
        ("load", _load(settings, plan, shape, options)),
    ]
    if settings.checks.verify:
        n = settings.checks.verify
        of = "the answer to the first image is" if n == 1 else f"the answers to the first {n:,} images are"
        rows.append(("verify", f"{of} recorded before"))
    rows += [("threshold", told_words(threshold)) for threshold in settings.checks.thresholds]
    rows += [("note", f"{key}={note}") for key, note in report.notes]
    if report.directory:
        rows.append(("report", f"{path_shown(directory.place_of(report.directory))} can be written"))
    return [*rows, ("predictions", trial.words), *(("warning", warning) for warning in trial.suspicions)]


def _called(kind: CheckedKind, is_named: bool) -> list[tuple[str, str]]:
    spec = kind.preflight.spec
    inputs = spec.input_words
    return [
        *([("users", ", ".join(map(shown, kind.class_names)))] if is_named else []),
        ("signature", shown(spec.signature_name)),
        ("input", inputs[0]),
        *(("", words) for words in inputs[1:]),
        ("output", spec.output_words),
    ]


def _number(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _per_request(per_request: int, n_images: int) -> str:
    return "one a request" if per_request == 1 else f"{per_request:,} a request{on_average(per_request, n_images)}"


def _load(settings: Settings, plan: Plan | None, shape: object | None, options: Mapping[str, Any]) -> str:
    load, data = settings.load, settings.data
    if plan is not None:
        each = "each" if load.find_max_rate else f"{span(load.level_duration_s)} each"
        return f"{how_long(plan, settings)} ({each} after {span(load.warm_up_s)} of warm-up)"
    who = users(options.get("num_users") or 1)
    if shape is not None:
        who = f"the load shape {type(shape).__name__}"
    elif options.get(_IS_FOR_WEB_UI):
        who = "as the web UI's form says"
    if data.num_tests:
        after = f", after {_number(load.warm_up_requests, 'request')} of warm-up" if load.warm_up_requests else ""
        each = "exactly once" if data.num_tests == 1 else "each exactly once"
        return f"{who}: {_number(data.num_tests, 'image')}, {each}{after}"
    if shape is not None or options.get(_IS_FOR_WEB_UI):
        return who
    run_time_s = options.get("run_time")
    return f"{who}, {f'for {span(run_time_s)}' if run_time_s else 'until it is stopped'}"
