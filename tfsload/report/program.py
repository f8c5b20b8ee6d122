"""`tfsload report DIR`: makes a report again from its `result.json`."""

import argparse
import errno
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tfsload.analysis import exit_codes
from tfsload.analysis.result import RunResult, SchemaError
from tfsload.report import directory, files, json_file, output
from tfsload.report.charts import drawing_script
from tfsload.report.schema import schema
from tfsload.transport.words import path_shown, quoted, sentence

# How the web UI has the script made that draws charts in a browser.
DRAWING_SCRIPT = "--drawing-script"


def main(arguments: Sequence[str]) -> int:
    """Make a report again from its result.json; return the exit code."""
    parser = argparse.ArgumentParser(prog="tfsload report", description=main.__doc__, allow_abbrev=False)
    parser.add_argument("directory", nargs="?", metavar="DIR", help="of the report: it holds result.json")
    parser.add_argument("--hgrm", action="store_true", help="with latency-LEVEL.hgrm (default: as the run was asked)")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of result.json, and do no more")
    parser.add_argument(directory.HERE, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(DRAWING_SCRIPT, metavar="FILE", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.schema:
        output.say(json.dumps(schema(), indent=2))
        return exit_codes.PASS
    if given.drawing_script is not None:
        return _write_drawing_script(Path(given.drawing_script))
    if given.directory is None:
        parser.error("no directory: expected DIR, which holds result.json")
    return _make(given.directory, given.hgrm, is_here=given.here)


def _write_drawing_script(path: Path) -> int:
    try:
        drawing_script.write(path)
    except OSError as error:
        return _refuse(f"{path}: {error.strerror or error}", exit_codes.FAILED)
    return exit_codes.PASS


def _make(where: str, has_hgrm: bool, is_here: bool) -> int:
    path = Path(where)
    try:
        written = json_file.read_bytes(path / json_file.NAME)
        result = json_file.parse(written)
    except SchemaError as error:
        return _refuse(f"{path / json_file.NAME}: {error}", exit_codes.BAD_USAGE)
    except OSError as error:
        return _refuse(f"{quoted(where)}: {_why_not_read(path, error)}", exit_codes.BAD_USAGE)
    has_hgrm = has_hgrm or files.asks_for_hgrm(result)
    if is_here:
        return _write(result, path, has_hgrm)
    if fault := directory.fault(where):
        return _refuse(f"{where}: {fault}", exit_codes.BAD_USAGE)
    try:
        with directory.replaced(where, lambda path: _require_unchanged(path, written)) as making:
            (making / json_file.NAME).write_bytes(written)
            code = _write(result, making, has_hgrm)
            if code != exit_codes.PASS:
                raise _NotMadeError
    except _NotMadeError:
        return exit_codes.FAILED
    except OSError as error:
        return _refuse(f"{where}: it could not be written: {error.strerror or error}", exit_codes.FAILED)
    output.say(f"Report: {path_shown(str(path / directory.PAGE))}")
    return exit_codes.PASS


def _why_not_read(path: Path, error: OSError) -> str:
    """Return why a directory's result cannot be read, and what to do."""
    if not os.path.lexists(path):
        found = "it is not there"
    elif isinstance(error, NotADirectoryError):
        found = f"it is no directory, or lies in a file; {json_file.NAME} is read from its directory"
    elif isinstance(error, FileNotFoundError):
        found = f"it holds no {json_file.NAME}"
    else:
        found = f"its {json_file.NAME} cannot be read ({error.strerror or error})"
    return f"{found}: name the directory of a report, as a run was given it with --report"


def _require_unchanged(path: Path, written: bytes) -> None:
    """Leave a report as it is that is newer than what was read of it.

    Raises:
        OSError: its result is another one by now.
    """
    try:
        is_unchanged = json_file.read_bytes(path / json_file.NAME) == written
    except (OSError, SchemaError):
        is_unchanged = False
    if not is_unchanged:
        fault = f"its {json_file.NAME} was changed meanwhile; what is there now stays: run this again for it"
        raise OSError(errno.EBUSY, fault)


class _NotMadeError(Exception):
    """A file could not be made, as was said; the older report stays."""


def _write(result: RunResult, path: Path, has_hgrm: bool) -> int:
    try:
        files.write_others(result, path, has_hgrm)
    except OSError as error:
        return _refuse(f"{error.strerror or error}", exit_codes.FAILED)
    except Exception as error:  # a library's, or a result that nobody's run can have come to
        return _refuse(f"it could not be drawn: {type(error).__name__}: {error}", exit_codes.FAILED)
    return exit_codes.PASS


def _refuse(fault: str, code: int) -> int:
    print(f"tfsload report: {sentence(fault)}", file=sys.stderr)
    return code
