"""TLS over both transports: verified by default, with the system's authorities or a private one."""

import contextlib
import dataclasses
import json
import ssl

import grpc
import pytest
from cryptography.hazmat.primitives import serialization

from tests.support.channels import open_channel
from tests.support.faulty_server import FaultyServer
from tests.support.odd_files import ODD_FILES, far_too_large, pipe
from tests.support.runs import wait_until
from tests.support.server_processes import ScriptedServer
from tests.support.tls_files import write_tls_files
from tfsload.settings.settings import Settings
from tfsload.transport import regular_file
from tfsload.transport.tls import TlsFileError, TlsLayer, make_context, read_credentials
from tfsload.transport.words import quoted

CODE = grpc.StatusCode
METHOD = "/test.Scripted/Call"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Write an authority, and certificates that it has issued; return the directory."""
    directory = tmp_path_factory.mktemp("tls")
    write_tls_files(directory)
    return directory


@pytest.fixture(params=["native", "grpcio"])
def ask(request, files):
    """Return a function that serves with one certificate and calls with the given options."""
    servers, channels, transport = [], [], request.param

    def call(certificate, host="localhost", server_options=(), request=b'{"size": 100000}', **options):
        pair = ("--tls", str(files / f"{certificate}.crt"), str(files / f"{certificate}.key"))
        servers.append(ScriptedServer("--address", "127.0.0.1:0", *pair, *server_options))
        options = {name: str(files / value) if name.endswith("file") else value for name, value in options.items()}
        settings = Settings.parse({"transport": transport, **options}, f"{host}:{servers[-1].port}")
        channels.append(open_channel(settings.connection))
        return channels[-1].unary_unary(METHOD)(request, timeout=10)

    yield call
    for channel in channels:
        channel.close()
    for server in servers:
        server.stop()


@pytest.mark.parametrize("host", [pytest.param("localhost", id="name"), pytest.param("127.0.0.1", id="ip-address")])
def test_a_private_authority(ask, host):
    assert ask("server", host, tls="true", tls_ca_file="ca.pem") == b"x" * 100_000


@pytest.mark.parametrize(
    ("certificate", "options"),
    [
        pytest.param("server", {"tls": "true"}, id="authority-not-trusted-by-the-system"),
        pytest.param("server", {"tls": "true", "tls_ca_file": "stranger.pem"}, id="another-authority"),
        pytest.param("other-name", {"tls": "true", "tls_ca_file": "ca.pem"}, id="wrong-name"),
        pytest.param("expired", {"tls": "true", "tls_ca_file": "ca.pem"}, id="expired"),
        pytest.param("server", {}, id="cleartext-to-a-tls-server"),
    ],
)
def test_a_server_that_cannot_be_trusted_is_not_called(ask, certificate, options):
    with pytest.raises(grpc.RpcError) as caught:
        ask(certificate, **options)

    assert caught.value.code() in (CODE.UNAVAILABLE, CODE.DEADLINE_EXCEEDED)


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        pytest.param("expired", "expired", id="expired"),
        pytest.param("other-name", "localhost", id="wrong-name"),
    ],
)
def test_the_native_channel_says_what_is_wrong(ask, request, certificate, words):
    if "grpcio" in request.node.name:
        pytest.skip("grpcio has words of its own")
    with pytest.raises(grpc.RpcError) as caught:
        ask(certificate, tls="true", tls_ca_file="ca.pem")

    assert "does not verify" in caught.value.details()
    assert words in caught.value.details()


def test_a_client_certificate(ask, files):
    wanted = ("--client-ca", str(files / "ca.pem"))
    options = {"tls": "true", "tls_ca_file": "ca.pem"}

    own = {"tls_cert_file": "client.crt", "tls_key_file": "client.key"}
    assert ask("server", server_options=wanted, **options, **own) == b"x" * 100_000
    with pytest.raises(grpc.RpcError):
        ask("server", server_options=wanted, **options)


def test_a_long_message_goes_out_whole_over_tls(ask):
    asked = json.dumps({"padding": "x" * 3_000_000}).encode()  # far more than TLS puts into one record

    assert ask("server", request=asked, tls="true", tls_ca_file="ca.pem") == asked


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_server_that_says_that_nothing_more_comes_is_taken_at_its_word(files, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "server.crt", files / "server.key")
    context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    server_in, server_out = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(server_in, server_out, server_side=True)
    client = TlsLayer(make_context((files / "ca.pem").read_bytes()), "localhost")

    class Wire:
        """The client's socket, in whose place the server answers at once."""

        def sendall(self, data):
            server_in.write(data)
            with contextlib.suppress(ssl.SSLWantReadError):
                server.do_handshake()

        def recv(self, _size):
            return server_out.read()

    client.handshake(Wire())
    server.write(b"the last reply")
    with contextlib.suppress(ssl.SSLWantReadError):
        server.unwrap()

    assert client.decrypt(server_out.read()) == b"the last reply"
    assert client.is_closed


@pytest.mark.parametrize("certificate", ["expired", "other-name"])
def test_a_server_that_is_refused_hears_why(files, certificate):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files / f"{certificate}.crt", files / f"{certificate}.key")
    server.set_alpn_protocols(["h2"])
    heard = []

    def talk(_server, socket, _number):
        try:
            server.wrap_socket(socket, server_side=True).recv(1)
        except ssl.SSLError as error:
            heard.append(error.reason)

    refused = FaultyServer(talk)
    settings = Settings.parse(
        {"tls": "true", "tls_ca_file": str(files / "ca.pem")}, refused.address.replace("127.0.0.1", "localhost")
    )
    try:
        with open_channel(settings.connection) as channel, pytest.raises(grpc.RpcError):
            channel.unary_unary(METHOD)(b"{}", timeout=10)
        wait_until(lambda: heard, "the alert")
    finally:
        refused.die()

    assert "ALERT" in heard[0]


def test_a_cleartext_server_is_not_called_over_tls(scripted_server, files):
    settings = Settings.parse({"tls": "true", "tls_ca_file": str(files / "ca.pem")}, scripted_server.address)
    with open_channel(settings.connection) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(METHOD)(b"{}", timeout=10)

    assert caught.value.code() == CODE.UNAVAILABLE
    assert "the server does not speak TLS" in caught.value.details()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"tls_ca_file": "junk.pem"}, "not usable as PEM", id="not-pem"),
        pytest.param({"tls_ca_file": "missing.pem"}, "cannot be read", id="missing"),
        pytest.param(
            {"tls_cert_file": "client.crt", "tls_key_file": "server.key"},
            "--tls-cert-file .* with --tls-key-file .*: not usable",
            id="another-key",
        ),
        pytest.param(
            {"tls_ca_file": "ca.pem", "tls_cert_file": "client.crt"},
            "^--tls-cert-file .* without --tls-key-file: not usable",
            id="no-key",
        ),
    ],
)
def test_files_that_cannot_be_used_are_named(files, options, message):
    options = {name: str(files / value) for name, value in options.items()}
    with pytest.raises(TlsFileError, match=message):
        open_channel(Settings.parse({"tls": "true", **options}, "localhost:1").connection)


def asked_with(**files):
    return dataclasses.replace(Settings.parse({}, "localhost:1").connection, **{"tls": True, **files})


@pytest.mark.parametrize("tls", ["true", "false"])
@pytest.mark.parametrize("option", ["tls_ca_file", "tls_cert_file", "tls_key_file"])
@pytest.mark.parametrize("make", ODD_FILES)
def test_what_is_no_regular_file_is_not_read(tmp_path, make, option, tls):
    make(tmp_path / "odd.pem")
    with pytest.raises(TlsFileError) as caught:
        read_credentials(asked_with(tls=tls == "true", **{option: str(tmp_path / "odd.pem")}))

    flag = "--" + option.replace("_", "-")
    assert caught.value.faults == [
        f"{flag} {quoted(tmp_path / 'odd.pem')} cannot be read (it is no regular file): expected a PEM file"
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("a\0b", "null character", id="null-character"),
        pytest.param("large", "larger than 16 MiB", id="huge"),
    ],
)
def test_a_file_that_nobody_can_mean_is_named(tmp_path, name, why):
    far_too_large(tmp_path / "large")

    with pytest.raises(TlsFileError, match=f"--tls-ca-file .* cannot be read .*{why}.*: expected a PEM file"):
        read_credentials(asked_with(tls_ca_file=str(tmp_path / name)))


def test_a_certificate_and_its_key_are_read_once(tmp_path, files, monkeypatch):
    for name in ("client.crt", "client.key"):
        (tmp_path / name).write_bytes((files / name).read_bytes())
    read = regular_file.read

    def read_and_replace(path, most_bytes):
        content = read(path, most_bytes)
        (tmp_path / path).unlink()
        pipe(tmp_path / path)
        return content

    monkeypatch.setattr(regular_file, "read", read_and_replace)
    named = {"tls_cert_file": str(tmp_path / "client.crt"), "tls_key_file": str(tmp_path / "client.key")}
    credentials = read_credentials(asked_with(**named))

    assert credentials.certificate == (files / "client.crt").read_bytes()


def test_a_comment_in_any_language_may_stand_beside_an_authority(files):
    assert make_context("# É\n".encode() + (files / "ca.pem").read_bytes()).get_ca_certs()


def test_a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked_for_it(files):
    key = serialization.load_pem_private_key((files / "client.key").read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    (files / "locked.key").write_bytes(locked)
    options = {"tls_cert_file": str(files / "client.crt"), "tls_key_file": str(files / "locked.key")}

    with pytest.raises(TlsFileError, match="not usable as PEM"):
        open_channel(Settings.parse({"tls": "true", **options}, "localhost:1").connection)
