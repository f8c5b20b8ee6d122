"""Results of runs from records alone, for tests of figures, verdicts and words."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from tests.support.level_rows import MS, growing, open_row, samples
from tfsload.analysis import judge as judging
from tfsload.analysis import thresholds
from tfsload.analysis.level_result import LevelResult, level_result
from tfsload.analysis.levels import LevelRow, finding_of
from tfsload.analysis.limit import Ending, SearchResult
from tfsload.analysis.others import NO_OTHERS, Others
from tfsload.analysis.result import Course, RunResult, Server, Users, Verified
from tfsload.analysis.summing_up import Measured, sum_up
from tfsload.analysis.thresholds import Threshold
from tfsload.analysis.totals import MismatchExample
from tfsload.analysis.verdict import Verdict
from tfsload.analysis.workers import Workers
from tfsload.records.mismatch import least
from tfsload.records.record import Record
from tfsload.report import levels as level_report
from tfsload.report import terminal
from tfsload.report.screen import LOG, Screen
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.servable import UNTOLD, Servable, fault


def summarise(
    record: Record,
    *,
    levels: Sequence[LevelRow] = (),
    uncounted: Record | None = None,
    thresholds: Sequence[Threshold] = (),
    search: SearchResult | None = None,
    n_images: int | None = None,
    expected: Servable = UNTOLD,
    changed: str = "",
    others: Others = NO_OTHERS,
    n_verified: int = 0,
    tolerance: str = "",
    attendance: Any = None,
    n_workers: int = 1,
    lost_workers: tuple[str, ...] = (),
    unfit_workers: dict[str, str] | None = None,
    n_unaccounted: int = 0,
    n_discarded: int = 0,
    n_users: int = 0,
    n_users_asked: int = 0,
    is_under_way: bool = False,
    **course: Any,
) -> RunResult:
    """Return a run's result without a verdict; `course` is how it went, as `Course` has it."""
    uncounted = uncounted or Record()
    rows = [_numbered(row, number) for number, row in enumerate(levels, 1)]
    findings = {row.level.number: finding_of(row, tuple(thresholds)) for row in rows} if search is not None else {}
    measured = Measured(record, uncounted, rows, findings, n_images)
    result = sum_up(measured, Course(**course), thresholds, search, is_under_way)
    example = MismatchExample.of(least(record.mismatch, uncounted.mismatch))
    return dataclasses.replace(
        result,
        server=Server(wrong_model=fault(record.servables + uncounted.servables, expected), changed=changed),
        workers=Workers(n_workers, lost_workers, unfit_workers or {}, n_unaccounted, n_discarded),
        users=Users(n_users, n_users_asked, attendance.attended if attendance else None),
        verified=Verified(n_verified, tolerance, example),
        others=others,
    )


def judge(result: RunResult, user_errors: int = 0, is_broken: bool = False) -> Verdict:
    """Judge a run, with what Locust knows of it."""
    course = dataclasses.replace(result.course, user_errors=user_errors, is_broken=is_broken)
    return judging.judge(dataclasses.replace(result, course=course))


def render(
    result: RunResult,
    verdict: Verdict,
    model: str = "m",
    address: str = "h:1",
    remark: str = "",
    screen: Screen = LOG,
) -> str:
    """Return what is printed of a run with this verdict; `model` is a name, or a name and ", version N,"."""
    name, _, version = model.rstrip(",").partition(", version ")
    server = dataclasses.replace(result.server, model_name=name, model_version=int(version or 0), address=address)
    return terminal.render(dataclasses.replace(result, server=server, verdict=verdict), remark, screen)


# Room for all that a table can show.
WIDE = 300


def table(
    rows: Sequence[LevelRow | LevelResult], holds: Sequence[bool | None] = (), width: int = WIDE
) -> tuple[str, ...]:
    """Return the table of levels, given as what they were reckoned from, too."""
    results = _results(rows)
    return level_report.table(results, width, holds, _doubted(results)).lines


def notes(rows: Sequence[LevelRow | LevelResult], holds: Sequence[bool | None] = (), width: int = WIDE) -> list[str]:
    """Return the notes below it."""
    results = _results(rows)
    shown = level_report.table(results, width, holds, _doubted(results))
    return level_report.notes(results, shown, holds, _doubted(results))


def _doubted(results: Sequence[LevelResult]) -> list[int]:
    return [result.number for result in results if result.doubts]


def _results(rows: Sequence[LevelRow | LevelResult]) -> list[LevelResult]:
    return [level_result(row) if isinstance(row, LevelRow) else row for row in rows]


def _numbered(row: LevelRow, number: int) -> LevelRow:
    level = dataclasses.replace(row.level, number=number)
    return dataclasses.replace(row, run=dataclasses.replace(row.run, level=level))


SECOND = 10**9


def record_of(answers, failures=(), latency_ns=2_000_000):
    """Return a record of one-image requests, one a second: (label, predicted) pairs, then failures by code."""
    record = Record()
    done = 10**18
    for label, predicted in answers:
        done += SECOND
        record.add([label], [predicted], None, latency_ns, done)
    for code in failures:
        done += SECOND
        record.add([0], None, PredictionFailure(code, "gone"), latency_ns, done)
    return record


def parsed(text):
    return thresholds.parse(text)


def summary_of(rows, **more):
    """Sum up a run of these levels, as the coordinator would."""
    record = Record()
    for row in rows:
        record.merge(row.record)
    return summarise(record, levels=rows, **more)


def found(ending=Ending.FOUND, rate_rps=120.0, first_failing_rps=125.0, last_passing_rps=120.0):
    return SearchResult(
        ending=ending,
        rate_rps=rate_rps,
        last_passing_rps=last_passing_rps,
        first_failing_rps=first_failing_rps,
        binding=("crossed p99 < 5 ms",) if first_failing_rps else (),
        n_probes=3,
        low_rps=60.0,
        high_rps=500.0,
        max_probes=12,
    )


def passing(**run):
    return open_row(rate_rps=120.0, **run)


def failing(**run):
    """A probe beyond the limit: a queue grows, requests are given up, arrivals are dropped."""
    made = [*growing(samples(n=1000, latency_ns=9 * MS)), *samples(n=200, is_failed=True)]
    return open_row(made, **{"rate_rps": 125.0, "n_dropped": 400, **run})
