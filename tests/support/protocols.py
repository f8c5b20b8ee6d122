"""Rows of a table for each protocol, and how a run is asked to speak it."""

import pytest

from tfsload.target.launcher import EmbeddedServer
from tfsload.transport.spoken import GRPC, REST, Spoken

# Has an embedded server speak both.
FOR_BOTH = ("--rest_api_free_port",)
BOTH = [pytest.param(GRPC, id="grpc"), pytest.param(REST, id="rest")]


def address_of(server: EmbeddedServer, spoken: Spoken) -> str:
    """Return where a server speaks something."""
    return server.rest_address if spoken is REST else server.address


def named(spoken: Spoken) -> tuple[str, ...]:
    """Return what names the class of a run; gRPC is what is sent where nobody says anything."""
    return () if spoken is GRPC else (spoken.user_class,)


def sending(spoken: Spoken, server: EmbeddedServer) -> tuple[str, ...]:
    """Return the arguments of a run that sends that to a server."""
    return (*named(spoken), "--host", address_of(server, spoken))
