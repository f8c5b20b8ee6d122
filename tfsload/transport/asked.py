"""What a run was asked to call, and how to reach it. Pure."""

from dataclasses import dataclass, field

from tfsload.transport.address import Address
from tfsload.transport.pixel_scale import PixelScale

# How a body of REST has what it holds: image by image, or input by input.
ROW, COLUMN = "row", "column"


@dataclass(frozen=True)
class ModelAsked:
    """The model, and what one request to it is.

    Attributes:
        name: the model's.
        version: its version; None: the latest.
        label: its version label; empty: none.
        signature_name, input_name, output_name: what is called; empty: what the model's own description decides.
        inputs: pairs of name and value of the signature's other inputs.
        pixel_scale: what pixels become; None: what the input's dtype has by itself.
        images_per_request: images in one request, at least 1.
        deadline_s: seconds from sending a request to giving it up.
    """

    name: str
    version: int | None
    label: str
    signature_name: str
    input_name: str
    output_name: str
    inputs: tuple[tuple[str, str], ...]
    pixel_scale: PixelScale | None
    images_per_request: int
    deadline_s: float


@dataclass(frozen=True)
class ConnectionAsked:
    """The server, and how it is spoken to.

    Attributes:
        target: the model server; None where none is named and the embedded one is to be started.
        transport: `native` or `grpcio`.
        connections: TCP connections a process, at least 1; of gRPC alone: over REST there are as many as requests in
            flight.
        tls: whether TLS is spoken, and the server verified.
        tls_ca_file, tls_cert_file, tls_key_file: PEM files; empty: none.
        metadata: pairs of key and value sent with every request.
        wait_s: for how long a server that is starting is waited for, before any load; 0: not at all.
        rest_format: `row` or `column`: how bodies of REST are written.
    """

    target: Address | None
    transport: str
    connections: int
    tls: bool
    tls_ca_file: str
    tls_cert_file: str
    tls_key_file: str
    metadata: tuple[tuple[str, str], ...] = field(repr=False)  # a secret
    wait_s: float = 0.0
    rest_format: str = ROW

    @property
    def server(self) -> Address:
        """The model server that is to be connected to.

        Raises:
            ValueError: none is named.
        """
        if self.target is None:
            raise ValueError("no model server is named to connect to")
        return self.target
