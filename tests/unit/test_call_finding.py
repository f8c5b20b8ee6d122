"""Which signature, input and output are called where nobody has named them, and what is refused."""

from dataclasses import replace

import pytest

from tfsload.settings.settings import Settings
from tfsload.target.call_finding import NoCallError, find_call
from tfsload.target.fired import DIGITS, Fired
from tfsload.transport.call_spec import MNIST_EXAMPLE, CallSpec
from tfsload.transport.signature import SignatureDescribed, TensorDescribed

PREDICT = "tensorflow/serving/predict"


def tensor(dtype="DT_FLOAT", shape=(-1, 784)):
    return TensorDescribed(dtype, shape)


SCORES = tensor(shape=(-1, 10))
IDS = tensor("DT_INT64", (-1,))
OPEN = tensor(shape=(-1, -1))
BEST, RANKED, TEXTS = tensor("DT_INT32", (-1, 3)), tensor("DT_INT32", (-1, 10)), tensor("DT_STRING", (-1, 3))
TEXT_ALONE = tensor("DT_STRING", ())


def signature(inputs=None, outputs=None, method=PREDICT, defaults=()):
    inputs = {"images": tensor()} if inputs is None else inputs
    return SignatureDescribed(method, inputs, {"scores": SCORES} if outputs is None else outputs, frozenset(defaults))


def found(signatures, fired=DIGITS, **options):
    return find_call(Settings.parse(options, None).model, signatures, fired)


def faults(signatures, fired=DIGITS, **options):
    with pytest.raises(NoCallError) as caught:
        found(signatures, fired, **options)
    return caught.value.faults


@pytest.mark.parametrize(
    ("signatures", "options", "chosen"),
    [
        pytest.param({"predict_images": signature(), "serving_default": signature()}, {}, "predict_images", id="both"),
        pytest.param({"serving_default": signature(), "other": signature()}, {}, "serving_default", id="the-default"),
        pytest.param({"serve": signature()}, {}, "serve", id="the-only-one"),
        pytest.param({"a": signature(), "b": signature({"k": tensor(shape=())})}, {}, "a", id="the-only-one-that-fits"),
        pytest.param(
            {"serving_default": signature(method="tensorflow/serving/classify"), "p": signature()},
            {},
            "p",
            id="what-is-no-prediction-is-passed-over",
        ),
        pytest.param(
            {"predict_images": signature({"x": tensor(shape=(-1, 5))}), "serving_default": signature()},
            {},
            "serving_default",
            id="the-well-known-one-does-not-fit",
        ),
        pytest.param({"a": signature(), "__saved_model_init_op": signature()}, {}, "a", id="what-a-model-keeps"),
        pytest.param({"a": signature(), "b": signature(method="")}, {}, "a", id="without-a-method"),
        pytest.param({"a": signature(), "b": signature()}, {"signature_name": "b"}, "b", id="it-is-given"),
        pytest.param(
            {"serving_default": signature(outputs={"layer": tensor(shape=(-1, 49))}), "digit": signature()},
            {},
            "digit",
            id="the-default-gives-more-than-classes",
        ),
        pytest.param(
            {"digit": signature(), "embed": signature(outputs={"layer": tensor(shape=(-1, 49))})},
            {},
            "digit",
            id="as-many-scores-as-labels",
        ),
        pytest.param(
            {"a": signature({"x": tensor()}), "b": signature({"y": tensor()})}, {"input_name": "y"}, "b", id="its-input"
        ),
        pytest.param(
            {"a": signature(), "b": signature(outputs={"logits": SCORES})}, {"output_name": "logits"}, "b", id="output"
        ),
        pytest.param(
            {"a": signature(), "b": signature({"images": tensor(), "k": tensor(shape=())})},
            {"input": "k=1"},
            "b",
            id="a-further-input-is-given",
        ),
    ],
)
def test_the_signature_is_found(signatures, options, chosen):
    assert found(signatures, **options).signature_name == chosen


@pytest.mark.parametrize(
    ("signatures", "options", "message"),
    [
        pytest.param(
            {"a": signature(), "b": signature()},
            {},
            "several signatures that fit: pass --signature-name with one of a, b",
            id="ambiguous",
        ),
        pytest.param(
            {
                "a": signature(outputs={"left": SCORES, "right": SCORES}),
                "b": signature(outputs={"layer": tensor(shape=(-1, 49))}),
            },
            {},
            "several outputs that say a class: pass --output-name with one of left, right",
            id="the-other-gives-more-than-classes",
        ),
        pytest.param({}, {}, "no signature to predict with: none at all", id="none"),
        pytest.param(
            {"c": signature(method="tensorflow/serving/regress")},
            {},
            "no signature to predict with: c (tensorflow/serving/regress)",
            id="no-prediction",
        ),
        pytest.param(
            {"b": signature(), "a": signature()},
            {"signature_name": "predict"},
            "the model has no signature 'predict': pass --signature-name with one of a, b",
            id="unknown",
        ),
        pytest.param(
            {"c": signature(method="tensorflow/serving/regress"), "a": signature()},
            {"signature_name": "c"},
            "is tensorflow/serving/regress",
            id="what-was-given-is-no-prediction",
        ),
        pytest.param(
            {"c": signature(method=""), "a": signature()},
            {"signature_name": "c"},
            "says not how it is called",
            id="what-was-given-has-no-method",
        ),
        pytest.param(
            {"a": signature({"k": tensor(shape=())}), "b": signature({"k": tensor(shape=(2,))})},
            {},
            "--signature-name: no other signature fits, either: b",
            id="none-fits",
        ),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_the_choices(signatures, options, message):
    assert message in "; ".join(faults(signatures, **options))


def test_a_signature_of_two_names_is_no_choice():
    twin = signature({"k": tensor(shape=())})

    assert not any("fits, either" in fault for fault in faults({"serving_default": twin, "serve": twin}))


@pytest.mark.parametrize(
    ("inputs", "defaults", "options", "chosen"),
    [
        pytest.param({"keras_tensor": tensor(shape=(-1, 28, 28, 1))}, (), {}, "keras_tensor", id="the-only-one"),
        pytest.param({"x": tensor(), "k": tensor(shape=())}, (), {"input": "k=1"}, "x", id="the-only-one-that-fits"),
        pytest.param({"x": tensor(), "k": tensor(shape=())}, ("k",), {}, "x", id="the-other-has-a-default"),
        pytest.param({"x": tensor(), "y": tensor()}, ("y",), {}, "x", id="both-fit-and-one-has-a-default"),
        pytest.param({"x": tensor(), "y": tensor(shape=None)}, ("y",), {}, "x", id="the-other-may-be-anything"),
        pytest.param({"images": tensor(), "old": tensor()}, (), {"input": "old=0"}, "images", id="the-well-known-one"),
        pytest.param({"x": tensor(), "mask": tensor()}, (), {"input": "mask=1"}, "x", id="the-other-is-given"),
        pytest.param({"x": tensor(), "y": tensor()}, (), {"input_name": "y", "input": "x=0"}, "y", id="it-is-named"),
        pytest.param({"x": tensor(), "t": tensor("DT_STRING", ())}, ("t",), {}, "x", id="pixels-before-texts"),
    ],
)
def test_the_input_is_found(inputs, defaults, options, chosen):
    call = found({"s": signature(inputs, defaults=defaults)}, **options)

    assert call.input.name == chosen
    assert {one.name for one in call.further} == set(inputs) - {chosen} - set(defaults)


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        pytest.param({"x": tensor()}, {"input_name": "y"}, "no input 'y': pass --input-name with one of x", id="name"),
        pytest.param(
            {"x": tensor(), "y": tensor()},
            {},
            "several inputs that images fit: pass --input-name with one of x, y",
            id="ambiguous",
        ),
        pytest.param({}, {}, "no input for images of 28 × 28 pixels: none at all", id="none"),
        pytest.param(
            {"a": tensor(shape=()), "b": tensor("DT_COMPLEX64")},
            {},
            "no input for images of 28 × 28 pixels: a (DT_FLOAT []), b (DT_COMPLEX64 [-1, 784])",
            id="none-fits",
        ),
        pytest.param(
            {"x": tensor("DT_BOOL")},
            {"pixel_scale": "0..255"},
            "it holds ink or no ink, 1 or 0; pass --pixel-scale 0..1",
            id="bool",
        ),
        pytest.param(
            {"x": tensor("DT_COMPLEX64")}, {}, "'x' is DT_COMPLEX64 [-1, 784]: it cannot hold pixels", id="complex"
        ),
        pytest.param({"x": tensor("DT_VARIANT")}, {}, "it cannot hold pixels", id="no-tensor"),
        pytest.param(
            {"x": tensor(shape=(-1, 783))},
            {},
            "'x' is DT_FLOAT [-1, 783]: images of 28 × 28 pixels are sent as [n, 784], [n, 28, 28], [n, 28, 28, 1], ",
            id="too-few-pixels",
        ),
        pytest.param({"x": tensor(shape=(-1,))}, {}, "'x' is DT_FLOAT [-1]:", id="numbers"),
        pytest.param({"x": tensor("DT_STRING", (-1, 2))}, {}, "expected one text for each image", id="texts"),
        pytest.param(
            {"x": tensor(shape=(8, 784))},
            {},
            "--images-per-request 1: input 'x' is DT_FLOAT [8, 784] and takes 8 at once; pass --images-per-request 8",
            id="fixed-batch",
        ),
        pytest.param(
            {"x": tensor(shape=(28, 28))},
            {"images_per_request": "2"},
            "--images-per-request 2: input 'x' is DT_FLOAT [28, 28] and takes one image; leave it out",
            id="one-image",
        ),
        pytest.param(
            {"x": tensor("DT_INT8")},
            {"pixel_scale": "0..255"},
            "--pixel-scale '0..255': input 'x' is DT_INT8, it holds -128 to 127; pass --pixel-scale=-128..127",
            id="int8",
        ),
        pytest.param(
            {"x": tensor("DT_UINT8")},
            {"pixel_scale": "-1..1"},
            "--pixel-scale '-1..1': input 'x' is DT_UINT8, it holds 0 to 255; pass --pixel-scale 0..255",
            id="below-0",
        ),
        pytest.param(
            {"x": tensor("DT_INT32")}, {"pixel_scale": "0.1307,0.3081"}, "it holds whole numbers alone", id="fractions"
        ),
        pytest.param({"x": tensor("DT_HALF")}, {"pixel_scale": "0..1e6"}, "it holds no numbers as large", id="half"),
        pytest.param(
            {"x": tensor(), "keep_prob": tensor(shape=())},
            {},
            "also wants the input 'keep_prob', DT_FLOAT []: pass --input keep_prob=VALUE",
            id="a-further-one-is-missing",
        ),
        pytest.param(
            {"x": tensor()},
            {"input": "k=1"},
            "--input 'k=1': signature 's' has no such input; it has x alone, which takes the images: leave this out",
            id="no-such",
        ),
        pytest.param(
            {"x": tensor(), "keep_prob": tensor(shape=())},
            {"input": "keep_porb=1"},
            "has no such input (did you mean 'keep_prob'?); it has keep_prob, x",
            id="mistyped",
        ),
        pytest.param(
            {"images": tensor(), "k": tensor(shape=())},
            {"input": "image=1; k=1"},
            "--input 'image=1': signature 's' has no such input; it has images, k",
            id="like-the-one-that-takes-the-images",
        ),
        pytest.param(
            {"images": tensor(), "mask": tensor()},
            {"input_name": "Image"},
            "has no input 'Image' (did you mean 'images'?): pass --input-name with one of images, mask",
            id="mistyped-name-of-the-images",
        ),
        pytest.param(
            {"x": tensor()}, {"input": "x=1", "input_name": "x"}, "that one takes the images", id="the-images-own"
        ),
        pytest.param(
            {"x": tensor(), "k": tensor("DT_INT32", ())},
            {"input": "k=1.5"},
            "--input 'k=1.5': the input is DT_INT32 [], expected a value of int32",
            id="value",
        ),
        pytest.param(
            {"x": tensor(), "k": tensor("DT_INT32", ())},
            {"input": "k=[1]"},
            "expected a value of shape []",
            id="shape",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs, options, message):
    assert message in "; ".join(faults({"s": signature(inputs)}, **options))


@pytest.mark.parametrize(
    ("outputs", "options", "name", "kind"),
    [
        pytest.param({"output_0": SCORES}, {}, "output_0", "scores", id="the-only-one"),
        pytest.param({"p": SCORES, "loss": tensor(shape=())}, {}, "p", "scores", id="the-only-one-that-fits"),
        pytest.param({"class": IDS, "p": SCORES}, {}, "p", "scores", id="scores-before-classes"),
        pytest.param({"class": IDS, "p": SCORES}, {"output_name": "class"}, "class", "classes", id="it-is-named"),
        pytest.param({"logits": SCORES, "scores": SCORES}, {}, "scores", "scores", id="the-well-known-one"),
        pytest.param({"p": SCORES, "features": tensor(shape=(-1, -1))}, {}, "p", "scores", id="sizes-that-are-told"),
        pytest.param({"p": SCORES, "layer": tensor(shape=(-1, 49))}, {}, "p", "scores", id="as-many-as-labels"),
        pytest.param({"probabilities": SCORES, "logits": SCORES}, {}, "probabilities", "scores", id="an-estimators"),
        pytest.param({"p": tensor(shape=None)}, {}, "p", "scores", id="scores-of-any-rank"),
        pytest.param({"p": tensor(shape=(-1, 1001))}, {}, "p", "scores", id="more-classes-than-labels"),
        pytest.param({"p": tensor(shape=(10,))}, {}, "p", "scores", id="squeezed"),
        pytest.param({"p": tensor("DT_HALF", (-1, 10))}, {}, "p", "scores", id="half"),
        pytest.param({"p": tensor("DT_BFLOAT16", (-1, 10))}, {}, "p", "scores", id="bfloat16"),
        pytest.param({"p": tensor("DT_DOUBLE", (-1, 10))}, {}, "p", "scores", id="double"),
        pytest.param({"p": tensor("DT_UINT8", (-1, 10))}, {}, "p", "scores", id="quantised"),
        pytest.param({"c": IDS}, {}, "c", "classes", id="class"),
        pytest.param({"c": tensor("DT_INT32", (-1, 1))}, {}, "c", "classes", id="class-in-a-column"),
        pytest.param({"c": tensor("DT_INT32", ())}, {}, "c", "classes", id="one-class"),
        pytest.param(
            {"c": tensor("DT_INT32", ()), "s": tensor("DT_INT64", (-1,))}, {}, "s", "classes", id="not-the-one"
        ),
        pytest.param({"c": tensor("DT_STRING", (-1,)), "v": TEXT_ALONE}, {}, "c", "labels", id="not-its-version"),
        pytest.param({"c": tensor(shape=(-1,))}, {}, "c", "classes", id="class-as-a-float"),
        pytest.param({"c": IDS, "p": tensor(shape=(-1,))}, {}, "c", "classes", id="its-probability"),
        pytest.param({"p": tensor(shape=(-1, 1, 1, 10))}, {}, "p", "scores", id="not-squeezed"),
        pytest.param({"p": tensor(shape=(-1, 10, 1))}, {}, "p", "scores", id="not-squeezed-behind"),
        pytest.param({"p": tensor(shape=(-1, -1, -1, 10))}, {}, "p", "scores", id="fully-convolutional"),
        pytest.param({"default": SCORES, "Net/Logits": SCORES}, {}, "default", "scores", id="hub"),
        pytest.param({"logits": SCORES, "aux": SCORES}, {}, "logits", "scores", id="further-heads"),
        pytest.param({"probabilities": SCORES, "logits": SCORES}, {}, "probabilities", "scores", id="probabilities"),
        pytest.param({"c": BEST, "s": tensor(shape=(-1, 3))}, {}, "c", "classes", id="best-three"),
        pytest.param({"c": tensor("DT_STRING", (-1, -1)), "s": OPEN}, {}, "c", "labels", id="best-of-any-number"),
        pytest.param({"c": tensor("DT_INT32", (-1, 10)), "scores": SCORES}, {}, "c", "classes", id="all-ranked"),
        pytest.param({"c": BEST, "t": TEXTS, "s": tensor(shape=(-1, 3))}, {}, "c", "classes", id="number-and-name"),
        pytest.param({"c": BEST, "s": tensor(shape=(-1, 3)), "p": SCORES}, {"output_name": "p"}, "p", "scores", id="p"),
        pytest.param({"all_class_ids": RANKED, "scores": SCORES}, {}, "scores", "scores", id="in-their-order"),
        pytest.param({"c": tensor("DT_INT64", None)}, {}, "c", "classes", id="class-of-any-rank"),
        pytest.param({"c": tensor("DT_STRING", (-1,))}, {}, "c", "labels", id="label"),
        pytest.param({"c": tensor("DT_STRING", (-1,)), "i": IDS}, {}, "i", "classes", id="class-before-label"),
    ],
)
def test_the_output_is_found(outputs, options, name, kind):
    output = found({"s": signature(outputs=outputs)}, **options).output

    assert (output.name, output.kind) == (name, kind)


@pytest.mark.parametrize(
    ("outputs", "fired", "options", "message"),
    [
        pytest.param(
            {"p": SCORES}, DIGITS, {"output_name": "q"}, "no output 'q': pass --output-name with one of p", id="name"
        ),
        pytest.param(
            {"left": SCORES, "right": SCORES}, DIGITS, {}, "pass --output-name with one of left, right", id="ambiguous"
        ),
        pytest.param({}, DIGITS, {}, "no output that says a class: none at all", id="none"),
        pytest.param({"a": tensor(shape=()), "b": tensor(shape=())}, DIGITS, {}, "a (DT_FLOAT []), b", id="none-fits"),
        pytest.param({"p": tensor(shape=(-1, 2, 5))}, DIGITS, {}, "[-1, 2, 5]: expected [1, classes]", id="rows"),
        pytest.param({"p": tensor("DT_STRING", (-1, 10))}, DIGITS, {}, "several classes for each image", id="texts"),
        pytest.param(
            {"p": tensor("DT_INT32", (-1, 3))}, DIGITS, {}, "no other output has their scores", id="best-three"
        ),
        pytest.param(
            {"c": BEST, "s": tensor(shape=(-1, 3)), "t": tensor(shape=(-1, 3))},
            DIGITS,
            {},
            "output 's' scores 3 classes and the data set's labels need 10",
            id="best-three-by-which",
        ),
        pytest.param({"a": tensor(shape=(-1,)), "b": tensor(shape=(-1,))}, DIGITS, {}, "one of a, b", id="two-numbers"),
        pytest.param(
            {"p": tensor(shape=(-1, 2))}, DIGITS, {}, "scores 2 classes and the data set's labels need 10", id="too-few"
        ),
        pytest.param(
            {"p": SCORES},
            replace(DIGITS, offset=1),
            {},
            "need 11 with --label-offset 1: pass --label-offset 0 where class 0 is label 0, or another --dataset",
            id="too-few-with-the-offset",
        ),
        pytest.param({"p": SCORES}, replace(DIGITS, offset=9000), {}, "need 9,010 with", id="far-too-few"),
        pytest.param(
            {"scores": SCORES},
            DIGITS,
            {"output_name": "score"},
            "'score' (did you mean 'scores'?): pass",
            id="mistyped",
        ),
        pytest.param(
            {"p": SCORES}, replace(DIGITS, offset=-1), {}, "label 0 would be the model's class -1", id="below-0"
        ),
        pytest.param({"p": tensor(shape=(-1, 1))}, DIGITS, {}, "has one score for each image", id="one-score"),
        pytest.param({"p": tensor(shape=(-1, 1))}, Fired(), {}, "has one score for each", id="one-score-no-labels"),
        pytest.param(
            {"p": tensor(shape=(-1, 1))}, Fired(lowest=0, highest=0), {}, "has one score for", id="one-score-one-label"
        ),
        pytest.param(
            {"p": tensor(shape=(-1, 26))},
            Fired(lowest=1, highest=26),
            {},
            "need 27: pass --label-offset -1 where class 0 is label 1",
            id="labels-from-1-on",
        ),
        pytest.param(
            {"p": tensor(shape=(-1, 25))},
            Fired(lowest=1, highest=26),
            {},
            "need 27: pass another --dataset",
            id="too-few-with-any-offset",
        ),
        pytest.param({"c": IDS}, Fired(lowest=0, highest=100_000), {}, "which is at most 99,999", id="too-large"),
        pytest.param(
            {"c": IDS},
            Fired(lowest=0, highest=95_000, offset=9000),
            {},
            "is 95,000, with --label-offset 9000 class 104,000: pass --label-offset 0 where class 0 is label 0",
            id="too-large-with-the-offset",
        ),
        pytest.param(
            {"c": tensor("DT_STRING", (-1,))}, Fired(lowest=0, highest=100_000), {}, "at most 99,999", id="labels"
        ),
        pytest.param(
            {"p": tensor(shape=(3, 10))}, DIGITS, {}, "is DT_FLOAT [3, 10]: expected [1, classes]", id="other-rows"
        ),
    ],
)
def test_outputs_that_do_not_fit_are_refused(outputs, fired, options, message):
    assert message in "; ".join(faults({"s": signature(outputs=outputs)}, fired, **options))


def test_all_faults_are_told_at_once():
    both = signature({"x": tensor("DT_VARIANT")}, {"p": tensor(shape=(3,))})

    assert [one.split(" ", 2)[:2] for one in faults({"s": both})] == [["input", "'x'"], ["output", "'p'"]]


def test_names_of_a_server_steer_no_terminal():
    steering = "\x1b[2J"

    told = faults({f"a{steering}": signature(), f"b{steering}": signature()})
    line = found({"s": signature({steering: tensor()}, {steering: SCORES})}).words

    assert "\x1b" not in "".join([*told, line])


@pytest.mark.parametrize(
    ("inputs", "outputs", "options", "line"),
    [
        pytest.param(
            {"images": tensor(shape=(-1, 28, 28, 1))},
            {"scores": SCORES},
            {},
            "images [-1, 28, 28, 1] float ← 28 × 28 pixels ÷ 255 · scores [-1, 10] float → class by the highest",
            id="floats",
        ),
        pytest.param(
            {"x": tensor("DT_UINT8", (-1, 28, 28, 3)), "k": tensor(shape=())},
            {"c": IDS},
            {"input": "k=0.5"},
            "x [-1, 28, 28, 3] uint8 ← 28 × 28 pixels as they are, grey in 3 channels · k = 0.5 · c [-1] int64 → class",
            id="bytes-and-classes",
        ),
        pytest.param(
            {"x": tensor(shape=None)},
            {"p": tensor(shape=None)},
            {"pixel_scale": "0.1307,0.3081"},
            "x of any rank float ← 28 × 28 pixels ÷ 255, − 0.1307, ÷ 0.3081, sent as [n, 784] · p of any rank float → "
            "class by the highest",
            id="of-any-rank",
        ),
        pytest.param(
            {"x": tensor(shape=(-1, 32, 32, 1))},
            {"p": SCORES},
            {},
            "x [-1, 32, 32, 1] float ← 28 × 28 pixels ÷ 255, with a border of 2 in black · p [-1, 10] float → class by "
            "the highest",
            id="a-border",
        ),
        pytest.param(
            {"x": tensor("DT_STRING", (-1,))},
            {"c": tensor("DT_STRING", (-1,))},
            {},
            "x [-1] string ← PNG of 28 × 28 pixels · c [-1] string → class by its label",
            id="texts",
        ),
    ],
)
def test_what_was_understood_is_said_in_a_line(inputs, outputs, options, line):
    assert found({"s": signature(inputs, outputs)}, **options).words == line


def test_the_offset_is_said():
    assert found({"s": signature()}, Fired(lowest=1, highest=10, offset=-1)).words.endswith("by the highest + 1")


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(MNIST_EXAMPLE, id="the-example"),
        pytest.param(
            found({"s": signature({"x": tensor(shape=None), "k": tensor("DT_INT32", (-1,))})}, input="k=[1]"),
            id="a-further-input",
        ),
    ],
)
def test_workers_read_what_the_leader_has_found(call):
    assert CallSpec.from_text(call.to_text()) == call


@pytest.mark.parametrize("kind", ["labels", "classified"])
def test_class_names_are_left_to_the_data_set_however_many_there_are(kind):
    names = tuple(f"class {n}" for n in range(20_000))
    call = replace(MNIST_EXAMPLE, output=replace(MNIST_EXAMPLE.output, kind=kind, names=names))
    assert len(call.to_text()) < 1_000
    assert CallSpec.from_text(call.to_text(), names) == call


def test_names_that_the_answer_does_not_want_are_not_put_there():
    assert CallSpec.from_text(MNIST_EXAMPLE.to_text(), ("cat", "dog")) == MNIST_EXAMPLE


def test_todays_model_is_called_as_it_was():
    assert found({"predict_images": signature(), "serving_default": signature()}) == MNIST_EXAMPLE


@pytest.mark.parametrize(
    ("text", "shape", "per_request", "words"),
    [
        pytest.param("[1, 2]", (-1,), "2", "k = [1, 2], one for each image", id="as-many"),
        pytest.param("[1, 2]", (-1,), "3", "k = [1, 2]", id="another-number"),
        pytest.param("[1, 2]", (2,), "2", "k = [1, 2]", id="a-fixed-size"),
        pytest.param("1", (-1,), "2", "k = 1", id="one-value"),
        pytest.param("[1]", (-1,), "1", "k = [1]", id="one-image"),
    ],
)
def test_it_is_told_that_a_list_is_taken_for_a_value_of_each_image(text, shape, per_request, words):
    inputs = {"images": TensorDescribed("DT_FLOAT", (-1, 784)), "k": TensorDescribed("DT_FLOAT", shape)}
    signatures = {"s": SignatureDescribed(PREDICT, inputs, {"scores": TensorDescribed("DT_FLOAT", (-1, 10))})}
    asked = Settings.parse({"input": f"k={text}", "images_per_request": per_request}, None).model

    spec = find_call(asked, signatures, DIGITS)
    assert spec.input_words[1] == words
    assert CallSpec.from_text(spec.to_text()) == spec


@pytest.mark.parametrize(
    ("outputs", "whole"),
    [
        pytest.param({"scores": SCORES}, (), id="one-each"),
        pytest.param({"scores": SCORES, "version": tensor("DT_INT64", ())}, ("version",), id="a-lone-value"),
        pytest.param({"scores": SCORES, "names": tensor("DT_STRING", (10,))}, ("names",), id="a-size-of-its-own"),
    ],
)
def test_outputs_of_no_image_are_known_whoever_judges(outputs, whole):
    """Rows of REST have no place for them."""
    assert found({"serve": signature(outputs=outputs)}).whole == whole
