"""Ctrl-C, delivered where Locust waits for it."""

import signal
import threading
from typing import Any

import gevent


def deliver_to_main_greenlet() -> None:
    """Raise KeyboardInterrupt in the calling greenlet (Locust's main one) on SIGINT, and nowhere else.

    Python raises it in whatever runs at that moment. That may be a user in the middle of a call, which then
    never lets go of the channel's lock, and the run cannot end.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may set signal handlers; a program that embeds Locust keeps its own
    main = gevent.getcurrent()
    loop = gevent.get_hub().loop

    def interrupt() -> None:
        loop.run_callback(_throw, main)

    gevent.signal_handler(signal.SIGINT, interrupt)


def _throw(greenlet: Any) -> None:
    greenlet.throw(KeyboardInterrupt)
