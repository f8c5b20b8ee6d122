"""The summary on the terminal: all of it read from a run's result."""

from collections.abc import Sequence

from tfsload.analysis.figures import NONE, by_code, count, latency_ms, percent, rate, requests, span
from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.no_answer import none_answered
from tfsload.analysis.result import RunResult, Verified
from tfsload.analysis.totals import Totals
from tfsload.report import classes, levels, thresholds, verdict
from tfsload.report.asked_load import asked_load
from tfsload.report.fewer_users import why_fewer
from tfsload.report.load import load
from tfsload.report.percentile_words import AS_COUNTED
from tfsload.report.screen import LOG, Screen
from tfsload.report.speed_ups import OF_A_MEAN, are_of_a_mean, speed_ups
from tfsload.report.sweep_answer import sweep_answer
from tfsload.report.where import over
from tfsload.transport.words import path_shown

_LABEL_WIDTH = 13
# Those of a level, in the table, are not as counted.
_ALL_LEVELS = "All levels together, as counted:"
# A request that was cut off has waited for long from here on, where none was answered that took as long.
_LONG_NS = 1_000_000_000


def render(result: RunResult, remark: str = "", screen: Screen = LOG, page: str = "") -> str:
    """Return the summary of a run: the figures first, and last what matters most, where the eye is.

    Its last line is the error rate, as mnist_client.py ends.

    Args:
        result: the run's, judged.
        remark: on an exit code that is not the verdict's own; empty: it is.
        screen: what it is written on.
        page: where the page of its report lies; empty: there is none.
    """
    blocks = [
        [screen.wrapped(_first_line(result)), *_labelled(_made_of(result), screen)],
        [*([screen.wrapped(_ALL_LEVELS)] if len(result.levels) > 1 else []), *_labelled(_figures(result), screen)],
        _classes(result, screen),
        _levels(result, screen),
        thresholds.lines(result.thresholds, screen.width) if result.thresholds else (),
        _labelled(levels.scaling_figures(result.scaling), screen) if result.scaling is not None else (),
        [screen.wrapped(answer) for answer in _answers(result)],
        [screen.wrapped(f"Warning: {warning}") for warning in result.warnings],
        [
            *verdict.lines(result.judged, screen, remark),
            *([f"Report: {path_shown(page)}"] if page else []),
            f"Inference error rate: {_last(result)}",
        ],
    ]
    return "\n" + "\n\n".join("\n".join(block) for block in blocks if block)


def _classes(result: RunResult, screen: Screen) -> Sequence[str]:
    if why := result.images.why_no_classes:
        return [screen.wrapped(f"{why[0].upper()}{why[1:]}.")]
    if not result.classes:
        return ()
    name_of = result.images.class_text if result.images.class_names else str
    return classes.table(result.classes, screen.width, name_of).lines


def _last(result: RunResult) -> str:
    return percent(result.totals.error_rate) if result.images.is_labelled else f"{NONE} ({NO_LABELS})"


def _labelled(rows: list[tuple[str, str]], screen: Screen) -> list[str]:
    return [screen.wrapped(f"{label:<{_LABEL_WIDTH}}{text}", _LABEL_WIDTH) for label, text in rows]


def _first_line(result: RunResult) -> str:
    server, suite = result.server, result.made_by.suite
    by = f" (tfsload {suite})" if suite else ""
    return f"Model {server.model_name}, version {server.model_version}, at {server.address}{over(server.protocol)}{by}"


def _made_of(result: RunResult) -> list[tuple[str, str]]:
    return _called(result) + _cut_short(result) + _notes(result)


def _called(result: RunResult) -> list[tuple[str, str]]:
    server = result.server
    return [("signature", f"{server.signature_name}: {server.called}")] if server.called else []


def _cut_short(result: RunResult) -> list[tuple[str, str]]:
    """Return what the run was asked for, where not all of it stands in the table of levels."""
    is_whole = bool(result.levels) and not result.course.n_levels_left
    return [("load", load(result))] if asked_load(result).has_levels and not is_whole else []


def _notes(result: RunResult) -> list[tuple[str, str]]:
    return [("note", f"{key}={note}") for key, note in result.notes.items()]


def _figures(result: RunResult) -> list[tuple[str, str]]:
    totals = result.totals
    rows = [("requests", _requests(totals)), ("rate", _rate(totals)), ("latency ms", _latency(totals))]
    if totals.predictions:
        predictions = "1 prediction" if totals.predictions == 1 else f"{totals.predictions:,} predictions"
        if totals.wrong is None:
            rows.append(("error rate", f"{NONE} of {predictions}: {NO_LABELS}, so that no answer is right or wrong"))
        else:
            rows.append(("error rate", f"{percent(totals.error_rate)} of {predictions}"))
            rows.append(("  wrong", f"{percent(totals.wrong / totals.predictions)} ({totals.wrong:,})"))
        rows.append(("  failed", _failed(totals)))
    rows += _compared(totals, result.verified)
    if totals.offered:
        dropped = f"{totals.dropped:,} dropped ({percent(totals.dropped / totals.offered)})"
        rows.append(("arrivals", f"{totals.offered:,} offered, {dropped if totals.dropped else 'none dropped'}"))
    rows += _not_counted(result)
    if result.course.n_images_asked is not None:
        rows.append(("coverage", _coverage(result)))
    return rows + _participants(result)


def _compared(totals: Totals, verified: Verified) -> list[tuple[str, str]]:
    if not verified.n_images:
        return []
    share = percent(totals.mismatched / totals.compared if totals.compared else None)
    answers = "1 answer" if totals.compared == 1 else f"{totals.compared:,} answers"
    images = "image, which was" if verified.n_images == 1 else f"{verified.n_images:,} images, which were"
    rows = [("  mismatched", f"{share} ({totals.mismatched:,}) of {answers} to the first {images} compared")]
    return rows if verified.example is None else [*rows, ("  such as", verified.example.words)]


def _not_counted(result: RunResult) -> list[tuple[str, str]]:
    uncounted = result.uncounted
    if not (uncounted.requests or uncounted.cut_off):
        return []
    failed = f", {uncounted.failed_requests:,} without an answer" if uncounted.failed_requests else ""
    verb = "was" if uncounted.cut_off == 1 else "were"
    cut_off = f"; {uncounted.cut_off:,} more {verb} cut off" if uncounted.cut_off else ""
    n_straddling = sum(level.straddling for level in result.levels)
    straddling = f"; {n_straddling:,} {'lies' if n_straddling == 1 else 'lie'} across a level's edge"
    edges = straddling if n_straddling else ""
    return [("not counted", f"{requests(uncounted.requests)} {result.of_uncounted}{failed}{cut_off}{edges}")]


def _participants(result: RunResult) -> list[tuple[str, str]]:
    rows, users, workers = [], result.users, result.workers
    has_levels = bool(result.levels or result.course.n_levels_left)
    if why := why_fewer(result):
        rows.append(("users", f"{users.n:,} of {users.n_users_asked:,}: {why}"))
    elif users.attended is not None and users.attended.is_considerable and not result.levels:
        rows.append(("users", f"only {users.attended.sentence}"))
    if result.others.names and has_levels:
        rows.append(("not run", f"{', '.join(result.others.names)}: levels are made of the suite's predictions alone"))
    if workers.n > 1 or workers.lost:
        lost = f", {len(workers.lost)} lost" if workers.lost else ""
        rows.append(("workers", f"{workers.n}{lost}"))
    return rows


def _levels(result: RunResult, screen: Screen) -> list[str]:
    if not result.levels:
        return []
    rows, holds, doubted = result.levels, result.probes_hold, result.judged.doubted_levels
    shown = levels.table(rows, screen.width, holds, doubted, speed_ups(result))
    notes = levels.notes(rows, shown, holds, doubted)
    if are_of_a_mean(result) and "speed-up" not in shown.left_out:
        notes.append(OF_A_MEAN)
    return [*shown.lines, *map(screen.wrapped, notes)]


def _answers(result: RunResult) -> list[str]:
    """Return what the levels say, unless it is a reason of the verdict: that one stands below."""
    answers = [told] if (told := sweep_answer(result)) else []
    if result.search is not None and result.search.found not in {reason.what for reason in result.judged.reasons}:
        answers.append(result.search.sentence)
    return answers


def _coverage(result: RunResult) -> str:
    text = f"{result.totals.predictions:,} of {result.course.n_images_asked:,} images"
    if result.is_complete:
        text += ", each exactly once"
    if result.workers.n_discarded:
        text += f" ({result.workers.n_discarded:,} requests of workers that left are not counted)"
    return text


def _requests(totals: Totals) -> str:
    text = f"{count(totals.requests)} in {totals.duration_s:,.2f} s"
    if totals.cut_off:
        verb, their, users = ("was", "its", "user was") if totals.cut_off == 1 else ("were", "their", "users were")
        # Longer than any that was answered: what is told of those says nothing of these.
        is_long = totals.waited_ns > max(totals.latency.max_ns, _LONG_NS)
        waited = f", up to {span(totals.waited_ns / 1e9)} after they were sent" if is_long else ""
        text += (
            f" ({count(totals.cut_off)} more {verb} in flight when {their} {users} stopped{waited}, and not counted)"
        )
    return text


def _rate(totals: Totals) -> str:
    if totals.requests_per_s is None:
        return NONE
    text = f"{rate(totals.requests_per_s)} requests/s"
    if totals.predictions != totals.requests:
        text += f", {rate(totals.images_per_s)} images/s"
    return f"{text} (of answered requests)" if totals.failed_requests else text


def _latency(totals: Totals) -> str:
    if not totals.latency_ns:
        return f"{NONE} ({none_answered(totals.failed)})"
    parts = [f"p{percentile:g} {latency_ms(value)}" for percentile, value in totals.latency_ns.items()]
    text = "  ".join([*parts, f"max {latency_ms(totals.latency.max_ns)}"])
    return f"{text} ({AS_COUNTED}{', of answers' if totals.failed_requests else ''})"


def _failed(totals: Totals) -> str:
    text = f"{percent(totals.n_failed / totals.predictions)} ({totals.n_failed:,})"
    return f"{text}: {by_code(totals.failed)}" if totals.failed else text
