"""How long the way to the server and back takes: a call that asks the model for nothing, on an idle machine.

A lone request's latency is this and the model's own time. Whoever takes all of it for service finds requests run in
parallel that only overlap on their way.
"""

import math
import time
from collections.abc import Sequence
from statistics import fmean

import gevent
import grpc

from tfsload.settings.settings import Settings
from tfsload.transport.grpc import codec
from tfsload.transport.protos import get_model_status_pb2

STATUS_METHOD = "/tensorflow.serving.ModelService/GetModelStatus"
_TIMEOUT_S = 2.5
_N_PREDICTIONS = 5
_N_CALLS = 60
# A machine that has slept for longer than this takes no longer to wake up.
_LONGEST_PAUSE_S = 0.04
# A run waits for all this; of a server that is far away or slow, fewer calls must do.
_MOST_S = 5.0
_LEAST_CALLS = 5


def measure_round_trip_ns(channel: grpc.Channel, settings: Settings, body: bytes) -> int | None:
    """Return the mean time of calls for the model's status, made one at a time, in the calmer half of them.

    The mean, and not the median: it is held against a mean latency, and on a busy machine both have a long tail.
    None where one had no answer, or where hardly any had one within some seconds.

    Between them is a pause as long as a lone prediction takes: a processor that has slept needs time to wake up, and
    the longer it has slept, the more. A lone user lets it sleep while the model works.

    Args:
        channel: to the server, with no load on it.
        settings: names the model.
        body: a PredictRequest, to learn how long a lone prediction takes.
    """
    predict, ask = channel.unary_unary(codec.PREDICT_METHOD), channel.unary_unary(STATUS_METHOD)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = settings.model.name
    status_body = request.SerializeToString()
    times_ns: list[int] = []
    with gevent.Timeout(_MOST_S, False):
        try:
            pause_s = _pause_s(predict, body, settings.model.deadline_s)
            for _ in range(_N_CALLS):
                gevent.sleep(pause_s)
                times_ns.append(_time_ns(ask, status_body, _TIMEOUT_S))
        except grpc.RpcError:
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


def _pause_s(predict: grpc.UnaryUnaryMultiCallable, body: bytes, timeout_s: float) -> float:
    """Return how long a lone prediction takes, in seconds; no longer than a pause need be."""
    pause_s = math.inf
    for number in range(_N_PREDICTIONS):
        # The first ones connect and warm up; where one is long, they are not worth the waiting.
        pause_s = min(pause_s, _time_ns(predict, body, timeout_s) / 1e9)
        if number and pause_s > _LONGEST_PAUSE_S:
            break
    return min(pause_s, _LONGEST_PAUSE_S)


def _time_ns(call: grpc.UnaryUnaryMultiCallable, body: bytes, timeout_s: float) -> int:
    begin_ns = time.perf_counter_ns()
    call(body, timeout=timeout_s)
    return time.perf_counter_ns() - begin_ns
