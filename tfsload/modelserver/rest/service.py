"""The REST calls: JSON in and out, answered by the methods that gRPC has."""

from collections.abc import Callable
from typing import Any, NamedTuple

import grpc
from google.protobuf import json_format

from tfsload.modelserver.errors import RequestError, RunError, invalid, status_of
from tfsload.modelserver.inference import InferenceService
from tfsload.modelserver.model_spec import check_model, signature_name
from tfsload.modelserver.rest import examples_json, layout, paths
from tfsload.modelserver.rest.predict_request import document_of, fill_tensors, signature_asked, tensors_of
from tfsload.modelserver.rest.words import quoted
from tfsload.modelserver.service import PredictService, StatusService
from tfsload.transport.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
    regression_pb2,
)
from tfsload.transport.tensors import to_array

_SIGNATURES = "signature_def"
_CODE = grpc.StatusCode
# What HTTP says of a status; of those that are not here it says 500.
_HTTP_CODES = {
    _CODE.OK: 200,
    _CODE.INVALID_ARGUMENT: 400,
    _CODE.FAILED_PRECONDITION: 400,
    _CODE.OUT_OF_RANGE: 400,
    _CODE.UNAUTHENTICATED: 401,
    _CODE.PERMISSION_DENIED: 403,
    _CODE.NOT_FOUND: 404,
    _CODE.ABORTED: 409,
    _CODE.ALREADY_EXISTS: 409,
    _CODE.RESOURCE_EXHAUSTED: 429,
    _CODE.CANCELLED: 499,
    _CODE.UNIMPLEMENTED: 501,
    _CODE.UNAVAILABLE: 503,
    _CODE.DEADLINE_EXCEEDED: 504,
}


class Answer(NamedTuple):
    """What is sent back.

    Attributes:
        code: HTTP's.
        body: JSON.
    """

    code: int
    body: bytes


def refusal(code: int, message: str) -> Answer:
    """Return the answer that says why there is no other."""
    return Answer(code, layout.encoded(layout.of_one_member("error", quoted(message))))


class RestService:
    """The API of one model.

    Args:
        model: a `tfsload.modelserver.model.Model`; its time limit is the calls'.
        checks_methods: whether a signature must have been made for the method that calls it.
    """

    def __init__(self, model: Any, *, checks_methods: bool = False) -> None:
        self._model = model
        # Bytes are what costs least on the way from there to JSON.
        self._predict_service = PredictService(model, as_content=True, checks_methods=checks_methods)
        self._inference = InferenceService(model, checks_methods=checks_methods)
        self._status_service = StatusService(model)
        self._dtypes = {
            name: {alias: signature.definition.inputs[alias].dtype for alias in signature.feeds}
            for name, signature in model.signatures.items()
        }
        self._methods: dict[str, Callable[[Any, bytes], str]] = {
            "predict": self._predict,
            "classify": self._classify,
            "regress": self._regress,
            "metadata": self._metadata,
            "status": self._status,
        }

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer a request of HTTP; never raises for what was sent.

        Args:
            method: such as GET.
            path: with its query.
            body: as it was before it was compressed.
        """
        try:
            asked = paths.asked(method, path)
            return Answer(200, layout.encoded(self._methods[asked.what](asked.spec, body)))
        except (RequestError, RunError) as error:
            code, message = status_of(error)
        except RecursionError:
            # Lists in lists, some hundred deep: no tensor has so many dimensions.
            code, message = _CODE.INVALID_ARGUMENT, "JSON Value: lists are nested too deep"
        return refusal(_HTTP_CODES.get(code, 500), message)

    def _predict(self, spec: Any, body: bytes) -> str:
        document = document_of(body)
        spec.signature_name = _utf8(signature_asked(document))
        check_model(self._model, spec)
        name = signature_name(spec)
        if name not in self._dtypes:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        dtypes = self._dtypes[name]
        if not dtypes:
            raise invalid(f"Failed to get input map for signature: {spec.signature_name or 'DEFAULT'}")
        tensors, is_in_rows = tensors_of(document, dtypes)
        request = predict_pb2.PredictRequest(model_spec=spec)
        fill_tensors(request.inputs, tensors, dtypes)
        reply = self._predict_service.predict(request)
        outputs = {alias: to_array(reply.outputs[alias]) for alias in sorted(reply.outputs)}
        if not outputs:
            raise invalid("Cannot convert empty tensor map to JSON")
        if is_in_rows:
            return layout.of_one_member("predictions", layout.in_rows(outputs))
        return layout.of_one_member("outputs", layout.in_columns(outputs))

    def _classify(self, spec: Any, body: bytes) -> str:
        request = _with_examples(classification_pb2.ClassificationRequest(model_spec=spec), body)
        return layout.of_one_member("results", examples_json.classified(self._inference.classify(request).result))

    def _regress(self, spec: Any, body: bytes) -> str:
        request = _with_examples(regression_pb2.RegressionRequest(model_spec=spec), body)
        return layout.of_one_member("results", examples_json.regressed(self._inference.regress(request).result))

    def _metadata(self, spec: Any, _: bytes) -> str:
        request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec, metadata_field=[_SIGNATURES])
        reply = self._predict_service.metadata(request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        reply.metadata[_SIGNATURES].Unpack(signatures)
        return (
            f'{{\n"model_spec":{_message_text(reply.model_spec)},\n'
            f'"metadata": {{"{_SIGNATURES}": {_message_text(signatures)}}}\n}}\n'
        )

    def _status(self, spec: Any, _: bytes) -> str:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
        return _message_text(self._status_service.status(request))


def _with_examples(request: Any, body: bytes) -> Any:
    document = document_of(body)
    request.model_spec.signature_name = _utf8(signature_asked(document))
    examples_json.fill_examples(request.input, document)
    return request


def _utf8(name: str) -> str:
    """Return a name that a message can hold: what is not UTF-8 in it is no signature's, anyway."""
    return name.encode("utf-8", "replace").decode()


def _message_text(message: Any) -> str:
    text = json_format.MessageToJson(
        message, indent=1, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return text + "\n"
