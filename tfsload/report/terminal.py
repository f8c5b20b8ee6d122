"""The summary on the terminal: all of it read from a run's result."""

from tfsload.analysis.class_rows import ClassRow
from tfsload.analysis.figures import by_code, duration, percent
from tfsload.analysis.result import RunResult, Verified
from tfsload.analysis.totals import Totals
from tfsload.analysis.verdict import Verdict
from tfsload.report import levels

_LABEL_WIDTH = 13
_LATE_USERS = "the run ended before all were started (-r: more a second)"


def render(result: RunResult, remark: str = "", page: str = "") -> str:
    """Return the summary of a run; its last line is the error rate, as mnist_client.py ends.

    Args:
        result: the run's, judged.
        remark: on an exit code that is not the verdict's own; empty: it is.
        page: where the page of its report lies; empty: there is none.
    """
    blocks = [
        "\n".join([_first_line(result), *_notes(result)]),
        "\n".join([*(["All levels together:"] if len(result.levels) > 1 else []), *_figures(result)]),
        "\n".join(_class_table(result.classes)),
        "\n".join(_levels(result)),
        "\n".join(f"Warning: {warning}" for warning in result.warnings),
        "\n".join(_verdict_lines(result, result.judged, remark, page)),
    ]
    return "\n" + "\n\n".join(block for block in blocks if block)


def _first_line(result: RunResult) -> str:
    server, suite = result.server, result.made_by.suite
    by = f" (tfsload {suite})" if suite else ""
    return f"Model {server.model_name}, version {server.model_version}, at {server.address}{by}"


def _notes(result: RunResult) -> list[str]:
    return [f"{'note':<{_LABEL_WIDTH}}{key}={note}" for key, note in result.notes.items()]


def _figures(result: RunResult) -> list[str]:
    totals = result.totals
    rows = [("requests", _requests(totals)), ("rate", _rate(totals)), ("latency", _latency(totals))]
    if totals.predictions:
        rows.append(("error rate", f"{percent(totals.error_rate)} of {totals.predictions:,} predictions"))
        rows.append(("  wrong", f"{percent(totals.wrong / totals.predictions)} ({totals.wrong:,})"))
        rows.append(("  failed", _failed(totals)))
    rows += _compared(totals, result.verified)
    if totals.offered:
        dropped = f"{totals.dropped:,} dropped ({percent(totals.dropped / totals.offered)})"
        rows.append(("arrivals", f"{totals.offered:,} offered, {dropped if totals.dropped else 'none dropped'}"))
    rows += _not_counted(result)
    if result.course.n_images_asked is not None:
        rows.append(("coverage", _coverage(result)))
    rows += _participants(result)
    return [f"{label:<{_LABEL_WIDTH}}{text}" for label, text in rows]


def _compared(totals: Totals, verified: Verified) -> list[tuple[str, str]]:
    if not verified.n_images:
        return []
    share = percent(totals.mismatched / totals.compared if totals.compared else None)
    compared = f"of {totals.compared:,} answers to the first {verified.n_images:,} images, which were compared"
    rows = [("  mismatched", f"{share} ({totals.mismatched:,}) {compared}")]
    return rows if verified.example is None else [*rows, ("  such as", verified.example.words)]


def _not_counted(result: RunResult) -> list[tuple[str, str]]:
    uncounted = result.uncounted
    if not (uncounted.requests or uncounted.cut_off):
        return []
    failed = f", {uncounted.failed_requests:,} without an answer" if uncounted.failed_requests else ""
    verb = "was" if uncounted.cut_off == 1 else "were"
    cut_off = f"; {uncounted.cut_off:,} more {verb} cut off" if uncounted.cut_off else ""
    return [("not counted", f"{uncounted.requests:,} requests {result.of_uncounted}{failed}{cut_off}")]


def _participants(result: RunResult) -> list[tuple[str, str]]:
    rows, users, workers = [], result.users, result.workers
    has_levels = bool(result.levels or result.course.n_levels_left)
    if users.n < users.n_users_asked and not has_levels:
        why = "others were with workers that are lost" if workers.lost else _LATE_USERS
        rows.append(("users", f"{users.n:,} of {users.n_users_asked:,}: {why}"))
    elif users.attended is not None and users.attended.is_considerable and not result.levels:
        rows.append(("users", f"only {users.attended.sentence}"))
    if result.others.names and has_levels:
        rows.append(("not run", f"{', '.join(result.others.names)}: levels are made of the suite's predictions alone"))
    if workers.n > 1 or workers.lost:
        lost = f", {len(workers.lost)} lost" if workers.lost else ""
        rows.append(("workers", f"{workers.n}{lost}"))
    return rows


def _levels(result: RunResult) -> list[str]:
    if not result.levels:
        return []
    rows, holds, doubted = result.levels, result.probes_hold, result.judged.doubted_levels
    lines = [*levels.table(rows, holds, doubted), *levels.notes(rows, holds, doubted)]
    if result.scaling is not None:
        lines += ["", *levels.scaling_lines(result.scaling), result.scaling.answer.sentence]
    if result.search is not None and result.search.sentence not in result.judged.reasons:
        lines += ["", result.search.sentence]
    return lines


def _coverage(result: RunResult) -> str:
    text = f"{result.totals.predictions:,} of {result.course.n_images_asked:,} images"
    if result.is_complete:
        text += ", each exactly once"
    if result.workers.n_discarded:
        text += f" ({result.workers.n_discarded:,} requests of workers that left are not counted)"
    return text


def _requests(totals: Totals) -> str:
    text = f"{totals.requests:,} in {totals.duration_s:.2f} s"
    if totals.cut_off:
        ends = (
            "was in flight when its user was stopped, and is"
            if totals.cut_off == 1
            else ("were in flight when their users were stopped, and are")
        )
        text += f" ({totals.cut_off:,} more {ends} not counted)"
    return text


def _rate(totals: Totals) -> str:
    if totals.requests_per_s is None:
        return "–"
    text = f"{totals.requests_per_s:,.1f} requests/s"
    if totals.predictions != totals.requests:
        text += f", {totals.images_per_s:,.1f} images/s"
    return f"{text} (of answered requests)" if totals.failed_requests else text


def _latency(totals: Totals) -> str:
    if not totals.latency_ns:
        return "– (no request was answered)"
    parts = [f"p{percentile:g} {duration(value)}" for percentile, value in totals.latency_ns.items()]
    text = "  ".join([*parts, f"max {duration(totals.latency.max_ns)}"])
    return f"{text}  (of answered requests)" if totals.failed_requests else text


def _failed(totals: Totals) -> str:
    text = f"{percent(totals.n_failed / totals.predictions)} ({totals.n_failed:,})"
    return f"{text}: {by_code(totals.failed)}" if totals.failed else text


def _class_table(classes: tuple[ClassRow, ...]) -> list[str]:
    if not classes:
        return []
    heading = (
        f"{'class':>5}  {'images':>7}  {'right':>7}  {'wrong':>6}  {'recall':>7}  {'precision':>9}  most taken for"
    )
    return [heading, *(_class_line(row) for row in classes)]


def _class_line(row: ClassRow) -> str:
    taken_for = f"{row.taken_for[0]} ({row.taken_for[1]:,}×)" if row.taken_for else ""
    return (
        f"{row.label:>5}  {row.images:>7,}  {row.right:>7,}  {row.wrong:>6,}  "
        f"{percent(row.recall):>7}  {percent(row.precision):>9}  {taken_for}"
    ).rstrip()


def _verdict_lines(result: RunResult, verdict: Verdict, remark: str, page: str) -> list[str]:
    lines = [f"{verdict.word}{f' ({remark})' if remark else ''}:", *(f"  - {reason}" for reason in verdict.reasons)]
    broken = {held.threshold for held in result.thresholds if not held.holds}
    holding = [held.threshold for held in result.thresholds if held.threshold not in broken]
    lines += [f"  - {text} holds" for text in dict.fromkeys(threshold.text for threshold in holding)]
    lines += [f"  - {more}" for more in (verdict.judged, *verdict.notes) if more]
    lines += [f"Report: {page}"] if page else []
    lines.append(f"Inference error rate: {percent(result.totals.error_rate)}")
    return lines
