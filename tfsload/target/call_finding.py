"""How a model is called: which signature, which of its inputs and outputs, where nobody has named them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tfsload.target.array_finding import find_given, image_input
from tfsload.target.fired import Fired
from tfsload.target.input_finding import features_of, find_further, find_input, fit_text
from tfsload.target.output_finding import (
    JUST_AS_MANY,
    MORE,
    UNDECIDED,
    classified_faults,
    find_any_output,
    find_output,
    whole_outputs,
)
from tfsload.transport.asked import ModelAsked
from tfsload.transport.call_spec import (
    CLASSIFIED,
    CLASSIFY,
    EXAMPLE,
    MNIST_EXAMPLE,
    PREDICT,
    TEXT,
    VALUES,
    CallSpec,
    FurtherInput,
    GivenInput,
    InputSpec,
    OutputSpec,
)
from tfsload.transport.faults import FaultsError
from tfsload.transport.signature import SignatureDescribed
from tfsload.transport.words import did_you_mean, one_of, quoted, shown

# In this order they are looked for: that of TensorFlow Serving's own MNIST example, and that of most other models.
_WELL_KNOWN = ("predict_images", "serving_default")
# As TensorFlow has them of such a signature.
_CLASSIFIED_OUTPUTS = ("classes", "scores")
_SIGNATURE_NAME = "--signature-name"
_A_SIGNATURE = f"export the model with a signature of {PREDICT}"


class NoCallError(FaultsError):
    """The model cannot be called as asked, or not without being told how: what was found, and what to pass.

    Attributes:
        is_undecided: whether all fits, but for an output that is to be named.
    """

    is_undecided = False


def find_call(asked: ModelAsked, signatures: Mapping[str, SignatureDescribed], fired: Fired) -> CallSpec:
    """Return how a model is called. What was named is obeyed; the rest is found.

    Offered where it cannot be is what can be passed: neither what a model keeps for itself, nor what is no prediction.

    Args:
        asked: may name the signature, its input and output, and gives values of other inputs.
        signatures: the model's, by name.
        fired: the images and their labels.

    Raises:
        NoCallError: nothing fits, or more than one thing does.
    """
    callable_ones = sorted(name for name, one in signatures.items() if _can_be_called(name, one))
    if asked.signature_name:
        signature, named = signatures.get(asked.signature_name), quoted(asked.signature_name)
        instead = one_of(_SIGNATURE_NAME, callable_ones, _A_SIGNATURE)
        if signature is None:
            meant = did_you_mean(asked.signature_name, callable_ones)
            raise NoCallError([f"the model has no signature {named}{meant}: {instead}"])
        if signature.method not in (PREDICT, CLASSIFY):
            found = f"is {shown(signature.method)}" if signature.method else "says not how it is called"
            raise NoCallError([f"signature {named} {found}, and {PREDICT} is expected: {instead}"])
        return _fitted(asked, asked.signature_name, signature, fired)[0]
    if not callable_ones:
        told = ", ".join(f"{shown(name)} ({shown(one.method)})" for name, one in sorted(signatures.items()))
        raise NoCallError([f"the model has no signature to predict with: {told or 'none at all'}; {_A_SIGNATURE}"])
    # Predictions need no example, whose feature no signature tells: classifying ones are for models without another.
    predicting = [name for name in callable_ones if signatures[name].method == PREDICT]
    return _find(asked, signatures, predicting or callable_ones, fired)


def _find(
    asked: ModelAsked, signatures: Mapping[str, SignatureDescribed], names: Sequence[str], fired: Fired
) -> CallSpec:
    calls: dict[str, tuple[CallSpec, int]] = {}
    faults: dict[str, list[str]] = {}
    undecided = []
    for name in names:
        try:
            calls[name] = _fitted(asked, name, signatures[name], fired)
        except NoCallError as error:
            faults[name] = error.faults
            undecided += [name] if error.is_undecided else []
    # What is named is an input, where there is one of that name, before it is a feature of tf.Examples.
    calls = {name: one for name, one in calls.items() if not one[0].input.feature} or calls
    known = [name for name in _WELL_KNOWN if name in names]
    most = max((certainty for _, certainty in calls.values()), default=0)
    for name in known:
        # More scores than there are classes may be what lies before the last layer, where others have just as many.
        if name in calls and not (calls[name][1] == MORE and most == JUST_AS_MANY):
            return calls[name][0]
    if most == MORE and undecided:
        other = f"{_SIGNATURE_NAME}: of the others {', '.join(map(shown, calls))} would do, and scores more classes"
        raise NoCallError([*faults[undecided[0]], other])
    best = [call for call, certainty in calls.values() if certainty == most]
    if len(best) == 1:
        return best[0]
    if best:
        raise NoCallError(
            [
                "the model has several signatures that fit: "
                + one_of(_SIGNATURE_NAME, [one.signature_name for one in best], _A_SIGNATURE)
            ]
        )
    first = known[0] if known else names[0]
    # Keras exports one signature by two names: the other is no choice.
    others = [name for name in names if signatures[name] != signatures[first]]
    if others:
        told = f"{_SIGNATURE_NAME}: no other signature fits, either: {', '.join(map(shown, others))}"
        raise NoCallError([*faults[first], told])
    raise NoCallError(faults[first])


def _fitted(asked: ModelAsked, name: str, signature: SignatureDescribed, fired: Fired) -> tuple[CallSpec, int]:
    """Return how one signature is called, and how much speaks for its being the one that is meant.

    Raises:
        NoCallError: it does not fit; with all faults.
    """
    if signature.method == CLASSIFY:
        return _classifying(asked, name, signature, fired), 0
    given: tuple[GivenInput, ...] = ()
    images: InputSpec | None
    if fired.given:
        given, faults = find_given(asked, name, signature, fired)
        images = image_input(given) if given and not faults else None
    else:
        images, faults = find_input(asked, name, signature, fired)
    further: tuple[FurtherInput, ...] = ()
    if images is not None:
        taken = [one.name for one in given] or [images.name]
        further, further_faults = find_further(asked, name, signature, taken, fired.by if given else "")
        if images.dtype == TEXT and not given:
            images = replace(images, features=features_of(asked, signature))
        faults = [*faults, *further_faults]
    # Where no input fits, what is wrong with the outputs is told all the same, as if the usual one did.
    any_will_do = fired.judged_by or (fired.given and fired.highest is None)
    find = find_any_output if any_will_do else find_output
    answer, answer_faults, certainty = find(asked, name, signature, fired, images or MNIST_EXAMPLE.input)
    faults = [*faults, *answer_faults, *([fired.fault] if fired.fault else [])]
    if faults or images is None or answer is None:
        error = NoCallError(faults)
        error.is_undecided = certainty == UNDECIDED and len(faults) == 1
        raise error
    asks_for: tuple[str, ...] | None = None
    if fired.judged_by or answer.kind == VALUES:
        asks_for = (asked.output_name,) if asked.output_name else ()
    whole = whole_outputs(signature, images)
    call = CallSpec(name, signature.method, images, answer, further, given, fired.judged_by, asks_for, whole)
    return call, certainty


def _classifying(asked: ModelAsked, name: str, signature: SignatureDescribed, fired: Fired) -> CallSpec:
    """Return how a signature is called over `Classify`, which takes a tf.Example for each image.

    Raises:
        NoCallError: inputs are given that it cannot have, or it is of another make.
    """
    named, faults = f"signature {quoted(name)}", [fired.fault] if fired.fault else []
    if fired.given:
        what = f"{named} is called over Classify, which takes images as tf.Examples"
        raise NoCallError([f"{fired.by} gives {', '.join(one.words for one in fired.given.values())}: {what}"])
    faults += [
        f"--input {quoted(f'{one}={text}')}: {named} is called over Classify, which takes examples; leave it out"
        for one, text in asked.inputs
        if one in signature.inputs
    ]
    if asked.output_name:
        said = f"--output-name {quoted(asked.output_name)}"
        faults.append(f"{said}: {named} is called over Classify, which answers with labels and scores; leave it out")
    outputs = [one for one in _CLASSIFIED_OUTPUTS if one in signature.outputs]
    if len(signature.inputs) != 1 or not outputs:
        faults.append(f"{named} is to classify with, and has not one input and the outputs classes or scores")
        raise NoCallError(faults)
    ((alias, tensor),) = signature.inputs.items()
    found = fit_text(asked, alias, tensor, fired)
    faults += [*found.faults, *([] if fired.judged_by else classified_faults(named, signature.outputs, fired))]
    if faults or found.spec is None:
        raise NoCallError(faults)
    images = replace(found.spec, form=EXAMPLE, feature=asked.input_name, features=features_of(asked, signature))
    described = signature.outputs[outputs[0]]
    answer = OutputSpec(outputs[0], described.dtype, described.shape, CLASSIFIED, fired.offset, fired.names)
    return CallSpec(name, signature.method, images, answer, judged_by=fired.judged_by)


def _can_be_called(name: str, signature: SignatureDescribed) -> bool:
    """Whether a signature is one to predict or classify with: a model has others, such as `__saved_model_init_op`."""
    return signature.method in (PREDICT, CLASSIFY) and not name.startswith("__")
