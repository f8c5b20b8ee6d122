"""Files, and other output, that Locust writes for a run: complete, and told of in words where they cannot be written.

`locust_wraps` puts these in the place of Locust's own.
"""

import functools
import io
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import locust.log
import locust.stats
from locust import html
from locust.env import Environment

from tfsload.report import directory
from tfsload.suite import arguments, output_paths, streams
from tfsload.transport.words import quoted

logger = logging.getLogger(__name__)

_get_html_report: Callable[..., str] = html.get_html_report
_locusts_setup_logging: Callable[..., None] = locust.log.setup_logging
_faults: list[str] = []
_log_files: list[logging.FileHandler] = []


def faults() -> tuple[str, ...]:
    """Return which files and outputs that were asked for could not be written, and why, a sentence each."""
    return tuple(_faults)


def _note(fault: str) -> None:
    logger.error("%s", fault)
    _faults.append(fault)


def complete_files(environment: Environment) -> None:
    """Write what the run came to, as far as it is known, where `--csv` asks for it."""
    writer = getattr(environment, "csv_writer", None)
    if writer is not None:
        writer.complete()


# Where Locust writes files. It tries each place only when it needs it: `--html` at the end of the run, before anything
# was said of it, the others in the middle of its own start; with a traceback each time.
_ENDINGS = {
    "--csv": ("_stats.csv", "_stats_history.csv", "_failures.csv", "_exceptions.csv"),
    "--html": ("",),
    "--json-file": (".json",),
    "--logfile": ("",),
}


def check_paths(parser: Any) -> None:
    """Let Locust's parser refuse places in which no file can be made (on `init_command_line_parser`)."""
    for option, endings in _ENDINGS.items():
        parser._option_string_actions[option].type = output_paths.checked(*endings)
    arguments.after_parsing(parser, functools.partial(_keep_out_of_report, parser))


# A report does not replace what is no part of one: with a file of Locust's in its directory, this run's report is lost,
# or the next one refused.
def _keep_out_of_report(parser: Any, options: Any) -> None:
    """Refuse, before any of them is made, files that would lie in the directory of `--report`."""
    given = vars(options)
    report = directory.place_of(str(given.get("report") or ""))
    if not report or given.get("worker"):  # which writes no report
        return
    faults = []
    for option, endings in _ENDINGS.items():
        path = given.get(parser._option_string_actions[option].dest)
        inside = [path + ending for ending in endings if output_paths.lies_in(path + ending, report)] if path else []
        if inside:
            faults.append(f"{option} {quoted(path)}: {inside[0]} lies in the directory of --report: name another place")
    if faults:
        parser.error("; ".join(faults))


# `--logfile`. Python's handler says with a traceback for each line that it cannot write.
def setup_logging(*arguments: Any, **options: Any) -> None:
    """Let a log file that cannot be written be told of once, in a line; letters that its encoding lacks are escaped."""
    _locusts_setup_logging(*arguments, **options)
    handlers = {handler for name in ("root", "locust") for handler in logging.getLogger(name).handlers}
    for handler in handlers:
        if isinstance(handler, logging.FileHandler):
            if isinstance(handler.stream, io.TextIOWrapper):
                handler.stream.reconfigure(errors="backslashreplace")
            handler.handleError = functools.partial(_tell_of_log, handler, [])  # type: ignore[method-assign]  # its own
            _log_files.append(handler)


def log_what_was_said(text: str) -> None:
    """Write to `--logfile`, where there is one, what was said on a standard stream, whatever `--loglevel` says.

    A log that ends without how the run went, or why there was none, is no help to who reads it later.
    """
    for line in filter(str.strip, text.splitlines()):
        record = {"name": "tfsload", "levelno": logging.INFO, "levelname": "INFO", "msg": line}
        for handler in _log_files:
            handler.handle(logging.makeLogRecord(record))


def _tell_of_log(handler: logging.FileHandler, told: list[str], record: logging.LogRecord) -> None:  # noqa: ARG001
    if not told:
        told.append(f"tfsload: --logfile {handler.baseFilename}: it cannot be written: {sys.exc_info()[1]}")
        streams.say(told[0])


# `--html`. What cannot be written ends Locust before it has told the run to end, and said how it went.
def html_report(environment: Environment, *arguments: Any, **options: Any) -> str:
    """Return Locust's HTML report; where its file cannot hold it, that is noted, and Locust writes to nowhere.

    To a pipe it is written once: Locust writes it again.
    """
    if environment.runner is not None:
        environment.runner.stop()  # after Ctrl-C it has not been told yet, and its last results are still to come
    report = _get_html_report(environment, *arguments, **options)
    asked: Any = environment.parsed_options
    html.process_html_filename(asked)
    try:
        os.makedirs(os.path.dirname(asked.html_file) or ".", exist_ok=True)  # Locust does so later, before it writes
        with open(asked.html_file, "w", encoding="utf-8") as file:
            file.write(report)
        if not os.path.isfile(asked.html_file):  # who reads a pipe has it all, and is gone: Locust would wait for ever
            asked.html_file = os.devnull
    except OSError as error:
        _note(f"--html {asked.html_file}: it could not be written: {error.strerror or error}")
        asked.html_file = os.devnull
    return report


# `--csv`. Locust's own writer writes at 0, 1, 2 … seconds and never again: of a run that ends by itself, up to a second
# is missing, and of a short one everything. What it cannot write (a full disk, a letter that the locale's encoding
# lacks) ends its greenlet with a traceback and fails the run, or ends Locust before it has said how the run went.
class CompleteCsvWriter(locust.stats.StatsCSVFileWriter):
    """Locust's CSV files, complete at the end.

    Attributes:
        fault: why they could not be written; empty as long as they could.
    """

    def __init__(self, environment: Environment, *arguments: Any, **options: Any) -> None:
        self.fault = ""
        self._has_last_row = False
        super().__init__(environment, *arguments, **options)
        for file in self._files:
            file.reconfigure(errors="backslashreplace")
        vars(environment)["csv_writer"] = self  # as Locust's own program does with its writer

    @property
    def _files(self) -> tuple[Any, ...]:
        return (
            self.requests_csv_filehandle,
            self.stats_history_csv_filehandle,
            self.failures_csv_filehandle,
            self.exceptions_csv_filehandle,
        )

    def stats_writer(self) -> None:
        """Write again and again, as Locust does, until the files are closed or cannot be written."""
        try:
            super().stats_writer()
        except OSError as error:
            self._note(error)
        except ValueError:
            if not self.requests_csv_filehandle.closed:
                raise

    def complete(self) -> None:
        """Write what the run came to; may be called again when there is more."""
        try:
            self._rewrite(self.requests_csv_filehandle, self.requests_csv, self.requests_csv_writer)
            self._rewrite(self.failures_csv_filehandle, self.failures_csv, self.failures_csv_writer)
            self._rewrite(self.exceptions_csv_filehandle, self.exceptions_csv, self.exceptions_csv_writer)
            self._end_history()
        except OSError as error:
            self._note(error)

    def close_files(self) -> None:
        """Complete the files and close them."""
        self.complete()
        for file in self._files:
            try:
                file.close()
            except OSError as error:
                self._note(error)

    def _rewrite(self, file: Any, write: Any, writer: Any) -> None:
        file.seek(0)
        file.truncate()
        write(writer)
        file.flush()

    def _end_history(self) -> None:
        if not self._has_last_row:
            self._has_last_row = True
            if self.stats_history_csv_filehandle.tell() == 0:  # the run was over before Locust had begun to write
                self.stats_history_csv_writer.writerow(self.stats_history_csv_columns)
            self._stats_history_data_rows(self.stats_history_csv_writer, time.time())
        self.stats_history_flush()

    def _note(self, error: OSError) -> None:
        if not self.fault:
            self.fault = f"--csv {self.base_filepath}: the files could not be written: {error.strerror or error}"
            _note(self.fault)


# `--json` and `--json-file`. Locust resets each entry as it prints it, so that the tables, the CSV files and a JSON
# file that come after it say 0.
def print_stats_json(stats: Any) -> None:
    """Print the statistics as JSON, and leave them as they are."""
    if not streams.say(json.dumps(_serialized(stats), indent=4), "stdout"):
        _note(f"--json: standard output could not be written: {streams.fault_of('stdout') or 'it is closed'}")


def save_stats_json(stats: Any, filename: str) -> None:
    """Write the statistics as JSON to `filename` + ".json", and leave them as they are."""
    try:
        with open(f"{filename}.json", "w") as file:
            json.dump(_serialized(stats), file, indent=4)
    except OSError as error:
        _note(f"--json-file {filename}: {filename}.json could not be written: {error.strerror or error}")


def _serialized(stats: Any) -> list[Any]:
    return [entry.serialize() for entry in stats.entries.values() if entry.num_requests or entry.num_failures]
