"""What draws charts in a browser: Vega-Lite's own JavaScript, from the package that draws those of files.

Putting it together takes two seconds, in which nothing else of the process runs: it is done in one of its own.
"""

import importlib.metadata
from pathlib import Path

from tfsload.report.charts.draw import VEGA_LITE, browser_script

_PACKAGE = "vl-convert-python"


def file_name() -> str:
    """Return a name that is another one where the script would be."""
    return f"drawing-{importlib.metadata.version(_PACKAGE)}-{VEGA_LITE}.js"


def write(path: Path) -> None:
    """Write the script; whoever reads `path` meanwhile finds all of it, or nothing.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    part.write_text(browser_script(), encoding="utf-8")
    part.replace(path)
