"""Values of further inputs, as `--input` has them."""

import json

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.settings import readers
from tfsload.transport.call_spec import FurtherInput
from tfsload.transport.given_input import GivenInputError, tensor_of
from tfsload.transport.tensors import kind_named


def value(text, dtype="DT_FLOAT", described=(), n_images=1):
    return tensor_of(FurtherInput("k", dtype, described, text), n_images)


@pytest.mark.parametrize(
    ("text", "dtype", "described", "n_images", "expected"),
    [
        pytest.param("1.5", "DT_FLOAT", (), 1, np.float32(1.5), id="float"),
        pytest.param("2", "DT_FLOAT", (), 1, np.float32(2), id="a-whole-number-is-a-float"),
        pytest.param("-inf", "DT_FLOAT", (), 1, np.float32("-inf"), id="infinity"),
        pytest.param("1e3", "DT_HALF", (), 1, np.float16(1000), id="half"),
        pytest.param("0.5", "DT_BFLOAT16", (), 1, np.array(0.5, ml_dtypes.bfloat16), id="bfloat16"),
        pytest.param("-7", "DT_INT8", (), 1, np.int8(-7), id="int8"),
        pytest.param("18446744073709551615", "DT_UINT64", (), 1, np.uint64(2**64 - 1), id="uint64"),
        pytest.param("true", "DT_BOOL", (), 1, np.True_, id="true"),
        pytest.param("False", "DT_BOOL", (), 1, np.False_, id="as-python-has-it"),
        pytest.param("hello", "DT_STRING", (), 1, np.array(b"hello", object), id="text"),
        pytest.param('"a b"', "DT_STRING", (), 1, np.array(b"a b", object), id="text-in-quotes"),
        pytest.param("1.0", "DT_STRING", (), 1, np.array(b"1.0", object), id="a-text-of-digits"),
        pytest.param("[1, 2]", "DT_INT32", (-1,), 1, np.array([1, 2], np.int32), id="list"),
        pytest.param("[[1], [2]]", "DT_INT64", (2, -1), 1, np.array([[1], [2]]), id="rows"),
        pytest.param("[]", "DT_FLOAT", (-1,), 1, np.array([], np.float32), id="empty"),
        pytest.param('["a", "b"]', "DT_STRING", None, 1, np.array([b"a", b"b"], object), id="texts-of-any-rank"),
        pytest.param("1", "DT_FLOAT", None, 3, np.float32(1), id="one-of-any-rank"),
        pytest.param("1", "DT_FLOAT", (-1,), 3, np.ones(3, np.float32), id="one-for-each-image"),
        pytest.param("1", "DT_FLOAT", (-1, 2, -1), 3, np.ones((3, 2, 1), np.float32), id="it-fills-the-shape"),
        pytest.param("x", "DT_STRING", (2,), 1, np.array([b"x", b"x"], object), id="a-text-fills-it"),
    ],
)
def test_values_that_fit(text, dtype, described, n_images, expected):
    array = value(text, dtype, described, n_images)

    assert array.dtype == kind_named(dtype).dtype
    assert array.shape == np.shape(expected)
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("text", "described", "n_images", "expected"),
    [
        pytest.param("[1, 2, 3, 4]", (-1,), 4, [1, 2, 3, 4], id="full"),
        pytest.param("[1, 2, 3, 4]", (-1,), 3, [1, 2, 3], id="fewer-images"),
        pytest.param("[[1], [2], [3], [4]]", (-1, 1), 1, [[1]], id="rows"),
        pytest.param("[1, 2, 3, 4]", None, 2, [1, 2], id="of-any-rank"),
        pytest.param("[1, 2, 3, 4]", (4,), 2, [1, 2, 3, 4], id="its-size-is-fixed"),
        pytest.param("[1, 2, 3]", (-1,), 2, [1, 2, 3], id="it-has-none-for-each-image"),
    ],
)
def test_a_list_with_a_value_for_each_image_is_as_long_as_the_request(text, described, n_images, expected):
    np.testing.assert_array_equal(tensor_of(FurtherInput("k", "DT_INT32", described, text), n_images, 4), expected)


@pytest.mark.parametrize(
    ("text", "dtype", "described", "message"),
    [
        pytest.param("one", "DT_FLOAT", (), "a value of float, or a list of them as JSON has it", id="word"),
        pytest.param('"1"', "DT_FLOAT", (), "a value of float", id="text"),
        pytest.param("true", "DT_FLOAT", (), "a value of float", id="bool-for-a-float"),
        pytest.param("1", "DT_BOOL", (), "a value of bool", id="number-for-a-bool"),
        pytest.param("1.5", "DT_INT32", (), "a value of int32, or a list", id="fraction"),
        pytest.param("128", "DT_INT8", (), "from -128 to 127", id="too-large"),
        pytest.param("-1", "DT_UINT32", (), "from 0 to 4,294,967,295", id="below-0"),
        pytest.param("null", "DT_FLOAT", (), "a value of float", id="null"),
        pytest.param("[null]", "DT_FLOAT", (1,), "a value of float", id="null-in-a-list"),
        pytest.param('{"a": 1}', "DT_FLOAT", (), "a value of float", id="object"),
        pytest.param("[1", "DT_FLOAT", (1,), "a value of float", id="broken-json"),
        pytest.param("[[1], [1, 2]]", "DT_FLOAT", (2, 2), "a list whose rows are equally long", id="ragged"),
        pytest.param("[1, [2]]", "DT_FLOAT", (2,), "a list whose rows are equally long", id="mixed"),
        pytest.param("[1, 2]", "DT_FLOAT", (3,), "a value of shape [3]", id="size"),
        pytest.param("[1]", "DT_FLOAT", (), "a value of shape []", id="rank"),
        pytest.param("[1]", "DT_STRING", (1,), "a value of string", id="number-for-a-text"),
        pytest.param("1", "DT_RESOURCE", (), "nothing can be sent to an input of DT_RESOURCE", id="no-tensor"),
        pytest.param("[" * 5000, "DT_FLOAT", (), "a value of float", id="deeper-than-python-goes"),
    ],
)
def test_others_are_refused(text, dtype, described, message):
    with pytest.raises(GivenInputError) as caught:
        value(text, dtype, described)

    assert message in str(caught.value)


@given(st.recursive(st.integers(-100, 100), lambda inner: st.lists(inner, max_size=3), max_leaves=8))
def test_a_list_comes_out_as_numpy_reads_it(nested):
    try:
        array = value(json.dumps(nested), "DT_INT32", None)
    except GivenInputError:
        with pytest.raises(ValueError, match=r"inhomogeneous|ragged|setting an array"):
            np.array(nested, np.int32)
    else:
        np.testing.assert_array_equal(array, np.array(nested, np.int32))


@given(st.text(max_size=30), st.sampled_from(["DT_FLOAT", "DT_INT64", "DT_BOOL", "DT_STRING"]))
def test_any_text_is_read_or_refused(text, dtype):
    try:
        array = value(text, dtype)
    except GivenInputError as error:
        assert str(error)
    else:
        assert array.shape == ()


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        pytest.param("", (), id="none"),
        pytest.param("k=1", (("k", "1"),), id="one"),
        pytest.param(" a = [1, 2] ; b=x=y;", (("a", "[1, 2]"), ("b", "x=y")), id="several"),
    ],
)
def test_pairs_that_can_be_read(text, pairs):
    assert readers.inputs(text) == pairs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("k", "'k': expected NAME=VALUE, such as keep_prob=1.0, several separated by ';'", id="no-value"),
        pytest.param("k=", "'k=': expected NAME=VALUE", id="an-empty-one"),
        pytest.param("=1", "'=1': expected NAME=VALUE", id="no-name"),
        pytest.param("k=1;k=2", "'k' is there more often: expected each input once", id="twice"),
    ],
)
def test_other_pairs_are_refused(text, message):
    with pytest.raises(ValueError, match=r"NAME=VALUE|each input once") as caught:
        readers.inputs(text)

    assert message in str(caught.value)
