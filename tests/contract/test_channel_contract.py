"""What both transports must do, against real servers."""

import base64
import json

import gevent
import grpc
import numpy as np
import pytest

from tests.support import channels
from tests.support.runs import wait_until
from tfsload.settings.settings import Settings
from tfsload.transport.address import parse_address
from tfsload.transport.call_spec import MNIST_EXAMPLE
from tfsload.transport.grpc import codec, frames
from tfsload.transport.grpc.native import NativeChannel
from tfsload.transport.grpc.pool import PoolSettings
from tfsload.transport.protos import predict_pb2, prediction_service_pb2_grpc

CODE = grpc.StatusCode
METHOD = "/test.Scripted/Call"


@pytest.fixture(params=["native", "grpcio"])
def transport(request):
    return request.param


@pytest.fixture
def open_channel(transport):
    """Return a function that opens a channel to an address; all are closed at the end."""
    opened = []

    def open_it(address, **options):
        settings = Settings.parse({"transport": transport, **options}, address)
        opened.append(channels.open_channel(settings.connection))
        return opened[-1]

    yield open_it
    for channel in opened:
        channel.close()


@pytest.fixture
def call(open_channel, scripted_server):
    """The scripted method, taking a dict and returning bytes."""
    method = open_channel(scripted_server.address).unary_unary(METHOD)

    def ask(timeout=20, **asked):
        return method(json.dumps(asked).encode(), timeout=timeout)

    ask.method = method
    return ask


def test_the_official_stub_works(open_channel, model_server):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(open_channel(model_server.address))
    body = codec.RequestEncoder(Settings.parse({}, None).model, MNIST_EXAMPLE).encode(np.zeros((2, 28, 28), np.uint8))
    request = predict_pb2.PredictRequest.FromString(body)

    reply = stub.Predict(request, timeout=20)
    with_call, ended = stub.Predict.with_call(request, timeout=20)
    future = stub.Predict.future(request, timeout=20)

    assert reply.model_spec.version.value == 1
    assert len(reply.outputs["scores"].float_val) == 20
    assert with_call == reply == future.result(timeout=20)
    assert ended.code() == CODE.OK
    assert future.done()
    assert future.code() == CODE.OK


@pytest.mark.parametrize("code", [code.name for code in CODE if code is not CODE.OK])
def test_every_status_arrives_with_its_words(call, code):
    with pytest.raises(grpc.RpcError) as caught:
        call(code=code, details='größer, "quoted" 100% – ok\n')

    assert caught.value.code() == CODE[code]
    assert caught.value.details() == 'größer, "quoted" 100% – ok\n'


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(0, id="nothing"),
        pytest.param(1, id="one-byte"),
        pytest.param(16_384 - 5, id="exactly-one-frame"),
        pytest.param(16_384, id="a-frame-and-a-bit"),
        pytest.param(65_535, id="one-window"),
        pytest.param(5_000_000, id="beyond-grpcios-default-limit"),
    ],
)
def test_replies_of_any_size(call, size):
    assert call(size=size) == b"x" * size


@pytest.mark.parametrize(
    "size",
    [pytest.param(10, id="small"), pytest.param(70_000, id="beyond-a-window"), pytest.param(5_000_000, id="big")],
)
def test_requests_of_any_size(call, size):
    assert call(padding="p" * size) == json.dumps({"padding": "p" * size}).encode()


def test_compressed_replies_are_read(call):
    assert call(size=300_000, gzip=True) == b"x" * 300_000


def test_metadata_goes_both_ways(call):
    sent = (("x-tag", "spring"), ("x-raw-bin", b"\x00\xff\x80"))
    request = {
        "echo_metadata": True,
        "initial": [["i", "1"]],
        "trailing": [["t", "2"], ["raw-bin", base64.b64encode(b"\x00\x01").decode()]],
    }

    reply, ended = call.method.with_call(json.dumps(request).encode(), timeout=20, metadata=sent)

    arrived = dict(json.loads(reply))
    assert arrived["x-tag"] == "spring"
    assert base64.b64decode(arrived["x-raw-bin"]) == b"\x00\xff\x80"
    assert ("i", "1") in [tuple(pair) for pair in ended.initial_metadata()]
    trailing = [tuple(pair) for pair in ended.trailing_metadata()]
    assert ("t", "2") in trailing
    assert ("raw-bin", b"\x00\x01") in trailing


def test_metadata_of_the_settings_is_sent_with_every_call(open_channel, scripted_server):
    method = open_channel(scripted_server.address, metadata="x-key=abc").unary_unary(METHOD)
    for _ in range(2):
        arrived = json.loads(method(b'{"echo_metadata": true}', timeout=20))
        assert ["x-key", "abc"] in arrived


def test_errors_carry_their_metadata(call):
    with pytest.raises(grpc.RpcError) as caught:
        call(code="ABORTED", details="x", trailing=[["why", "because"]])

    assert ("why", "because") in [tuple(pair) for pair in caught.value.trailing_metadata()]


def test_a_deadline_ends_a_call_and_no_other(call):
    slow = gevent.spawn(pytest.raises, grpc.RpcError, call, sleep_s=10, timeout=0.2)
    patient = gevent.spawn(call, sleep_s=0.6, size=3)

    assert slow.get(timeout=8).value.code() == CODE.DEADLINE_EXCEEDED
    assert patient.get(timeout=8) == b"xxx"


def test_many_calls_at_once_get_their_own_answers(call):
    greenlets = [gevent.spawn(call, number=number) for number in range(200)]
    gevent.joinall(greenlets, timeout=30)

    assert [json.loads(greenlet.value)["number"] for greenlet in greenlets] == list(range(200))


def test_a_killed_caller_leaves_the_channel_usable(call, scripted_server):
    n_before = scripted_server.n_begun()
    victims = [gevent.spawn(call, sleep_s=5) for _ in range(20)]
    wait_until(lambda: scripted_server.n_begun() == n_before + 20, "the calls to be begun")
    gevent.killall(victims, timeout=10)

    assert call(size=5) == b"xxxxx"


def test_a_future_can_be_cancelled(call, scripted_server):
    n_before = scripted_server.n_begun()
    future = call.method.future(b'{"sleep_s": 15}', timeout=20)
    wait_until(lambda: scripted_server.n_begun() == n_before + 1, "the call to be begun")

    assert future.cancel()
    assert future.cancelled()
    with pytest.raises(grpc.FutureCancelledError):
        future.result(timeout=5)


def test_a_future_tells_of_its_error(call):
    future = call.method.future(b'{"code": "ABORTED", "details": "no"}', timeout=20)

    assert future.exception(timeout=20).code() == CODE.ABORTED
    assert (future.code(), future.details()) == (CODE.ABORTED, "no")
    with pytest.raises(grpc.RpcError):
        future.result()


def test_an_unknown_method_is_unimplemented(open_channel, scripted_server):
    with pytest.raises(grpc.RpcError) as caught:
        open_channel(scripted_server.address).unary_unary("/test.Scripted/Other")(b"", timeout=20)

    assert caught.value.code() == CODE.UNIMPLEMENTED


def test_several_connections_share_the_calls(open_channel, scripted_server):
    method = open_channel(scripted_server.address, connections="3").unary_unary(METHOD)
    greenlets = [gevent.spawn(method, b'{"size": 2, "sleep_s": 0.05}', timeout=20) for _ in range(30)]
    gevent.joinall(greenlets, timeout=30)

    assert {greenlet.value for greenlet in greenlets} == {b"xx"}


def test_nobody_there_is_unavailable(open_channel):
    with pytest.raises(grpc.RpcError) as caught:
        open_channel("127.0.0.1:9").unary_unary(METHOD)(b"{}", timeout=20)

    assert caught.value.code() == CODE.UNAVAILABLE
    assert "127.0.0.1:9" in caught.value.details()


def test_a_name_that_does_not_exist_is_unavailable(open_channel):
    with pytest.raises(grpc.RpcError) as caught:
        open_channel("no-such-host.invalid:8500").unary_unary(METHOD)(b"{}", timeout=20)

    assert caught.value.code() == CODE.UNAVAILABLE


def test_streams_are_refused_clearly_by_the_native_channel(scripted_server):
    channel = channels.open_channel(Settings.parse({}, scripted_server.address).connection)
    for kind in (channel.unary_stream, channel.stream_unary, channel.stream_stream):
        with pytest.raises(NotImplementedError, match="unary calls only"):
            kind("/a/b")(b"")
    channel.close()


def test_a_closed_channel_cancels(open_channel, scripted_server):
    channel = open_channel(scripted_server.address)
    method = channel.unary_unary(METHOD)
    n_before = scripted_server.n_begun()
    waiting = gevent.spawn(pytest.raises, grpc.RpcError, method, b'{"sleep_s": 15}', timeout=20)
    wait_until(lambda: scripted_server.n_begun() == n_before + 1, "the call to be begun")
    channel.close()

    assert waiting.get(timeout=10).value.code() == CODE.CANCELLED


def test_waiting_for_a_server_that_comes(open_channel):
    from tests.support.runs import free_port
    from tests.support.server_processes import ScriptedServer

    port = free_port()
    method = open_channel(f"127.0.0.1:{port}").unary_unary(METHOD)
    waiting = gevent.spawn(method, b'{"size": 4}', timeout=30, wait_for_ready=True)
    assert gevent.wait([waiting], timeout=0.3) == []
    server = ScriptedServer("--address", f"127.0.0.1:{port}")
    try:
        assert waiting.get(timeout=30) == b"xxxx"
    finally:
        server.stop()


def test_a_server_that_was_restarted_is_found_again(open_channel):
    from tests.support.server_processes import ScriptedServer

    server = ScriptedServer()
    method = open_channel(server.address).unary_unary(METHOD)
    assert method(b'{"size": 1}', timeout=20) == b"x"
    server.stop()
    with pytest.raises(grpc.RpcError) as caught:
        method(b'{"size": 1}', timeout=20)
    assert caught.value.code() == CODE.UNAVAILABLE
    again = ScriptedServer("--address", server.address)
    try:
        assert method(b'{"size": 2}', timeout=30, wait_for_ready=True) == b"xx"
    finally:
        again.stop()


def test_a_unix_socket(open_channel, tmp_path):
    from tests.support.server_processes import ScriptedServer

    server = ScriptedServer("--address", f"unix:{tmp_path}/s")
    try:
        assert open_channel(f"unix:{tmp_path}/s").unary_unary(METHOD)(b'{"size": 2}', timeout=20) == b"xx"
    finally:
        server.stop()


def test_ipv6(open_channel):
    from tests.support.server_processes import ScriptedServer

    server = ScriptedServer("--address", "[::1]:0")
    try:
        assert open_channel(f"[::1]:{server.port}").unary_unary(METHOD)(b'{"size": 2}', timeout=20) == b"xx"
    finally:
        server.stop()


def test_a_run_that_uses_up_the_stream_numbers_goes_on(scripted_server):
    address = parse_address(scripted_server.address)
    pool = PoolSettings(address, first_stream=frames.MAX_STREAM_ID - 10)
    with NativeChannel(pool) as channel:
        method = channel.unary_unary(METHOD)
        users = [gevent.spawn(lambda: [method(b'{"size": 1}', timeout=20) for _ in range(10)]) for _ in range(3)]
        gevent.joinall(users, timeout=60)

        assert [user.value for user in users] == [[b"x"] * 10] * 3
        assert channel.pool.n_made >= 3 * 10 // 6


def test_a_reply_beyond_the_limit_is_refused_and_the_channel_goes_on(scripted_server):
    with NativeChannel(PoolSettings(parse_address(scripted_server.address)), max_reply_bytes=1000) as channel:
        method = channel.unary_unary(METHOD)
        with pytest.raises(grpc.RpcError) as caught:
            method(b'{"size": 1001}', timeout=20)
        assert caught.value.code() == CODE.RESOURCE_EXHAUSTED
        assert method(b'{"size": 1000}', timeout=20) == b"x" * 1000


def test_nothing_is_left_of_calls_that_were_given_up(scripted_server):
    with NativeChannel(PoolSettings(parse_address(scripted_server.address))) as channel:
        method = channel.unary_unary(METHOD)
        victims = [gevent.spawn(method, b'{"sleep_s": 3}', timeout=20) for _ in range(10)]
        late = [gevent.spawn(pytest.raises, grpc.RpcError, method, b'{"sleep_s": 3}', timeout=0.1) for _ in range(10)]
        gevent.joinall(late, timeout=20)
        gevent.killall(victims, timeout=20)

        assert channel.pool.n_open_calls == 0
        assert {one.value.value.code() for one in late} == {CODE.DEADLINE_EXCEEDED}
