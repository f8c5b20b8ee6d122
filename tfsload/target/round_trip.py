"""How long the way to the server and back takes: a call that asks the model for nothing, on an idle machine.

A lone request's latency is this and the model's own time. Whoever takes all of it for service finds requests run in
parallel that only overlap on their way.
"""

import functools
import math
import time
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import gevent

from tfsload.load.length import ROUND_TRIP_LIMIT_S
from tfsload.transport.contract import Transport

_TIMEOUT_S = 2.5
_N_PREDICTIONS = 5
_N_CALLS = 60
# A machine that has slept for longer than this takes no longer to wake up.
_LONGEST_PAUSE_S = 0.04
# A run waits for all this; of a server that is far away or slow, fewer calls must do.
_MOST_S = ROUND_TRIP_LIMIT_S
_LEAST_CALLS = 5


def measure_round_trip_ns(transport: Transport, body: bytes) -> int | None:
    """Return the mean time of calls that ask the model for nothing, made one at a time, in the calmer half of them.

    The mean, and not the median: it is held against a mean latency, and on a busy machine both have a long tail.
    None where one had no answer, or where hardly any had one within some seconds.

    Between them is a pause as long as a lone prediction takes: a processor that has slept needs time to wake up, and
    the longer it has slept, the more. A lone user lets it sleep while the model works.

    Args:
        transport: to the server, with no load on it.
        body: a request's, to learn how long a lone prediction takes.
    """
    predict, ping = transport.bound_call(), transport.bound_ping(_TIMEOUT_S)
    times_ns: list[int] = []
    with gevent.Timeout(_MOST_S, False):  # type: ignore[arg-type]  # gevent's own way to end in silence
        try:
            pause_s = _pause_s(functools.partial(predict, body))
            for _ in range(_N_CALLS):
                gevent.sleep(pause_s)
                times_ns.append(_time_ns(ping))
        except Exception as error:
            if transport.failure_of(error) is None:
                raise
            return None  # the run itself will show what is wrong
    return int(calmer_mean(times_ns)) if len(times_ns) >= _LEAST_CALLS else None


def calmer_mean(times: Sequence[float]) -> float:
    """Return the mean of the first half or of the second, whichever is less.

    What a server or a machine does that has just been started, once, is not the way there.

    >>> calmer_mean([9, 7, 1, 3])
    2.0
    """
    middle = len(times) // 2
    return min(fmean(times[:middle]), fmean(times[middle:]))


def _pause_s(predict: Callable[[], Any]) -> float:
    """Return how long a lone prediction takes, in seconds; no longer than a pause need be."""
    pause_s = math.inf
    for number in range(_N_PREDICTIONS):
        # The first ones connect and warm up; where one is long, they are not worth the waiting.
        pause_s = min(pause_s, _time_ns(predict) / 1e9)
        if number and pause_s > _LONGEST_PAUSE_S:
            break
    return min(pause_s, _LONGEST_PAUSE_S)


def _time_ns(call: Callable[[], Any]) -> int:
    begin_ns = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - begin_ns
