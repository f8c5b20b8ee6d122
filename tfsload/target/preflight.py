"""Before any load: does the server hold a model that answers what is going to be asked?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfsload.datasets.dataset import PIXELS
from tfsload.transport.answer import ReplyError
from tfsload.transport.asked import ModelAsked
from tfsload.transport.contract import Transport
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.faults import FaultsError
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.signature import READY, SignatureDescribed, TensorDescribed, VersionDescribed
from tfsload.transport.words import quoted, shown

# A description has as long as a request, and no less than this: it comes first, over a connection that is made for it.
LEAST_PATIENCE_S = 2.5
# States of a version that can be used later on.
_COMING = ("START", "LOADING")
# What is said of a connection that no server makes by starting: it speaks otherwise, or is not to be trusted.
_STAYS_SO = re.compile("certificate|tls handshake failed|does not speak tls|alpn|http/1|http1", re.IGNORECASE)
# What is said of a port where something else than gRPC is spoken, by either transport.
_SPEAKS_OTHERWISE = re.compile("http/1|http1|parsing http/2", re.IGNORECASE)
_CLOSED_AT_ONCE = "closed the connection before it said anything"
_WHICH_PORT = "gRPC's is 8500 as a rule, and REST's 8501"
# Codes that a server, or what stands before it, may give while it starts, and no longer afterwards.
_PASSING_CODES = ("RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED", "INTERNAL", "UNKNOWN")
_SCORE_TYPES = ("DT_FLOAT", "DT_DOUBLE")
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


def ask(transport: Transport, n_classes: int, timeout_s: float, n_pixels: int = PIXELS) -> Preflight:
    """Ask the server for the model's status and signature.

    Args:
        transport: to the server; closed afterwards.
        n_classes: labels of the data set are below this.
        timeout_s: how long each of both may take.
        n_pixels: of an image.

    Raises:
        NoServerError: nothing answers there, or the model is not there yet.
        MisfitError: no such model or version, or a signature that does not fit.
    """
    try:
        found = transport.describe(timeout_s)
    except PredictionFailure as failure:
        raise _explained(transport, failure, timeout_s) from None
    except ReplyError as error:
        raise MisfitError([str(error)]) from None
    finally:
        transport.close()
    not_ready = check_status(transport.model, found.versions, transport.connection.wait_s)
    if not_ready is not None:
        raise not_ready
    if faults := check_signature(transport.model, found.signatures, n_classes, n_pixels):
        raise MisfitError(faults)
    return Preflight(found.servable.version or 0, found.servable)


def _explained(transport: Transport, failure: PredictionFailure, timeout_s: float) -> PreflightError:
    code, said = failure.code, failure.message
    where, model = transport.connection.server.text, transport.model.name
    or_wait = _or_wait(transport.connection.wait_s)
    match code:
        case "UNAVAILABLE" if "certificate" in said:
            cure = "pass its authority with --tls-ca-file, and the name that its certificate holds with --host"
            return NoServerError([f"the server at {where} is not to be trusted ({said}): {cure}"])
        case "UNAUTHENTICATED" | "PERMISSION_DENIED":
            cure = "pass the token that it wants with --metadata, or a certificate with --tls-cert-file"
            return NoServerError([f"the server at {where} does not let us in ({code}: {said}): {cure}"])
        case "UNAVAILABLE" if _SPEAKS_OTHERWISE.search(said):
            what = f"what answers at {where} speaks no gRPC ({said})"
            return NoServerError([f"{what}: is this the REST port? pass the gRPC port with --host ({_WHICH_PORT})"])
        case "UNAVAILABLE" if _STAYS_SO.search(said):
            return NoServerError(
                [f"no model server answers at {where} ({said}): start one there, or pass another --host"]
            )
        case "UNAVAILABLE":
            cure = f"start one there, or pass another --host, {or_wait}"
            if _CLOSED_AT_ONCE in said:
                cure = f"pass the gRPC port with --host ({_WHICH_PORT}), --tls where it wants that, {or_wait}"
            return NoServerError(
                [f"no model server answers at {where} ({said}): {cure}"], passing=f"no model server answers ({said})"
            )
        case "DEADLINE_EXCEEDED":
            what = f"within {timeout_s:g} s"
            cure = f"pass a model server's gRPC port with --host, a longer --deadline, {or_wait}"
            return NoServerError([f"no answer from {where} {what}: {cure}"], passing=f"no answer {what}")
        case "UNIMPLEMENTED":
            return MisfitError([f"{where} speaks gRPC but is no TensorFlow Serving ({said}): pass another --host"])
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


def check_signature(
    model: ModelAsked, signatures: Mapping[str, SignatureDescribed], n_classes: int, n_pixels: int = PIXELS
) -> list[str]:
    """Return what is wrong with the signature to be called; nothing if it fits.

    Offered in its place is what can be passed: neither what a model keeps for itself, nor what is no prediction.

    Args:
        model: names the signature, its input and output.
        signatures: the model's, by name.
        n_classes: labels of the data set are below this.
        n_pixels: of an image.
    """
    signature, named = signatures.get(model.signature_name), quoted(model.signature_name)
    others = sorted(name for name, one in signatures.items() if _can_be_called(name, one))
    if signature is None:
        return [f"the model has no signature {named}: {_instead('--signature-name', others, _A_SIGNATURE)}"]
    if signature.method != _PREDICT_METHOD:
        found = f"is {shown(signature.method)}" if signature.method else "says not how it is called"
        cure = _instead("--signature-name", others, _A_SIGNATURE)
        return [f"signature {named} {found}, and {_PREDICT_METHOD} is expected: {cure}"]
    others = [name for name in others if name != model.signature_name]
    return _check_inputs(model, signature.inputs, others, n_pixels) + _check_output(model, signature.outputs, n_classes)


_A_SIGNATURE = f"export the model with a signature of {_PREDICT_METHOD}"
_AN_OUTPUT = "export the model with a float32 output of [-1, classes]"


def _can_be_called(name: str, signature: SignatureDescribed) -> bool:
    """Whether a signature is one to predict with: a model has others, such as `__saved_model_init_op`."""
    return signature.method == _PREDICT_METHOD and not name.startswith("__")


def _instead(flag: str, names: Sequence[str], otherwise: str) -> str:
    """Return what to pass, or what to do where there is nothing to pass."""
    return f"pass {flag} with one of {_listed(names)}" if names else otherwise


def _check_inputs(
    model: ModelAsked, inputs: Mapping[str, TensorDescribed], signatures: Sequence[str], n_pixels: int
) -> list[str]:
    an_input = f"export the model with a float32 input of [-1, {n_pixels}]"
    tensor = inputs.get(model.input_name)
    if tensor is None:
        cure = _instead("--input-name", sorted(inputs), an_input)
        return [f"signature {quoted(model.signature_name)} has no input {quoted(model.input_name)}: {cure}"]
    faults = []
    if others := sorted(set(inputs) - {model.input_name}):
        cure = _instead("--signature-name", signatures, "export the model with a signature that has one")
        faults.append(
            f"signature {quoted(model.signature_name)} wants more than {quoted(model.input_name)}: also "
            f"{_listed(others)}; only models with one input can be tested: {cure}"
        )
    if tensor.dtype != "DT_FLOAT":
        faults.append(
            f"input {quoted(model.input_name)} is {tensor.dtype}: images are sent as DT_FLOAT; "
            "export the model with a float32 input"
        )
    if not _shape_fits(tensor.shape, (None, n_pixels), model.images_per_request):
        faults.append(
            f"input {quoted(model.input_name)} has shape {tensor.shape_text}: images are sent as "
            f"[{model.images_per_request}, {n_pixels}]; {an_input}, or pass another --dataset"
        )
    return faults


def _check_output(model: ModelAsked, outputs: Mapping[str, TensorDescribed], n_classes: int) -> list[str]:
    tensor, n_images = outputs.get(model.output_name), model.images_per_request
    fitting = sorted(name for name, one in outputs.items() if _holds_scores(one, n_images))
    cure = _instead("--output-name", fitting, _AN_OUTPUT)
    if tensor is None:
        return [f"signature {quoted(model.signature_name)} has no output {quoted(model.output_name)}: {cure}"]
    faults = []
    if tensor.dtype not in _SCORE_TYPES:
        what = f"output {quoted(model.output_name)} is {tensor.dtype}"
        faults.append(f"{what}: a score for each class is expected, {' or '.join(_SCORE_TYPES)}; {cure}")
    shape = tensor.shape
    if not _shape_fits(shape, (None, None), n_images):
        faults.append(
            f"output {quoted(model.output_name)} has shape {tensor.shape_text}: expected [-1, classes]; {cure}"
        )
    elif shape is not None and 0 <= shape[1] < n_classes:
        faults.append(
            f"output {quoted(model.output_name)} scores {shape[1]} classes and the data set's labels need "
            f"{n_classes}: pass another --dataset or --model-name"
        )
    return faults


def _holds_scores(tensor: TensorDescribed, n_images: int) -> bool:
    return tensor.dtype in _SCORE_TYPES and _shape_fits(tensor.shape, (None, None), n_images)


def _shape_fits(shape: tuple[int, ...] | None, expected: tuple[int | None, int | None], n_images: int) -> bool:
    """Whether a tensor of [n_images, …] can be fed to or come from a shape; -1 takes any size."""
    if shape is None:
        return True
    if len(shape) != len(expected):
        return False
    wanted = (n_images, expected[1])
    return all(size == -1 or want is None or size == want for size, want in zip(shape, wanted, strict=True))


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(map(str, names)) or "(none)"
