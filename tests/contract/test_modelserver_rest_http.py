"""The embedded server over REST: whatever bytes come, they are answered, and hold nobody up."""

import json
import socket
import threading

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.modelserver_fixtures import DEADLINE_S, images
from tests.support.modelserver_fixtures import model_base_path as model_base_path
from tests.support.rest_fixtures import PREDICT
from tests.support.rest_fixtures import rest as rest
from tests.support.rest_fixtures import rest_server as rest_server

GOOD = {"instances": images().tolist()}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["images", "b64", "x"]) | st.text(), inner),
)
KEYS = st.sampled_from(["instances", "inputs", "signature_name", "examples", "context"])
CALLS = st.sampled_from(["predict", "classify", "regress"])


@pytest.fixture(scope="module")
def kept(rest_server):
    """A connection to send many requests on."""
    with socket.create_connection(_at(rest_server), DEADLINE_S) as one:
        yield one


def _at(server):
    host, _, port = server.rest_address.rpartition(":")
    return host, int(port)


def exchange(connection, head, body=b""):
    """Send a request as it stands; return the code and the body of the answer."""
    connection.sendall(head + body)
    reader = connection.makefile("rb")
    code = int(reader.readline().split()[1])
    length = 0
    while line := reader.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return code, reader.read(length)


def head(body, path=PREDICT, length=None):
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode()
    )


def assert_refused(code, body):
    assert code == 400, body
    # By the bytes: a message may quote some that are not UTF-8.
    assert body.startswith(b'{\n    "error": "')


class TestAnyBody:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(body=st.binary(), call=CALLS)
    @example(body=b"[" * 100_000, call="predict")
    @example(body=b'{"instances":' * 2000, call="predict")
    @example(body=b'{"instances": %s1%s}' % (b"[" * 1000, b"]" * 1000), call="predict")
    @example(body=b'{"inputs": %s1%s}' % (b"[" * 100, b"]" * 100), call="predict")
    @example(body=b'{"inputs": [%s, 1]}' % (b"[" * 900 + b"]" * 900), call="predict")
    @example(body=b'{"signature_name": "\xff"}', call="predict")
    @example(body=b'{"examples": [{"\xff": 1}]}', call="classify")
    @example(body=b'{"signature_name": "\xff", "examples": [{"x": 1}]}', call="classify")
    def test_of_bytes_is_refused(self, kept, body, call):
        assert_refused(*exchange(kept, head(body, f"/v1/models/mnist:{call}"), body))

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(content=st.dictionaries(KEYS, JSON), call=CALLS)
    def test_of_json_is_refused(self, kept, content, call):
        body = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
        assert_refused(*exchange(kept, head(body, f"/v1/models/mnist:{call}"), body))


class TestNobodyIsHeldUp:
    """By whoever sends slowly, too much, or nonsense: others are answered meanwhile."""

    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param(b"POST " + PREDICT.encode() + b" HTTP/1.1\r\nHost", id="half-a-head"),
            pytest.param(head(b"x" * 100) + b"{", id="half-a-body"),
            pytest.param(head(b"", length=2**31 - 1) + b"[" * 1000, id="a-large-body-begun"),
            pytest.param(head(b"")[:-2] + b"Expect: 100-continue\r\n\r\n", id="a-promise"),
        ],
    )
    def test_slow_ones(self, rest_server, rest, sent):
        slow = [socket.create_connection(_at(rest_server), DEADLINE_S) for _ in range(64)]
        try:
            for one in slow:
                one.sendall(sent)
            assert rest.predict(GOOD).code == 200
        finally:
            for one in slow:
                one.close()
        assert rest.predict(GOOD).code == 200

    @pytest.mark.parametrize("length", ["-1", "x", "1, 2", "9" * 30])
    def test_a_length_that_is_none(self, rest_server, rest, length):
        with socket.create_connection(_at(rest_server), DEADLINE_S) as one:
            code, _ = exchange(one, head(b"", length=length))
            assert code == 400
            assert one.recv(1) == b""  # closed
        assert rest.predict(GOOD).code == 200

    def test_a_body_that_is_too_large(self, rest_server, rest):
        with socket.create_connection(_at(rest_server), DEADLINE_S) as one:
            code, body = exchange(one, head(b"", length=2**31))
        assert (code, b"larger than 2147483647 bytes" in body) == (413, True)
        assert rest.predict(GOOD).code == 200

    def test_one_that_leaves_before_its_answer(self, rest_server, rest):
        body = b'{"signature_name": "heavy", "inputs": 2000}'
        for _ in range(16):
            with socket.create_connection(_at(rest_server), DEADLINE_S) as one:
                one.sendall(head(body) + body)
        assert rest.predict(GOOD).code == 200

    def test_a_chunked_body(self, rest_server):
        body = b'{"signature_name": "by_operation", "instances": [[1]]}'
        sent = head(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        with socket.create_connection(_at(rest_server), DEADLINE_S) as one:
            chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
            assert exchange(one, sent, chunks + b"0\r\n\r\n") == (200, b'{\n    "predictions": [[1.0]\n    ]\n}')

    def test_requests_one_after_the_other_on_a_connection(self, rest_server):
        bodies = [b'{"signature_name": "by_operation", "inputs": [[%d]]}' % i for i in range(50)]
        with socket.create_connection(_at(rest_server), DEADLINE_S) as one:
            for i, body in enumerate(bodies):
                code, answer = exchange(one, head(body), body)
                assert code == 200
                assert b"%d.0" % i in answer

    def test_a_long_text_with_a_fault_at_its_end(self, rest_server, rest):
        """Reading it takes seconds, others milliseconds."""
        body = b'{"instances": [' + b"1.5, " * 1_000_000 + b"x]}"
        done = []

        def ask():
            with socket.create_connection(_at(rest_server), 60) as one:
                done.append(exchange(one, head(body), body)[0])

        asking = threading.Thread(target=ask)
        asking.start()
        assert rest.predict(GOOD).code == 200
        asking.join(60)
        assert done == [400]
