"""Ctrl-C, delivered where Locust waits for it."""

import signal
import threading
import time
from typing import Any

import gevent

# A second Ctrl-C within this time is taken for the first: the run is ending, and its results are on their way.
AGAIN_AFTER_S = 3.0


def deliver_to_main_greenlet() -> None:
    """Raise KeyboardInterrupt in the calling greenlet (Locust's main one) on SIGINT, and nowhere else.

    Python raises it in whatever runs at that moment. That may be a user in the middle of a call, which then
    never lets go of the channel's lock, and the run cannot end.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may set signal handlers; a program that embeds Locust keeps its own
    main = gevent.getcurrent()
    loop = gevent.get_hub().loop
    last_s = -AGAIN_AFTER_S

    def interrupt() -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s >= AGAIN_AFTER_S:
            last_s = now_s
            loop.run_callback(_throw, main)

    gevent.signal_handler(signal.SIGINT, interrupt)


def _throw(greenlet: Any) -> None:
    greenlet.throw(KeyboardInterrupt)
