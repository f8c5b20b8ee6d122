"""What a model server speaks, and in which words a run tells of each: its ports, its addresses, what is its own. Pure.

A transport names what it speaks; whatever depends on that is looked up here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Spoken:
    """One way to speak to a model server.

    Attributes:
        key: its name in results, and as Locust's request type.
        name: its name for people.
        port: of TensorFlow Serving, as a rule.
        schemes: of its addresses, without and with TLS.
        examples: addresses besides HOST:PORT and [IPV6]:PORT.
        names_model: whether its replies name the model that gave them, with its version.
        user_class: the suite's own class of users that speaks it.
        own_flags: options that only its runs heed.
        libraries: packages that only it takes.
        other_port: which port it may be where something else is spoken.
        speaks_otherwise: what is said of a port where something else is spoken.
    """

    key: str
    name: str
    port: int
    schemes: tuple[str, str]
    examples: str
    names_model: bool
    user_class: str
    own_flags: tuple[str, ...]
    libraries: tuple[str, ...]
    other_port: str
    speaks_otherwise: re.Pattern[str]

    @property
    def addresses(self) -> str:
        """How its addresses are written, for messages."""
        join = ", " if "," in self.examples else " or "
        return f"HOST:PORT (TensorFlow Serving's {self.name} port is {self.port}), [IPV6]:PORT{join}{self.examples}"

    def url_of(self, text: str, is_tls: bool) -> str:
        """Return an address as a URL, for who reads Locust's events."""
        return f"{self.schemes[is_tls]}://{text}"


GRPC = Spoken(
    key="grpc",
    name="gRPC",
    port=8500,
    schemes=("grpc", "grpc"),
    examples="unix:PATH",
    names_model=True,
    user_class="GrpcPredictionUser",
    own_flags=("--transport", "--connections"),
    libraries=("grpcio", "hpack", "protobuf"),
    other_port="is this the REST port?",
    speaks_otherwise=re.compile("http/1|http1|parsing http/2", re.IGNORECASE),
)
REST = Spoken(
    key="rest",
    name="REST",
    port=8501,
    schemes=("http", "https"),
    examples="http://HOST:PORT, https://HOST:PORT or unix:PATH",
    names_model=False,
    user_class="RestPredictionUser",
    own_flags=("--rest-format",),
    libraries=("httptools", "orjson"),
    other_port="is this the gRPC port?",
    speaks_otherwise=re.compile("http/2|no http", re.IGNORECASE),
)
SPOKEN: Mapping[str, Spoken] = {one.key: one for one in (GRPC, REST)}
WHICH_PORT = f"gRPC's is {GRPC.port} as a rule, and REST's {REST.port}"
