"""What a server says of a model in JSON: its versions, and its signatures. Pure."""

from collections.abc import Mapping
from typing import Any

from tfsload.transport.answer import ReplyError
from tfsload.transport.rest.json_text import loads
from tfsload.transport.servable import Servable
from tfsload.transport.signature import SignatureDescribed, TensorDescribed, VersionDescribed

# What it takes to find that something is not what it should be: any value may stand anywhere.
_ODD = (ReplyError, KeyError, TypeError, ValueError, AttributeError, OverflowError)


def versions_in(body: bytes) -> tuple[VersionDescribed, ...]:
    """Return a model's versions, out of what is said of its status.

    Raises:
        ReplyError: that cannot be read.
    """
    try:
        return tuple(_version(one) for one in _object(loads(body))["model_version_status"])
    except _ODD as error:
        raise ReplyError(f"the server's word on the model's versions cannot be read: {_why(error)}") from None


def signatures_in(body: bytes) -> tuple[Servable, dict[str, SignatureDescribed]]:
    """Return which model is described, and its signatures by name, out of its metadata.

    Raises:
        ReplyError: they cannot be read.
    """
    try:
        said = _object(loads(body))
        spec = said.get("model_spec") or {}
        version = spec.get("version")
        servable = Servable(str(spec.get("name", "")), None if version in (None, "") else int(version))
        signatures = said["metadata"]["signature_def"]["signature_def"]
        return servable, {name: _signature(one) for name, one in signatures.items()}
    except _ODD as error:
        raise ReplyError(f"the server's description of the model cannot be read: {_why(error)}") from None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ReplyError(f"it is a {type(value).__name__}, and no object")
    return value


def _why(error: Exception) -> str:
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)


def _version(one: Mapping[str, Any]) -> VersionDescribed:
    status = one.get("status") or {}
    # A field that has its type's first value may be left out.
    return VersionDescribed(
        int(one.get("version", 0)), str(one.get("state", "UNKNOWN")), str(status.get("error_message") or "")
    )


def _signature(one: Mapping[str, Any]) -> SignatureDescribed:
    # Without its defaults: over REST TensorFlow Serving wants a value for each input, those that have one, too.
    return SignatureDescribed(
        str(one.get("method_name", "")),
        {name: _tensor(tensor) for name, tensor in (one.get("inputs") or {}).items()},
        {name: _tensor(tensor) for name, tensor in (one.get("outputs") or {}).items()},
    )


def _tensor(one: Mapping[str, Any]) -> TensorDescribed:
    shape = one.get("tensor_shape") or {}
    sizes = None if shape.get("unknown_rank") else tuple(int(dim.get("size", 0)) for dim in shape.get("dim") or ())
    return TensorDescribed(str(one.get("dtype", "DT_INVALID")), sizes)
