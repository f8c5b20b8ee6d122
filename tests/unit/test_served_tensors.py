"""Tensors of the embedded server over REST: from JSON, and into it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfsload.modelserver.errors import RequestError
from tfsload.modelserver.rest import layout
from tfsload.modelserver.rest.decimals import decimals
from tfsload.modelserver.rest.predict_request import fill_tensors, tensors_of
from tfsload.modelserver.rest.reader import read_json
from tfsload.modelserver.rest.values import in_array, stacked, values_of
from tfsload.modelserver.rest.words import value_words
from tfsload.transport.protos import predict_pb2, types_pb2
from tfsload.transport.tensors import kind_of, number_of, to_array

DTYPES = [np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint32, np.uint64, np.bool_]
# Of a list of no lists nobody can tell how long these are.
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3) | st.sampled_from([(0,), (2, 0), (1, 2, 0)])


@st.composite
def tensors(draw, shapes=SHAPES):
    """A tensor of any dtype that REST has."""
    shape = draw(shapes)
    dtype = draw(st.sampled_from([*DTYPES, object]))
    if dtype is object:
        return draw(hnp.arrays(object, shape, elements=st.binary(max_size=5)))
    tensor = draw(hnp.arrays(dtype, shape))
    if dtype is np.float32:
        # Nine digits of the greatest are a little more than a float: who printed them refuses them, as the real one.
        tensor[np.abs(tensor) == np.finfo(np.float32).max] = np.finfo(np.float32).tiny
    return tensor


def sent_on(body: str, dtype: int, aliases=("x",)):
    """What a model is given of a body: alias → tensor."""
    dtypes = dict.fromkeys(aliases, dtype)
    found, _ = tensors_of(read_json(layout.encoded(body)), dtypes)
    request = predict_pb2.PredictRequest()
    fill_tensors(request.inputs, found, dtypes)
    return {alias: to_array(proto) for alias, proto in request.inputs.items()}


def equal(got, want) -> bool:
    if got.dtype != want.dtype or got.shape != want.shape:
        return False
    if want.dtype == object:
        return got.tolist() == want.tolist()
    # To the bit, so that noughts keep their signs; but there are many kinds of NaN.
    is_float = want.dtype.kind == "f"
    return np.array_equal(got, want, equal_nan=is_float) and (
        not is_float or np.array_equal(np.signbit(got)[got == got], np.signbit(want)[want == want])
    )


class TestThereAndBack:
    @given(tensors(), st.sampled_from(["x", "x_bytes"]))
    def test_columns(self, tensor, alias):
        for aliases in ([alias], [alias, "y"]):
            outputs = dict.fromkeys(aliases, tensor)
            body = layout.of_one_member("inputs", layout.in_columns(outputs))
            got = sent_on(body, number_of(tensor.dtype), aliases)
            assert all(equal(got[name], tensor) for name in aliases)

    @given(tensors(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)), st.sampled_from(["x", "x_bytes"]))
    def test_rows(self, tensor, alias):
        for aliases in ([alias], [alias, "y"]):
            outputs = dict.fromkeys(aliases, tensor)
            body = layout.of_one_member("instances", layout.in_rows(outputs))
            got = sent_on(body, number_of(tensor.dtype), aliases)
            assert all(equal(got[name], tensor) for name in aliases)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=3)
    | st.just({"b64": "YQ=="}),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(
    st.lists(JSON_VALUES, min_size=1, max_size=4),
    st.sampled_from([types_pb2.DT_HALF, types_pb2.DT_STRING, *(number_of(np.dtype(dtype)) for dtype in DTYPES)]),
)
def test_a_glance_sees_nothing_else_than_a_close_look(elements, dtype):
    quick = stacked(elements, dtype)
    try:
        shape, found = values_of(elements, dtype)
    except RequestError:
        assert quick is None
        return
    if quick is not None:
        assert quick.shape == shape
        assert equal(quick.flat, in_array(found, dtype))
        assert quick.flat.dtype == kind_of(dtype).dtype


class TestNumbers:
    @given(hnp.arrays(st.sampled_from([np.float32, np.float64]), st.integers(0, 5)))
    def test_read_back_they_are_the_same(self, array):
        texts = decimals(array)
        assert equal(np.array(list(map(float, texts))).astype(array.dtype), array)
        for text in texts:
            assert "." in text or "e" in text or text.lstrip("-") in ("NaN", "Infinity")

    @pytest.mark.parametrize(
        ("value", "dtype", "want"),
        [
            (1 / 3, "float32", "0.333333343"),
            (1 / 3, "float64", "0.33333333333333331"),
            (1e6, "float32", "1e+06"),
            (123456, "float64", "123456.0"),
            (0.00003, "float32", "3e-05"),
            (5e-324, "float64", "4.94066e-324"),
        ],
    )
    def test_are_written_as_the_real_server_does(self, value, dtype, want):
        assert decimals(np.array([value], dtype)) == [want]


class TestRowsOfSeveralOutputs:
    def test_layout(self):
        outputs = {"a": np.array([[1, 2], [3, 4]], "int32"), "b": np.array([True, False])}
        text = layout.in_rows(outputs)
        assert text == (
            "[\n"
            '        {\n            "a": [1, 2],\n            "b": true\n        },\n'
            '        {\n            "a": [3, 4],\n            "b": false\n        }\n'
            "    ]"
        )
        assert json.loads(text) == [{"a": [1, 2], "b": True}, {"a": [3, 4], "b": False}]

    def test_no_rows(self):
        none = np.zeros((0, 3), "float32")
        assert layout.in_rows({"a": none}) == layout.in_rows({"a": none, "b": none}) == "[]"

    @pytest.mark.parametrize(
        ("outputs", "message"),
        [
            pytest.param({"a": np.float32(1)}, "Tensor name: a has no shape information ", id="no-rows"),
            pytest.param(
                {"a": np.zeros(2, "float32"), "b": np.zeros(3, "float32")},
                "Tensor name: b has inconsistent batch size: 3 expecting: 2",
                id="unequal",
            ),
            pytest.param({"a": np.zeros(1, "float16")}, "Failed to write JSON value for tensor type: half", id="half"),
        ],
    )
    def test_faults(self, outputs, message):
        with pytest.raises(RequestError) as caught:
            layout.in_rows({alias: np.asarray(value) for alias, value in outputs.items()})
        assert caught.value.message == message


@pytest.mark.parametrize(
    ("value", "want"),
    [
        pytest.param(0.1, "0.1", id="float"),
        pytest.param(1e39, "1e+39", id="double"),
        pytest.param([0.1, 1e30, 1.5e-7], ["0.1", "1e30", "1.5e-7"], id="nested"),
        pytest.param([1e16, 1e-5], ["10000000000000000.0", "0.00001"], id="written-out"),
        pytest.param(['"\u0001é'], ['"\\"\\u0001é"'], id="text"),
        pytest.param([], "[]", id="empty-list"),
        pytest.param({}, "{}", id="empty-object"),
        pytest.param([True, None, 1], ["true", "null", "1"], id="words"),
    ],
)
def test_words_of_values(value, want):
    assert value_words(value) == (want if isinstance(want, str) else "[\n    " + ",\n    ".join(want) + "\n]")
