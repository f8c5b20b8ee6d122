"""From what has arrived of a run to its result."""

from collections import Counter
from dataclasses import replace

import numpy as np

from tfsload.analysis.abort import with_aborted
from tfsload.analysis.accuracy import SeenBy, seen_by
from tfsload.analysis.image_counts import MOST_ON_A_SIDE, ImageCounts, n_different
from tfsload.analysis.judge import judge
from tfsload.analysis.levels import level_row
from tfsload.analysis.limit import SearchResult
from tfsload.analysis.next_sweep import SweepAsked
from tfsload.analysis.others import NO_OTHERS, Others
from tfsload.analysis.result import Course, RunResult, Server, Users, Verified
from tfsload.analysis.summing_up import Measured, sum_up
from tfsload.analysis.totals import MismatchExample
from tfsload.datasets.dataset import DataError, Dataset
from tfsload.prediction.process_run import load_images, requests_for
from tfsload.records.mismatch import least
from tfsload.records.record import Record
from tfsload.run.checks import Checked
from tfsload.run.kinds import called_words
from tfsload.run.results import Results
from tfsload.run.surroundings import machine, made_by
from tfsload.run.worker_figures import workers_of
from tfsload.settings.settings import SettingsError
from tfsload.transport.servable import fault
from tfsload.transport.words import LONGEST_VALUE, cut, redacted, shown


def make_result(
    results: Results,
    checked: Checked,
    course: Course,
    others: Others = NO_OTHERS,
    search: SearchResult | None = None,
    changed: str = "",
    is_under_way: bool = False,
) -> RunResult:
    """Sum up and judge what has arrived of a run.

    Args:
        results: the coordinator's.
        checked: what the run was asked to do.
        course: how it went.
        others: what ran beside predictions.
        search: what a limit search found; None: there was none.
        changed: what the server says otherwise after the run than before.
        is_under_way: whether the run goes on, so that what it has come to is so far.
    """
    overall, measured = results.overall, _measured(results, checked, is_under_way)
    images = _images(overall, checked)
    summed_up = sum_up(measured, course, checked.settings.checks.thresholds, search, is_under_way)
    result = replace(
        summed_up,
        thresholds=with_aborted(summed_up.thresholds, results.aborted),
        aborted=results.aborted,
        made_by=made_by(checked.transport.spoken()),
        machine=machine(),
        asked=checked.asked,
        server=_server(overall, results.uncounted, checked, changed),
        workers=workers_of(results, overall, summed_up.totals.duration_s),
        users=Users(results.n_users, results.n_users_asked, results.attendance.attended),
        verified=_verified(overall, results.uncounted, checked),
        images=images.judged(checked.judged_by, checked.by_labels) if checked.judged_by else images,
        accuracy=_accuracy(results, images, checked),
        others=others,
        notes={redacted(key): redacted(note) for key, note in checked.settings.report.notes},
    )
    return replace(result, verdict=judge(result))


def _measured(results: Results, checked: Checked, is_under_way: bool) -> Measured:
    return Measured(
        record=results.overall,
        uncounted=results.uncounted,
        rows=[level_row(run, results.records.get(run.level.number, Record())) for run in results.levels],
        findings=results.findings,
        n_images=checked.n_images,
        asked=_sweep_asked(checked),
        is_labelled=checked.is_labelled,
        is_judged=bool(checked.judged_by),
        behind_s=results.behind_ns / 1e9,
        told_until_unix_ns=min(results.told_until_unix_ns.values(), default=0) if is_under_way else 0,
    )


def course_of(results: Results, checked: Checked) -> Course:
    """Return how a run went, as far as the coordinator knows; the rest is Locust's to say."""
    return Course(
        begun_unix_s=results.begun_unix_s,
        ended_unix_s=results.ended_unix_s,
        n_images_asked=checked.settings.data.num_tests or None,
        n_levels_left=results.n_levels_left,
        stalled=results.stalled,
        gave_up_after_s=results.gave_up_after_s,
        is_broken=results.is_broken,
        deadline_s=checked.settings.model.deadline_s,
    )


def _sweep_asked(checked: Checked) -> SweepAsked | None:
    model, load = checked.settings.model, checked.settings.load
    if not load.sweep:
        return None
    return SweepAsked(
        images_per_request=model.images_per_request,
        n_images=checked.n_images,
        level_duration_s=load.level_duration_s,
        deadline_s=model.deadline_s,
        warm_up_s=load.warm_up_s,
    )


def _images(overall: Record, checked: Checked) -> ImageCounts:
    counted = ImageCounts.of(overall.images, checked.n_images, checked.settings.model.images_per_request)
    counted = replace(counted, is_labelled=checked.is_labelled, class_names=checked.class_names)
    is_by_class = any(one.label is not None for one in checked.settings.checks.thresholds)
    if checked.judged_by or not (counted.misread or is_by_class):
        return counted
    dataset = checked.images.dataset if checked.images else _loaded_anew(checked)
    if dataset is None or dataset.labels is None:
        return counted
    images, of_rows, of_columns = dataset.images, *dataset.images.shape[1:]
    step = -(-max(of_rows, of_columns) // MOST_ON_A_SIDE)
    pixels = {image: images[image, ::step, ::step].tobytes().hex() for image in counted.worst}
    columns = -(-of_columns // step) if pixels else 0
    labels = {one.image: int(dataset.labels[one.image]) for one in counted.misread}
    of_class = Counter(dataset.labels[np.flatnonzero(counted.answered)].tolist()) if is_by_class else {}
    of_class = dict(sorted(of_class.items()))
    return replace(counted, pixels=pixels, labels=labels, of_class=of_class, columns=columns)


def _loaded_anew(checked: Checked) -> Dataset | None:
    try:
        dataset = load_images(checked.settings)
    except (DataError, SettingsError):
        return None  # it has gone since the run began
    # Else another one has taken its place.
    return dataset if dataset.fingerprint == checked.data_fingerprint else None


def _accuracy(results: Results, images: ImageCounts, checked: Checked) -> tuple[SeenBy, ...]:
    per_request = checked.settings.model.images_per_request
    at_levels = [
        (run.level, n_different(results.records[run.level.number].images, checked.n_images, per_request))
        for run in results.levels
        if run.level.number in results.records
    ]
    return seen_by(checked.settings.checks.thresholds, images, at_levels)


def _server(overall: Record, uncounted: Record, checked: Checked, changed: str) -> Server:
    model, spec = checked.settings.model, checked.preflight.spec
    return Server(
        address=cut(checked.settings.connection.server.text, LONGEST_VALUE),
        protocol=checked.transport.protocol,
        model_name=cut(model.name, LONGEST_VALUE),
        model_version=checked.preflight.model_version,
        signature_name=cut(shown(spec.signature_name), LONGEST_VALUE),
        input_name=cut(shown(spec.input.name), LONGEST_VALUE),
        output_name=cut(shown(spec.output.name), LONGEST_VALUE),
        called=redacted(called_words(checked.all_kinds)),
        wrong_model=fault(overall.servables + uncounted.servables, checked.preflight.servable),
        changed=changed,
        is_embedded=checked.is_embedded,
        names_model=checked.transport.spoken().names_model,
    )


def _verified(overall: Record, uncounted: Record, checked: Checked) -> Verified:
    settings = checked.settings
    n_verified = requests_for(settings, settings.checks.verify) * settings.model.images_per_request
    return Verified(
        n_images=min(n_verified, checked.n_images),
        tolerance=settings.checks.tolerance.text,
        example=MismatchExample.of(least(overall.mismatch, uncounted.mismatch)),
    )
