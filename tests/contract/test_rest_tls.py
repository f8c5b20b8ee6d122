"""REST over TLS: verified by default, with the system's authorities or a private one."""

import ssl

import gevent
import gevent.server
import pytest

from tests.support.rest_transports import rest_transport
from tests.support.scripted_http import CLOSE, ScriptedHttp, reply
from tests.support.tls_files import write_tls_files
from tfsload.transport.failure import PredictionFailure

BODY = b'{"predictions": [[0.5, 0.25]]}'
ANSWER = reply(BODY)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    write_tls_files(directory)
    return directory


@pytest.fixture
def ask(files):
    """Return a function that serves with one certificate and calls with the given options."""
    opened = []

    def ask(certificate, address="localhost:{}", script=(ANSWER,), wants_client=False, body=b"{}", **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files / f"{certificate}.crt", files / f"{certificate}.key")
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(files / "ca.pem")
        server = ScriptedHttp(lambda _: script, ssl_context=context)
        opened.append(server.stop)
        options = {name: str(files / value) if name.endswith("file") else value for name, value in options.items()}
        transport = rest_transport(address.format(server.port), **options)
        opened.append(transport.close)
        answers = []
        for _ in range(2):
            with gevent.Timeout(20):
                answers.append(transport.call(transport._requests.post("/x", body)))
        return server, transport, answers

    yield ask
    for close in opened:
        close()


PRIVATE = {"tls": "true", "tls_ca_file": "ca.pem"}


@pytest.mark.parametrize("address", ["localhost:{}", "127.0.0.1:{}", "https://localhost:{}"])
def test_a_private_authority(ask, address):
    server, transport, answers = ask("server", address, **PRIVATE)

    assert answers == [BODY, BODY]
    assert (server.n_connections, transport.pool.n_connections) == (1, 1)


def test_an_https_address_is_spoken_to_over_tls_whatever_was_asked_for(ask):
    _, _, answers = ask("server", "https://localhost:{}", tls_ca_file="ca.pem")

    assert answers == [BODY, BODY]


REFUSED = {
    "authority-not-trusted-by-the-system": ("server", {"tls": "true"}, "the server's certificate does not verify"),
    "another-authority": ("server", {"tls": "true", "tls_ca_file": "stranger.pem"}, "certificate does not verify"),
    "wrong-name": ("other-name", PRIVATE, "not valid for 'localhost'"),
    "expired": ("expired", PRIVATE, "certificate has expired"),
    "no-client-certificate": ("server", {**PRIVATE, "wants_client": True}, "CERTIFICATE_REQUIRED"),
    "cleartext-to-a-tls-server": ("server", {}, "before it said anything"),
}


@pytest.mark.parametrize(("certificate", "options", "said"), REFUSED.values(), ids=REFUSED)
def test_a_server_that_cannot_be_trusted_is_not_called(ask, certificate, options, said):
    with pytest.raises(PredictionFailure) as raised:
        ask(certificate, **options)

    assert raised.value.code == "UNAVAILABLE"
    assert said in raised.value.message


def test_a_client_certificate(ask):
    own = {"tls_cert_file": "client.crt", "tls_key_file": "client.key"}

    assert ask("server", wants_client=True, **PRIVATE, **own)[2] == [BODY, BODY]


def test_a_cleartext_server_is_not_called_over_tls():
    def refuse(connection, _):
        connection.recv(1000)
        connection.sendall(reply(b"", "400 Bad Request"))

    server = gevent.server.StreamServer(("127.0.0.1", 0), refuse)
    server.start()
    transport = rest_transport(f"127.0.0.1:{server.server_port}", tls="true")
    try:
        with pytest.raises(PredictionFailure, match="the server does not speak TLS: leave --tls out"):
            transport.call(transport._requests.get("/x"))
    finally:
        transport.close()
        server.stop()


def test_long_requests_and_replies_pass_whole(ask):
    long = bytes(range(256)) * 20_000
    server, _, answers = ask("server", script=[reply(long)], body=long, **PRIVATE)

    assert answers == [long, long]
    assert [one.body for one in server.requests] == [long, long]


@pytest.mark.parametrize("ending", [[CLOSE], []], ids=["closed", "left-open"])
def test_a_connection_that_ends_with_its_reply_is_followed_by_another(ask, ending):
    server, _, answers = ask("server", script=[reply(BODY, connection="close"), *ending], **PRIVATE)

    assert answers == [BODY, BODY]
    assert server.n_connections == 2


def test_a_reply_that_ends_with_its_connection_may_have_been_cut_where_tls_does_not_end(ask):
    with pytest.raises(PredictionFailure, match="in the middle of its reply"):
        ask("server", script=[b"HTTP/1.1 200 OK\r\n\r\n" + BODY, CLOSE], **PRIVATE)
