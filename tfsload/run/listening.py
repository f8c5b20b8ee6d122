"""A worker that gets ready for long, such as one that makes images, hears its master meanwhile.

Locust tells a worker of a run's start in the greenlet that reads the master's messages: until that has returned nobody
reads that the run was stopped, and Locust's own watch takes the master for gone after a minute.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gevent
from locust.exception import RPCError, RPCReceiveError
from locust.rpc import Message
from locust.runners import WorkerRunner

from tfsload.run import messages
from tfsload.target.waiting import StoppedError

_Made = TypeVar("_Made")

# What tells that the run is over.
_ENDS = ("stop", "quit", messages.DRAIN)
_LOOK_EVERY_S = 0.05
_WHILE = "this worker got ready"


class RunEndedError(StoppedError):
    """The run has ended meanwhile: others may have done all that was to be done."""


def hearing(
    runner: WorkerRunner,
    make: Callable[[], _Made],
    limit_s: float,
    clock_s: Callable[[], float] = time.monotonic,
) -> _Made:
    """Return what a function makes, which gives others their turn; all but heartbeats is left for Locust to read.

    Args:
        runner: Locust's, in whose reading greenlet this is called.
        make: what takes long.
        limit_s: a master of which nothing is heard for so long is gone.
        clock_s: seconds that go on.

    Raises:
        RunEndedError: the run has ended meanwhile.
        StoppedError: the master is gone.
    """
    kept: deque[Message] = deque()
    made: list[_Made] = []
    failed: list[BaseException] = []
    making = gevent.spawn(_fill, made, failed, make)
    try:
        heard_s = clock_s()
        while not making.ready():
            making.join(_LOOK_EVERY_S)
            for message in _arrived(runner):
                heard_s = clock_s()
                if message.type == "heartbeat":
                    runner.handle_message(message)
                    continue
                kept.append(message)
                if message.type in _ENDS:
                    raise RunEndedError(_WHILE)
            if clock_s() - heard_s > limit_s:
                raise StoppedError(f"{_WHILE}, since nothing was heard of the master for {limit_s:g} s")
    finally:
        making.kill()
        _give_back(runner.client, kept)
    for error in failed:
        raise error
    return made[0]


def _fill(made: list[_Made], failed: list[BaseException], make: Callable[[], _Made]) -> None:
    """Keep what is made, or what is raised: gevent would print it."""
    try:
        made.append(make())
    except gevent.GreenletExit:
        raise  # it was given up, and nobody asks
    except BaseException as error:
        failed.append(error)


def _arrived(runner: WorkerRunner) -> Iterator[Message]:
    """Yield what has come from the master by now."""
    while runner.client.socket.poll(0):
        try:
            yield runner.client.recv()
        except (RPCError, RPCReceiveError):  # a message that cannot be read is none
            return


def _give_back(client: Any, kept: deque[Message]) -> None:
    """Have Locust read next what was kept, in order."""
    if not kept:
        return

    def recv() -> Message:
        message = kept.popleft()
        if not kept:
            del client.recv  # from here on its class's own
        return message

    client.recv = recv
