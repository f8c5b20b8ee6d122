"""What a Locust process of the suite does first, before anything that takes time is imported, and last, as it leaves.

Only the standard library may be imported here: everything else comes after.
"""

import atexit
import ctypes
import logging
import os
import signal
import sys
from types import FrameType
from typing import Any

from tfsload.analysis.exit_codes import INVALID, PASS
from tfsload.suite.streams import flush, make_sturdy, say

STOPPED_EARLY = "tfsload: INVALID: stopped before the run began"

_forking_process = os.getpid()
_is_begun = False
_exit_code: int | None = None
_said_code: int | None = None


def begin() -> None:
    """Take what is to hold from the locustfile's first line on, where Locust's own program imports it; else nothing.

    Standard streams raise nothing from now on. A signal ends the process in a line, not in a traceback of imports.
    """
    global _is_begun
    if _is_begun or not is_locusts_program():
        return
    _is_begun = True
    make_sturdy()
    atexit.register(_leave)  # the first to be registered of those that Locust's process has is the last to be called
    for number in signals():
        signal.signal(number, _end)


def is_locusts_program() -> bool:
    """Whether it is Locust's own program that is at work here: not a test, and no program that embeds Locust."""
    return _is_begun or _is_called_by_locust(sys._getframe())


def _is_called_by_locust(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__") == "locust.main" and frame.f_code.co_name == "main":
            return True
        frame = frame.f_back
    return False


def signals() -> tuple[int, ...]:
    """Return the signals that ask a run to end: Ctrl-C, a kind kill, and a terminal that closes (but not on nohup)."""
    always = (signal.SIGINT, signal.SIGTERM)
    return always if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*always, signal.SIGHUP)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (as handlers of signals are called)
    """End a process in which nothing has begun: no run, no server, no channel."""
    if os.getpid() != _forking_process:
        os._exit(PASS)  # a forked worker: its master has the word
    say(STOPPED_EARLY)
    os._exit(INVALID)


def keep(watcher: Any) -> None:
    """Keep a watcher of a signal for longer than the process lives.

    The next signal after the last watcher of its number is gone is deadly, also while Python takes down its modules.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(watcher))


def end_with(exit_code: int) -> None:
    """End this process with this code, whatever else becomes of it: it is the one that was said."""
    global _exit_code
    _exit_code = exit_code


def keep_said(exit_code: int) -> None:
    """Keep the code that was said, for a process that an exception ends after that."""
    global _said_code
    _said_code = exit_code


def _leave() -> None:
    """Let no signal change how a process ends that is ending."""
    for number in signals():
        signal.signal(number, signal.SIG_IGN)  # at once: to block them here would leave them to other threads
    has_crashed = getattr(sys, "last_value", None) is not None  # Python has shown its traceback
    exit_code = _said_code if _exit_code is None and has_crashed else _exit_code
    flush()
    if exit_code is not None:
        logging.shutdown()
        os._exit(exit_code)
