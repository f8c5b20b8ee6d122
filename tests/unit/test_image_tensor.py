"""Images as what a model's input takes: what is encoded is what a TensorProto's reader reads back."""

import math
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfsload.settings.settings import Settings
from tfsload.target.fired import Fired
from tfsload.target.input_finding import fit_input
from tfsload.transport.call_spec import EXAMPLE, MNIST_EXAMPLE
from tfsload.transport.grpc.codec import RequestEncoder
from tfsload.transport.image_layout import layout_in, pixels_in, shapes_of
from tfsload.transport.image_tensor import ImageTensor
from tfsload.transport.pixel_scale import PixelScale
from tfsload.transport.png import png
from tfsload.transport.protos import example_pb2, predict_pb2
from tfsload.transport.signature import TensorDescribed
from tfsload.transport.tensors import kind_named, to_array

DTYPES = ["DT_HALF", "DT_BFLOAT16", "DT_FLOAT", "DT_DOUBLE", "DT_UINT8", "DT_INT8", "DT_INT16", "DT_UINT16"]
DTYPES += ["DT_INT32", "DT_UINT32", "DT_INT64", "DT_UINT64"]
SIZES = st.integers(1, 9)


def images_of(n, rows, columns):
    return hnp.arrays(np.uint8, (n, rows, columns))


def fitted(dtype, described, pixels, n, **options):
    """The input as the preflight finds it, without a fault."""
    asked = Settings.parse({"images_per_request": str(n), **options}, None).model
    found = fit_input(asked, "x", TensorDescribed(dtype, described), Fired(pixels))
    assert found.faults == ()
    return found.spec


def sent(spec, images):
    """The tensor in a request's bytes."""
    model = Settings.parse({}, None).model
    body = RequestEncoder(model, replace(MNIST_EXAMPLE, input=spec)).encode(images)
    return to_array(predict_pb2.PredictRequest.FromString(body).inputs["x"])


@given(st.data(), st.sampled_from(DTYPES), st.integers(0, 7), SIZES, SIZES, st.integers(1, 4))
def test_every_shape_and_dtype_comes_back_as_the_images(data, dtype, place, rows, columns, n):
    pixels = (rows, columns)
    shape = shapes_of(pixels)[place]
    batch = data.draw(st.sampled_from([-1, n]))
    images = data.draw(images_of(n, rows, columns))
    scale = "-128..127" if dtype == "DT_INT8" else data.draw(st.sampled_from(["", "0..255", "1..0", "0..7"]))
    kind = kind_named(dtype)

    spec = fitted(dtype, (batch, *shape), pixels, n, pixel_scale=scale)
    tensor = sent(spec, images)

    assert tensor.shape == (n, *spec.shape)
    assert tensor.dtype == kind.dtype
    expected = PixelScale.parse(spec.scale).table(kind.dtype)[images].astype(np.float64)
    read = tensor.astype(np.float64)
    if math.prod(spec.shape) == rows * columns:
        np.testing.assert_array_equal(read.reshape(n, rows, columns), expected)
    else:
        axis = 3 if spec.shape == (rows, columns, 3) else 1
        for channel in range(3):
            np.testing.assert_array_equal(read.take(channel, axis), expected)


@given(SIZES, SIZES, st.integers(0, 7), st.data())
def test_one_image_without_a_dimension_of_images(rows, columns, place, data):
    shape = shapes_of((rows, columns))[place]
    layout = layout_in(shape, (rows, columns))
    if layout.has_batch:
        return  # such as [1, 28, 28], where the 1 may count images: it is a request of one either way
    image = data.draw(images_of(1, rows, columns))

    tensor = sent(fitted("DT_UINT8", shape, (rows, columns), 1), image)

    assert tensor.shape == shape
    np.testing.assert_array_equal(np.unique(tensor), np.unique(image))


@pytest.mark.parametrize(
    ("described", "shape", "has_batch", "batch"),
    [
        pytest.param((-1, 784), (784,), True, None, id="flat"),
        pytest.param((-1, -1), (784,), True, None, id="flat-of-any-size"),
        pytest.param((-1, 28, 28), (28, 28), True, None, id="rows"),
        pytest.param((-1, 28, 28, 1), (28, 28, 1), True, None, id="channels-last"),
        pytest.param((-1, 1, 28, 28), (1, 28, 28), True, None, id="channels-first"),
        pytest.param((-1, 28, 28, 3), (28, 28, 3), True, None, id="colours-last"),
        pytest.param((-1, 3, 28, 28), (3, 28, 28), True, None, id="colours-first"),
        pytest.param((-1, 784, 1), (784, 1), True, None, id="a-sequence"),
        pytest.param((-1, -1, -1), (28, 28), True, None, id="rows-of-any-size"),
        pytest.param((-1, -1, -1, 1), (28, 28, 1), True, None, id="any-size"),
        pytest.param((-1, -1, -1, 3), (28, 28, 3), True, None, id="colours-of-any-size"),
        pytest.param((-1, -1, -1, -1), (28, 28, 1), True, None, id="nothing-but-the-rank"),
        pytest.param((8, 784), (784,), True, 8, id="a-fixed-batch"),
        pytest.param((1, 28, 28), (28, 28), True, 1, id="one-at-a-time"),
        pytest.param((784,), (784,), False, None, id="one-flat-image"),
        pytest.param((28, 28), (28, 28), False, None, id="one-image"),
        pytest.param((28, 28, 1), (28, 28, 1), False, None, id="one-image-with-a-channel"),
        pytest.param((28, 28, 3), (28, 28, 3), False, None, id="one-image-in-colours"),
        pytest.param((-1, 28), (28, 28), False, None, id="one-image-of-any-height"),
        pytest.param((-1, 32, 32, 1), (32, 32, 1), True, None, id="a-border"),
        pytest.param(None, (784,), True, None, id="any-rank"),
    ],
)
def test_how_images_lie(described, shape, has_batch, batch):
    layout = layout_in(described, (28, 28))

    assert (layout.shape, layout.has_batch, layout.batch) == (shape, has_batch, batch)


@pytest.mark.parametrize(
    "described",
    [(), (-1,), (-1, 783), (-1, 36, 36, 1), (-1, 32, 30, 1), (-1, 29, 29), (-1, 28, 28, 2), (-1, 28, 28, 1, 1), (10,)],
)
def test_where_images_do_not_fit(described):
    assert layout_in(described, (28, 28)) is None


def test_the_last_request_is_filled_up_where_a_model_takes_so_many_at_once():
    images = np.arange(2 * 4, dtype=np.uint8).reshape(2, 2, 2)

    tensor = sent(fitted("DT_UINT8", (3, 4), (2, 2), 3), images)

    np.testing.assert_array_equal(tensor, [[0, 1, 2, 3], [4, 5, 6, 7], [4, 5, 6, 7]])


def test_a_little_larger_tensor_has_its_image_in_the_middle():
    image = np.full((1, 28, 28), 255, np.uint8)

    tensor = sent(fitted("DT_INT16", (-1, 32, 32, 1), (28, 28), 1, pixel_scale="-1..1"), image)

    assert (tensor[0, 2:30, 2:30, 0] == 1).all()
    assert (tensor == -1).sum() == 32 * 32 - 28 * 28


def decoded(file):
    """Read a PNG file of grey pixels without a filter, by the letter of its standard."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, start = {}, 8
    while start < len(file):
        size, kind = int.from_bytes(file[start : start + 4], "big"), file[start + 4 : start + 8]
        content = file[start + 8 : start + 8 + size]
        assert zlib.crc32(kind + content) == int.from_bytes(file[start + 8 + size : start + 12 + size], "big")
        chunks[kind] = content
        start += 12 + size
    columns, rows = (int.from_bytes(chunks[b"IHDR"][at : at + 4], "big") for at in (0, 4))
    assert chunks[b"IHDR"][8:] == bytes([8, 0, 0, 0, 0])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert not lines[:, 0].any()
    return lines[:, 1:]


@given(st.data(), SIZES, SIZES)
def test_a_png_file_holds_the_image(data, rows, columns):
    image = data.draw(images_of(1, rows, columns))[0]

    np.testing.assert_array_equal(decoded(png(image)), image)


@pytest.mark.parametrize(
    ("described", "n", "shape"),
    [
        pytest.param((-1,), 2, (2,), id="one-each"),
        pytest.param((-1, 1), 2, (2, 1), id="in-a-column"),
        pytest.param(None, 2, (2,), id="any-rank"),
        pytest.param((), 1, (), id="the-only-one"),
        pytest.param((1,), 1, (1,), id="one-at-a-time"),
    ],
)
def test_texts_are_files(described, n, shape):
    images = np.arange(n * 4, dtype=np.uint8).reshape(n, 2, 2)

    tensor = sent(fitted("DT_STRING", described, (2, 2), n), images)

    assert tensor.shape == shape
    for file, image in zip(tensor.ravel(), images, strict=True):
        np.testing.assert_array_equal(decoded(file), image)


@pytest.mark.parametrize(
    ("dtype", "scale", "read"),
    [
        pytest.param("DT_FLOAT", "0..1", lambda one: np.array(one.float_list.value, np.float32), id="floats"),
        pytest.param("DT_INT64", "0..255", lambda one: np.array(one.int64_list.value), id="integers"),
        pytest.param("DT_STRING", "0..255", lambda one: decoded(one.bytes_list.value[0]).ravel(), id="file"),
    ],
)
def test_an_example_holds_the_image(dtype, scale, read):
    image = np.array([[[0, 255], [1, 128]]], np.uint8)
    spec = replace(
        MNIST_EXAMPLE.input, form=EXAMPLE, shape=(), dtype="DT_STRING", feature="f", feature_dtype=dtype, scale=scale
    )

    (text,) = ImageTensor(spec).of(image).tolist()

    feature = example_pb2.Example.FromString(text).features.feature["f"]
    divisor = np.float32(255) if scale == "0..1" else 1
    np.testing.assert_array_equal(read(feature), image.ravel().astype(np.float32) / divisor)


@pytest.mark.parametrize(
    ("described", "pixels", "border"),
    [
        pytest.param((-1, 32, 32), 28, 2, id="as-lenet-has-it"),
        pytest.param((-1, 230, 230, 3), 224, 3, id="three-of-a-large-image"),
        pytest.param((-1, 232, 232, 3), 224, None, id="four-of-a-large-image"),
        pytest.param((-1, 256, 256, 3), 224, None, id="a-share-of-a-large-image"),
        pytest.param((-1, 10, 10), 8, 1, id="one-of-a-small-image"),
        pytest.param((-1, 12, 12), 8, None, id="two-of-a-small-image"),
    ],
)
def test_a_border_is_a_few_pixels(described, pixels, border):
    layout = layout_in(described, (pixels, pixels))

    assert (layout and layout.border) == border


@pytest.mark.parametrize(
    ("described", "wanted"),
    [
        pytest.param((-1, 224, 224, 3), (224, 224), id="channels-last"),
        pytest.param((-1, 3, 224, 200), (224, 200), id="channels-first"),
        pytest.param((-1, 64, 64), (64, 64), id="grey"),
        pytest.param((64, 48, 3), (64, 48), id="one-image"),
        pytest.param((-1, 4096), (64, 64), id="flat"),
        pytest.param((-1, 783), None, id="no-square"),
        pytest.param((64, 64), None, id="an-image-or-flat-ones"),
        pytest.param((4, 64, 64), (64, 64), id="so-many-at-once"),
        pytest.param((1, 64, 64), (64, 64), id="one-at-once"),
        pytest.param((-1, -1, -1, 4), None, id="open"),
        pytest.param((-1, -1), None, id="nothing-told"),
        pytest.param((), None, id="a-number"),
        pytest.param(None, None, id="any-rank"),
    ],
)
def test_which_images_a_tensor_is_made_for(described, wanted):
    assert pixels_in(described) == wanted


def test_images_that_do_not_fit_are_told_their_size():
    asked = Settings.parse({}, None).model

    found = fit_input(asked, "x", TensorDescribed("DT_FLOAT", (-1, 256, 256, 3)), Fired((224, 224)))

    assert found.faults[0].startswith(
        "input 'x' takes images of 256 × 256 pixels (DT_FLOAT [-1, 256, 256, 3]), and the data set's are 224 × 224; "
        "images are not resized here: resize them to 256 × 256, pass another --dataset, or export the model"
    )


@pytest.mark.parametrize(
    ("described", "pixels", "size"),
    [
        pytest.param((-1, 28, 28, 1), (64, 64), "takes images of 28 × 28 pixels", id="too-large"),
        pytest.param((-1, 784), (64, 64), "takes images of 28 × 28 pixels", id="flat"),
        pytest.param((-1, 28, 28), (8, 9), "and the data set's are 8 × 9;", id="too-small"),
        pytest.param((28, 28, 1), (64, 64), "resize them to 28 × 28", id="one-image"),
        pytest.param(
            (-1, 783), (28, 28), "images of 28 × 28 pixels are sent as [n, 784], [n, 28, 28],", id="no-square"
        ),
    ],
)
def test_both_sizes_are_told(described, pixels, size):
    asked = Settings.parse({}, None).model

    found = fit_input(asked, "x", TensorDescribed("DT_FLOAT", described), Fired(pixels))

    assert size in found.faults[0]
    assert "another --dataset" in found.faults[0]
