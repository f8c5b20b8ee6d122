"""The exit code of the process: the verdict's, unless `--exit-code-on-error` or a user's own listener says else."""

import logging
from typing import Any

import locust.log
from locust.env import Environment

from tfsload.analysis import exit_codes
from tfsload.analysis.verdict import Verdict
from tfsload.settings.rules import HIGHEST_EXIT_CODE
from tfsload.suite import beginning, locust_files, streams

logger = logging.getLogger(__name__)

_BY_LISTENER = "set by a listener of the locustfile's own"


def code_of(verdict: Verdict, on_error: int) -> int:
    """Return the exit code of a run, as Locust's `--exit-code-on-error` has it.

    Args:
        verdict: of the run.
        on_error: replaces the 1 for failures; 0: they do not count, and what is left of the verdict does.
    """
    is_replaced = verdict.exit_code == exit_codes.FAILED and verdict.code_without_failures != exit_codes.FAILED
    if not is_replaced:
        return verdict.exit_code
    return on_error or verdict.code_without_failures


def seen_by_shell(code: Any) -> int:
    """Return what a process that ends with `sys.exit(code)` shows to whoever started it."""
    if code is None:
        return 0
    return code & HIGHEST_EXIT_CODE if isinstance(code, int) else 1


def remark(verdict: Verdict, on_error: int, code: Any) -> str:
    """Return what the verdict's line says of an exit code that is not the verdict's own; else an empty text.

    Args:
        verdict, on_error: as for `code_of`.
        code: what the process ends with.
    """
    seen, by_option = seen_by_shell(code), code_of(verdict, on_error)
    if seen == verdict.exit_code:
        return ""
    who = f"by --exit-code-on-error {on_error}" if seen == by_option else _BY_LISTENER
    return f"exit code {seen}, {who}"


def code_without_run(starts_by_itself: bool) -> int:
    """Return the exit code of a process that ends without a verdict, and say why there is none.

    Args:
        starts_by_itself: whether there should have been a run; else it is a web UI that was only looked at.
    """
    if locust.log.unhandled_greenlet_exception:
        return exit_codes.FAILED
    if not starts_by_itself:
        return exit_codes.PASS
    streams.say(beginning.STOPPED_EARLY)
    locust_files.log_what_was_said(beginning.STOPPED_EARLY)
    return exit_codes.INVALID


def why_no_run(code: int) -> str:
    """Return why there is none, by what `code_without_run` has returned."""
    if code == exit_codes.FAILED:
        return "an exception escaped before the run began; the log shows it"
    return "stopped before the run began"


class ExitCode:
    """Sets the process's exit code in Locust's environment, and leaves alone what somebody else has set there."""

    def __init__(self, environment: Environment) -> None:
        """Set nothing yet.

        Args:
            environment: Locust's.
        """
        self._environment = environment
        self._own: int | None = None

    def set(self, code: int) -> None:
        """Say how the process ends, as far as the suite is asked; a later word of its own replaces an earlier one."""
        if self._environment.process_exit_code in (None, self._own):
            self._environment.process_exit_code = self._own = code

    def say_if_overruled(self, code: Any) -> None:
        """Say in the log with what the process ends, where that is not what the suite has set; no verdict follows."""
        if code is not None and code != self._own:
            logger.warning("The process ends with exit code %d, %s", seen_by_shell(code), _BY_LISTENER)
