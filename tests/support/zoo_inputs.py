"""An image as a string: a PNG file, base64 of one, a serialized tf.Example. Written out here, to hold ours against."""

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from tfsload.transport.protos import example_pb2


def png(image: NDArray[np.uint8]) -> bytes:
    """A grey image, (rows, columns), as a PNG file of 8 bits a pixel."""
    rows, columns = image.shape
    lines = b"".join(b"\x00" + row.tobytes() for row in image)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def example_message(image: NDArray[np.uint8]) -> example_pb2.Example:
    """As TF Serving's mnist_saved_model.py parses it: feature `x`, 784 floats from 0 to 1."""
    message = example_pb2.Example()
    message.features.feature["x"].float_list.value.extend((image.ravel() / np.float32(255)).tolist())
    return message


def example(image: NDArray[np.uint8]) -> bytes:
    """`example_message`, serialized."""
    return example_message(image).SerializeToString()


def web_safe(image: NDArray[np.uint8]) -> bytes:
    """A PNG file as base64 for the web, without padding: what `tf.io.decode_base64` reads."""
    return base64.urlsafe_b64encode(png(image)).rstrip(b"=")


def example_png(image: NDArray[np.uint8]) -> bytes:
    """A PNG file in a serialized tf.Example, by the name that TF-Slim's and TFX's data sets have for it."""
    message = example_pb2.Example()
    message.features.feature["image/encoded"].bytes_list.value.append(png(image))
    return message.SerializeToString()


def example_raw(image: NDArray[np.uint8]) -> bytes:
    """As TensorFlow's convert_to_records.py writes MNIST: the bytes of the pixels, and a label, here always 0."""
    message = example_pb2.Example()
    message.features.feature["image_raw"].bytes_list.value.append(image.tobytes())
    message.features.feature["label"].int64_list.value.append(0)
    return message.SerializeToString()


def example_int64(image: NDArray[np.uint8]) -> bytes:
    """The pixels as whole numbers from 0 to 255, in a serialized tf.Example."""
    message = example_pb2.Example()
    message.features.feature["pixels"].int64_list.value.extend(image.ravel().tolist())
    return message.SerializeToString()
