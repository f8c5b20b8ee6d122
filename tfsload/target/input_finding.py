"""Which input of a signature takes the images, how they are fitted to it, and what else is sent. Pure."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tfsload.target.fired import Fired
from tfsload.transport.asked import ModelAsked
from tfsload.transport.call_spec import FILE, PIXELS, TEXT, FurtherInput, InputSpec
from tfsload.transport.given_input import GivenInputError, is_each_image, tensor_of
from tfsload.transport.image_layout import Layout, layout_in, pixels_in, shapes_of
from tfsload.transport.pixel_scale import PixelScale, default_of
from tfsload.transport.signature import SignatureDescribed, TensorDescribed
from tfsload.transport.tensors import Kind, kind_named
from tfsload.transport.words import LONGEST_VALUE, cut, did_you_mean, one_of, quoted, shown

# Of several that would do, the one of TensorFlow Serving's own MNIST example.
_WELL_KNOWN = "images"
_INPUT_NAME = "--input-name"


@dataclass(frozen=True)
class FoundInput:
    """An input that images fit, or the faults of one that they do not.

    Attributes:
        spec: what images become; None: they do not fit.
        faults: what is wrong, with what to do; also with one that would fit otherwise.
        certainty: how much speaks for it, to be held against another's.
    """

    spec: InputSpec | None
    faults: tuple[str, ...] = ()
    certainty: int = 0


def find_input(
    asked: ModelAsked, signature_name: str, signature: SignatureDescribed, fired: Fired
) -> tuple[InputSpec | None, list[str]]:
    """Return the input that takes the images, or what is wrong with the signature's inputs.

    Args:
        asked: may name it.
        signature_name, signature: the one to be called.
        fired: the images.
    """
    named, inputs = f"signature {quoted(signature_name)}", signature.inputs
    found = {name: fit_input(asked, name, tensor, fired) for name, tensor in inputs.items()}
    fitting = sorted(name for name, one in found.items() if one.spec is not None)
    if asked.input_name:
        if asked.input_name not in inputs:
            if as_feature := _of_feature(asked, found, signature.defaults):
                return as_feature, []
            offered = fitting or sorted(inputs)
            meant, cure = did_you_mean(asked.input_name, offered), one_of(_INPUT_NAME, offered, AN_INPUT)
            there = ", ".join(map(shown, sorted(inputs))) or "none"
            also = "" if fitting == sorted(inputs) else f"; it has {there}"
            if any(one.dtype == TEXT for one in inputs.values()):
                also += "; a feature of tf.Examples is named where a text is the only input that takes no other value"
            return None, [f"{named} has no input {quoted(asked.input_name)}{meant}{also}: {cure}"]
        return found[asked.input_name].spec, list(found[asked.input_name].faults)
    given = {name for name, _ in asked.inputs}
    free = {name: one for name, one in found.items() if name not in given}
    if len(free) == 1:
        (only,) = free.values()
        return only.spec, list(only.faults)
    best = max((one.certainty for one in free.values() if one.spec is not None), default=None)
    chosen = sorted(name for name, one in free.items() if one.spec is not None and one.certainty == best)
    needed = [name for name in chosen if name not in signature.defaults]
    chosen = needed or chosen
    if _WELL_KNOWN in chosen:
        chosen = [_WELL_KNOWN]
    if not chosen:
        told = ", ".join(f"{shown(name)} ({described(one)})" for name, one in sorted(inputs.items()))
        return None, [f"{named} has no input for images of {fired.image_words}: {told or 'none at all'}; {AN_INPUT}"]
    if len(chosen) > 1:
        return None, [f"{named} has several inputs that images fit: {one_of(_INPUT_NAME, chosen, AN_INPUT)}"]
    return found[chosen[0]].spec, list(found[chosen[0]].faults)


def fit_input(asked: ModelAsked, name: str, tensor: TensorDescribed, fired: Fired) -> FoundInput:
    """Return what images become for one input; what is wrong with it, where they do not fit."""
    named, what = f"input {quoted(name)}", described(tensor)
    kind = kind_named(tensor.dtype)
    if tensor.dtype == TEXT:
        return fit_text(asked, name, tensor, fired)
    if kind is None or not _holds_pixels(kind):
        return FoundInput(None, (f"{named} is {what}: it cannot hold pixels; {AN_INPUT}",))
    layout = layout_in(tensor.shape, fired.pixels)
    if tensor.shape == (math.prod(fired.pixels), -1):
        return FoundInput(None, (f"{named} is {what}, an image a column: expected [-1, {tensor.shape[0]}]; {_ROWS}",))
    if layout is None:
        if (wanted := pixels_in(tensor.shape)) and wanted != fired.pixels:
            size, given = (f"{rows} × {columns}" for rows, columns in (wanted, fired.pixels))
            why = f"{named} takes images of {size} pixels ({what}), and the data set's are {given}"
            cure = f"resize them to {size}, pass another --dataset, or {AN_INPUT}"
            return FoundInput(None, (f"{why}; images are not resized here: {cure}",))
        shapes = ", ".join(str(["n", *shape]).replace("'", "") for shape in shapes_of(fired.pixels))
        why = f"images of {fired.image_words} are sent as {shapes}, or one of these without n"
        return FoundInput(None, (f"{named} is {what}: {why}; pass another --dataset, or {AN_INPUT}",))
    scale = asked.pixel_scale or default_of(kind.dtype)
    faults = [*_batch_faults(asked, named, what, layout), *_scale_faults(asked, named, tensor.dtype, scale)]
    spec = InputSpec(
        name,
        tensor.dtype,
        tensor.shape,
        fired.pixels,
        layout.shape,
        layout.has_batch,
        layout.batch,
        layout.border,
        scale.text,
        PIXELS,
        by=fired.by_words,
    )
    return FoundInput(spec, tuple(faults), layout.certainty)


def find_further(
    asked: ModelAsked, signature_name: str, signature: SignatureDescribed, taken: Collection[str], by: str = ""
) -> tuple[tuple[FurtherInput, ...], list[str]]:
    """Return what is sent beside the images, and what is wrong with it.

    What names no input may be a feature of tf.Examples, where images are sent as texts (`features_of`).

    Args:
        asked: holds the values that were given.
        signature_name, signature: the one to be called.
        taken: names of the inputs that take the images, or arrays in their place.
        by: who gives these.
    """
    named, given, faults, further = f"signature {quoted(signature_name)}", dict(asked.inputs), [], []
    for name, text in given.items():
        tensor, said = signature.inputs.get(name), f"--input {quoted(f'{name}={text}')}"
        if tensor is None and not by and all(signature.inputs[one].dtype == TEXT for one in taken):
            continue
        if tensor is None:
            free, told = set(signature.inputs) - set(taken), ", ".join(map(shown, sorted(signature.inputs)))
            meant = did_you_mean(name, free - set(given))
            if not free:
                what = f"{by} gives" if by else f"{'take' if len(taken) > 1 else 'takes'} the images"
                told += f" alone, which {what}: leave this out"
            faults.append(f"{said}: {named} has no such input{meant}; it has {told}")
            continue
        if name in taken:
            what = f"{by} gives that one" if by else "that one takes the images; name theirs with --input-name"
            faults.append(f"{said}: {what}{';' if by else ', or'} leave this out")
            continue
        one = FurtherInput(name, tensor.dtype, tensor.shape, text)
        try:
            tensor_of(one, asked.images_per_request)
            one = replace(one, is_each=is_each_image(one, asked.images_per_request))
        except GivenInputError as expected:
            faults.append(f"{said}: the input is {described(tensor)}, expected {expected}")
        further.append(one)
    for name, tensor in sorted(signature.inputs.items()):
        if name not in (*taken, *given, *signature.defaults):
            value, give = cut(shown(name), LONGEST_VALUE), f"have {by} give it, or " if by else ""
            faults.append(
                f"{named} also wants the input {quoted(name)}, {described(tensor)}: {give}pass --input {value}=VALUE"
            )
    return tuple(further), faults


def features_of(asked: ModelAsked, signature: SignatureDescribed) -> tuple[FurtherInput, ...]:
    """Return the values that were given for no input of a signature: for features, of which the server tells more."""
    return tuple(FurtherInput(name, "", None, text) for name, text in asked.inputs if name not in signature.inputs)


def described(tensor: TensorDescribed) -> str:
    """Return a tensor's dtype and shape for people."""
    return f"{tensor.dtype} {tensor.shape_text}"


_ROWS = "export the model with a signature that takes an image a row, and transposes"
AN_INPUT = "export the model with an input that takes them"


def _holds_pixels(kind: Kind) -> bool:
    return kind.dtype != object and not np.issubdtype(kind.dtype, np.complexfloating)


def _of_feature(asked: ModelAsked, found: Mapping[str, FoundInput], defaults: Collection[str]) -> InputSpec | None:
    """Return the only input, of texts, where the name given may be that of a feature in them, as the server will say.

    Beside others the name is more likely one of theirs, mistyped.
    """
    given = {name for name, _ in asked.inputs}
    free = [one for name, one in found.items() if name not in given and name not in defaults]
    texts = [one.spec for one in free if one.spec is not None and one.spec.dtype == TEXT and not one.faults]
    return replace(texts[0], feature=asked.input_name) if len(texts) == len(free) == 1 else None


def fit_text(asked: ModelAsked, name: str, tensor: TensorDescribed, fired: Fired) -> FoundInput:
    """Return what images become for an input of texts, one for each or the only one; or what is wrong with it."""
    named, what, shape = f"input {quoted(name)}", described(tensor), tensor.shape
    if tensor.dtype != TEXT:
        return FoundInput(None, (f"{named} is {what}: expected a text for each image; {AN_INPUT}",))
    inner = () if shape is None else shape[1:]
    if any(size not in (1, -1) for size in inner):
        return FoundInput(None, (f"{named} is {what}: expected one text for each image; {AN_INPUT}",))
    batch = shape[0] if shape and shape[0] >= 0 else None
    layout = Layout((1,) * len(inner), shape != (), batch, 1)
    spec = InputSpec(
        name, tensor.dtype, shape, fired.pixels, layout.shape, layout.has_batch, batch, form=FILE, by=fired.by_words
    )
    faults = _batch_faults(asked, named, what, layout)
    return FoundInput(spec, tuple(faults), layout.certainty)


def _batch_faults(asked: ModelAsked, named: str, what: str, layout: Layout) -> list[str]:
    n, said = asked.images_per_request, f"--images-per-request {asked.images_per_request}"
    if layout.has_batch and layout.batch not in (None, n):
        return [f"{said}: {named} is {what} and takes {layout.batch} at once; pass --images-per-request {layout.batch}"]
    if not layout.has_batch and n != 1:
        return [f"{said}: {named} is {what} and takes one image; leave it out"]
    return []


def _scale_faults(asked: ModelAsked, named: str, dtype: str, scale: PixelScale) -> list[str]:
    kind = kind_named(dtype)
    assert kind is not None
    why = scale.fault(kind.dtype)
    if not why:
        return []
    fitting = default_of(kind.dtype).text
    fitting = f"={fitting}" if fitting.startswith("-") else f" {fitting}"
    said = f"--pixel-scale {quoted(scale.text)}" if asked.pixel_scale else f"pixels are sent as {scale.text}"
    return [f"{said}: {named} is {dtype}, {why}; pass --pixel-scale{fitting}, or another that fits"]
