"""Bodies of REST: what is in them is what the call says, for any server that reads JSON."""

import base64
import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rest_transports import rest_transport
from tfsload.transport.asked import COLUMN, ROW
from tfsload.transport.call_spec import (
    BYTES,
    CLASSIFY,
    EXAMPLE,
    FILE,
    GIVEN,
    MNIST_EXAMPLE,
    FurtherInput,
    GivenInput,
)
from tfsload.transport.rest.bodies import BodyEncoder, format_of
from tfsload.transport.rest.json_text import array_text

IMAGES = np.arange(3 * 784, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
SCALED = (IMAGES.reshape(3, 784) / np.float64(255)).astype(np.float32)
KEEP = FurtherInput("keep_prob", "DT_FLOAT", (), "0.5")
EACH = FurtherInput("id", "DT_INT64", (-1,), "7")


def spec_with(method=MNIST_EXAMPLE.method, further=(), whole=(), given=(), **changes):
    images = dataclasses.replace(MNIST_EXAMPLE.input, **changes)
    return dataclasses.replace(MNIST_EXAMPLE, method=method, input=images, further=further, whole=whole, given=given)


def body_of(spec, images=IMAGES, rest_format=ROW, per_request=3):
    model = rest_transport("127.0.0.1:1", images_per_request=str(per_request)).model
    return json.loads(BodyEncoder(model, spec, rest_format).encode(images))


@pytest.mark.parametrize(("rest_format", "key"), [(ROW, "instances"), (COLUMN, "inputs")])
def test_pixels_are_there_as_float32_exactly(rest_format, key):
    said = body_of(MNIST_EXAMPLE, rest_format=rest_format)

    assert said.keys() == {"signature_name", key}
    assert said["signature_name"] == "predict_images"
    np.testing.assert_array_equal(np.array(said[key], np.float32), SCALED)


def test_a_request_that_is_filled_up_has_the_last_image_again():
    said = body_of(spec_with(batch=3), IMAGES[:2])["instances"]

    np.testing.assert_array_equal(np.array(said, np.float32), SCALED[[0, 1, 1]])


def test_rows_of_several_inputs_name_each():
    said = body_of(spec_with(further=(EACH,)))["instances"]

    assert [one["id"] for one in said] == [7, 7, 7]
    np.testing.assert_array_equal(np.array([one["images"] for one in said], np.float32), SCALED)


def test_columns_of_several_inputs_have_each_whole():
    said = body_of(spec_with(further=(KEEP, EACH)))["inputs"]

    assert (said["keep_prob"], said["id"]) == (0.5, [7, 7, 7])
    np.testing.assert_array_equal(np.array(said["images"], np.float32), SCALED)


LIST_EACH = FurtherInput("id", "DT_INT64", (-1,), "[1, 2, 3]", is_each=True)
FORMATS = {
    "pixels": (spec_with(), ROW),
    "one-value-for-all": (spec_with(further=(KEEP,)), COLUMN),
    "one-value-each": (spec_with(further=(EACH,)), ROW),
    "a-list-of-one-each": (spec_with(further=(LIST_EACH,)), ROW),
    "a-list-of-another-length": (spec_with(further=(FurtherInput("x", "DT_INT64", (-1,), "[1, 2]"),)), COLUMN),
    "a-list-of-a-fixed-length": (spec_with(further=(FurtherInput("x", "DT_INT64", (3,), "[1, 2, 3]"),)), COLUMN),
    "a-list-beside-a-fixed-batch": (spec_with(batch=3, further=(FurtherInput("x", "DT_INT64", (3,), "7"),)), ROW),
    "of-any-rank": (spec_with(further=(FurtherInput("x", "DT_INT64", None, "7"),)), COLUMN),
    "no-dimension-of-images": (spec_with(has_batch=False), COLUMN),
    "an-output-of-no-image": (spec_with(whole=("version",)), COLUMN),
}


@pytest.mark.parametrize(("spec", "found"), FORMATS.values(), ids=FORMATS)
def test_what_rows_cannot_say_is_said_in_columns(spec, found):
    assert format_of(spec, 3) == found
    assert format_of(spec, 3, COLUMN) == COLUMN


def test_a_list_of_one_each_is_shorter_in_the_last_request():
    said = body_of(spec_with(further=(LIST_EACH,)), IMAGES[:2])["instances"]

    assert [one["id"] for one in said] == [1, 2]


@pytest.mark.parametrize("rest_format", [ROW, COLUMN])
def test_files_are_base64(rest_format):
    spec = spec_with(form=FILE, dtype="DT_STRING", feature_dtype="DT_STRING", file=BYTES, shape=(), described=(-1,))

    (said,) = [value for key, value in body_of(spec, rest_format=rest_format).items() if key != "signature_name"]

    assert [base64.b64decode(one["b64"]) for one in said] == [one.tobytes() for one in IMAGES]


def test_arrays_that_are_given_are_sent_as_they_are():
    given_inputs = (
        GivenInput("a", "DT_FLOAT", (-1, 2), (2,)),
        GivenInput("b", "DT_STRING", (-1,), ()),
    )
    texts = np.empty(2, object)
    texts[:] = [b"one", b"\xff"]
    arrays = {"a": np.array([[0.1, 1], [2, 3]], np.float32), "b": texts}

    said = body_of(spec_with(form=GIVEN, given=given_inputs), arrays)["instances"]

    assert said == [{"a": [0.1, 1.0], "b": "one"}, {"a": [2.0, 3.0], "b": {"b64": "/w=="}}]


def test_examples_have_features_whose_kind_their_text_tells():
    features = (
        FurtherInput("flag", "DT_INT64", None, "1"),
        FurtherInput("share", "DT_FLOAT", None, "1"),
        FurtherInput("word", "DT_STRING", None, "hi"),
    )
    spec = spec_with(CLASSIFY, form=EXAMPLE, feature="x", feature_dtype="DT_FLOAT", features=features)
    model = rest_transport("127.0.0.1:1").model

    text = BodyEncoder(model, spec).encode(IMAGES)
    said = json.loads(text)["examples"]

    assert len(said) == 3
    assert said[1]["flag"] == [1]
    assert b'"share":[1.0]' in text  # without a point it were an int64_list
    assert said[1]["word"] == ["hi"]
    np.testing.assert_array_equal(np.array(said[1]["x"], np.float32), SCALED[1])


@pytest.mark.parametrize("rest_format", [ROW, COLUMN])
def test_a_blank_request_is_of_black_images(rest_format):
    model = rest_transport("127.0.0.1:1", images_per_request="2").model

    said = json.loads(BodyEncoder(model, MNIST_EXAMPLE, rest_format).blank())

    assert np.array(said["instances" if rest_format == ROW else "inputs"]).tolist() == [[0.0] * 784] * 2


def test_a_blank_text_is_empty_where_nothing_is_known_of_it():
    spec = spec_with(form=FILE, dtype="DT_STRING", shape=(), described=(-1,))
    model = rest_transport("127.0.0.1:1").model

    assert json.loads(BodyEncoder(model, spec).blank())["instances"] == [""]


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_rows_and_columns_say_the_same(n, seed):
    images = np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)
    row, column = (body_of(MNIST_EXAMPLE, images, one, n) for one in (ROW, COLUMN))

    assert row["instances"] == column["inputs"]
    assert len(array_text(images)) > 0
