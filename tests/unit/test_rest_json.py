"""Arrays as JSON and back: what is sent is what Python's own JSON and numpy read again, to the bit."""

import base64
import json
import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpys

from tfsload.transport.answer import ReplyError
from tfsload.transport.rest.json_text import UnsendableError, array_text, flat_and_shape, loads, text_bytes

SHAPES = numpys.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def read_again(text, dtype):
    return np.array(json.loads(text), dtype)


@pytest.mark.parametrize(
    "dtype", ["f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", ml_dtypes.bfloat16], ids=str
)
@given(data=st.data())
def test_numbers_become_the_same_ones_again(dtype, data):
    dtype = np.dtype(dtype)
    if dtype == ml_dtypes.bfloat16:
        array = data.draw(numpys.arrays("u2", SHAPES)).view(dtype)
    else:
        array = data.draw(numpys.arrays(dtype, SHAPES))

    again = read_again(array_text(array), dtype)

    if not array.size:  # an empty list does not say how long its rows would be
        assert again.size == 0
        return
    assert again.shape == array.shape
    if array.dtype.kind in "fV":
        with np.errstate(invalid="ignore"):  # numpy warns of NaN in some dtypes
            is_nan = np.isnan(array.astype(np.float64))
            assert (np.isnan(again.astype(np.float64)) == is_nan).all()
        assert again[~is_nan].tobytes() == array[~is_nan].tobytes()  # the sign of a zero, too
    else:
        assert again.tobytes() == array.tobytes()


@given(numpys.arrays("f4", (4, 6)), st.booleans())
def test_arrays_that_lie_otherwise_in_memory_are_the_same(array, is_reversed):
    other = array.T[::-1] if is_reversed else array[:, ::2]

    again = read_again(array_text(other), "f4")

    np.testing.assert_array_equal(again, other)


def test_floats_are_as_short_as_they_can_be_and_have_a_point():
    array = np.array([0.1, 1.0, 1 / 255, 3e-9, 16777216], np.float32)

    assert array_text(array) == b"[0.1,1.0,0.003921569,3e-9,16777216.0]"
    assert array_text(array.astype(np.float64)[:1]) == b"[0.10000000149011612]"


WITHOUT_A_WORD = {
    "nan": (np.array(math.nan, np.float32), b"NaN"),
    "among-others": (np.array([[1, math.inf], [-math.inf, 0.1]], np.float32), b"[[1.0,Infinity],[-Infinity,0.1]]"),
    "alone-in-rows": (np.full((2, 1, 1), math.nan, np.float16), b"[[[NaN]],[[NaN]]]"),
    "of-bfloat16": (np.array([math.inf, 1], ml_dtypes.bfloat16), b"[Infinity,1.0]"),
}


@pytest.mark.parametrize(("array", "text"), WITHOUT_A_WORD.values(), ids=WITHOUT_A_WORD)
def test_what_json_has_no_word_for_is_written_as_the_server_reads_it(array, text):
    assert array_text(array) == text


def test_complex_numbers_cannot_be_sent():
    with pytest.raises(UnsendableError, match="complex numbers cannot be sent over REST"):
        array_text(np.zeros(2, np.complex64))


@given(
    st.lists(st.binary(max_size=12) | st.text(max_size=8).map(lambda text: text.encode("utf-8", "ignore"))), st.data()
)
def test_texts_become_the_same_bytes_again(texts, data):
    rows = data.draw(st.sampled_from([None, *(size for size in (1, 2, 3) if texts and not len(texts) % size)]))
    array = np.empty(len(texts), object)
    array[:] = texts
    if rows:
        array = array.reshape(rows, -1)

    flat, shape = flat_and_shape(json.loads(array_text(array)))

    assert [text_bytes(one) for one in flat] == texts
    assert shape == array.shape
    for one in flat:
        assert isinstance(one, str) or list(one) == ["b64"]


def test_a_lone_text():
    array = np.empty((), object)
    array[()] = b"\x89PNG"

    assert array_text(array) == b'{"b64":"iVBORw=="}'
    assert base64.b64decode("iVBORw==") == b"\x89PNG"


LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_any_json_says_is_read(value):
    text = json.dumps(value)

    assert loads(text.encode()) == value


def test_nan_and_infinities_are_read_as_the_server_writes_them():
    one, *others = loads(b'{"predictions": [NaN, Infinity, -Infinity, 0.5]}')["predictions"]

    assert math.isnan(one)
    assert others == [math.inf, -math.inf, 0.5]


def test_bytes_of_texts_that_are_no_utf_8_are_kept():
    said = loads(b'{"predictions": ["caf\xe9", "caf\xc3\xa9"]}')["predictions"]

    assert [text_bytes(one) for one in said] == [b"caf\xe9", b"caf\xc3\xa9"]


NO_TEXT = {
    "null": None,
    "a-number": 1,
    "an-object": {"a": "b"},
    "no-base64": {"b64": "*"},
    "more-than-base64": {"b64": "", "x": 1},
    "half-a-character": "\ud800",
}


@pytest.mark.parametrize("value", NO_TEXT.values(), ids=NO_TEXT)
def test_what_is_no_text_is_none(value):
    assert text_bytes(value) is None


NO_JSON = {
    "nothing": b"",
    "cut": b'{"predictions": [0.1',
    "a-page": b"<html><title>Hello</title>",
    "more-follows": b'{"predictions": [1]} x',
    "nested-deeply": b"[" * 200_000,
    "nested-deeply-and-whole": b"[" * 200_000 + b"]" * 200_000,
    "a-number-of-many-digits": b'{"predictions": [NaN, ' + b"1" * 5000 + b"]}",
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("text", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_named(text):
    with pytest.raises(ReplyError, match=r"(?s)^the reply is no JSON \(.+\): it begins '"):
        loads(text)


@given(st.binary() | st.text("[]{}:,\"'0123456789.eE+-NaInfitytrulse \n", max_size=30).map(str.encode))
def test_any_bytes_are_json_or_a_named_fault(text):
    try:
        loads(text)
    except ReplyError as error:
        assert "no JSON" in str(error)


UNEVEN = {
    "shorter": [[1, 2], [3]],
    "a-value-among-rows": [[1], 2],
    "a-row-among-values": [1, [2]],
    "deeper": [[[1]], [[2], [3]]],
    "a-row-that-is-none": [[1], None],
}


@pytest.mark.parametrize("value", UNEVEN.values(), ids=UNEVEN)
def test_lists_that_are_no_tensor_are_named(value):
    with pytest.raises(ReplyError, match=r"not equally long|side by side"):
        flat_and_shape(value)


def test_lists_that_are_nested_deeper_than_any_tensor_are_named():
    value = 1
    for _ in range(40):
        value = [value]

    with pytest.raises(ReplyError, match="nested more than 32 deep"):
        flat_and_shape(value)
