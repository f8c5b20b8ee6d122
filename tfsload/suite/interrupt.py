"""Ctrl-C, SIGTERM and SIGHUP, delivered where Locust waits, once."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import gevent

from tfsload.suite import beginning

_main: Any = None  # the greenlet


def deliver_to_main_greenlet(interruption: Callable[[], BaseException | None]) -> None:
    """Raise an exception in the calling greenlet (Locust's main one) on a signal that asks to end, and nowhere else.

    Python raises KeyboardInterrupt in whatever runs at that moment. That may be a user in the middle of a call, which
    then never lets go of the channel's lock, and the run cannot end. Locust itself, on SIGTERM, shuts down in a
    greenlet of its own, beside the main one, which may be shutting down already.

    Args:
        interruption: returns the exception, None where there is nothing left to interrupt; called in a greenlet of its
            own.
    """
    global _main
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may set signal handlers; a program that embeds Locust keeps its own
    main = gevent.getcurrent()
    loop = gevent.get_hub().loop

    def interrupt() -> None:
        exception = interruption()
        if exception is not None:
            # From the loop: whoever throws into another greenlet gets no control back.
            loop.run_callback(main.throw, exception)

    numbers = beginning.signals() if beginning.is_locusts_program() else (signal.SIGINT,)
    for number in numbers:
        beginning.keep(gevent.signal_handler(number, interrupt))
    if beginning.is_locusts_program():
        _main = main


def leave_it_to_main_greenlet() -> None:
    """Go no further where Locust shuts down in another greenlet than its main one, as it does on SIGTERM."""
    if _main is not None and gevent.getcurrent() is not _main:
        # For ever: whatever this greenlet raised would be raised in the main one, in the middle of its own shutdown.
        gevent.get_hub().switch()
