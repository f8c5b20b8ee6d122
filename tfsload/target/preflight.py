"""Before any load: does the server hold a model that answers what is going to be asked?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfsload.target.call_finding import NoCallError, find_call
from tfsload.target.fired import DIGITS, Fired
from tfsload.target.shape_finding import ShapeError, with_shape
from tfsload.target.text_finding import TextError, with_texts
from tfsload.transport.answer import ReplyError
from tfsload.transport.asked import ModelAsked
from tfsload.transport.call_spec import MNIST_EXAMPLE, TEXT, CallSpec
from tfsload.transport.contract import Transport
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.faults import FaultsError
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.signature import READY, VersionDescribed
from tfsload.transport.spoken import WHICH_PORT
from tfsload.transport.words import quoted, shown

# A description has as long as a request, and no less than this: it comes first, over a connection that is made for it.
LEAST_PATIENCE_S = 2.5
# States of a version that can be used later on.
_COMING = ("START", "LOADING")
# What is said of a connection that no server makes by starting: it speaks otherwise, or is not to be trusted.
_STAYS_SO = re.compile(
    "certificate|tls handshake failed|does not speak tls|speaks tls|alpn|http/1|http1", re.IGNORECASE
)
_CLOSED_AT_ONCE = "closed the connection before it said anything"
# Codes that a server, or what stands before it, may give while it starts, and no longer afterwards.
_PASSING_CODES = ("RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED", "INTERNAL", "UNKNOWN")


@dataclass(frozen=True)
class Preflight:
    """What the server said.

    Attributes:
        model_version: the version that answers.
        servable: the model that answers, as far as the server told.
        spec: how it is called.
        fired: the images that were to fit it.
    """

    model_version: int
    servable: Servable = UNTOLD
    spec: CallSpec = MNIST_EXAMPLE
    fired: Fired = DIGITS


class PreflightError(FaultsError):
    """The server cannot be tested as asked: what was found, and what to pass instead.

    Attributes:
        passing: what is the matter, in a few words, where it may pass by itself while a server starts; empty: it stays.
    """

    def __init__(self, faults: Sequence[str], passing: str = "") -> None:
        super().__init__(faults)
        self.passing = passing


class NoServerError(PreflightError):
    """There is no server, or none yet, that could answer, whatever is asked."""


class MisfitError(PreflightError):
    """A server is there, but not what the options name."""


def patience_s(model: ModelAsked) -> float:
    """Return how long a server may take to describe a model: as long as for any other answer."""
    return max(model.deadline_s, LEAST_PATIENCE_S)


def ask(transport: Transport, fired: Fired, timeout_s: float) -> Preflight:
    """Ask the server for the model's status and signatures, and find how it is called.

    Args:
        transport: to the server; closed afterwards.
        fired: the images and their labels.
        timeout_s: how long each of both may take.

    Raises:
        NoServerError: nothing answers there, or the model is not there yet.
        MisfitError: no such model or version, or a signature that does not fit.
    """
    model = transport.model
    try:
        found = transport.describe(timeout_s)
        not_ready = check_status(model, found.versions, transport.connection.wait_s)
        if not_ready is not None:
            raise not_ready
        spec = find_call(model, found.signatures, fired)
        spec = _tried(transport, spec, timeout_s)
    except PredictionFailure as failure:
        raise _explained(transport, failure, timeout_s) from None
    except ReplyError as error:
        raise MisfitError([str(error)]) from None
    except (NoCallError, TextError, ShapeError) as error:
        raise MisfitError(error.faults) from None
    finally:
        transport.close()
    return Preflight(found.servable.version or 0, found.servable, spec, fired)


def _tried(transport: Transport, spec: CallSpec, timeout_s: float) -> CallSpec:
    """Return how a model is called, with what its server says of a blank image.

    Raises:
        TextError, ShapeError: the server takes it in no way.
        NoServerError, MisfitError: it is refused for another reason, or not answered.
    """
    try:
        if spec.given:
            return spec
        if spec.input.dtype == TEXT:
            return with_texts(transport, transport.model, spec, timeout_s)
        return with_shape(transport, spec, timeout_s)
    except PredictionFailure as failure:
        blank = "an empty text" if spec.input.dtype == TEXT else "a black image"
        n_images = transport.model.images_per_request
        many = f" (and --images-per-request {n_images} has {n_images} of them in a request)" if n_images > 1 else ""
        what = f"did not take {blank} to try{many}: {failure.code}: {failure.message}"
        said = f"the server at {transport.connection.server.text} describes the model, and {what}"
        if failure.code in (*_PASSING_CODES, "UNAVAILABLE", "DEADLINE_EXCEEDED"):
            or_wait = _or_wait(transport.connection.wait_s)
            longer = ", a longer --deadline" if failure.code == "DEADLINE_EXCEEDED" else ""
            raise NoServerError([f"{said}: see its log{longer}, {or_wait}"], passing=f"it {what}") from None
        raise MisfitError([f"{said}: see its log"]) from None


def _explained(transport: Transport, failure: PredictionFailure, timeout_s: float) -> PreflightError:
    code, said = failure.code, failure.message
    where, model, spoken = transport.connection.server.text, transport.model.name, transport.spoken()
    or_wait = _or_wait(transport.connection.wait_s)
    match code:
        case "UNAVAILABLE" if "certificate" in said:
            cure = "pass its authority with --tls-ca-file, and the name that its certificate holds with --host"
            return NoServerError([f"the server at {where} is not to be trusted ({said}): {cure}"])
        case "UNAUTHENTICATED" | "PERMISSION_DENIED":
            cure = "pass the token that it wants with --metadata, or a certificate with --tls-cert-file"
            return NoServerError([f"the server at {where} does not let us in ({code}: {said}): {cure}"])
        case "UNAVAILABLE" if spoken.speaks_otherwise.search(said):
            what = f"what answers at {where} speaks no {spoken.name} ({said}): {spoken.other_port}"
            return NoServerError([f"{what} pass the {spoken.name} port with --host ({WHICH_PORT})"])
        case "UNAVAILABLE" if _STAYS_SO.search(said):
            return NoServerError(
                [f"no model server answers at {where} ({said}): start one there, or pass another --host"]
            )
        case "UNAVAILABLE":
            cure = f"start one there, or pass another --host, {or_wait}"
            if _CLOSED_AT_ONCE in said:
                cure = f"pass the {spoken.name} port with --host ({WHICH_PORT}), --tls where it wants that, {or_wait}"
            return NoServerError(
                [f"no model server answers at {where} ({said}): {cure}"], passing=f"no model server answers ({said})"
            )
        case "DEADLINE_EXCEEDED":
            what = f"within {timeout_s:g} s"
            cure = f"pass a model server's {spoken.name} port with --host, a longer --deadline, {or_wait}"
            return NoServerError([f"no answer from {where} {what}: {cure}"], passing=f"no answer {what}")
        case "UNIMPLEMENTED":
            what = f"{where} speaks {spoken.name} but is no TensorFlow Serving ({said})"
            return MisfitError([f"{what}: pass another --host"])
        case "NOT_FOUND":
            what = f"has no model {quoted(model)} ({said})"
            return MisfitError([f"the server at {where} {what}: pass --model-name, {or_wait}"], passing=f"it {what}")
        case "INVALID_ARGUMENT" if transport.model.label:
            what = f"--model-label {quoted(transport.model.label)}: {said}"
            return MisfitError([f"{what}; leave it out for the latest version, {or_wait}"], passing=what)
    what = f"does not describe the model {quoted(model)}: {code}: {said}"
    if code in _PASSING_CODES:
        return NoServerError([f"the server at {where} {what}: see its log, {or_wait}"], passing=f"it {what}")
    return NoServerError([f"the server at {where} {what}"])


def _or_wait(wait_s: float) -> str:
    """Return the last of some cures, where a server may be starting."""
    return f"or a longer --wait ({wait_s:g} s did not do)" if wait_s else "or --wait 60 where it is still starting"


def check_status(model: ModelAsked, states: Sequence[VersionDescribed], wait_s: float = 0) -> PreflightError | None:
    """Return what is wrong with the model's versions; None where they fit.

    Args:
        model: as it was asked for.
        states: the versions that the server knows.
        wait_s: for how long it is waited for.
    """
    available = sorted(one.version for one in states if one.state == READY)
    if available if model.version is None else model.version in available:
        return None
    asked_for = [one for one in states if model.version in (None, one.version)]
    found = ", ".join(f"{one.version}: {one.state} {shown(one.error)}".strip() for one in asked_for)
    if coming := [one for one in asked_for if one.state in _COMING]:
        what = f"model {quoted(model.name)} is {coming[-1].state} (version {coming[-1].version})"
        more = f" longer than {wait_s:g} s, or see the server's log" if wait_s else " 60 to wait for it"
        return NoServerError([f"{what}: pass --wait{more}"], passing=what)
    if any(one.error for one in asked_for):
        return NoServerError([f"model {quoted(model.name)} could not be loaded ({found}): see the server's log"])
    if model.version is not None:
        what = f"model {quoted(model.name)} has no version {model.version}"
        cure = f"pass --model-version with one of {_listed(available)}, or leave it out for the latest"
        if asked_for:  # it was there, and has gone
            return MisfitError([f"{what}: {cure}"])
        return MisfitError([f"{what}: {cure}, {_or_wait(wait_s)}"], passing=what)
    what = f"model {quoted(model.name)} has no version that is ready ({found or 'none at all'})"
    return NoServerError([f"{what}: see the server's log, {_or_wait(wait_s)}"], passing=what)


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(map(str, names)) or "(none)"
