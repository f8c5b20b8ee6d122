"""TensorFlow Serving over REST: `:predict` and `:classify`, and what it says of its models."""

import functools
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tfsload.transport.address import RestAddress
from tfsload.transport.call_spec import CLASSIFY, CallSpec
from tfsload.transport.contract import Examples, Reader, Transport
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.rest.bodies import BodyEncoder
from tfsload.transport.rest.described import signatures_in, versions_in
from tfsload.transport.rest.exchange import Exchange
from tfsload.transport.rest.failure import RestError, error_of
from tfsload.transport.rest.pool import Pool, PoolSettings
from tfsload.transport.rest.readers import reader_for
from tfsload.transport.rest.request import RequestMaker
from tfsload.transport.servable import UNTOLD
from tfsload.transport.signature import READY, ModelDescribed
from tfsload.transport.tls import HTTP_1, TlsCredentials, read_credentials

# A longer limit is none.
_LONGEST_TIMEOUT_S = 10**8


class RestTransport(Transport):
    """Over this suite's own HTTP/1.1 client. A request's body is the whole HTTP request, made once."""

    protocol = "rest"
    _opener: "RestTransport | None" = None  # whose connections these are; None: its own

    def beside(self, spec: CallSpec) -> "RestTransport":
        """Return one that shares the connections, and leaves them to this one to be closed."""
        other = RestTransport(self.model, self.connection, spec)
        other._opener = self._opener or self
        return other

    @functools.cached_property
    def pool(self) -> Pool:
        """The connections that all users of this process share, opened on first use: after any fork."""
        if self._opener is not None:
            return self._opener.pool
        where, tls = self.connection.server, self.credentials
        name = where.host if where.port is not None else "localhost"
        return Pool(PoolSettings(where, tls.context if tls else None, name))

    @functools.cached_property
    def credentials(self) -> TlsCredentials | None:
        """What TLS shows and trusts, from the files that were named; None: cleartext.

        Raises:
            TlsFileError: one cannot be used, and why.
        """
        target = self.connection.target
        is_https = isinstance(target, RestAddress) and target.is_https
        return read_credentials(self.connection, HTTP_1, self.connection.tls or is_https)

    def check_files(self) -> None:
        """See to it that the TLS files can be used, and that HTTP can carry the metadata.

        Raises:
            TlsFileError: a file cannot.
            HeaderError: some metadata cannot.
        """
        _ = self.credentials, self._requests

    @functools.cached_property
    def _requests(self) -> RequestMaker:
        return RequestMaker(self.connection.server.authority, self.connection.metadata)

    # Paths

    @property
    def _model_path(self) -> str:
        return f"/v1/models/{quote(self.model.name, safe='')}"

    @property
    def _asked_path(self) -> str:
        """Of the version or the label that was asked for."""
        if self.model.label:
            return f"{self._model_path}/labels/{quote(self.model.label, safe='')}"
        return self._model_path if self.model.version is None else f"{self._model_path}/versions/{self.model.version}"

    def _path_of(self, spec: CallSpec) -> str:
        return f"{self._asked_path}:{'classify' if spec.method == CLASSIFY else 'predict'}"

    # Predictions

    def encode(self, images: Examples) -> bytes:
        """Return a whole request, head and body.

        Raises:
            UnsendableError: an input's numbers cannot be sent over REST.
        """
        return self._requests.post(self._path_of(self.spec), self.bodies.encode(images))

    @functools.cached_property
    def bodies(self) -> BodyEncoder:
        """What makes the bodies; its `format` is the one that they have."""
        return BodyEncoder(self.model, self.spec, self.connection.rest_format)

    def bound_call(self) -> Callable[[bytes], bytes]:
        """Return what sends a whole request, as `encode` makes it, and returns the reply's body."""
        return self._bound(self.model.deadline_s)

    def _bound(self, timeout_s: float) -> Callable[[bytes], bytes]:
        run, clock_ns = self.pool.run, time.perf_counter_ns
        timeout_ns = int(min(timeout_s, _LONGEST_TIMEOUT_S) * 1e9)

        def call_bound(request: bytes) -> bytes:
            exchange = Exchange(request, clock_ns() + timeout_ns)
            run(exchange)
            reply = exchange.reply
            if reply is None or not reply.is_answer:
                raise exchange.error or _error(reply)
            return reply.body

        return call_bound

    def failure_of(self, error: Exception) -> PredictionFailure | None:
        """Return the failure that an exception of the call stands for."""
        return PredictionFailure(error.code, error.details) if isinstance(error, RestError) else None

    @functools.cached_property
    def reader_of(self) -> Callable[[int], Reader]:
        """What returns the reader of replies to requests of that many images."""
        return functools.cache(functools.partial(reader_for, self.spec))

    # What is asked beside

    def describe(self, timeout_s: float) -> ModelDescribed:
        """Ask for the model's versions, and for the signatures of the one that was asked for."""
        versions = versions_in(self._ask(self._requests.get(self._model_path), timeout_s))
        if not any(one.state == READY and self.model.version in (None, one.version) for one in versions):
            # Who asked learns from the versions there are. That one loads would be hidden by its metadata's 404.
            return ModelDescribed(versions, UNTOLD, {})
        servable, signatures = signatures_in(self._ask(self._requests.get(f"{self._asked_path}/metadata"), timeout_s))
        return ModelDescribed(versions, servable, signatures)

    def _ask(self, request: bytes, timeout_s: float) -> bytes:
        try:
            return self._bound(timeout_s)(request)
        except RestError as error:
            raise PredictionFailure(error.code, error.details) from None

    def send_blank(self, spec: CallSpec, timeout_s: float) -> None:
        """Make a request of blank images, and leave its answer."""
        body = BodyEncoder(self.model, spec, self.connection.rest_format).blank()
        self._ask(self._requests.post(self._path_of(spec), body), timeout_s)

    def bound_ping(self, timeout_s: float) -> Callable[[], Any]:
        """Return a call for the model's status."""
        return functools.partial(self._bound(timeout_s), self._requests.get(self._model_path))

    def close(self) -> None:
        """Close the connections, if any were opened."""
        opened = self.__dict__.pop("pool", None)
        if opened is not None and self._opener is None:
            opened.close()


def _error(reply: Any) -> RestError:
    assert reply is not None  # an exchange has a reply, or an error
    return error_of(reply)
