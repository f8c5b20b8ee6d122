"""Which output of a signature says what an image was taken for, and how it is read. Pure."""

from dataclasses import dataclass

from tfsload.target.fired import Fired
from tfsload.target.input_finding import described
from tfsload.transport.asked import ModelAsked
from tfsload.transport.call_spec import CLASS_DTYPES, CLASSES, LABELS, SCORE_DTYPES, SCORES, InputSpec, OutputSpec
from tfsload.transport.signature import SignatureDescribed, TensorDescribed
from tfsload.transport.words import quoted, shown

# Of several that would do, the first of these: TensorFlow Serving's MNIST example has the one, Estimators the other.
_WELL_KNOWN = ("scores", "probabilities")
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
    """

    kind: str
    fault: str = ""
    certainty: int = 0


def find_output(
    asked: ModelAsked, signature_name: str, signature: SignatureDescribed, fired: Fired, images: InputSpec
) -> tuple[OutputSpec | None, list[str], int]:
    """Return the output that holds the answer, or what is wrong with the outputs; and how much speaks for it.

    Args:
        asked: may name it.
        signature_name, signature: the one to be called.
        fired: the images and their labels.
        images: the input that takes them.
    """
    named, outputs = f"signature {quoted(signature_name)}", signature.outputs
    n_images = images.batch or asked.images_per_request
    found = {name: _read_as(tensor, fired, images, n_images) for name, tensor in outputs.items()}
    fitting = sorted(name for name, one in found.items() if one.kind)
    name = asked.output_name
    if not name and len(outputs) == 1:
        (name,) = outputs
    if name and name not in outputs:
        return None, [f"{named} has no output {quoted(name)}: {_instead(fitting)}"], 0
    if not name:
        best = max((found[one].certainty for one in fitting), default=None)
        chosen = [one for one in fitting if found[one].certainty == best]
        chosen = [one for one in _WELL_KNOWN if one in chosen][:1] or chosen
        if not chosen:
            told = ", ".join(f"{shown(one)} ({described(tensor)})" for one, tensor in sorted(outputs.items()))
            return None, [f"{named} has no output that says a class: {told or 'none at all'}; {AN_OUTPUT}"], 0
        if len(chosen) > 1:
            return None, [f"{named} has several outputs that say a class: {_instead(chosen)}"], 0
        (name,) = chosen
    tensor, one = outputs[name], found[name]
    if not one.kind:
        return None, [f"output {quoted(name)} is {described(tensor)}: {one.fault}; {_instead(fitting)}"], 0
    names = fired.names if one.kind == LABELS else ()
    spec = OutputSpec(name, tensor.dtype, tensor.shape, one.kind, fired.offset, names)
    return spec, [f"output {quoted(name)} {one.fault}"] if one.fault else [], one.certainty


def _instead(names: list[str]) -> str:
    return f"pass --output-name with one of {', '.join(map(shown, names))}" if names else AN_OUTPUT


def _read_as(tensor: TensorDescribed, fired: Fired, images: InputSpec, n_images: int) -> FoundOutput:
    """Return how an output is read.

    Scores come before classes, which are made of them; as many as there are labels before more, which may be something
    else, such as what a layer before the last one has; what has its sizes told, before what may have any.
    """
    shape = tensor.shape
    is_number_each = shape is not None and _is_one_each(shape, n_images)
    if tensor.dtype in CLASS_DTYPES and (shape is None or is_number_each):
        return FoundOutput(CLASSES, certainty=2 if shape is not None else 1)
    if tensor.dtype == "DT_STRING" and (shape is None or is_number_each):
        return FoundOutput(LABELS, certainty=1)
    if tensor.dtype not in SCORE_DTYPES:
        return FoundOutput("", "expected a score for each class, a float, or the class of each image, an integer")
    if shape is None:
        return FoundOutput(SCORES, certainty=3)
    n_classes = _n_classes(shape, images, n_images)
    if n_classes is None:
        return FoundOutput("", f"expected [{n_images if images.has_batch else ''}, classes]".replace("[, ", "["))
    if n_classes == -1:
        return FoundOutput(SCORES, certainty=3)
    if n_classes < fired.n_classes:
        offset = f" with --label-offset {fired.offset}" if fired.offset else ""
        why = f"scores {n_classes} classes and the data set's labels need {fired.n_classes}{offset}"
        return FoundOutput(SCORES, f"{why}: pass another --dataset or --model-name", certainty=0)
    return FoundOutput(SCORES, certainty=5 if n_classes == fired.n_classes else 4)


def _is_one_each(shape: tuple[int, ...], n_images: int) -> bool:
    """Whether a tensor may hold one value for each image."""
    if not shape:
        return n_images == 1
    return shape[0] in (-1, n_images) and all(size == 1 for size in shape[1:])


def _n_classes(shape: tuple[int, ...], images: InputSpec, n_images: int) -> int | None:
    """Return how many scores a tensor has for each image; -1: any number; None: it is not a row for each."""
    if len(shape) == 2 and shape[0] in (-1, n_images):
        return shape[1]
    # A model that takes one image may leave that dimension out.
    if len(shape) == 1 and n_images == 1 and (not images.has_batch or shape[0] > 1):
        return shape[0]
    return None
