"""Which output of a signature says what an image was taken for, and how it is read. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from tfsload.target.fired import Fired
from tfsload.target.input_finding import described
from tfsload.transport.asked import ModelAsked
from tfsload.transport.call_spec import (
    CLASS_DTYPES,
    CLASSES,
    LABELS,
    MOST_CLASSES,
    SCORE_DTYPES,
    SCORES,
    TEXT,
    VALUES,
    InputSpec,
    OutputSpec,
)
from tfsload.transport.signature import SignatureDescribed, TensorDescribed
from tfsload.transport.words import did_you_mean, one_of, quoted, shown

# Of several that would do, the first of these: TensorFlow Serving's MNIST example has the first, Estimators the second,
# TF Hub's modules the third, and models with further heads beside the last layer the fourth.
_WELL_KNOWN = ("scores", "probabilities", "default", "logits")
# An Estimator's names of all classes, which come in their own order: that of its scores.
_IN_ORDER = ("all_class_ids", "all_classes")
JUST_AS_MANY, MORE = 5, 4
"""Certainty of an output that has a score for each class of the data set, and for more than these."""
_OUTPUT_NAME = "--output-name"
AN_OUTPUT = (
    "export the model with an output of a score for each class, float [-1, classes], or of the class, int64 [-1]"
)


@dataclass(frozen=True)
class FoundOutput:
    """An output that can be read, or the fault of one that cannot.

    Attributes:
        kind: how it is read, as `OutputSpec.kind`; empty: it cannot be.
        fault: why not, with what was expected.
        certainty: how much speaks for it, to be held against another's.
        scored_by: as that of `OutputSpec`.
    """

    kind: str
    fault: str = ""
    certainty: int = 0
    scored_by: str = ""


UNDECIDED = -1
"""In place of a certainty: several outputs would do, and none was named."""


def find_output(
    asked: ModelAsked, signature_name: str, signature: SignatureDescribed, fired: Fired, images: InputSpec
) -> tuple[OutputSpec | None, list[str], int]:
    """Return the output that holds the answer, or what is wrong with the outputs; and how much speaks for it.

    Of none that much is 0, or `UNDECIDED`.

    Args:
        asked: may name it.
        signature_name, signature: the one to be called.
        fired: the images and their labels.
        images: the input that takes them.
    """
    named, outputs = f"signature {quoted(signature_name)}", signature.outputs
    n_images = images.batch or asked.images_per_request
    found = {name: _read_as(name, outputs, fired, images, n_images) for name in outputs}
    fitting = sorted(name for name, one in found.items() if one.kind)
    name = asked.output_name
    if not name and len(outputs) == 1:
        (name,) = outputs
    if name and name not in outputs:
        told = f"{named} has no output {quoted(name)}{did_you_mean(name, fitting)}"
        return None, [f"{told}: {one_of(_OUTPUT_NAME, fitting, AN_OUTPUT)}"], 0
    if not name:
        best = max((found[one].certainty for one in fitting), default=None)
        chosen = [one for one in fitting if found[one].certainty == best]
        chosen = [one for one in _WELL_KNOWN if one in chosen][:1] or chosen
        if all(found[one].fault for one in chosen):
            chosen = chosen[:1]  # none is a choice
        if not chosen:
            told = ", ".join(f"{shown(one)} ({described(tensor)})" for one, tensor in sorted(outputs.items()))
            return None, [f"{named} has no output that says a class: {told or 'none at all'}; {AN_OUTPUT}"], 0
        if len(chosen) > 1:
            several = f"{named} has several outputs that say a class"
            return None, [f"{several}: {one_of(_OUTPUT_NAME, chosen, AN_OUTPUT)}"], UNDECIDED
        (name,) = chosen
    tensor, one = outputs[name], found[name]
    if not one.kind:
        cure = one_of(_OUTPUT_NAME, fitting, AN_OUTPUT)
        return None, [f"output {quoted(name)} is {described(tensor)}: {one.fault}; {cure}"], 0
    names = fired.names if one.kind == LABELS else ()
    spec = OutputSpec(name, tensor.dtype, tensor.shape, one.kind, fired.offset, names, one.scored_by)
    return spec, [f"output {quoted(name)} {one.fault}"] if one.fault else [], one.certainty


def find_any_output(
    asked: ModelAsked, signature_name: str, signature: SignatureDescribed, fired: Fired, images: InputSpec
) -> tuple[OutputSpec | None, list[str], int]:
    """Return the output that says a class; where none does, one that says anything.

    For a user class's own `is_right`, and for arrays without labels, to which no answer is right or wrong.
    The arguments are those of `find_output`.
    """
    if not signature.outputs:
        return None, [f"signature {quoted(signature_name)} has no outputs"], 0
    spec, faults, certainty = find_output(asked, signature_name, signature, fired, images)
    # A float alone is a class for want of another reading, and here there is one.
    if spec is not None and _is_named_class(spec.kind, spec.dtype):
        return spec, [], certainty  # its labels need not be the model's classes
    n_images, outputs = images.batch or asked.images_per_request, signature.outputs
    kinds = [(_read_as(name, outputs, fired, images, n_images).kind, one.dtype) for name, one in outputs.items()]
    if not fired.judged_by and any(kind and _is_named_class(kind, dtype) for kind, dtype in kinds):
        return None, faults, certainty  # which is for the user to say
    if asked.output_name and asked.output_name not in signature.outputs:
        return None, faults, 0
    tensor = signature.outputs.get(asked.output_name, TensorDescribed("", None))
    return OutputSpec(asked.output_name, tensor.dtype, tensor.shape, VALUES), [], 0


def whole_outputs(signature: SignatureDescribed, images: InputSpec) -> tuple[str, ...]:
    """Return the outputs that are of no image: lone values, or their first size is said, and not the input's own.

    A size that is as many as the images of a request by chance is not taken for theirs.

    Args:
        signature: the one to be called.
        images: the input that takes them.
    """
    shapes = {name: one.shape for name, one in signature.outputs.items() if one.shape is not None}
    sizes = {name: shape[0] if shape else 0 for name, shape in shapes.items()}
    return tuple(sorted(name for name, size in sizes.items() if size >= 0 and size != images.batch))


def _is_named_class(kind: str, dtype: str) -> bool:
    return kind != CLASSES or dtype in CLASS_DTYPES


def _read_as(
    name: str, outputs: Mapping[str, TensorDescribed], fired: Fired, images: InputSpec, n_images: int
) -> FoundOutput:
    """Return how an output is read.

    Scores come before classes, which are made of them; as many as there are labels before more, which may be something
    else, such as what a layer before the last one has; what has its sizes told, before what may have any. Classes whose
    scores stand beside them, as `tf.math.top_k` has both, come before those scores, whose places tell no class then.
    """
    tensor = outputs[name]
    shape = tensor.shape
    is_number_each = shape is not None and _is_one_each(shape, n_images)
    # Of one that is no row for each image, as the version of a model in its answers is, nothing speaks for it.
    is_each = shape != () or not images.has_batch or images.batch == 1
    if shape is not None and _are_several_each(name, tensor, n_images):
        if scores := _scores_of(shape, outputs):
            kind = LABELS if tensor.dtype == TEXT else CLASSES
            fault = "" if kind == LABELS and fired.names else _too_many(fired)
            return FoundOutput(kind, fault, certainty=6 if kind == LABELS else 7, scored_by=scores)
        what = "it has several classes for each image, and no other output has their scores"
        return FoundOutput("", f"{what}, so that none of them is the answer")
    if tensor.dtype in CLASS_DTYPES and (shape is None or is_number_each):
        return FoundOutput(CLASSES, _too_many(fired), certainty=(1 if shape is None else 2) if is_each else -1)
    if tensor.dtype == TEXT and (shape is None or is_number_each):
        return FoundOutput(LABELS, "" if fired.names else _too_many(fired), certainty=1 if is_each else -1)
    if tensor.dtype not in SCORE_DTYPES:
        return FoundOutput("", "expected a score for each class, a float, or the class of each image, an integer")
    if shape is None:
        return FoundOutput(SCORES, certainty=3)
    n_classes = _n_classes(shape, images, n_images)
    if n_classes is None and is_number_each and is_each:
        # Argmax as a float; or something else of an image, which a prediction that is tried shows.
        return FoundOutput(CLASSES, _too_many(fired), certainty=-1)
    if n_classes is None:
        return FoundOutput("", f"expected [{n_images if images.has_batch else ''}, classes]".replace("[, ", "["))
    if n_classes == 1:
        return FoundOutput("", f"{_ONE_SCORE}, and a score for each class is expected")
    if n_classes == -1:
        return FoundOutput(SCORES, certainty=3)
    if fault := too_few(n_classes, fired):
        return FoundOutput(SCORES, fault, certainty=0)
    return FoundOutput(SCORES, certainty=JUST_AS_MANY if n_classes == fired.n_classes else MORE)


def too_few(n_classes: int, fired: Fired) -> str:
    """Return what is wrong with that many scores of an image, and what to pass; empty: nothing."""
    if n_classes >= fired.n_classes:
        return ""
    offset = f" with --label-offset {fired.offset}" if fired.offset else ""
    cure = _lower_offset(n_classes, fired, "another --dataset") or "pass another --dataset or --model-name"
    return f"scores {n_classes:,} classes and the data set's labels need {fired.n_classes:,}{offset}: {cure}"


def _lower_offset(n_classes: int, fired: Fired, otherwise: str) -> str:
    """Return the offset to pass with which the labels are that many classes at most; empty: there is none.

    Labels from 1 on, as EMNIST's letters have them, are one too high for a model whose classes begin with 0.
    """
    if fired.highest is None or fired.lowest is None:
        return ""
    least = min(fired.offset, -fired.lowest)
    if least == fired.offset or fired.highest + least >= n_classes:
        return ""
    return f"pass --label-offset {least} where class 0 is label {fired.lowest:,}, or {otherwise}"


def classified_faults(named: str, outputs: Mapping[str, TensorDescribed], fired: Fired) -> list[str]:
    """Return what is wrong with the outputs of a signature to classify with, whose tensors are [images, labels].

    Where there are labels and scores these may be those of the few best classes alone, as Inception's five are.
    """
    faults = [] if fired.names or not (why := _too_many(fired)) else [f"{named}: its answer {why}"]
    labels, scores = outputs.get("classes"), outputs.get("scores")
    tensor = scores or labels
    n_each = tensor.shape[1] if tensor is not None and tensor.shape is not None and len(tensor.shape) == 2 else -1
    if scores is None and n_each > 1:
        faults.append(
            f"{named} answers with {n_each:,} labels for each image and no scores, so that none of them is the answer: "
            f"export the model with the output scores beside classes"
        )
    elif labels is None and n_each == 1:
        faults.append(f"output 'scores' {_ONE_SCORE}, and a score for each class is expected; {AN_OUTPUT}")
    elif labels is None and n_each >= 0 and (why := too_few(n_each, fired)):
        faults.append(f"output 'scores' {why}")
    return faults


_ONE_SCORE = "has one score for each image"


def _too_many(fired: Fired) -> str:
    """Return what is wrong with labels that no class's number can be."""
    if fired.n_classes <= MOST_CLASSES:
        return ""
    what = f"says a class by its number, which is at most {MOST_CLASSES - 1:,}"
    highest = f"{fired.n_classes - 1 - fired.offset:,}"
    if fired.offset:
        highest += f", with --label-offset {fired.offset} class {fired.n_classes - 1:,}"
    cure = _lower_offset(MOST_CLASSES, fired, "another --dataset") or "pass another --dataset"
    return f"{what}, and the data set's highest label is {highest}: {cure}"


def _are_several_each(name: str, tensor: TensorDescribed, n_images: int) -> bool:
    """Whether an output has classes of each image, by number or text, and more than one."""
    is_class = tensor.dtype == TEXT or (tensor.dtype in CLASS_DTYPES and tensor.dtype not in SCORE_DTYPES)
    shape = tensor.shape
    if not is_class or name in _IN_ORDER or shape is None or len(shape) != _PAIR_RANK:
        return False
    return shape[0] in (-1, n_images) and shape[1] != 1


def _scores_of(shape: tuple[int, ...], outputs: Mapping[str, TensorDescribed]) -> str:
    """Return the name of the output that has a score for each of as many classes; empty: there is none, or several."""
    alike = [name for name, one in outputs.items() if one.dtype in SCORE_DTYPES and one.shape == shape]
    known = [name for name in _WELL_KNOWN if name in alike]
    return (known or (alike if len(alike) == 1 else [""]))[0]


_PAIR_RANK = 2  # images, classes


def _is_one_each(shape: tuple[int, ...], n_images: int) -> bool:
    """Whether a tensor may hold one value for each image."""
    if not shape:
        return n_images == 1
    return shape[0] in (-1, n_images) and all(size == 1 for size in shape[1:])


def _n_classes(shape: tuple[int, ...], images: InputSpec, n_images: int) -> int | None:
    """Return how many scores a tensor has for each image; -1: any number; None: it is not a row for each."""
    if len(shape) >= 2 and shape[0] in (-1, n_images):
        # What was not squeezed, as of a convolution, has sizes of 1 beside that of the classes, or open ones before it.
        sizes = [size for size in shape[1:] if size != 1] or [1]
        if len(sizes) == 1 or (sizes[-1] > 1 and set(sizes[:-1]) == {-1}):
            return sizes[-1]
    # A model that takes one image may leave that dimension out.
    if len(shape) == 1 and n_images == 1 and (not images.has_batch or shape[0] > 1):
        return shape[0]
    return None
