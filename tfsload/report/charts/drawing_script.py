"""What draws charts in a browser: Vega-Lite's own JavaScript, from the package that draws those of files.

Putting it together takes two seconds, in which nothing else of the process runs: it is done in one of its own.
"""

import importlib.metadata
import os
import tempfile
from pathlib import Path

from tfsload.report import left_over
from tfsload.report.charts.draw import VEGA_LITE, browser_script

_PACKAGE = "vl-convert-python"
_PART = ".part"


def file_name() -> str:
    """Return a name that is another one where the script would be."""
    return f"drawing-{importlib.metadata.version(_PACKAGE)}-{VEGA_LITE}.js"


def write(path: Path) -> None:
    """Write the script; whoever reads `path` meanwhile finds all of it, or nothing, however many write it at once.

    Nobody else may write the file, whatever the umask: browsers run it.

    Raises:
        OSError: it cannot be written.
    """
    script = browser_script()
    left_over.remove(path.parent.glob(f"{path.name}.*{_PART}"))
    number, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=_PART, dir=path.parent)  # mode 0600
    part = Path(name)
    try:
        with open(number, "w", encoding="utf-8") as file:
            file.write(script)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
