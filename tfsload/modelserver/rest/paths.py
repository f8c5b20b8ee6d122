"""What a path of the REST API asks for. Pure."""

import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from tfsload.modelserver.errors import invalid
from tfsload.transport.protos import model_pb2

_VERSION = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_CALL = re.compile(rf"/v1/models/(?P<name>[^/:]+){_VERSION}:(?P<method>classify|regress|predict)", re.IGNORECASE)
_QUESTION = re.compile(rf"/v1/models(?:/(?P<name>[^/:]+))?{_VERSION}(?:/(?P<about>metadata))?", re.IGNORECASE)
_MOST_VERSION = 2**63 - 1
_STATUS = "status"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked, and of which model.

    Attributes:
        what: `predict`, `classify`, `regress`, `metadata` or `status`.
        spec: the ModelSpec, without a signature.
    """

    what: str
    spec: Any


def is_of_the_api(path: str) -> bool:
    """Whether a path belongs to the API at all, rightly or wrongly written."""
    return path.lower().startswith("/v1/")


def asked(method: str, path: str) -> Asked:
    """Read a request's method and path, the path with its query.

    Raises:
        RequestError: they ask for nothing that there is.
    """
    found = {"POST": _CALL, "GET": _QUESTION}[method].fullmatch(path) if method in ("POST", "GET") else None
    if found is None:
        raise invalid(f"Malformed request: {method} {path}")
    spec = model_pb2.ModelSpec()
    parts = found.groupdict()
    if not parts["name"]:
        raise invalid("Missing model name in request.")
    spec.name = _decoded(parts["name"])
    if parts["version"]:
        spec.version.value = _version(parts["version"])
    if parts["label"]:
        spec.version_label = _decoded(parts["label"])
    # The real server knows a method in capitals, and has nothing that it calls then.
    what = parts.get("method") or parts.get("about") or _STATUS
    if what == what.lower():
        return Asked(what=what, spec=spec)
    if method == "GET":
        return Asked(what=_STATUS, spec=spec)
    raise invalid(f"Malformed request: {method} {path}")


def _version(digits: str) -> int:
    significant = digits.lstrip("0") or "0"
    if len(significant) > len(str(_MOST_VERSION)) or int(significant) > _MOST_VERSION:
        raise invalid(f"Failed to convert version: {digits} to numeric.")
    return int(significant)


def _decoded(part: str) -> str:
    return urllib.parse.unquote(part, errors="replace")
