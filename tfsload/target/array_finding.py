"""Which inputs take arrays that are given by name, or the only one that is given without, and how they fit. Pure."""

from tfsload.target.fired import Fired
from tfsload.target.input_finding import described
from tfsload.transport.asked import ModelAsked
from tfsload.transport.call_spec import GIVEN, GivenInput, InputSpec
from tfsload.transport.given_array import UNNAMED, GivenArrayError, fitted
from tfsload.transport.signature import SignatureDescribed
from tfsload.transport.words import did_you_mean, one_of, quoted, shown


def find_given(
    asked: ModelAsked, signature_name: str, signature: SignatureDescribed, fired: Fired
) -> tuple[tuple[GivenInput, ...], list[str]]:
    """Return what the signature's inputs are sent of the arrays that are given, or what is wrong with them.

    Args:
        asked: may name the input of an array without a name, and gives others' values.
        signature_name, signature: the one to be called.
        fired: the arrays.
    """
    named, inputs = f"signature {quoted(signature_name)}", signature.inputs
    arrays = dict(fired.given)
    if asked.pixel_scale is not None:
        said = f"--pixel-scale {quoted(asked.pixel_scale.text)}"
        return (), [f"{said}: what {fired.by} gives is sent as it is; leave it out"]
    if UNNAMED in arrays:
        name, fault = _input_of_one(asked, named, signature, fired)
        if fault:
            return (), [fault]
        arrays = {name: arrays[UNNAMED]}
    found: list[GivenInput] = []
    faults = []
    for name, given in arrays.items():
        if name not in inputs:
            meant = did_you_mean(name, inputs)
            there = ", ".join(map(shown, sorted(inputs))) or "none"
            faults.append(f"{fired.by} gives {quoted(name)}: {named} has no such input{meant}; it has {there}")
            continue
        try:
            by = fired.by if found else fired.by_words  # what it has cost is of all together
            found.append(fitted(name, inputs[name], given, asked.images_per_request, by))
        except GivenArrayError as expected:
            what = f"the input {quoted(name)} is {described(inputs[name])}, expected {expected}"
            faults.append(f"{fired.by} gives {given.words}: {what}")
    if not faults and len({one.batch for one in found if one.has_batch}) > 1:
        faults.append(f"{named} has inputs of different fixed numbers of images: {AN_INPUT_OF_ANY}")
    return tuple(found), faults


AN_INPUT_OF_ANY = "export the model with inputs that take any number"


def image_input(given: tuple[GivenInput, ...]) -> InputSpec:
    """Return the first of the inputs in the place of the one that takes the images."""
    batch = next((one.batch for one in given if one.has_batch), None)
    first = given[0]
    has_batch = any(one.has_batch for one in given)
    return InputSpec(first.name, first.dtype, first.described, (0, 0), first.shape, has_batch, batch, form=GIVEN)


def _input_of_one(asked: ModelAsked, named: str, signature: SignatureDescribed, fired: Fired) -> tuple[str, str]:
    """Return the input of an array without a name, or what is wrong."""
    inputs, given = signature.inputs, {name for name, _ in asked.inputs}
    if asked.input_name:
        if asked.input_name in inputs:
            return asked.input_name, ""
        meant = did_you_mean(asked.input_name, inputs)
        cure = one_of("--input-name", sorted(inputs), "export the model with one")
        return "", f"{named} has no input {quoted(asked.input_name)}{meant}: {cure}"
    free = sorted(set(inputs) - given)
    needed = [name for name in free if name not in signature.defaults] or free
    if len(needed) == 1:
        return needed[0], ""
    if not needed:
        return "", f"{named} has no input left for what {fired.by} gives"
    fitting = []
    for name in needed:
        try:
            fitted(name, inputs[name], fired.given[UNNAMED], asked.images_per_request, "")
        except GivenArrayError:
            continue
        fitting.append(name)
    if len(fitting) == 1:
        return fitting[0], ""
    which = ", ".join(f"{shown(name)} ({described(inputs[name])})" for name in needed)
    cure = "give arrays by name, {'NAME': array, …}, or pass --input-name"
    return "", f"{fired.by} gives one array, {fired.given[UNNAMED].words}, and {named} has the inputs {which}: {cure}"
