"""Which model, version and signature a request means."""

from typing import Any

import grpc

from tfsload.modelserver.errors import RequestError, invalid
from tfsload.transport.protos import model_pb2

_DEFAULT_SIGNATURE = "serving_default"


def spec_of(request: Any) -> Any:
    """The request's ModelSpec.

    Raises:
        RequestError: it has none.
    """
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec


def check_model(model: Any, spec: Any) -> None:
    """Make sure that a ModelSpec means `model`.

    Raises:
        RequestError: no name, another model, another version, or a label (none are assigned here).
    """
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    if choice == "version_label":
        raise invalid(f"Unrecognized servable version label: {spec.version_label}")
    wanted = f"Specific({spec.name}, {spec.version.value})" if choice else f"Latest({spec.name})"
    if spec.name != model.name or (choice and spec.version.value != model.version):
        raise RequestError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")


def signature_name(spec: Any) -> str:
    """The signature that a ModelSpec means."""
    return spec.signature_name or _DEFAULT_SIGNATURE


def resolved(model: Any, signature: str) -> Any:
    """The ModelSpec of a reply; `signature` is empty where the reply is of no single one."""
    spec = model_pb2.ModelSpec(name=model.name, signature_name=signature)
    spec.version.value = model.version
    return spec
