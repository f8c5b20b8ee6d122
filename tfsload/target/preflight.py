"""Before any load: does the server hold a model that answers what is going to be asked?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from tfsload.settings.settings import Settings
from tfsload.transport.asked import ModelAsked
from tfsload.transport.grpc.connect import connect
from tfsload.transport.protos import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
    types_pb2,
)
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.words import quoted, shown

# A server that does not answer this fast is reported as not there.
TIMEOUT_S = 2.5
PIXELS = 784
_SCORE_TYPES = (types_pb2.DT_FLOAT, types_pb2.DT_DOUBLE)
_PREDICT_METHOD = "tensorflow/serving/predict"


@dataclass(frozen=True)
class Preflight:
    """What the server said.

    Attributes:
        model_version: the version that answers.
        servable: the model that answers, as far as the server told.
    """

    model_version: int
    servable: Servable = UNTOLD


class PreflightError(Exception):
    """The server cannot be tested as asked.

    Attributes:
        faults: what was found and what to pass instead, a sentence each.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class NoServerError(PreflightError):
    """There is no server that could answer, whatever is asked."""


class MisfitError(PreflightError):
    """A server is there, but not what the options name."""


def ask(settings: Settings, n_classes: int) -> Preflight:
    """Ask the server for the model's status and signature.

    Args:
        settings: what the run is going to send; `settings.connection.target` is set.
        n_classes: labels of the data set are below this.

    Raises:
        NoServerError: nothing answers there.
        MisfitError: no such model or version, or a signature that does not fit.
    """
    connection = connect(settings.connection)
    try:
        states = _model_status(settings, connection)
        metadata = _model_metadata(settings, connection)
    finally:
        connection.close()
    faults = check_status(settings.model, states)
    faults = faults or check_signature(settings.model, _signatures(metadata), n_classes)
    if faults:
        raise MisfitError(faults)
    return Preflight(metadata.model_spec.version.value, Servable.of(metadata.model_spec))


def _fill_model_spec(spec: Any, model: ModelAsked) -> None:
    spec.name = model.name
    if model.version is not None:
        spec.version.value = model.version
    if model.label:
        spec.version_label = model.label


def _model_status(settings: Settings, connection: grpc.Channel) -> Sequence[Any]:
    # All versions, so that a wrong one can be answered with those that are there.
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = settings.model.name
    try:
        stub = model_service_pb2_grpc.ModelServiceStub(connection)
        return stub.GetModelStatus(request, timeout=TIMEOUT_S).model_version_status
    except grpc.RpcError as error:
        raise _explained(settings, error) from None


def _model_metadata(settings: Settings, connection: grpc.Channel) -> Any:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    _fill_model_spec(request.model_spec, settings.model)
    try:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(connection)
        return stub.GetModelMetadata(request, timeout=TIMEOUT_S)
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.NOT_FOUND and settings.model.version is not None:
            return get_model_metadata_pb2.GetModelMetadataResponse()  # check_status names the versions there are
        raise _explained(settings, error) from None


def _explained(settings: Settings, error: grpc.RpcError) -> PreflightError:
    code, said = error.code(), shown(error.details())
    where, model = settings.connection.target.address, settings.model.name
    match code:
        case grpc.StatusCode.UNAVAILABLE if "certificate" in said:
            cure = "pass its authority with --tls-ca-file, and the name that its certificate holds with --host"
            return NoServerError([f"the server at {where} is not to be trusted ({said}): {cure}"])
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            cure = "pass the token that it wants with --metadata, or a certificate with --tls-cert-file"
            return NoServerError([f"the server at {where} does not let us in ({code.name}: {said}): {cure}"])
        case grpc.StatusCode.UNAVAILABLE:
            return NoServerError(
                [f"no model server answers at {where} ({said}): start one there, or pass another --host"]
            )
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return NoServerError(
                [f"no answer from {where} within {TIMEOUT_S} s: is it a model server, and is this its gRPC port?"]
            )
        case grpc.StatusCode.UNIMPLEMENTED:
            return MisfitError([f"{where} speaks gRPC but is no TensorFlow Serving ({said}): pass another --host"])
        case grpc.StatusCode.NOT_FOUND:
            return MisfitError([f"the server at {where} has no model {quoted(model)} ({said}): pass --model-name"])
        case grpc.StatusCode.INVALID_ARGUMENT if settings.model.label:
            return MisfitError(
                [f"--model-label {quoted(settings.model.label)}: {said}; leave it out for the latest version"]
            )
    return NoServerError([f"the server at {where} does not describe the model {quoted(model)}: {code.name}: {said}"])


def _signatures(metadata: Any) -> dict[str, Any]:
    signatures = get_model_metadata_pb2.SignatureDefMap()
    try:
        metadata.metadata["signature_def"].Unpack(signatures)
    except DecodeError as error:
        raise MisfitError([f"the server's description of the model cannot be read: {error}"]) from None
    return dict(signatures.signature_def)


def check_status(model: ModelAsked, states: Sequence[Any]) -> list[str]:
    """Return what is wrong with the model's versions (`ModelVersionStatus` messages); nothing if they fit."""
    available = sorted(
        state.version for state in states if state.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE
    )
    if model.version is not None and model.version not in available:
        return [
            f"model {quoted(model.name)} has no version {model.version}: "
            f"pass --model-version with one of {_listed(available)}, or leave it out for the latest"
        ]
    if not available:
        found = ", ".join(f"{state.version}: {_state_name(state)} {state.status.error_message}" for state in states)
        return [f"model {quoted(model.name)} has no version that is ready ({found or 'none at all'})"]
    return []


def _state_name(state: Any) -> str:
    return _enum_name(get_model_status_pb2.ModelVersionStatus.State, state.state)


def _enum_name(enum: Any, number: int) -> str:
    """Return a value's name, or its number where a newer server knows one that we do not."""
    return enum.Name(number) if number in enum.values() else str(number)


def check_signature(model: ModelAsked, signatures: dict[str, Any], n_classes: int) -> list[str]:
    """Return what is wrong with the signature to be called; nothing if it fits.

    Args:
        model: names the signature, its input and output.
        signatures: the model's `SignatureDef` messages, by name.
        n_classes: labels of the data set are below this.
    """
    signature = signatures.get(model.signature_name)
    if signature is None:
        return [
            f"the model has no signature {quoted(model.signature_name)}: "
            f"pass --signature-name with one of {_listed(sorted(signatures))}"
        ]
    if signature.method_name != _PREDICT_METHOD:
        return [
            f"signature {quoted(model.signature_name)} is {signature.method_name}, not {_PREDICT_METHOD}: "
            f"pass --signature-name with another of {_listed(sorted(signatures))}"
        ]
    return _check_inputs(model, signature.inputs) + _check_output(model, signature.outputs, n_classes)


def _check_inputs(model: ModelAsked, inputs: Any) -> list[str]:
    tensor = inputs.get(model.input_name)
    if tensor is None:
        return [
            f"signature {quoted(model.signature_name)} has no input {quoted(model.input_name)}: "
            f"pass --input-name with one of {_listed(sorted(inputs))}"
        ]
    faults = []
    if others := sorted(set(inputs) - {model.input_name}):
        faults.append(
            f"signature {quoted(model.signature_name)} wants more than {quoted(model.input_name)}: also "
            f"{_listed(others)}; only models with one input can be tested: pass another --signature-name"
        )
    dtype = _enum_name(types_pb2.DataType, tensor.dtype)
    if tensor.dtype != types_pb2.DT_FLOAT:
        faults.append(
            f"input {quoted(model.input_name)} is {dtype}: images are sent as DT_FLOAT; "
            "export the model with a float32 input"
        )
    if not _shape_fits(tensor.tensor_shape, (None, PIXELS), model.images_per_request):
        faults.append(
            f"input {quoted(model.input_name)} has shape {_shape_text(tensor.tensor_shape)}: images are sent as "
            f"[{model.images_per_request}, {PIXELS}]; export the model with a float32 input of [-1, {PIXELS}]"
        )
    return faults


def _check_output(model: ModelAsked, outputs: Any, n_classes: int) -> list[str]:
    tensor = outputs.get(model.output_name)
    if tensor is None:
        return [
            f"signature {quoted(model.signature_name)} has no output {quoted(model.output_name)}: "
            f"pass --output-name with one of {_listed(sorted(outputs))}"
        ]
    faults = []
    dtype = _enum_name(types_pb2.DataType, tensor.dtype)
    if tensor.dtype not in _SCORE_TYPES:
        faults.append(
            f"output {quoted(model.output_name)} is {dtype}: a score for each class is "
            f"expected, DT_FLOAT or DT_DOUBLE; pass --output-name with another of {_listed(sorted(outputs))}"
        )
    shape = tensor.tensor_shape
    if not _shape_fits(shape, (None, None), model.images_per_request):
        faults.append(
            f"output {quoted(model.output_name)} has shape {_shape_text(shape)}: expected [-1, classes]; "
            f"pass --output-name with another of {_listed(sorted(outputs))}"
        )
    elif not shape.unknown_rank and 0 <= shape.dim[1].size < n_classes:
        faults.append(
            f"output {quoted(model.output_name)} scores {shape.dim[1].size} classes and the data set's labels need "
            f"{n_classes}: pass another --dataset or --model-name"
        )
    return faults


def _shape_fits(shape: Any, expected: tuple[int | None, int | None], n_images: int) -> bool:
    """Whether a tensor of [n_images, …] can be fed to or come from a shape; -1 takes any size."""
    if shape.unknown_rank:
        return True
    sizes = [dim.size for dim in shape.dim]
    if len(sizes) != len(expected):
        return False
    wanted = (n_images, expected[1])
    return all(size == -1 or want is None or size == want for size, want in zip(sizes, wanted, strict=True))


def _shape_text(shape: Any) -> str:
    return "[" + ", ".join(str(dim.size) for dim in shape.dim) + "]"


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(map(str, names)) or "(none)"
