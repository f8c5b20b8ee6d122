"""The summary on the terminal."""

from tfsload.analysis.class_rows import ClassRow
from tfsload.analysis.summary import Summary
from tfsload.analysis.verdict import Verdict
from tfsload.report import levels
from tfsload.report.units import duration, percent

_LABEL_WIDTH = 13
_LATE_USERS = "the run ended before all were started (-r: more a second)"


def render(summary: Summary, verdict: Verdict, model: str, address: str, remark: str = "") -> str:
    """Return the summary of a run; its last line is the error rate, as mnist_client.py ends.

    Args:
        summary: the run's figures.
        verdict: how it ended.
        model, address: what answered, and where.
        remark: on an exit code that is not the verdict's own; empty: it is.
    """
    blocks = [
        f"Model {model} at {address}",
        "\n".join([*(["All levels together:"] if len(summary.levels) > 1 else []), *_figures(summary)]),
        "\n".join(_class_table(summary.classes)),
        "\n".join(_levels(summary, verdict)),
        "\n".join(f"Warning: {warning}" for warning in summary.warnings),
        "\n".join(_verdict_lines(summary, verdict, remark)),
    ]
    return "\n" + "\n\n".join(block for block in blocks if block)


def _figures(summary: Summary) -> list[str]:
    rows = [("requests", _requests(summary)), ("rate", _rate(summary)), ("latency", _latency(summary))]
    if summary.predictions:
        rows.append(("error rate", f"{percent(summary.error_rate)} of {summary.predictions:,} predictions"))
        rows.append(("  wrong", f"{percent(summary.wrong / summary.predictions)} ({summary.wrong:,})"))
        rows.append(("  failed", _failed(summary)))
    if summary.n_verified:
        share = percent(summary.mismatched / summary.compared if summary.compared else None)
        compared = f"of {summary.compared:,} answers to the first {summary.n_verified:,} images, which were compared"
        rows.append(("  mismatched", f"{share} ({summary.mismatched:,}) {compared}"))
        if summary.mismatch is not None:
            rows.append(("  such as", summary.mismatch.words))
    if summary.offered:
        dropped = f"{summary.dropped:,} dropped ({percent(summary.dropped / summary.offered)})"
        rows.append(("arrivals", f"{summary.offered:,} offered, {dropped if summary.dropped else 'none dropped'}"))
    if summary.n_uncounted or summary.n_uncounted_cut_off:
        failed = f", {summary.n_uncounted_failed:,} without an answer" if summary.n_uncounted_failed else ""
        cut_off = f"; {summary.n_uncounted_cut_off:,} more were cut off" if summary.n_uncounted_cut_off else ""
        rows.append(
            ("not counted", f"{summary.n_uncounted:,} requests of warm-ups and between levels{failed}{cut_off}")
        )
    if summary.n_asked is not None:
        rows.append(("coverage", _coverage(summary)))
    if summary.n_users < summary.n_users_asked and not summary.levels and not summary.n_levels_left:
        why = "others were with workers that are lost" if summary.lost_workers else _LATE_USERS
        rows.append(("users", f"{summary.n_users:,} of {summary.n_users_asked:,}: {why}"))
    elif summary.attendance is not None and summary.attendance.is_considerable and not summary.levels:
        rows.append(("users", f"only {summary.attendance.sentence}"))
    if summary.others.names and (summary.levels or summary.n_levels_left):
        rows.append(("not run", f"{', '.join(summary.others.names)}: levels are made of the suite's predictions alone"))
    if summary.n_workers > 1 or summary.lost_workers:
        lost = f", {len(summary.lost_workers)} lost" if summary.lost_workers else ""
        rows.append(("workers", f"{summary.n_workers}{lost}"))
    return [f"{label:<{_LABEL_WIDTH}}{text}" for label, text in rows]


def _levels(summary: Summary, verdict: Verdict) -> list[str]:
    if not summary.levels:
        return []
    lines = [*levels.table(summary.levels, summary.probes_hold), *levels.notes(summary.levels, summary.probes_hold)]
    if summary.scaling is not None:
        lines += ["", *levels.scaling_lines(summary.scaling), summary.scaling.answer.sentence]
    if summary.search is not None and summary.search.sentence not in verdict.reasons:
        lines += ["", summary.search.sentence]
    return lines


def _coverage(summary: Summary) -> str:
    text = f"{summary.predictions:,} of {summary.n_asked:,} images"
    if summary.is_complete:
        text += ", each exactly once"
    if summary.n_discarded:
        text += f" ({summary.n_discarded:,} requests of workers that left are not counted)"
    return text


def _requests(summary: Summary) -> str:
    text = f"{summary.requests:,} in {summary.duration_s:.2f} s"
    if summary.cut_off:
        text += f" ({summary.cut_off:,} more were in flight when their users were stopped, and are not counted)"
    return text


def _rate(summary: Summary) -> str:
    if summary.requests_per_s is None:
        return "–"
    text = f"{summary.requests_per_s:,.1f} requests/s"
    if summary.predictions != summary.requests:
        text += f", {summary.images_per_s:,.1f} images/s"
    return f"{text} (of answered requests)" if summary.failed_requests else text


def _latency(summary: Summary) -> str:
    if not summary.latency_ns:
        return "– (no request was answered)"
    parts = [f"p{percentile:g} {duration(value)}" for percentile, value in summary.latency_ns.items()]
    text = "  ".join([*parts, f"max {duration(summary.latency_max_ns)}"])
    return f"{text}  (of answered requests)" if summary.failed_requests else text


def _failed(summary: Summary) -> str:
    codes = ", ".join(f"{code} {count:,}" for code, count in summary.failed.items())
    text = f"{percent(summary.n_failed / summary.predictions)} ({summary.n_failed:,})"
    return f"{text}: {codes}" if codes else text


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


def _verdict_lines(summary: Summary, verdict: Verdict, remark: str) -> list[str]:
    lines = [f"{verdict.word}{f' ({remark})' if remark else ''}:", *(f"  - {reason}" for reason in verdict.reasons)]
    broken = {held.threshold for held in summary.thresholds if not held.holds}
    holding = [held.threshold for held in summary.thresholds if held.threshold not in broken]
    lines += [f"  - {text} holds" for text in dict.fromkeys(threshold.text for threshold in holding)]
    lines += [f"  - {more}" for more in (verdict.judged, *verdict.notes) if more]
    lines.append(f"Inference error rate: {percent(summary.error_rate)}")
    return lines
