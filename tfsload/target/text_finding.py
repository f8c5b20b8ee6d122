"""What a model wants in its texts: files of images, or serialised tf.Examples. No signature tells; a server does.

It is sent an empty text, once, before any load. Empty bytes are an example without a feature, and TensorFlow refuses
one with the name and the dtype of the first feature that it misses; then a black image in that feature, to see whether
it is the only one.
"""

import dataclasses
import re
from typing import NoReturn

from tfsload.transport.asked import ModelAsked
from tfsload.transport.call_spec import CLASSIFY, EXAMPLE, TEXT, CallSpec
from tfsload.transport.contract import Transport
from tfsload.transport.failure import JUDGED_CODES, PredictionFailure
from tfsload.transport.faults import FaultsError
from tfsload.transport.image_tensor import FEATURE_LISTS
from tfsload.transport.pixel_scale import default_of
from tfsload.transport.tensors import kind_named
from tfsload.transport.words import quoted, shown

# As the kernels of tf.io.parse_example and parse_single_example have it.
_MISSES = re.compile(r"Feature: (.+?) \(data type: (\w+)\) is required but could not be found")
_OF_EXAMPLES = {"float": "DT_FLOAT", "int64": "DT_INT64", "string": TEXT}


class TextError(FaultsError):
    """It is not known what to send: what was found, and what to pass."""


def with_texts(transport: Transport, asked: ModelAsked, spec: CallSpec, timeout_s: float) -> CallSpec:
    """Return how a model is called that takes texts, with what it wants in them.

    Args:
        transport: to its server.
        asked: may name the feature.
        spec: as the signature has it.
        timeout_s: how long the server may take.

    Raises:
        PredictionFailure: there was no answer.
        TextError: examples are wanted, and the server does not say which feature holds the image, or wants others too.
    """
    said = _said_of_blank(transport, spec, timeout_s)
    found = _MISSES.search(said)
    if found is None and spec.method != CLASSIFY:
        if not spec.input.feature:
            _refuse_scale(asked, f"input {quoted(spec.input.name)}")
            return spec
        if said:
            _refuse_name(spec, said)
    made = _of_examples(asked, spec, found, said)
    refusal = _said_of_blank(transport, made, timeout_s)
    if refusal:
        _refuse_examples(made, refusal)
    return made


def _of_examples(asked: ModelAsked, spec: CallSpec, found: re.Match[str] | None, said: str) -> CallSpec:
    """Return how a model is called that takes tf.Examples, and has told of a feature or none."""
    feature, dtype = (found[1], _OF_EXAMPLES.get(found[2], found[2])) if found else (spec.input.feature, "DT_FLOAT")
    named = f"signature {quoted(spec.signature_name)}"
    if not feature:
        why = f"the server says {shown(said)}" if said else "the server does not say"
        raise TextError([f"{named} takes tf.Examples, and which feature holds the image is not known ({why}): {_NAME}"])
    if spec.input.feature not in ("", feature):
        raise TextError(
            [
                f"{named} misses the feature {quoted(feature)} of its tf.Examples, and {quoted(spec.input.feature)} is "
                f"named for the image: pass --input-name {shown(feature)}, or export the model with the image alone"
            ]
        )
    scale = asked.pixel_scale
    if dtype not in FEATURE_LISTS:
        raise TextError([f"{named}: the feature {quoted(feature)} is {shown(dtype)}; {_HOLDS}"])
    kind = kind_named(dtype)
    if dtype == TEXT:
        _refuse_scale(asked, f"the feature {quoted(feature)}")
    elif kind is not None:
        scale = scale or default_of(kind.dtype)
        if fault := scale.fault(kind.dtype):
            raise TextError([f"--pixel-scale {quoted(scale.text)}: the feature {quoted(feature)} is {dtype}, {fault}"])
    images = dataclasses.replace(
        spec.input,
        form=EXAMPLE,
        feature=feature,
        feature_dtype=dtype,
        scale=scale.text if scale else spec.input.scale,
    )
    return dataclasses.replace(spec, input=images)


def _refuse_name(spec: CallSpec, said: str) -> NoReturn:
    name, text = quoted(spec.input.feature), quoted(spec.input.name)
    raise TextError(
        [
            f"signature {quoted(spec.signature_name)} has no input {name}, and its input {text} misses no such feature "
            f"(the server says {shown(said)}): pass --input-name {shown(spec.input.name)}, or leave it out"
        ]
    )


def _refuse_examples(spec: CallSpec, said: str) -> NoReturn:
    """Refuse a model that takes no black image in its feature; the server may miss another one."""
    named, feature = f"signature {quoted(spec.signature_name)}", quoted(spec.input.feature)
    also = _MISSES.search(said)
    if also is not None and also[1] != spec.input.feature:
        wants = f"{named} wants tf.Examples with the features {feature} and {quoted(also[1])}, and images are one alone"
        raise TextError([f"{wants}: export the model with a signature that takes nothing else"])
    raise TextError([f"{named} refuses a tf.Example with a black image as the feature {feature}: {shown(said)}"])


def _refuse_scale(asked: ModelAsked, what: str) -> None:
    if asked.pixel_scale is not None:
        said = f"--pixel-scale {quoted(asked.pixel_scale.text)}"
        raise TextError([f"{said}: {what} takes PNG files, whose pixels are as they are; leave it out"])


_NAME = "pass its name with --input-name"
_HOLDS = "an image is sent as floats, integers or a PNG file"


def _said_of_blank(transport: Transport, spec: CallSpec, timeout_s: float) -> str:
    try:
        transport.send_blank(spec, timeout_s)
    except PredictionFailure as failure:
        if failure.code not in JUDGED_CODES:
            raise
        return failure.message
    return ""
