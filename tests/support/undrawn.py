"""Reports of the web UI's runs without charts: to draw them takes two seconds of a CPU, and a run a tenth of one."""

from pathlib import Path
from unittest import mock

from tfsload.report import json_file
from tfsload.report.page import page
from tfsload.report.page.drawings import to_be_drawn
from tfsload.suite import web_side


def make_undrawn(directory: Path) -> str:
    """Make the page beside a result, as `make_others` makes all files; nothing goes wrong."""
    with mock.patch.object(page, "drawn", to_be_drawn):
        (directory / "report.html").write_text(page.render(json_file.read(directory / "result.json")))
    return ""


def draw_nothing() -> None:
    """Have all runs of this process's web UI leave no more than that."""
    web_side.make_others = make_undrawn
