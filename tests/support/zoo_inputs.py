"""An image as a string: a PNG file, a serialized tf.Example. Written out here, to hold against the suite's own."""

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
