"""JSON as the embedded server reads it: what orjson reads, and what RapidJSON reads or says beside."""

import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.modelserver.rest.reader import JsonError, _Reader, read_json

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
)


def read_slowly(body: bytes):
    return _Reader(body.decode("latin-1")).document()


def alike(left, right) -> bool:
    """Equal, and of the same types all the way down."""
    return json.dumps(left) == json.dumps(right)


class TestReads:
    @given(VALUES, st.sampled_from([None, 1]))
    def test_what_is_written(self, value, indent):
        for is_ascii in (True, False):
            body = json.dumps(value, ensure_ascii=is_ascii, indent=indent).encode("utf-8", "surrogatepass")
            assert alike(read_slowly(body), value)
            assert alike(read_json(body), value)

    @pytest.mark.parametrize(
        ("body", "want"),
        [
            pytest.param(b"[NaN]", [math.nan], id="nan"),
            pytest.param(b"[Infinity, -Infinity]", [math.inf, -math.inf], id="infinity"),
            pytest.param(b"[Inf,-Inf]", [math.inf, -math.inf], id="inf"),
            pytest.param(b"\xef\xbb\xbf{}", {}, id="byte-order-mark"),
            pytest.param(b"{}\0more", {}, id="ends-at-a-zero-byte"),
            pytest.param(b'"\xff"', "\udcff", id="not-utf-8"),
            pytest.param(b'["\\ud83d\\ude00", NaN]', ["\U0001f600", math.nan], id="surrogate-pair"),
            pytest.param(b'[NaN, "\xc3\xa9"]', [math.nan, "é"], id="utf-8"),
            pytest.param(b"[NaN, 18446744073709551616]", [math.nan, 2.0**64], id="too-large-for-64-bits"),
            pytest.param(b"[NaN, -0, -0.0, 1e2]", [math.nan, 0, -0.0, 100.0], id="noughts"),
        ],
    )
    def test_what_orjson_does_not(self, body, want):
        assert alike(read_json(body), want)

    def test_deep_lists(self):
        assert read_json(b"[" * 1000 + b"NaN" + b"]" * 1000)


FAULTS = [
    (b" \n", "The document is empty.", 2),
    (b"{} 1", "The document root must not be followed by other values.", 3),
    (b"nul", "Invalid value.", 3),
    (b"trUe", "Invalid value.", 2),
    (b"x", "Invalid value.", 0),
    (b"-x", "Invalid value.", 1),
    (b"[1,]", "Invalid value.", 3),
    (b"Nan", "Invalid value.", 2),
    (b"-Infinitx", "Invalid value.", 8),
    (b"{1:1}", "Missing a name for object member.", 1),
    (b'{"a":1,}', "Missing a name for object member.", 7),
    (b'{"a" 1}', "Missing a colon after a name of object member.", 5),
    (b'{"a":1 "b"', "Missing a comma or '}' after an object member.", 7),
    (b"[1 2]", "Missing a comma or ']' after an array element.", 3),
    (b"[01]", "Missing a comma or ']' after an array element.", 2),
    (b"[", "Invalid value.", 1),
    (b"[1", "Missing a comma or ']' after an array element.", 2),
    (b'"\\u12x4"', "Incorrect hex digit after \\u escape in string.", 1),
    (b'"a\\ud800"', "The surrogate pair in string is invalid.", 2),
    (b'"\\ud800\\u0041"', "The surrogate pair in string is invalid.", 1),
    (b'"\\udc00"', "The surrogate pair in string is invalid.", 1),
    (b'"ab\\x"', "Invalid escape character in string.", 3),
    (b'"ab', "Missing a closing quotation mark in string.", 3),
    (b'"ab\\', "Invalid escape character in string.", 3),
    (b'"a\0"', "Missing a closing quotation mark in string.", 2),
    (b'"a\n"', "Invalid encoding in string.", 2),
    (b"[1, 1e999]", "Number too big to be stored in double.", 4),
    (b"1" * 400, "Number too big to be stored in double.", 0),
    (b"[1.]", "Miss fraction part in number.", 3),
    (b"[1e+]", "Miss exponent in number.", 4),
    (b"[1.5e]", "Miss exponent in number.", 5),
    ('["é", x]'.encode(), "Invalid value.", 7),
    (b"[" * 2000, "Nested deeper than 1024 levels.", 1025),
]


@pytest.mark.parametrize(("body", "words", "offset"), FAULTS, ids=[str(body[:12]) for body, *_ in FAULTS])
def test_faults(body, words, offset):
    with pytest.raises(JsonError) as caught:
        read_json(body)
    assert str(caught.value) == f"JSON Parse error: {words} at offset: {offset}"


@given(st.binary() | st.text('{}[]",:\\u0123e.-NaInfty truefalsn\0', max_size=30).map(str.encode))
def test_any_bytes_are_read_or_refused(body):
    try:
        value = read_slowly(body)
    except JsonError as error:
        assert str(error).startswith("JSON Parse error: ")
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(body)
        return
    try:
        want = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    assert alike(value, want)
