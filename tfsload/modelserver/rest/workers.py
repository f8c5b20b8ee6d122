"""The threads that calls run in, beside the one that waits for requests."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any

_Job = tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]


class Workers:
    """A fixed number of threads; whatever is beyond them waits for its turn.

    `concurrent.futures` does the same; its futures, joined with asyncio's, cost each call more than this does.

    Args:
        n_threads: how many; with 0 nothing is ever done.
    """

    def __init__(self, n_threads: int) -> None:
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        for i in range(n_threads):
            threading.Thread(target=self._work, name=f"rest_{i}", daemon=True).start()

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in one of the threads; return, or raise, what it does."""
        future = asyncio.get_running_loop().create_future()
        self._jobs.put((future, function, arguments))
        return await future

    def _work(self) -> None:
        while True:
            future, function, arguments = self._jobs.get()
            if future.cancelled():
                continue
            try:
                outcome, tell = function(*arguments), _tell_result
            except BaseException as error:
                outcome, tell = error, _tell_error
            try:
                future.get_loop().call_soon_threadsafe(tell, future, outcome)
            except RuntimeError:  # the loop has ended, and nobody waits
                return


def _tell_result(future: asyncio.Future[Any], outcome: Any) -> None:
    if not future.done():
        future.set_result(outcome)


def _tell_error(future: asyncio.Future[Any], outcome: BaseException) -> None:
    if not future.done():
        future.set_exception(outcome)
