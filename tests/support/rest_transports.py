"""Ways to a server over REST, as a run makes them."""

import dataclasses

from tfsload.settings.settings import Settings
from tfsload.transport.address import parse_rest_address
from tfsload.transport.asked import ROW
from tfsload.transport.call_spec import MNIST_EXAMPLE, CallSpec
from tfsload.transport.rest.transport import RestTransport


def rest_transport(
    address: str, spec: CallSpec = MNIST_EXAMPLE, rest_format: str = ROW, metadata=(), **options: str
) -> RestTransport:
    """Return the way to a server, by its address and options."""
    tls = {name: options.pop(name) for name in list(options) if name.startswith("tls_")}
    settings = Settings.parse(options, "localhost:1")
    target = parse_rest_address(address)
    # An https:// address wants no --tls beside the files.
    connection = dataclasses.replace(settings.connection, target=target, rest_format=rest_format, **tls)
    if metadata:
        connection = dataclasses.replace(connection, metadata=tuple(metadata))
    return RestTransport(settings.model, connection, spec)
