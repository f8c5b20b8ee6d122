"""All files of a report but `result.json`, from a result alone: the page last, since it takes the longest.

Whoever leads a run imports none of this: a process of its own makes them (`tfsload report`).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from tfsload.analysis.result import RunResult
from tfsload.analysis.switch import is_on
from tfsload.report import csv_files, hgrm, junit, markdown
from tfsload.report.directory import PAGE, write_file


def write_others(result: RunResult, directory: Path, has_hgrm: bool) -> None:
    """Write all other files.

    Args:
        result: what they tell of.
        directory: where to.
        has_hgrm: whether `latency-LEVEL.hgrm` are among them.

    Raises:
        OSError: one cannot be written.
    """
    for name, make in _files(result):
        write_file(directory, name, make())
    for name, latency in hgrm.files(result) if has_hgrm else ():
        write_file(directory, name, hgrm.write(latency))
    write_file(directory, PAGE, _page(result))


def _files(result: RunResult) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "levels.csv", lambda: csv_files.levels(result)
    yield "series.csv", lambda: csv_files.series(result)
    yield "images.csv", lambda: csv_files.images(result)
    yield "junit.xml", lambda: junit.write(result)
    yield "summary.md", lambda: markdown.write(result)


def _page(result: RunResult) -> str:
    # Drawing takes a tenth of a second a chart, and a library that nothing else needs.
    from tfsload.report.page.page import render

    return render(result)


def asks_for_hgrm(result: RunResult) -> bool:
    """Whether the run was asked for `latency-LEVEL.hgrm`."""
    return is_on(result.asked.options.get("hgrm", ""))
