"""Ctrl-C, and SIGTERM where Locust does not listen for it yet, delivered where Locust waits."""

import signal
import threading
import time
from collections.abc import Callable

import gevent

# A second Ctrl-C within this time is taken for the first: the run is ending, and its results are on their way.
AGAIN_AFTER_S = 3.0


def deliver_to_main_greenlet(
    interruption: Callable[[], BaseException], takes_sigterm: Callable[[], bool] | None = None
) -> None:
    """Raise an exception in the calling greenlet (Locust's main one) on SIGINT, and nowhere else.

    Python raises KeyboardInterrupt in whatever runs at that moment. That may be a user in the middle of a call, which
    then never lets go of the channel's lock, and the run cannot end.

    Args:
        interruption: returns the exception; called in a greenlet of its own.
        takes_sigterm: whether SIGTERM, just now, is to do the same; None: it is left alone.
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
            # From the loop: whoever throws into another greenlet gets no control back.
            loop.run_callback(main.throw, interruption())

    def terminate() -> None:
        if takes_sigterm():
            interrupt()

    gevent.signal_handler(signal.SIGINT, interrupt)
    if takes_sigterm is not None:
        gevent.signal_handler(signal.SIGTERM, terminate)
