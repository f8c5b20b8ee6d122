"""Requests and replies as bytes, against the official protos."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.support.predict_replies import reply
from tfsload.settings.settings import Settings
from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import CLASSIFY, EXAMPLE, MNIST_EXAMPLE, FurtherInput
from tfsload.transport.grpc import codec
from tfsload.transport.protos import classification_pb2, predict_pb2, types_pb2
from tfsload.transport.tensors import to_array


def encoder_of(settings, signature="predict_images", output="scores"):
    answer = replace(MNIST_EXAMPLE.output, name=output)
    return codec.RequestEncoder(settings.model, replace(MNIST_EXAMPLE, signature_name=signature, output=answer))


def decode(body, n_images):
    return codec.decode_answer(body, "scores", n_images)[0]


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(28), st.just(28))))
def test_a_request_holds_the_images_scaled_to_one(images):
    settings = Settings.parse({}, None)

    request = predict_pb2.PredictRequest.FromString(encoder_of(settings).encode(images))

    tensor = request.inputs["images"]
    assert tensor.dtype == types_pb2.DT_FLOAT
    assert [dim.size for dim in tensor.tensor_shape.dim] == [len(images), 784]
    sent = np.frombuffer(tensor.tensor_content, "<f4").reshape(-1, 784)
    np.testing.assert_array_equal(sent, images.reshape(-1, 784).astype(np.float32) / np.float32(255))
    assert sent.max() <= 1.0


@pytest.mark.parametrize(
    ("options", "version", "label"),
    [
        pytest.param({}, None, "", id="latest"),
        pytest.param({"model_version": "7"}, 7, "", id="version"),
        pytest.param({"model_version": "0"}, 0, "", id="version-zero-is-a-version"),
        pytest.param({"model_label": "canary"}, None, "canary", id="label"),
    ],
)
def test_a_request_names_the_model(options, version, label):
    settings = Settings.parse({"model_name": "m", **options}, None)

    request = predict_pb2.PredictRequest.FromString(
        encoder_of(settings, "s", "o").encode(np.zeros((1, 28, 28), np.uint8))
    )

    spec = request.model_spec
    assert (spec.name, spec.signature_name, list(request.output_filter)) == ("m", "s", ["o"])
    assert (spec.version.value if spec.HasField("version") else None) == version
    assert spec.version_label == label


@pytest.mark.parametrize("as_content", [pytest.param(False, id="float_val"), pytest.param(True, id="tensor_content")])
@pytest.mark.parametrize(
    "dtype", [pytest.param(types_pb2.DT_FLOAT, id="float"), pytest.param(types_pb2.DT_DOUBLE, id="double")]
)
@given(
    scores=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 12)),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_both_forms_of_a_reply_are_read(scores, dtype, as_content):
    read = decode(reply(scores, dtype, as_content), len(scores))

    np.testing.assert_array_equal(read, scores)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"\xff\xff\xff", "not a PredictResponse", id="garbage"),
        pytest.param(
            reply([[1.0]], output="logits"), "no output 'scores' in the reply; it has ['logits']", id="other-output"
        ),
        pytest.param(b"", "it has none", id="empty-reply"),
        pytest.param(reply([[1]], types_pb2.DT_INT64), "is DT_INT64: expected DT_FLOAT, DT_DOUBLE", id="integers"),
        pytest.param(reply([[1.0]], dtype=9999), "is 9999", id="unknown-dtype"),
        pytest.param(reply(0.5), "has shape (): expected (1, classes)", id="no-dimension"),
        pytest.param(reply([[0.5], [0.5]]), "has shape (2, 1): expected (1, classes)", id="too-many-rows"),
        pytest.param(reply([[0.5, 0.5]], shape=(1, 3)), "holds 2 values for its shape (1, 3)", id="too-few-values"),
        pytest.param(reply([[0.5]], as_content=True, shape=(1, 2)), "holds 1 values", id="content-too-short"),
        pytest.param(reply([[]], shape=(1, 0)), "has shape (1, 0)", id="no-classes"),
        pytest.param(reply([[float("nan"), 1.0]]), "not finite", id="nan"),
        pytest.param(reply([[float("inf"), 1.0]], as_content=True), "not finite", id="infinity"),
    ],
)
def test_unreadable_replies_say_what_was_found(body, message):
    with pytest.raises(ReplyError) as caught:
        decode(body, 1)

    assert message in str(caught.value)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused(body):
    try:
        scores = decode(body, 1)
    except ReplyError:
        return
    assert scores.shape[0] == 1


@given(st.binary(max_size=8), st.integers(0, 60))
def test_a_damaged_reply_is_read_or_refused(damage, place):
    whole = reply([[0.1, 0.9]])
    body = whole[:place] + damage + whole[place + len(damage) :]
    try:
        scores = decode(body, 1)
    except ReplyError as error:
        assert str(error)
    else:
        assert scores.shape[0] == 1


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.integers(0, 2**32)), min_size=1, max_size=12))
def test_reading_in_place_is_the_same_as_decoding(replies):
    reader = codec.ReplyReader("scores", 2)
    for n_classes, as_content, seed in replies:
        body = reply(np.random.default_rng(seed).random((2, n_classes), np.float32), as_content=as_content)
        np.testing.assert_array_equal(reader.read(body).scores, decode(body, 2))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(reply([[float("nan"), 1.0]]), "not finite", id="nan"),
        pytest.param(reply([[float("inf"), -float("inf")]]), "not finite", id="infinities-that-cancel"),
        pytest.param(reply([[0.5, 0.5]], output="logits"), "no output 'scores'", id="another-output"),
        pytest.param(reply([[0.5, 0.5]])[:-1], "", id="cut-short"),
    ],
)
def test_reading_in_place_refuses_what_decoding_refuses(body, message):
    reader = codec.ReplyReader("scores", 1)
    for _ in range(2):
        reader.read(reply([[0.25, 0.75]]))

    with pytest.raises(ReplyError) as caught:
        reader.read(body)

    assert message in str(caught.value)


def scores_of(first, n_images=1):
    return np.array([[first, 0.25, 0.5]] * n_images, np.float32)


def test_the_same_bytes_are_the_same_answer_and_others_are_another():
    reader = codec.ReplyReader("scores", 1)
    reader.read(reply(scores_of(0.0)))  # decoded in full
    answers = [reader.read(reply(scores_of(first))) for first in (0.75, 0.125, 0.75)]

    assert answers[0] is answers[2]
    assert [one.predicted for one in answers] == [[0], [2], [0]]
    assert [one.scores.tolist() for one in answers] == [scores_of(first).tolist() for first in (0.75, 0.125, 0.75)]


def test_no_more_than_so_many_answers_are_kept_and_later_ones_are_read_all_the_same(monkeypatch):
    monkeypatch.setattr(codec, "_MOST_ANSWERS", 3)
    reader = codec.ReplyReader("scores", 1)
    replies = [reply(scores_of(number / 8)) for number in range(9)]
    most = 0
    for one in replies * 9:
        assert reader.read(one).scores.tolist() == decode(one, 1).tolist()
        most = max(most, len(reader._kept.by_reply))

    assert most == 3


@pytest.mark.parametrize(
    ("body", "n_images"),
    [
        pytest.param(reply(scores_of(0.75, 2)), 2, id="of-several-images"),
        pytest.param(reply(np.zeros((1, codec._SHORT + 1), np.float32)), 1, id="of-many-classes"),
        pytest.param(reply(scores_of(0.75)) + reply(np.zeros((1, 999)), output="more"), 1, id="with-another-output"),
    ],
)
def test_long_replies_are_not_kept(body, n_images):
    reader = codec.ReplyReader("scores", n_images)
    answers = [reader.read(body) for _ in range(3)]

    assert answers[1] is not answers[2]
    assert reader._kept.by_reply == {}


@pytest.mark.parametrize(
    ("text", "batch", "n_images", "images", "values"),
    [
        pytest.param("1", 4, 3, 4, [1] * 4, id="filled-up-to-a-fixed-number"),
        pytest.param("1", 4, 4, 4, [1] * 4, id="full"),
        pytest.param("[1, 2, 3, 4]", 4, 1, 4, [1, 2, 3, 4], id="a-list-and-a-fixed-number"),
        pytest.param("1", None, 3, 3, [1] * 3, id="the-last-request"),
        pytest.param("[1, 2, 3, 4]", None, 3, 3, [1, 2, 3], id="a-list-in-the-last-request"),
    ],
)
def test_further_inputs_have_as_many_values_as_there_are_images(text, batch, n_images, images, values):
    further = FurtherInput("mask", "DT_INT32", (-1,), text)
    spec = replace(MNIST_EXAMPLE, input=replace(MNIST_EXAMPLE.input, batch=batch), further=(further,))
    model = Settings.parse({"images_per_request": "4"}, None).model

    body = codec.RequestEncoder(model, spec).encode(np.zeros((n_images, 28, 28), np.uint8))

    inputs = predict_pb2.PredictRequest.FromString(body).inputs
    assert to_array(inputs["images"]).shape == (images, 784)
    assert to_array(inputs["mask"]).tolist() == values


@pytest.mark.parametrize("batch", [None, 4])
def test_a_blank_request_holds_as_many_images_as_the_runs(batch):
    further = FurtherInput("mask", "DT_INT32", (-1,), "[1, 2, 3, 4]")
    spec = replace(MNIST_EXAMPLE, input=replace(MNIST_EXAMPLE.input, batch=batch), further=(further,))

    inputs = codec.RequestEncoder(Settings.parse({"images_per_request": "4"}, None).model, spec).blank().inputs

    np.testing.assert_array_equal(to_array(inputs["images"]), np.zeros((4, 784)))
    assert to_array(inputs["mask"]).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(("dtype", "held"), [("", []), ("DT_FLOAT", [0.0] * 784)], ids=["not-known", "a-black-image"])
def test_a_blank_example_has_the_feature_that_is_known(dtype, held):
    images = replace(MNIST_EXAMPLE.input, form=EXAMPLE, shape=(), feature="x", feature_dtype=dtype)
    spec = replace(MNIST_EXAMPLE, method=CLASSIFY, input=images)

    blank = codec.RequestEncoder(Settings.parse({"images_per_request": "2"}, None).model, spec).blank()

    examples = blank.input.example_list.examples
    assert [list(one.features.feature["x"].float_list.value) for one in examples] == [held] * 2


def test_examples_are_filled_up_where_a_model_takes_so_many_at_once():
    images = replace(MNIST_EXAMPLE.input, form=EXAMPLE, shape=(), batch=3, feature="x", feature_dtype="DT_FLOAT")
    spec = replace(MNIST_EXAMPLE, method=CLASSIFY, input=images)

    body = codec.RequestEncoder(Settings.parse({}, None).model, spec).encode(np.zeros((2, 28, 28), np.uint8))

    assert len(classification_pb2.ClassificationRequest.FromString(body).input.example_list.examples) == 3
