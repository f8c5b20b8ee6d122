"""What a model wants in its texts, as its server says of an empty one."""

from dataclasses import replace

import pytest

from tfsload.settings.settings import Settings
from tfsload.target.call_finding import find_call
from tfsload.target.fired import DIGITS, Fired
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
    """Says one thing of an empty text, and another of a black image in an example; None: it takes it."""

    def __init__(self, said, code="INVALID_ARGUMENT", of_image=None):
        self.said, self.code, self.of_image = said, code, of_image

    def send_blank(self, spec, timeout_s):  # noqa: ARG002  (as a transport has it)
        said = self.of_image if spec.input.feature_dtype else self.said
        if said is not None:
            raise PredictionFailure(self.code, said)


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
            MISSES.format("x", "float"),
            PREDICT,
            {"input_name": "x"},
            "tf.Example, x = 28 × 28 pixels ÷ 255",
            id="named-of-predict",
        ),
        pytest.param(
            None,
            PREDICT,
            {"input_name": "x"},
            "tf.Example, x = 28 × 28 pixels ÷ 255",
            id="named-of-predict-and-not-required",
        ),
        pytest.param(NO_IMAGE, PREDICT, {"input_name": "texts"}, "PNG of 28 × 28 pixels", id="the-input-is-named"),
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


@pytest.mark.parametrize("method", [PREDICT, CLASSIFY])
@pytest.mark.parametrize(
    ("said", "of_image", "options", "message"),
    [
        pytest.param(
            MISSES.format("id", "int64"),
            MISSES.format("x", "float"),
            {},
            "wants tf.Examples with the features 'id' and 'x'",
            id="a-second-feature",
        ),
        pytest.param(
            MISSES.format("id", "int64"),
            None,
            {"input_name": "x"},
            "misses the feature 'id' of its tf.Examples, and 'x' is named for the image",
            id="another-than-the-named",
        ),
        pytest.param(
            MISSES.format("x", "float"),
            "Key: x. Can't parse serialized Example.",
            {},
            "refuses a tf.Example with a black image as the feature 'x': Key: x. Can't parse",
            id="of-another-size",
        ),
    ],
)
def test_a_model_that_takes_no_image_in_its_feature_is_refused(said, of_image, options, message, method):
    with pytest.raises(TextError, match=message):
        texts_of(Server(said, of_image=of_image), method, **options)


def test_a_name_that_is_neither_an_input_nor_a_feature_is_refused():
    with pytest.raises(TextError, match="has no input 'txts', and its input 'texts' misses no such feature"):
        texts_of(Server(NO_IMAGE), input_name="txts")


def test_an_input_that_is_named_comes_before_a_feature():
    texts, floats = TensorDescribed("DT_STRING", (-1,)), TensorDescribed("DT_FLOAT", (-1, 784))
    scores = {"scores": TensorDescribed("DT_FLOAT", (-1, 10))}
    signatures = {
        "serving_default": SignatureDescribed(PREDICT, {"examples": texts}, scores),
        "b": SignatureDescribed(PREDICT, {"x": floats}, scores),
    }

    assert find_call(Settings.parse({"input_name": "x"}, None).model, signatures, DIGITS).signature_name == "b"
    assert find_call(Settings.parse({"input_name": "y"}, None).model, signatures, DIGITS).input.feature == "y"


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
        pytest.param({}, {"output_name": "scores"}, "answers with labels and scores; leave it out", id="output-name"),
        pytest.param(
            {"inputs": {"inputs": TensorDescribed("DT_FLOAT", (-1, 784))}},
            {},
            r"is DT_FLOAT \[-1, 784\]: expected a text for each image",
            id="no-texts",
        ),
        pytest.param(
            {"inputs": {"inputs": TensorDescribed("DT_STRING", (4,))}}, {}, "takes 4 at once", id="a-fixed-number"
        ),
        pytest.param(
            {"outputs": {"scores": TensorDescribed("DT_FLOAT", (-1, 3))}},
            {},
            "scores 3 classes and the data set's labels need 10",
            id="too-few-scores",
        ),
        pytest.param(
            {"outputs": {"scores": TensorDescribed("DT_FLOAT", (-1, 1))}}, {}, "has one score for each", id="one-score"
        ),
        pytest.param(
            {"outputs": {"classes": TensorDescribed("DT_STRING", (-1, 10))}},
            {},
            "10 labels for each image and no scores",
            id="labels-without-scores",
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


@pytest.mark.parametrize(
    "outputs",
    [
        pytest.param({"classes": ("DT_STRING", (-1, 1))}, id="one-label"),
        pytest.param({"classes": ("DT_STRING", (-1, -1))}, id="labels-of-any-number"),
        pytest.param({"classes": ("DT_STRING", (-1, 5)), "scores": ("DT_FLOAT", (-1, 5))}, id="the-best-five"),
        pytest.param({"scores": ("DT_FLOAT", None)}, id="scores-of-any-rank"),
        pytest.param({"scores": ("DT_FLOAT", (-1, 11))}, id="more-scores-than-labels"),
    ],
)
def test_outputs_that_classify(outputs):
    described = {name: TensorDescribed(*one) for name, one in outputs.items()}
    signature = SignatureDescribed(CLASSIFY, {"inputs": TensorDescribed("DT_STRING", (-1,))}, described)

    assert find_call(Settings.parse({}, None).model, {"s": signature}, DIGITS).output.kind == "classified"


@pytest.mark.parametrize(("names", "fits"), [((), False), (("a",) * 100_001, True)], ids=["numbers", "names"])
def test_labels_that_are_no_number_of_a_class(names, fits):
    described = {"classes": TensorDescribed("DT_STRING", (-1, 1))}
    signature = SignatureDescribed(CLASSIFY, {"inputs": TensorDescribed("DT_STRING", (-1,))}, described)
    asked, fired = Settings.parse({}, None).model, Fired(lowest=0, highest=100_000, names=names)

    if fits:
        assert find_call(asked, {"s": signature}, fired).output.names == names
    else:
        with pytest.raises(ValueError, match="at most 99,999, and the data set's highest label is 100,000"):
            find_call(asked, {"s": signature}, fired)


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
