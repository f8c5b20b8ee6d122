"""What any way to a model server can do, whatever the protocol."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.answer import Answer
from tfsload.transport.asked import ConnectionAsked, ModelAsked
from tfsload.transport.call_spec import MNIST_EXAMPLE, CallSpec
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.signature import ModelDescribed
from tfsload.transport.spoken import SPOKEN, Spoken

# Of one request: images, uint8 (n, rows, columns), 0 to 255; or arrays by the names of inputs, (n, …) each.
Examples = NDArray[np.uint8] | Mapping[str, NDArray[Any]]


class Reader(Protocol):
    """Reads the replies to requests of one size."""

    def read(self, reply: bytes) -> Answer:
        """Return the answer in a reply, which names the model that gave it where the protocol does: REST does not.

        Raises:
            ReplyError: it cannot be read.
        """


class Transport(ABC):
    """The way to one model of one server, in one process.

    Nothing is opened before the first call: a connection does not survive the fork of `--processes`.

    Attributes:
        protocol: its name, for messages and as Locust's request type.
        model, connection: what was asked for; `connection.target` is set.
        spec: how the model is called.
    """

    protocol: ClassVar[str]

    def __init__(self, model: ModelAsked, connection: ConnectionAsked, spec: CallSpec = MNIST_EXAMPLE) -> None:
        """Open nothing yet.

        Args:
            model, connection: as the attributes.
            spec: as its description says, which may be asked for before it is known.
        """
        self.model = model
        self.connection = connection
        self.spec = spec

    @classmethod
    def spoken(cls) -> Spoken:
        """What it speaks, and all words that depend on that."""
        return SPOKEN[cls.protocol]

    @abstractmethod
    def check_files(self) -> None:
        """See to it that the files that were named can be used, before any load.

        Raises:
            TlsFileError: one cannot, and why.
        """

    @abstractmethod
    def beside(self, spec: CallSpec) -> "Transport":
        """Return the same way to the same model, over what this one has opened, that calls it in another manner."""

    @abstractmethod
    def encode(self, images: Examples) -> bytes:
        """Return the body of one request; arrays by name where the spec has `given` inputs, else images."""

    @abstractmethod
    def bound_call(self) -> Callable[[bytes], bytes]:
        """Return what sends a request's body and returns the reply's: nothing is looked up in it.

        It raises what its protocol's library does; `failure_of` tells what that means.
        """

    @abstractmethod
    def failure_of(self, error: Exception) -> PredictionFailure | None:
        """Return the failure that an exception of the call stands for; None: it is none of the call's."""

    @abstractmethod
    def reader_of(self, n_images: int) -> Reader:
        """Return the reader, always the same one, of replies to requests of that many images."""

    @abstractmethod
    def describe(self, timeout_s: float) -> ModelDescribed:
        """Ask the server what it says of the model.

        Raises:
            PredictionFailure: there was no answer, or it knows no such model.
            ReplyError: there was one, which cannot be read.
        """

    @abstractmethod
    def send_blank(self, spec: CallSpec, timeout_s: float) -> None:
        """Send a request of blank images, black ones or empty texts, to learn what the server says of it.

        Args:
            spec: how the model is called.
            timeout_s: how long it may take.

        Raises:
            PredictionFailure: it was refused, or there was no answer.
        """

    @abstractmethod
    def bound_ping(self, timeout_s: float) -> Callable[[], Any]:
        """Return a call that asks the model for nothing, and takes the same way; it raises as `bound_call`'s does."""

    @abstractmethod
    def close(self) -> None:
        """Close what was opened; a later call opens it anew."""

    def call(self, body: bytes) -> bytes:
        """Send one request and return the reply, where speed does not matter.

        Raises:
            PredictionFailure: there was none.
        """
        try:
            return self.bound_call()(body)
        except Exception as error:
            raise self.failure_of(error) or error from None
