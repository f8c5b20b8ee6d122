"""What a pixel becomes on its way to a model."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.transport.pixel_scale import BYTES, EXPECTED, UNIT, PixelScale, default_of

PIXELS = np.arange(256)
FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
INTEGERS = [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]


@pytest.mark.parametrize(
    ("text", "low", "high", "words"),
    [
        pytest.param("0..1", 0, 1, "÷ 255", id="unit"),
        pytest.param("0..255", 0, 255, "as they are", id="bytes"),
        pytest.param("-1..1", -1, 1, "from -1 to 1", id="around-0"),
        pytest.param("-128 .. 127", -128, 127, "from -128 to 127", id="signed-bytes"),
        pytest.param("1..0", 1, 0, "from 1 to 0", id="black-on-white"),
        pytest.param("0.5..1.5e2", 0.5, 150, "from 0.5 to 150", id="numbers"),
        pytest.param("0.5,0.25", -2, 2, "÷ 255, − 0.5, ÷ 0.25", id="moments"),
        pytest.param("-0.5, 2", 0.25, 0.75, "÷ 255, + 0.5, ÷ 2", id="a-mean-below-0"),
    ],
)
def test_scales_that_can_be_read(text, low, high, words):
    scale = PixelScale.parse(text)

    assert (scale.text, scale.low, scale.high, scale.words) == (text, low, high, words)


@pytest.mark.parametrize(
    "text",
    ["", "1", "0..", "..1", "0..0", "a..b", "0,1,2", "0.5,0", "0.5,-1", "nan..1", "0..inf", "0...1", "0..1;", "1_0..2"],
)
def test_others_are_refused(text):
    with pytest.raises(ValueError, match=r"LOW\.\.HIGH") as caught:
        PixelScale.parse(text)

    assert str(caught.value) == EXPECTED


@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_are_nearest_to_the_true_value(dtype):
    kind = np.dtype(dtype)

    assert default_of(kind) is UNIT
    np.testing.assert_array_equal(UNIT.table(kind), (PIXELS / 255).astype(dtype))
    np.testing.assert_array_equal(BYTES.table(kind), PIXELS.astype(dtype))


def test_the_tutorials_own_division_is_met_to_the_bit():
    of_the_tutorial = PIXELS.astype(np.float32) / np.float32(255)

    np.testing.assert_array_equal(UNIT.table(np.dtype(np.float32)), of_the_tutorial)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_whole_numbers_are_the_pixels_themselves(dtype):
    kind = np.dtype(dtype)

    assert default_of(kind) is BYTES
    assert not BYTES.fault(kind)
    np.testing.assert_array_equal(BYTES.table(kind), PIXELS)
    assert BYTES.table(kind).dtype == kind


def test_a_bool_tells_ink_from_none():
    kind = np.dtype(np.bool_)

    assert default_of(kind) is UNIT
    np.testing.assert_array_equal(UNIT.table(kind), PIXELS > 127)
    np.testing.assert_array_equal(PixelScale.parse("1..0").table(kind), PIXELS <= 127)
    assert BYTES.fault(kind)


def test_signed_bytes_hold_shifted_pixels():
    np.testing.assert_array_equal(PixelScale.parse("-128..127").table(np.dtype(np.int8)), PIXELS - 128)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
def test_moments_are_those_of_torchvision(mean, deviation):
    scale = PixelScale.parse(f"{mean:.9f},{deviation:.9f}")

    expected = (PIXELS / 255 - float(f"{mean:.9f}")) / float(f"{deviation:.9f}")
    np.testing.assert_allclose(scale.table(np.dtype(np.float64)), expected, rtol=1e-9, atol=1e-9)


@given(st.floats(allow_nan=False, allow_infinity=False, width=16), st.floats(-1e4, 1e4))
def test_what_is_said_to_fit_does(low, high):
    text = f"{low:.6f}..{high:.6f}"
    if float(f"{low:.6f}") == float(f"{high:.6f}"):
        return
    scale = PixelScale.parse(text)
    for dtype in [*FLOATS, *INTEGERS, np.int8]:
        kind = np.dtype(dtype)
        if scale.fault(kind):
            continue
        table = scale.table(kind).astype(np.float64)
        assert np.isfinite(table).all()
        step = 1 if np.issubdtype(kind, np.integer) else max(abs(scale.low), abs(scale.high)) / 100 + 1e-2
        assert abs(table[0] - scale.low) <= step
        assert abs(table[255] - scale.high) <= step
        assert (np.diff(table) * np.sign(scale.high - scale.low) >= 0).all()
