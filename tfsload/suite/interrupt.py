"""Ctrl-C, SIGTERM and SIGHUP, delivered where Locust waits, once."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import gevent

from tfsload.suite import beginning

_main: Any = None  # the greenlet
_is_delivered = False  # to the main greenlet, for as long as this process lives


def deliver_to_main_greenlet(interruption: Callable[[], BaseException | None]) -> None:
    """Raise an exception in the calling greenlet (Locust's main one) on a signal that asks to end, and nowhere else.

    Python raises KeyboardInterrupt in whatever runs at that moment. That may be a user in the middle of a call, which
    then never lets go of the channel's lock, and the run cannot end. Locust itself, on SIGTERM, shuts down in a
    greenlet of its own, beside the main one, which may be shutting down already.

    Args:
        interruption: returns the exception, None where there is nothing left to interrupt; called in a greenlet of its
            own.
    """
    global _main, _is_delivered
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may set signal handlers; a program that embeds Locust keeps its own
    main = gevent.getcurrent()
    loop = gevent.get_hub().loop

    def interrupt() -> None:
        exception = interruption()
        if exception is not None:
            # From the loop: whoever throws into another greenlet gets no control back.
            loop.run_callback(main.throw, exception)

    _is_delivered = True
    numbers = beginning.signals() if beginning.is_locusts_program() else (signal.SIGINT,)
    for number in numbers:
        beginning.keep(gevent.signal_handler(number, interrupt))
    if beginning.is_locusts_program():
        _main = main


class Interrupts:
    """Ctrl-C for a greenlet that waits for a run.

    Attributes:
        is_held: whether it is raised later.
    """

    def __init__(self, waiting: Any) -> None:
        self._waiting = waiting
        self.is_held = False
        self._n = 0

    def hold(self) -> None:
        """Raise no more from now on: the waiting greenlet has to clean up."""
        self.is_held = True

    def tell(self) -> None:
        """Take one that has come."""
        self._n += 1
        if not self.is_held:
            self.is_held = True
            gevent.get_hub().loop.run_callback(self._waiting.throw, KeyboardInterrupt())

    def raise_held(self) -> None:
        """Raise the one that came in the meantime, if that was the first."""
        if self._n and sys.exc_info()[0] is not KeyboardInterrupt:
            raise KeyboardInterrupt


_interrupted: list[Interrupts] = []  # runs side by side are all told
_watcher: Any = None
_handler_before: Any = None


def _tell_all() -> None:
    for one in list(_interrupted):
        one.tell()


@contextlib.contextmanager
def raised_here() -> Iterator[Interrupts]:
    """Raise KeyboardInterrupt in the calling greenlet and in no user, which may be in the middle of a call.

    Where the signal is delivered for good, or this is not the main thread, which alone may have handlers, nothing
    changes.
    """
    global _watcher, _handler_before
    interrupts = Interrupts(gevent.getcurrent())
    if _is_delivered or not gevent.get_hub().main_hub:
        yield interrupts
        return
    if not _interrupted:
        _handler_before = signal.getsignal(signal.SIGINT)
        _watcher = gevent.signal_handler(signal.SIGINT, _tell_all)
    _interrupted.append(interrupts)
    try:
        yield interrupts
    finally:
        _interrupted.remove(interrupts)
        if not _interrupted:
            _watcher.cancel()
            signal.signal(signal.SIGINT, _handler_before)
    interrupts.raise_held()


def leave_it_to_main_greenlet() -> None:
    """Go no further where Locust shuts down in another greenlet than its main one, as it does on SIGTERM."""
    if _main is not None and gevent.getcurrent() is not _main:
        # For ever: whatever this greenlet raised would be raised in the main one, in the middle of its own shutdown.
        gevent.get_hub().switch()
