"""Directories of reports, as tests make them and look at them."""

from pathlib import Path

from tfsload.analysis.result import RunResult
from tfsload.report import directory


def held(path: Path) -> list[str]:
    """Return the names of all that lies in a directory."""
    return sorted(entry.name for entry in path.iterdir())


def report_in(path: Path, result: RunResult) -> None:
    """Put a report of two files there."""
    with directory.replaced(str(path)) as making:
        directory.write_data(result, making)
        (making / "levels.csv").write_text("new\n")
