"""Tensors of every dtype and shape, to the embedded server and back."""

import math

import ml_dtypes
import numpy as np
import pytest

from tests.support.modelserver_fixtures import ECHO_DTYPES, request
from tests.support.modelserver_fixtures import client as client
from tests.support.modelserver_fixtures import model_base_path as model_base_path
from tests.support.modelserver_fixtures import server as server
from tfsload.transport.protos import types_pb2

STRING = types_pb2.DT_STRING
SAMPLES = {
    "bool": np.array([[True, False, True]]),
    "bfloat16": np.array([[1.5, -2, 3]], ml_dtypes.bfloat16),
    "complex64": np.array([[1 + 2j, -3j, 0]], "complex64"),
    "complex128": np.array([[1 + 2j, -3j, 0]], "complex128"),
    "uint64": np.array([[0, 1, 2**64 - 1]], "uint64"),
    "int64": np.array([[0, -1, -(2**63)]], "int64"),
}
FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
}
NUMBERS = {"float32": "FLOAT", "float64": "DOUBLE", "float16": "HALF"}


class TestDtypes:
    @pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1, 1, 2)], ids=str)
    @pytest.mark.parametrize("dtype", ECHO_DTYPES)
    def test_shapes(self, client, dtype, shape):
        """One alone, none at all, many dimensions: bare scalars and empty tensors have ways of their own."""
        number = types_pb2.DataType.Value("DT_" + NUMBERS.get(dtype, dtype.upper()))
        back = client.predict(request("echo_" + dtype, given={"dtype": number, "shape": shape})).outputs["same"]
        assert back.dtype == number
        assert tuple(dim.size for dim in back.tensor_shape.dim) == shape
        n_values = math.prod(shape) * (2 if "complex" in dtype else 1)
        field = "string_val" if dtype == "string" else FIELDS.get(dtype, "int_val")
        assert list(getattr(back, field)) == [b"" if dtype == "string" else 0] * n_values

    def test_one_string_alone(self, client):
        given = {"dtype": STRING, "string_val": [b"a\x00\xff\x00"]}
        assert list(client.predict(request("echo_string", given=given)).outputs["same"].string_val) == [
            b"a\x00\xff\x00"
        ]

    @pytest.mark.parametrize("dtype", [d for d in ECHO_DTYPES if d != "string"])
    def test_there_and_back(self, client, dtype):
        sent = SAMPLES.get(dtype, np.array([[0, 1, 100]], dtype))
        number = types_pb2.DataType.Value("DT_" + NUMBERS.get(dtype, dtype.upper()))
        as_bytes = {"dtype": number, "shape": sent.shape, "tensor_content": sent.tobytes()}
        back = client.predict(request("echo_" + dtype, given=as_bytes)).outputs["same"]
        assert back.dtype == number
        values = list(getattr(back, FIELDS.get(dtype, "int_val")))
        assert len(values) == (6 if "complex" in dtype else 3)
        # What came back as typed values must be read as the same values.
        again = client.predict(request("echo_" + dtype, given=dict(_fields(back), shape=sent.shape)))
        assert again.outputs["same"] == back
        if dtype not in ("bfloat16", "float16", "complex64", "complex128"):
            assert values == sent.ravel().tolist()

    @pytest.mark.parametrize(
        "fields",
        [
            pytest.param({"string_val": [b"", b"a\xff"]}, id="values"),
            pytest.param({"tensor_content": b"\x00\x02a\xff"}, id="bytes"),
        ],
    )
    def test_strings(self, client, fields):
        given = {"dtype": STRING, "shape": (2,), **fields}
        assert list(client.predict(request("echo_string", given=given)).outputs["same"].string_val) == [b"", b"a\xff"]


def _fields(tensor) -> dict:
    return {f.name: v for f, v in tensor.ListFields() if f.name != "tensor_shape"}
