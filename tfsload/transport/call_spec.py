"""How a model is called, as its signature has it: what images become, and how a reply is read. Pure, plain data."""

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

from tfsload.transport.image_layout import COLOURS
from tfsload.transport.pixel_scale import UNIT, PixelScale
from tfsload.transport.signature import TensorDescribed
from tfsload.transport.words import LONGEST_VALUE, cut, shown

PREDICT, CLASSIFY = "tensorflow/serving/predict", "tensorflow/serving/classify"
TEXT = "DT_STRING"
"""TensorFlow's name of the dtype of texts."""
# What images are sent as; or arrays by the names of inputs, as they are, in their place.
PIXELS, FILE, EXAMPLE, GIVEN = "pixels", "file", "example", "given"
# What an image is as a file: PNG, the same as base64 for the web, or the bytes of its pixels alone.
PNG, BASE64, BYTES = "png", "base64", "bytes"
# What an answer is: a score for each class; a class's number; the text of one; pairs of text and score, of Classify; or
# what names no class, and is for a user class's own `is_right` alone.
SCORES, CLASSES, LABELS, CLASSIFIED, VALUES = "scores", "classes", "labels", "classified", "values"
# A score may be one of these: floats, or the whole numbers that a quantised model has in their place.
SCORE_DTYPES = ("DT_FLOAT", "DT_DOUBLE", "DT_HALF", "DT_BFLOAT16", "DT_UINT8", "DT_INT8")
CLASS_DTYPES = ("DT_INT64", "DT_INT32", "DT_INT16", "DT_INT8", "DT_UINT8", "DT_UINT16", "DT_UINT32", "DT_UINT64")
MOST_CLASSES = 100_000
"""A class's number is below this: a server that answers with any is not to fill the memory with what is counted."""


@dataclass(frozen=True)
class InputSpec:
    """The input that takes the images.

    Attributes:
        name: the input's.
        dtype: TensorFlow's name of what it holds, such as `DT_FLOAT`.
        described: its sizes as the model has them, -1 for any; None: of any rank.
        pixels: rows and columns of an image.
        shape: of one image as it is sent, without the dimension of images; of no rank where each is a text.
        has_batch: whether images have a dimension of their own; else one image is a request.
        batch: how many images each request must hold; None: any number.
        border: pixels of black around each image.
        scale: what pixels become, as `--pixel-scale` has it.
        form: `pixels`, `file` (each image as the bytes of a file), `example` (each a serialised tf.Example) or `given`
            (`CallSpec.given` has it).
        feature: of such an example, the one that holds the image.
        feature_dtype: what the server wants in a text: of an example that feature's list, else `DT_STRING`; empty: it
            has not told yet.
        by: who has made the images, such as a user class's own `encode`; empty: they are the data set's.
        file: how an image is written where it is a file: `png`, `base64` or `bytes`.
        features: what else such an example holds.
    """

    name: str
    dtype: str
    described: tuple[int, ...] | None
    pixels: tuple[int, int]
    shape: tuple[int, ...]
    has_batch: bool = True
    batch: int | None = None
    border: int = 0
    scale: str = UNIT.text
    form: str = PIXELS
    feature: str = ""
    feature_dtype: str = ""
    by: str = ""
    file: str = PNG
    features: "tuple[FurtherInput, ...]" = ()

    @property
    def words(self) -> str:
        """What images become, for people."""
        rows, columns = self.pixels
        image = f"{rows} × {columns} pixels{f' of {self.by}' if self.by else ''}"
        if self.form == PIXELS or (self.form == EXAMPLE and self.feature_dtype != TEXT):
            image += f" {PixelScale.parse(self.scale).words}"
        else:
            image = f"{_FILES[self.file]} of {image}"
        if self.form == EXAMPLE:
            also = "".join(f", {one.words}" for one in self.features)
            image = f"tf.Example, {shown(self.feature)} = {image}{also}"
        if self.border:
            image += f", with a border of {self.border} in black"
        if self.channels == COLOURS:
            image += ", grey in 3 channels"
        if self.form == PIXELS and self.is_open:
            image += f", sent as [{', '.join(map(str, ('n', *self.shape) if self.has_batch else self.shape))}]"
        return f"{_tensor_words(self.name, self.dtype, self.described)} ← {image}"

    @property
    def is_open(self) -> bool:
        """Whether the model leaves open which shape an image has."""
        return self.described is None or -1 in self.described[self.has_batch :]

    @property
    def channels(self) -> int:
        """How often each pixel is sent: 3 where a model takes colours."""
        sizes = (size + 2 * self.border for size in self.pixels)
        return math.prod(self.shape) // math.prod(sizes) if self.form == PIXELS else 1


@dataclass(frozen=True)
class OutputSpec:
    """The output that holds the answer.

    Attributes:
        name: the output's.
        dtype: TensorFlow's name of what it holds.
        described: its sizes as the model has them, -1 for any; None: of any rank.
        kind: `scores` (a score for each class), `classes` (a class's number), `labels` (its text), `classified`
            (a `ClassificationResponse`) or `values` (it names no class).
        offset: how far the model's classes are above the labels.
        names: what the data set's classes are called, by label, where the answer is a text and they have names.
        scored_by: of several classes for each image, the output with the score of each: that of the highest is the
            answer; empty: there is one class for each image.
    """

    name: str
    dtype: str
    described: tuple[int, ...] | None
    kind: str = SCORES
    offset: int = 0
    names: tuple[str, ...] = ()
    scored_by: str = ""

    @property
    def words(self) -> str:
        """What becomes of it, for people."""
        tensor = _tensor_words(self.name, self.dtype, self.described)
        moved = f" {'−' if self.offset > 0 else '+'} {abs(self.offset)}" if self.offset else ""
        best = f" with the highest of {shown(self.scored_by)}" if self.scored_by else ""
        return f"{tensor} → {_BECOMES[self.kind]}{best}{moved}"


@dataclass(frozen=True)
class FurtherInput:
    """Another input of the signature, or another feature of its tf.Examples, and what is sent there, always the same.

    Attributes:
        name, dtype, described: as those of `InputSpec`; of a feature the dtype is empty until its server has told it.
        text: its value, as `--input` has it.
        is_each: whether that is a list of one for each image, so that a smaller last request has the first ones.
    """

    name: str
    dtype: str
    described: tuple[int, ...] | None
    text: str
    is_each: bool = False

    @property
    def words(self) -> str:
        """What is sent, for people."""
        value = f"{shown(self.name)} = {cut(shown(self.text), LONGEST_VALUE)}"
        return f"{value}, one for each image" if self.is_each else value


@dataclass(frozen=True)
class GivenInput:
    """An input that is sent arrays as they are: one for each example, all alike.

    Attributes:
        name, dtype, described: as those of `InputSpec`.
        shape: of one example as it is sent, without the dimension of examples.
        has_batch, batch: as those of `InputSpec`.
        gives: what an array of one example is, such as `float32 [28, 28]`.
        by: who gives them, for people.
    """

    name: str
    dtype: str
    described: tuple[int, ...] | None
    shape: tuple[int, ...]
    has_batch: bool = True
    batch: int | None = None
    gives: str = ""
    by: str = ""

    @property
    def words(self) -> str:
        """What it is sent, for people."""
        return f"{_tensor_words(self.name, self.dtype, self.described)} ← {self.gives} of {self.by}"


@dataclass(frozen=True)
class CallSpec:
    """One way to call a model, and what to make of it.

    Attributes:
        signature_name: the signature's.
        method: what kind of call it is.
        input: takes the images; of arrays that are given, the first of `given`.
        output: holds the answer.
        further: what else is sent.
        given: the inputs that are sent arrays as they are; empty: images are sent.
        judged_by: whose own `is_right` says which answers are right; empty: the label does.
        asks_for: names of the outputs that are asked for; empty: all of them; None: `output` alone.
        whole: names of the outputs without a dimension of images, however many values theirs begins with.
    """

    signature_name: str
    method: str
    input: InputSpec
    output: OutputSpec
    further: tuple[FurtherInput, ...] = ()
    given: tuple[GivenInput, ...] = ()
    judged_by: str = ""
    asks_for: tuple[str, ...] | None = None
    whole: tuple[str, ...] = ()

    @property
    def input_words(self) -> list[str]:
        """What is sent in place of images, or of images, and beside them, for people."""
        further = [one.words for one in self.further]
        return [*([one.words for one in self.given] or [self.input.words]), *further]

    @property
    def output_words(self) -> str:
        """What is made of the answer, for people."""
        if self.asks_for is None and not self.judged_by:
            return self.output.words
        what = "all outputs"
        if self.asks_for or self.asks_for is None:
            what = _tensor_words(self.output.name, self.output.dtype, self.output.described)
        return f"{what} → {self.judged_by or _BECOMES[VALUES]}"

    @property
    def words(self) -> str:
        """What is sent and what is made of the answer, on one line."""
        return " · ".join([*self.input_words, self.output_words])

    def to_text(self) -> str:
        """Return what a short message can hold: not what classes are called, but whether that is wanted."""
        plain = dataclasses.asdict(self)
        plain["output"]["names"] = bool(self.output.names)
        return json.dumps(plain, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str, class_names: tuple[str, ...] = ()) -> "CallSpec":
        """Read what `to_text` wrote.

        Args:
            text: it.
            class_names: what the classes of the same data set are called, by label; empty: by their numbers.
        """
        read: dict[str, Any] = json.loads(text)
        further = tuple(FurtherInput(**_with_tuples(one)) for one in read.pop("further"))
        given = tuple(GivenInput(**_with_tuples(one)) for one in read.pop("given"))
        images, answer = (_with_tuples(read.pop(name)) for name in ("input", "output"))
        images["features"] = tuple(FurtherInput(**_with_tuples(one)) for one in images["features"])
        answer["names"] = class_names if answer["names"] else ()
        more = {"further": further, "given": given, **_with_tuples(read)}
        return cls(**more, input=InputSpec(**images), output=OutputSpec(**answer))


_FILES = {PNG: "PNG", BASE64: "base64 of PNG", BYTES: "bytes"}
_BECOMES = {
    SCORES: "class by the highest",
    CLASSES: "class",
    LABELS: "class by its label",
    CLASSIFIED: "class by the label of the highest score",
    VALUES: "numbers, and no class",
}


def type_word(dtype: str) -> str:
    """Return a dtype for people.

    >>> type_word("DT_FLOAT")
    'float'
    """
    return shown(dtype).removeprefix("DT_").lower()


def _tensor_words(name: str, dtype: str, described: tuple[int, ...] | None) -> str:
    return f"{shown(name)} {TensorDescribed(dtype, described).shape_text} {type_word(dtype)}"


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


MNIST_EXAMPLE = CallSpec(
    "predict_images",
    PREDICT,
    InputSpec("images", "DT_FLOAT", (-1, 784), (28, 28), (784,)),
    OutputSpec("scores", "DT_FLOAT", (-1, 10)),
)
"""TensorFlow Serving's own MNIST example, which the shipped models are made like."""
