"""How long the way to the server takes: over channels whose times are known."""

import gevent
import grpc
import pytest

from tests.support.virtual_time import VirtualTime
from tfsload.settings.settings import Settings
from tfsload.target import round_trip
from tfsload.target.round_trip import calmer_mean, measure_round_trip_ns
from tfsload.transport.grpc.status import ChannelRpcError
from tfsload.transport.grpc.transport import PREDICT_METHOD, STATUS_METHOD, GrpcTransport

MS = 1_000_000


class SlowChannel:
    """A channel whose calls take a given time each, in seconds, or fail."""

    def __init__(self, prediction_s=0.0, status_s=0.0, error=None):
        self._seconds = {PREDICT_METHOD: prediction_s, STATUS_METHOD: status_s}
        self._error = error
        self.n_calls = {PREDICT_METHOD: 0, STATUS_METHOD: 0}

    def unary_unary(self, method):
        def call(_body, timeout):
            assert timeout > 0
            self.n_calls[method] += 1
            if self._error is not None:
                raise self._error
            gevent.sleep(self._seconds[method])

        return call


def measure(channel):
    settings = Settings.parse({}, "127.0.0.1:1")
    transport = GrpcTransport(settings.model, settings.connection)
    transport.channel = channel
    return measure_round_trip_ns(transport, b"a request")


def test_the_time_of_a_call_for_the_status_counts():
    channel = SlowChannel(prediction_s=0.001, status_s=0.004)

    assert measure(channel) >= 4 * MS  # a prediction takes less
    assert channel.n_calls[STATUS_METHOD] > channel.n_calls[PREDICT_METHOD] > 0


def test_a_server_that_fails_has_no_round_trip():
    assert measure(SlowChannel(error=ChannelRpcError(grpc.StatusCode.INTERNAL, "broken"))) is None


@pytest.mark.parametrize(
    ("channel", "is_known"),
    [
        pytest.param(SlowChannel(prediction_s=0.001, status_s=0.02), True, id="enough-calls"),
        pytest.param(SlowChannel(prediction_s=0.001, status_s=0.2), False, id="too-few-calls"),
        pytest.param(SlowChannel(prediction_s=60), False, id="not-even-a-prediction"),
    ],
)
def test_a_slow_server_is_not_waited_for(monkeypatch, channel, is_known):
    monkeypatch.setattr(round_trip, "_MOST_S", 0.5)
    clock = VirtualTime(monkeypatch)
    begin_s = clock.now_s
    measuring = gevent.spawn(measure, channel)

    assert clock.run(measuring.ready, 20), "it still waits"
    assert clock.now_s - begin_s == pytest.approx(0.5, abs=0.01)
    assert (measuring.get() is not None) is is_known
    assert channel.n_calls[STATUS_METHOD] < round_trip._N_CALLS


@pytest.mark.parametrize(
    ("times", "mean"),
    [
        pytest.param([5, 5, 5, 5], 5, id="all-alike"),
        pytest.param([90, 30, 4, 6], 5, id="a-start-that-is-slow"),
        pytest.param([4, 6, 5, 500], 5, id="a-freak-at-the-end"),
        pytest.param([1, 2, 3], 1, id="an-odd-number"),
    ],
)
def test_the_calmer_half_counts(times, mean):
    assert calmer_mean(times) == mean
