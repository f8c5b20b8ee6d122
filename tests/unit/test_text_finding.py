"""What a model wants in its texts, as its server says of an empty one."""

from dataclasses import replace

import pytest

from tfsload.settings.settings import Settings
from tfsload.target.call_finding import NoCallError, find_call
from tfsload.target.fired import DIGITS, Fired
from tfsload.target.text_finding import TextError, with_texts
from tfsload.transport.call_spec import CLASSIFY, EXAMPLE, FILE
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
        if callable(said):
            said = said(spec.input)
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
            "input 'texts' takes files, whose pixels are",
            id="png-scale",
        ),
        pytest.param(
            MISSES.format("x", "string"),
            PREDICT,
            {"pixel_scale": "0..1"},
            "the feature 'x' takes files",
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


def takes(*files):
    """What a server says of a black image that takes it as one of these kinds of files alone."""
    return lambda images: None if images.file in files else f"no {images.file}"


def wants(features):
    """What a server says that wants so many features, each name → dtype; the image is in `x`."""

    def said(images):
        has = {one.name for one in images.features} | ({images.feature} if images.feature_dtype else set())
        missing = [one for one in features if one not in has]
        return MISSES.format(missing[0], features[missing[0]]) if missing else None

    return said


@pytest.mark.parametrize("method", [PREDICT, CLASSIFY])
@pytest.mark.parametrize(
    ("features", "options", "words"),
    [
        pytest.param({"x": "float", "label": "int64"}, "label=7", "x = 28 × 28 pixels ÷ 255, label = 7", id="behind"),
        pytest.param(
            {"height": "int64", "width": "int64", "x": "string"},
            "width=28;height=28",
            "x = PNG of 28 × 28 pixels, height = 28, width = 28",
            id="before",
        ),
        pytest.param(
            {"id": "string", "x": "int64", "z": "float"},
            "id=a;z=0.5",
            "x = 28 × 28 pixels as they are, id = a, z = 0.5",
            id="around",
        ),
        pytest.param({"list": "int64", "x": "float"}, "list=[1, 2]", "x = 28 × 28 pixels ÷ 255, list = [1, 2]", id="l"),
    ],
)
def test_further_features_are_sent_as_they_are_given(features, options, words, method):
    said = wants(features)

    images = texts_of(Server(said, of_image=said), method, input=options)

    assert images.words == f"texts [-1] string ← tf.Example, {words}"
    assert images.feature == "x"


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        pytest.param({"id": "int64", "x": "float"}, {}, "'id' and 'x', .*: pass --input x=VALUE for", id="not-given"),
        pytest.param(
            {"id": "int64", "x": "float"}, {"input": "id=a"}, "--input 'id=a': the feature is int64", id="text"
        ),
        pytest.param({"id": "int64", "x": "float"}, {"input": "id=0.5"}, "expected a value of int64", id="fraction"),
        pytest.param(
            {"x": "float"}, {"input": "id=1"}, "'id=1': .* misses no such feature; leave it out", id="no-such"
        ),
        pytest.param({}, {"input": "id=1"}, "'id=1': .* misses no such feature; leave it out", id="no-example"),
        pytest.param(
            {"id": "int64", "x": "float"}, {"input_name": "x"}, "pass --input-name id, or --input id=VALUE", id="named"
        ),
    ],
)
def test_further_features_that_do_not_fit_are_refused(features, options, message):
    said = wants(features)

    with pytest.raises(TextError, match=message):
        texts_of(Server(said, of_image=said), **options)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(takes("png", "bytes"), "PNG of 28 × 28 pixels", id="png"),
        pytest.param(takes("base64", "bytes"), "base64 of PNG of 28 × 28 pixels", id="base64"),
        pytest.param(takes("bytes"), "bytes of 28 × 28 pixels", id="bytes"),
    ],
)
@pytest.mark.parametrize(
    ("of_empty", "before"),
    [
        pytest.param(NO_IMAGE, "", id="text"),
        pytest.param(MISSES.format("x", "string"), "tf.Example, x = ", id="feature"),
    ],
)
def test_files_are_of_the_kind_that_the_server_takes(said, words, of_empty, before):
    images = texts_of(Server(of_empty, of_image=said))

    assert images.words == f"texts [-1] string ← {before}{words}"


@pytest.mark.parametrize(
    ("of_empty", "message"),
    [
        pytest.param(
            NO_IMAGE, "as a PNG file, as base64 of one and as the bytes of its pixels; the first: no png", id="a"
        ),
        pytest.param(MISSES.format("x", "string"), "a black image as the feature 'x': no png", id="feature"),
    ],
)
def test_an_image_that_is_taken_as_no_file_is_refused(of_empty, message):
    with pytest.raises(TextError, match=message):
        texts_of(Server(of_empty, of_image=takes()))


def test_a_feature_that_is_named_and_not_required_is_one_where_the_server_takes_examples_alone():
    server = Server(None, of_image=lambda images: None if images.form == EXAMPLE else "Could not parse example input")

    assert texts_of(server, input_name="x").words == "texts [-1] string ← tf.Example, x = 28 × 28 pixels ÷ 255"
    with pytest.raises(TextError, match=r"has no input 'txts', .* \(the server takes what is no tf\.Example\): pass"):
        texts_of(Server(None), input_name="txts")


@pytest.mark.parametrize(
    ("others", "options", "message"),
    [
        pytest.param({"image": (-1, 784)}, {}, "'imag' (did you mean 'image'?); a feature of", id="two-that-fit"),
        pytest.param({"size": (-1,)}, {}, "'imag'; it has size, texts; a feature of tf.Exa", id="one-that-fits"),
        pytest.param({"size": (-1,)}, {"input": "size=1"}, "", id="the-other-is-given"),
    ],
)
def test_beside_other_inputs_a_name_is_no_feature(others, options, message):
    inputs = {"texts": TensorDescribed("DT_STRING", (-1,))}
    inputs |= {name: TensorDescribed("DT_FLOAT", shape) for name, shape in others.items()}
    signatures = {"s": SignatureDescribed(PREDICT, inputs, {"scores": TensorDescribed("DT_FLOAT", (-1, 10))})}
    asked = Settings.parse({"input_name": "imag", **options}, None).model
    if not message:
        assert find_call(asked, signatures, DIGITS).input.feature == "imag"
        return
    with pytest.raises(NoCallError) as caught:
        find_call(asked, signatures, DIGITS)

    assert message in str(caught.value)


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
        pytest.param({}, {"input": "inputs=1"}, "is called over Classify, which takes examples", id="a-further-input"),
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
    assert find_call(asked, signatures, DIGITS).input.form == FILE
    assert find_call(asked, {"serving_default": classify, "b": classify}, DIGITS).signature_name == "serving_default"
    assert find_call(asked, {"b": classify}, DIGITS).input.form == EXAMPLE
