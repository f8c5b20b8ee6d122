"""What a model wants in its texts, as its server says of an empty one."""

from dataclasses import replace

import pytest

from tfsload.settings.settings import Settings
from tfsload.target.call_finding import find_call
from tfsload.target.fired import DIGITS
from tfsload.target.text_finding import TextError, with_texts
from tfsload.transport.call_spec import CLASSIFY, EXAMPLE, PNG
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.signature import SignatureDescribed, TensorDescribed

PREDICT = "tensorflow/serving/predict"
# As TensorFlow 2.21 has it of a graph that parses an empty example.
MISSES = (
    "Name: <unknown>, Feature: {} (data type: {}) is required but could not be found.\n\t [[{{{{node ParseExample}}}}]]"
)
NO_IMAGE = "Unknown image file format. One of JPEG, PNG, GIF, BMP required."


class Server:
    """Says one thing of an empty text; None: it takes it."""

    def __init__(self, said, code="INVALID_ARGUMENT"):
        self.said, self.code = said, code

    def send_blank(self, spec, timeout_s):  # noqa: ARG002  (as a transport has it)
        if self.said is not None:
            raise PredictionFailure(self.code, self.said)


def texts_of(server, method=PREDICT, **options):
    asked = Settings.parse(options, None).model
    texts = {"texts": TensorDescribed("DT_STRING", (-1,))}
    outputs = {"scores": TensorDescribed("DT_FLOAT", (-1, 10)), "classes": TensorDescribed("DT_STRING", (-1, 10))}
    spec = find_call(asked, {"s": SignatureDescribed(method, texts, outputs)}, DIGITS)
    return with_texts(server, asked, spec, 1.0).input


@pytest.mark.parametrize(
    ("said", "method", "options", "words"),
    [
        pytest.param(NO_IMAGE, PREDICT, {}, "PNG of 28 × 28 pixels", id="no-image"),
        pytest.param(None, PREDICT, {}, "PNG of 28 × 28 pixels", id="it-takes-anything"),
        pytest.param(
            MISSES.format("x", "float"), PREDICT, {}, "tf.Example, x = 28 × 28 pixels ÷ 255", id="an-example-of-floats"
        ),
        pytest.param(
            MISSES.format("image/encoded", "string"),
            PREDICT,
            {},
            "tf.Example, image/encoded = PNG of 28 × 28 pixels",
            id="of-a-file",
        ),
        pytest.param(
            MISSES.format("x", "int64"), CLASSIFY, {}, "tf.Example, x = 28 × 28 pixels as they are", id="of-integers"
        ),
        pytest.param(
            MISSES.format("x", "float"),
            CLASSIFY,
            {"pixel_scale": "-1..1"},
            "tf.Example, x = 28 × 28 pixels from -1 to 1",
            id="a-scale-is-given",
        ),
        pytest.param(
            MISSES.format("x", "float"),
            CLASSIFY,
            {"input_name": "x"},
            "tf.Example, x = 28 × 28 pixels ÷ 255",
            id="named",
        ),
        pytest.param(
            None, CLASSIFY, {"input_name": "x"}, "tf.Example, x = 28 × 28 pixels ÷ 255", id="named-and-not-required"
        ),
    ],
)
def test_what_is_sent_follows_what_the_server_says(said, method, options, words):
    assert texts_of(Server(said), method, **options).words == f"texts [-1] string ← {words}"


@pytest.mark.parametrize(
    ("said", "method", "options", "message"),
    [
        pytest.param(None, CLASSIFY, {}, "the server does not say): pass its name with --input-name", id="no-word"),
        pytest.param("oh\x1b[2J", CLASSIFY, {}, "the server says oh?[2J): pass its name", id="another-word"),
        pytest.param(
            MISSES.format("y", "float"), CLASSIFY, {"input_name": "x"}, "misses the feature 'y'", id="another-feature"
        ),
        pytest.param(MISSES.format("x", "bool"), CLASSIFY, {}, "the feature 'x' is bool", id="no-list-of-an-example"),
        pytest.param(
            NO_IMAGE,
            PREDICT,
            {"pixel_scale": "0..1"},
            "input 'texts' takes PNG files, whose pixels are",
            id="png-scale",
        ),
        pytest.param(
            MISSES.format("x", "string"),
            PREDICT,
            {"pixel_scale": "0..1"},
            "the feature 'x' takes PNG",
            id="feature-scale",
        ),
        pytest.param(
            MISSES.format("x", "int64"),
            CLASSIFY,
            {"pixel_scale": "0.5,0.3"},
            "the feature 'x' is DT_INT64, it holds whole numbers alone",
            id="a-scale-that-does-not-fit",
        ),
    ],
)
def test_what_is_not_known_is_refused(said, method, options, message):
    with pytest.raises(TextError) as caught:
        texts_of(Server(said), method, **options)

    assert message in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_server_that_does_not_answer_is_no_server_that_says_so():
    with pytest.raises(PredictionFailure):
        texts_of(Server("too late", "DEADLINE_EXCEEDED"))


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        pytest.param({}, {"input": "k=1"}, "is called over Classify, which takes images alone", id="a-further-input"),
        pytest.param(
            {"outputs": {"regression": TensorDescribed("DT_FLOAT", (-1,))}}, {}, "has not one input", id="out"
        ),
        pytest.param({"inputs": {}}, {}, "has not one input and the outputs classes or scores", id="no-input"),
    ],
)
def test_signatures_to_classify_with_of_another_make(changes, options, message):
    made = SignatureDescribed(
        CLASSIFY,
        {"inputs": TensorDescribed("DT_STRING", (-1,))},
        {"scores": TensorDescribed("DT_FLOAT", (-1, 10))},
    )

    with pytest.raises(ValueError, match=message):
        find_call(Settings.parse(options, None).model, {"s": replace(made, **changes)}, DIGITS)


def test_one_to_predict_with_comes_before_one_to_classify_with():
    texts, scores = {"inputs": TensorDescribed("DT_STRING", (-1,))}, {"scores": TensorDescribed("DT_FLOAT", (-1, 10))}
    classify = SignatureDescribed(CLASSIFY, texts, scores)
    signatures = {
        "serving_default": classify,
        "other": SignatureDescribed(PREDICT, texts, scores),
    }
    asked = Settings.parse({}, None).model

    assert find_call(asked, signatures, DIGITS).signature_name == "other"
    assert find_call(asked, signatures, DIGITS).input.form == PNG
    assert find_call(asked, {"serving_default": classify, "b": classify}, DIGITS).signature_name == "serving_default"
    assert find_call(asked, {"b": classify}, DIGITS).input.form == EXAMPLE
