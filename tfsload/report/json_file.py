"""`result.json`: all that is known of a run, from which every other file of a report can be made again."""

import codecs
import json
from pathlib import Path
from typing import Any

from tfsload.analysis import damage, thresholds
from tfsload.analysis.result import RunResult, SchemaError
from tfsload.analysis.thresholds import Threshold
from tfsload.transport import regular_file
from tfsload.transport.regular_file import NoRegularFileError
from tfsload.transport.words import quoted

NAME = "result.json"
# Far beyond what a run comes to: some ten bytes an image, some thousands a level.
_MOST_BYTES = 256 * 2**20
_EXPECTED = "expected a result.json as a run has written it"


def write(result: RunResult) -> str:
    """Return a result as JSON on one line; `docs/result.schema.json` describes it."""
    return json.dumps(result.to_plain(), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def read(path: Path) -> RunResult:
    """Read a file that `write` wrote.

    Raises:
        OSError: it cannot be read.
        SchemaError: it holds no result, or one of another version of this suite.
    """
    return parse(read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """Read what a file holds, unparsed; nothing is waited for, and no more is read than a result can be.

    Raises:
        OSError: it cannot be read.
        SchemaError: it is no regular file, or larger than any result.
    """
    try:
        return regular_file.read(path, _MOST_BYTES)
    except NoRegularFileError as error:
        raise SchemaError(f"{error.strerror}: {_EXPECTED}") from None


def parse(written: bytes) -> RunResult:
    """Read what `write` wrote, as bytes.

    Raises:
        SchemaError: it is no result, or one of another version of this suite.
    """
    result = RunResult.from_plain(_parsed(written))
    for held in result.thresholds:
        _check_threshold(held.threshold)
    if result.verdict is None:
        raise SchemaError("the run is not judged: expected a result with a verdict")
    if fault := damage.fault_of(result):
        raise SchemaError(f"this result of a run is damaged: {fault}")
    return result


def _check_threshold(threshold: Threshold) -> None:
    try:
        (parsed,) = thresholds.parse(threshold.text)
    except ValueError:  # none, several, or one that cannot be meant
        parsed = None
    if parsed != threshold:
        raise SchemaError(f"this result of a run is damaged: {quoted(threshold.text)} is no threshold")


def _parsed(written: bytes) -> Any:
    try:
        return json.loads(written.decode())
    except (ValueError, RecursionError) as error:
        fault = "it begins with a byte order mark" if written.startswith(codecs.BOM_UTF8) else _not_json(error)
    raise SchemaError(f"{fault}: {_EXPECTED}")


def _not_json(error: Exception) -> str:
    """Return why what was read is no JSON of a result's, in words."""
    match error:
        case json.JSONDecodeError():
            return f"it holds no JSON (line {error.lineno}, column {error.colno})"
        case UnicodeDecodeError():
            return f"it is no text in UTF-8 (byte {error.start})"
        case RecursionError():
            return "its JSON is nested too deep"
    return "its JSON holds a number of too many digits"  # the one other thing that Python's parser refuses


def is_one(path: Path) -> bool:
    """Whether a file holds a result of this suite's, of whatever version."""
    try:
        found = _parsed(read_bytes(path))
    except (OSError, SchemaError):
        return False
    return isinstance(found, dict) and {"schema", "made_by", "totals"} <= set(found)
