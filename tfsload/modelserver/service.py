"""The methods of gRPC, which REST calls, too: what is asked of the model, and in which words a bad request is refused.

The checks come in the order of the real server, so that a request with two faults hears of the same one.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import grpc
from numpy.typing import NDArray

from tfsload.modelserver.errors import RequestError, RunError, invalid, status_of
from tfsload.modelserver.model_spec import check_model, resolved, signature_name, spec_of
from tfsload.transport.protos import get_model_metadata_pb2, get_model_status_pb2, predict_pb2
from tfsload.transport.tensors import TensorError, fill_proto, to_array

_METHODS = ("tensorflow/serving/predict", "tensorflow/serving/classify", "tensorflow/serving/regress")
_METADATA_FIELD = "signature_def"
_MESSAGE_LIMIT = 1024


def answer(method: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """`method` as a gRPC handler: its refusals, and the model's, become status codes.

    Args:
        method: request → reply.
    """

    def handle(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(request)
        except (RequestError, RunError) as error:
            code, message = status_of(error)
        return context.abort(code, truncated(message))

    return handle


def truncated(message: str) -> str:
    """`message` as the real server sends it: cut after 1024 characters."""
    return message if len(message) <= _MESSAGE_LIMIT else message[:_MESSAGE_LIMIT] + "...TRUNCATED"


class PredictService:
    """`Predict` and `GetModelMetadata` for one model.

    Args:
        model: a `tfsload.modelserver.model.Model`.
        as_content: whether outputs are sent as bytes instead of typed values.
        checks_methods: whether a signature's method_name must be one that TensorFlow Serving knows.
    """

    def __init__(self, model: Any, *, as_content: bool, checks_methods: bool = False) -> None:
        self._model = model
        self._as_content = as_content
        self._checks_methods = checks_methods
        self._specs = {name: resolved(model, name) for name in model.signatures}
        self._metadata = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=resolved(model, ""))
        self._metadata.metadata[_METADATA_FIELD].Pack(model.signature_def_map())

    def predict(self, request: Any) -> Any:
        """PredictRequest → PredictResponse.

        Raises:
            RequestError: for a request that does not fit the model.
        """
        spec = spec_of(request)
        check_model(self._model, spec)
        name = signature_name(spec)
        signature = self._model.signatures.get(name)
        if signature is None:
            message = f'Serving signature key "{name}" not found.'
            raise RequestError(grpc.StatusCode.FAILED_PRECONDITION, message)
        if self._checks_methods and signature.method not in _METHODS:
            message = f"Expected prediction signature method_name to be one of {{{', '.join(_METHODS)}}}. Was: "
            raise RequestError(grpc.StatusCode.INTERNAL, message + signature.method)
        feeds = _feeds(signature, request.inputs)
        aliases = _aliases(signature, request.output_filter)
        arrays = self._model.run(feeds, [signature.fetches[alias].handle for alias in aliases])
        reply = predict_pb2.PredictResponse()
        reply.model_spec.CopyFrom(self._specs[name])
        for alias, array in zip(aliases, arrays, strict=True):
            self._fill(reply.outputs[alias], alias, array)
        return reply

    def _fill(self, proto: Any, alias: str, array: NDArray[Any]) -> None:
        try:
            fill_proto(proto, array, as_content=self._as_content)
        except TensorError as error:
            message = f"the embedded server cannot send the output {alias}: {error}"
            raise RequestError(grpc.StatusCode.UNIMPLEMENTED, message) from error

    def metadata(self, request: Any) -> Any:
        """GetModelMetadataRequest → GetModelMetadataResponse.

        Raises:
            RequestError: for another model, or for anything but the signatures.
        """
        spec = spec_of(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for name in request.metadata_field:
            if name != _METADATA_FIELD:
                # The real server's words: what was meant to be filled in was not.
                raise invalid(f"Metadata field %s is not supported{name}")
        check_model(self._model, spec)
        return self._metadata


class StatusService:
    """`GetModelStatus` for one model."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def status(self, request: Any) -> Any:
        """GetModelStatusRequest → GetModelStatusResponse.

        Raises:
            RequestError: for another model or version.
        """
        spec = spec_of(request)
        version = spec.version.value if spec.HasField("version") else None
        if version is not None and (spec.name, version) != (self._model.name, self._model.version):
            message = f"Could not find version {version} of model {spec.name}"
            raise RequestError(grpc.StatusCode.NOT_FOUND, message)
        if spec.name != self._model.name:
            raise RequestError(grpc.StatusCode.NOT_FOUND, f"Could not find any versions of model {spec.name}")
        reply = get_model_status_pb2.GetModelStatusResponse()
        available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        # A set status says OK; the real server always sends one.
        reply.model_version_status.add(version=self._model.version, state=available).status.SetInParent()
        return reply


def _feeds(signature: Any, inputs: Mapping[str, Any]) -> dict[Any, NDArray[Any]]:
    """Handle → tensor for every input of the signature."""
    if len(inputs) > len(signature.feeds) or (len(inputs) < len(signature.feeds) and not signature.defaults):
        raise invalid(_size_message(set(inputs), set(signature.feeds)))
    feeds = {}
    for alias, tensor in signature.feeds.items():
        # `in` first: looking up a missing key of a protobuf map would add it.
        proto = inputs[alias] if alias in inputs else signature.defaults.get(alias)
        if proto is None:
            raise invalid(
                f"Signature input alias: {alias}(feed name: {tensor.name}) not found in request and no default "
                f"value provided. Inputs expected to be in the request {_braced(inputs)}, or default input "
                f"alias set: {_joined(signature.defaults)}"
            )
        try:
            feeds[tensor.handle] = to_array(proto)
        except TensorError:
            raise invalid(f"tensor parsing error: {alias}") from None
    return _checked_names(feeds, signature, inputs)


def _checked_names(
    feeds: dict[Any, NDArray[Any]], signature: Any, inputs: Mapping[str, Any]
) -> dict[Any, NDArray[Any]]:
    """`feeds`, unless the request has an input that the signature does not know."""
    used = [alias for alias in inputs if alias in signature.feeds]
    if len(used) != len(inputs):
        raise invalid(
            f"Inputs contains invalid name. Used request inputs: {_joined(used)}, request input: {_joined(inputs)}"
        )
    return feeds


def _size_message(sent: set[str], expected: set[str]) -> str:
    return (
        f"input size does not match signature: {len(sent)}!={len(expected)} "
        f"len({_braced(sent)}) != len({_braced(expected)}). "
        f"Sent extra: {_braced(sent - expected)}. Missing but required: {_braced(expected - sent)}."
    )


def _aliases(signature: Any, wanted: Iterable[str]) -> list[str]:
    """The outputs to fetch, in the order of the request; all of them if it names none."""
    aliases: list[str] = []
    for alias in wanted:
        if alias not in signature.fetches:
            raise invalid(
                f"output tensor alias not found in signature: {alias} "
                f"Outputs expected to be in the set {_braced(signature.fetches)}."
            )
        if alias in aliases:
            raise invalid(f"duplicate output tensor alias: {alias}")
        aliases.append(alias)
    return aliases or list(signature.fetches)


def _joined(names: Iterable[str]) -> str:
    return ",".join(sorted(names))


def _braced(names: Iterable[str]) -> str:
    return "{" + _joined(names) + "}"
