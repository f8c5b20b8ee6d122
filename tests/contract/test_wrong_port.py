"""REST sent to a gRPC port, and gRPC to one of REST: what is said helps."""

import pytest

from tests.support.rest_transports import rest_transport
from tests.support.scripted_http import ScriptedHttp, reply
from tfsload.settings.settings import Settings
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.grpc.transport import GrpcTransport


def test_rest_sent_to_a_grpc_port_is_told_of_the_other_one(scripted_server):
    transport = rest_transport(scripted_server.address)
    try:
        for _ in range(3):
            with pytest.raises(PredictionFailure, match=r"^UNAVAILABLE: .*is this the gRPC port\?.*REST port is 8501"):
                transport.describe(5)
    finally:
        transport.close()


@pytest.mark.parametrize("name", ["native", "grpcio"])
def test_grpc_sent_to_a_rest_port_is_told_of_http_1(name):
    def refuse(_):
        return [reply(b"", "400 Bad Request", connection="close")]

    server = ScriptedHttp(refuse)
    settings = Settings.parse({"transport": name}, server.address)
    transport = GrpcTransport(settings.model, settings.connection)
    try:
        with pytest.raises(PredictionFailure, match=r"^UNAVAILABLE: .*(speaks HTTP/1|http1)"):
            transport.describe(5)
    finally:
        transport.close()
        server.stop()
