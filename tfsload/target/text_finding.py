"""What a model wants in its texts: files of images, or serialised tf.Examples. No signature tells; a server does.

It is sent an empty text, before any load. Empty bytes are an example without a feature, and TensorFlow refuses one
with the name and the dtype of the first feature that it misses: one that a value was given for, which is sent from then
on, or the image's. Then it is sent a black image, in that feature or as the text: as one kind of file after the other,
until it takes one.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from tfsload.transport.asked import ModelAsked
from tfsload.transport.call_spec import BASE64, BYTES, CLASSIFY, EXAMPLE, PNG, TEXT, CallSpec, FurtherInput
from tfsload.transport.contract import Transport
from tfsload.transport.failure import JUDGED_CODES, PredictionFailure
from tfsload.transport.faults import FaultsError
from tfsload.transport.given_input import GivenInputError, tensor_of
from tfsload.transport.image_tensor import FEATURE_LISTS
from tfsload.transport.pixel_scale import default_of
from tfsload.transport.tensors import kind_named
from tfsload.transport.words import LONGEST_VALUE, cut, quoted, shown

# As the kernels of tf.io.parse_example and parse_single_example have it.
_MISSES = re.compile(r"Feature: (.+?) \(data type: (\w+)\) is required but could not be found")
_OF_EXAMPLES = {"float": "DT_FLOAT", "int64": "DT_INT64", "string": TEXT}
# In this order kinds of files are tried: what decodes an image takes no other; what reads bytes takes any, and misses
# some of them later on.
_FILES = (PNG, BASE64, BYTES)


class TextError(FaultsError):
    """It is not known what to send: what was found, and what to pass."""


def with_texts(transport: Transport, asked: ModelAsked, spec: CallSpec, timeout_s: float) -> CallSpec:
    """Return how a model is called that takes texts, with what it wants in them.

    Args:
        transport: to its server.
        asked: may name the feature.
        spec: as the signature has it.
        timeout_s: how long the server may take, for each text that is tried.

    Raises:
        PredictionFailure: there was no answer.
        TextError: examples are wanted, and the server does not say which feature holds the image, or wants others too;
            or it takes an image as no file.
    """

    def refusal(tried: CallSpec) -> str:
        return _said_of_blank(transport, tried, timeout_s)

    given = {one.name: one for one in spec.input.features}
    spec = _with_features(spec, ())
    said = refusal(spec)
    while (found := _MISSES.search(said)) and found[1] in given:
        spec = _with_features(spec, (*spec.input.features, _feature(spec, given.pop(found[1]), found[2])))
        said = refusal(spec)
    if found is None and spec.method != CLASSIFY:
        if not spec.input.feature:
            _refuse_scale(asked, f"input {quoted(spec.input.name)}")
            _refuse_given(spec, given, said)
            return _as_file(spec, refusal)
        if said or not refusal(_file_of(spec, PNG)):  # what takes any text, or a file, takes no tf.Examples
            _refuse_name(spec, said)
    spec = _of_examples(asked, spec, found, said)
    # Further features are missed one by one, in any order.
    while (also := _MISSES.search(refusal(spec))) and also[1] in given:
        spec = _with_features(spec, (*spec.input.features, _feature(spec, given.pop(also[1]), also[2])))
    _refuse_given(spec, given, "")
    if spec.input.feature_dtype == TEXT:
        return _as_file(spec, refusal)
    if said := refusal(spec):
        _refuse_examples(spec, said)
    return spec


def _with_features(spec: CallSpec, features: tuple[FurtherInput, ...]) -> CallSpec:
    return dataclasses.replace(spec, input=dataclasses.replace(spec.input, features=features))


def _feature(spec: CallSpec, given: FurtherInput, dtype: str) -> FurtherInput:
    """Return a further feature with the dtype that the server has told, for which its value has to be one."""
    feature = dataclasses.replace(given, dtype=_OF_EXAMPLES.get(dtype, dtype))
    try:
        tensor_of(feature, 1)
    except GivenInputError as expected:
        said, named = f"--input {quoted(f'{given.name}={given.text}')}", quoted(spec.signature_name)
        raise TextError([f"{said}: the feature is {shown(dtype)} in signature {named}, expected {expected}"]) from None
    return feature


def _as_file(spec: CallSpec, refusal: Callable[[CallSpec], str]) -> CallSpec:
    """Return how a model is called that takes an image as a file, of the kind that its server takes."""
    refusals = []
    for file in _FILES:
        tried = _file_of(spec, file)
        said = refusal(tried)
        if not said:
            return tried
        refusals.append(said)
        if _MISSES.search(said):
            break
    if spec.input.form == EXAMPLE:
        _refuse_examples(spec, refusals[0])
    files = "as a PNG file, as base64 of one and as the bytes of its pixels; the first"
    why = f"the server refuses a black image {files}: {shown(refusals[0])}"
    raise TextError([f"input {quoted(spec.input.name)} takes texts, and what is to be in them is not found: {why}"])


def _file_of(spec: CallSpec, file: str) -> CallSpec:
    return dataclasses.replace(spec, input=dataclasses.replace(spec.input, file=file, feature_dtype=TEXT))


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
                f"named for the image: pass --input-name {shown(feature)}, or {_its_value(feature)}"
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
    why = f"the server says {shown(said)}" if said else "the server takes what is no tf.Example"
    raise TextError(
        [
            f"signature {quoted(spec.signature_name)} has no input {name}, and its input {text} misses no such feature "
            f"({why}): pass --input-name {shown(spec.input.name)}, or leave it out"
        ]
    )


def _refuse_examples(spec: CallSpec, said: str) -> NoReturn:
    """Refuse a model that takes no black image in its feature; the server may miss another one."""
    named, feature = f"signature {quoted(spec.signature_name)}", quoted(spec.input.feature)
    also = _MISSES.search(said)
    if also is not None and also[1] != spec.input.feature:
        wants = f"{named} wants tf.Examples with the features {feature} and {quoted(also[1])}, and images are one alone"
        raise TextError([f"{wants}: pass {_its_value(also[1])} for the other, or {_ALONE}"])
    why = f"{named} refuses a tf.Example with a black image as the feature {feature}: {shown(said)}"
    raise TextError([f"{why}; where that one is not the image's, pass {_its_value(spec.input.feature)}"])


def _its_value(feature: str) -> str:
    return f"--input {cut(shown(feature), LONGEST_VALUE)}=VALUE"


def _refuse_given(spec: CallSpec, given: Mapping[str, FurtherInput], said: str) -> None:
    """Refuse values for what is neither an input nor a feature that the server misses."""
    named = f"signature {quoted(spec.signature_name)}"
    why = f" (it says {shown(said)})" if said else ""
    faults = [
        f"--input {quoted(f'{one.name}={one.text}')}: {named} has no such input, and its server misses no such "
        f"feature{why}; leave it out"
        for one in given.values()
    ]
    if faults:
        raise TextError(faults)


def _refuse_scale(asked: ModelAsked, what: str) -> None:
    if asked.pixel_scale is not None:
        said = f"--pixel-scale {quoted(asked.pixel_scale.text)}"
        raise TextError([f"{said}: {what} takes files, whose pixels are as they are; leave it out"])


_NAME = "pass its name with --input-name"
_ALONE = "export the model with a signature that takes nothing else"
_HOLDS = "an image is sent as floats, integers or a PNG file"


def _said_of_blank(transport: Transport, spec: CallSpec, timeout_s: float) -> str:
    try:
        transport.send_blank(spec, timeout_s)
    except PredictionFailure as failure:
        if failure.code not in JUDGED_CODES:
            raise
        return failure.message
    return ""
