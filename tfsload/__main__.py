"""The suite's programs: `python -m tfsload COMMAND`, installed also as `tfsload`."""

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import NoReturn

from tfsload import __version__
from tfsload.analysis import exit_codes
from tfsload.datasets.shipped import shipped
from tfsload.report import output, program
from tfsload.run import called_as
from tfsload.settings.listing import listing
from tfsload.settings.options import OPTIONS
from tfsload.suite import config_files
from tfsload.transport.spoken import REST
from tfsload.transport.words import quoted, sentence

_NARROWEST, _WIDEST = 60, 100
_HELP = ("-h", "--help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code.

    arguments: those after the program's name; None: of the command line.
    """
    try:
        try:
            return _run_command(list(sys.argv[1:] if arguments is None else arguments))
        finally:
            output.flush()  # of what argparse has printed, too
    except output.OutputError as error:
        output.give_up()
        if error.words:
            print(f"tfsload: {error.words}", file=sys.stderr)
        return error.exit_code


def _run_command(given: Sequence[str]) -> int:
    name, others = (given[0], given[1:]) if given else ("", [])
    if name in _HELP:
        output.say(_usage())
    elif name == "--version":
        output.say(f"tfsload {__version__}")
    elif name in COMMANDS:
        return COMMANDS[name](others)
    else:
        fault = f"{quoted(name)} is no command" if name else "no command given"
        print(f"tfsload: {fault}: expected one of {', '.join(COMMANDS)}; see tfsload --help", file=sys.stderr)
        return exit_codes.BAD_USAGE
    return exit_codes.PASS


def _usage() -> str:
    """Return what `tfsload --help` says: a line a command, the first of its docstring."""
    lines = [f"  {name:<12}{(command.__doc__ or '').splitlines()[0]}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: tfsload COMMAND [ARGUMENTS]",
            "",
            "Locust load tests for TensorFlow Serving that check the answers.",
            "",
            *lines,
            "",
            "tfsload COMMAND --help tells a command's options, tfsload --version the version.",
        ]
    )


def run(arguments: Sequence[str]) -> int:
    """Run Locust with the suite's own locustfile."""
    if set(arguments) & set(_HELP):
        output.say(_run_help(min(_WIDEST, max(_NARROWEST, shutil.get_terminal_size().columns))))
        return exit_codes.PASS
    if not _is_anywhere():
        print("tfsload run: the working directory is not there any more: change to one that is", file=sys.stderr)
        return exit_codes.BAD_USAGE
    if faults := config_files.faults(arguments):
        print("\n".join(f"tfsload run: {sentence(fault)}" for fault in faults), file=sys.stderr)
        return exit_codes.BAD_USAGE
    called_as.tell_locust(os.environ)
    return _become_locust(["-f", str(shipped("locustfile.py")), *arguments])


def _is_anywhere() -> bool:
    """Whether the working directory can be found: Locust shows a traceback where somebody has taken it away."""
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def _run_help(width: int) -> str:
    not_in_form = ", ".join(option.flag for option in OPTIONS if not option.is_in_form)
    paragraphs = [
        "Runs Locust with the suite's own locustfile, and takes all of Locust's options (locust --help) and the "
        "suite's, which are listed below. Without --headless it opens the web UI on http://127.0.0.1:8089. "
        "-f FILE runs another locustfile.",
        "Of Locust's: --host HOST:PORT is the server's gRPC port (none: the embedded server), -u the users, -r how "
        "many of them start in a second, -t the run time, --headless runs without the web UI. "
        f"{REST.user_class} as the user class sends REST, to the server's REST port.",
        "Each of the suite's options is also an environment variable (in brackets), a key of Locust's configuration "
        f"file, and, but for {not_in_form}, a field of the web UI's start form.",
    ]
    filled = [textwrap.fill(text, width, break_on_hyphens=False) for text in paragraphs]
    return "\n\n".join(["usage: tfsload run [OPTIONS] [USER CLASS ...]", *filled, listing(width)])


def _become_locust(arguments: Sequence[str]) -> NoReturn:
    """Replace this process by Locust's own program, which signals, exit codes and patches then are of.

    -P: as with that program, what lies in the working directory is not what Python's own modules are taken for.
    """
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "locust", *arguments])


def report(arguments: Sequence[str]) -> int:
    """Make a report again from its result.json."""
    return program.main(arguments)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"run": run, "report": report}
"""The programs, by name: each takes the arguments that follow it, and returns the exit code."""

if __name__ == "__main__":
    sys.exit(main())
