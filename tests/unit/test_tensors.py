"""Which dtype of numpy's is which of TensorFlow's, and what is imported for one of them alone."""

import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

from tfsload.transport import tensors
from tfsload.transport.protos import tensor_pb2, types_pb2


@pytest.mark.parametrize(
    ("dtype", "number"),
    [
        pytest.param(np.float32, types_pb2.DT_FLOAT, id="float"),
        pytest.param(np.float16, types_pb2.DT_HALF, id="half"),
        pytest.param(ml_dtypes.bfloat16, types_pb2.DT_BFLOAT16, id="bfloat16"),
        pytest.param(ml_dtypes.float8_e5m2, None, id="of-the-same-package-and-not-ours"),
        pytest.param("datetime64[s]", None, id="not-tensorflows"),
    ],
)
def test_numbers_and_dtypes_are_each_others(dtype, number):
    assert tensors.number_of(np.dtype(dtype)) == number
    if number is not None:
        assert tensors.kind_of(number).dtype == dtype


@pytest.mark.parametrize("as_content", [True, False])
def test_bfloat16_goes_there_and_back(as_content):
    array, proto = np.array([[1.5, -2.0, 3.0]], ml_dtypes.bfloat16), tensor_pb2.TensorProto()
    tensors.fill_proto(proto, array, as_content=as_content)

    assert proto.dtype == types_pb2.DT_BFLOAT16
    assert tensors.to_array(proto).dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(tensors.to_array(proto), array)


@pytest.mark.parametrize(("number", "is_imported"), [("FLOAT", False), ("BFLOAT16", True)])
def test_bfloat16s_package_is_imported_where_such_a_tensor_is_met(number, is_imported):
    code = (
        "import sys; from tfsload.transport import tensors; from tfsload.transport.protos import types_pb2; "
        f"tensors.kind_of(types_pb2.DT_{number}); print('ml_dtypes' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert ran.stdout.strip() == str(is_imported)


@pytest.mark.parametrize(
    ("dtype", "field", "values", "read"),
    [
        pytest.param(types_pb2.DT_UINT8, "int_val", [1006641255, 300, -1], [103, 44, 255], id="uint8"),
        pytest.param(types_pb2.DT_INT8, "int_val", [198, -129, 5], [-58, 127, 5], id="int8"),
        pytest.param(types_pb2.DT_UINT16, "int_val", [70000, -1, 2], [4464, 65535, 2], id="uint16"),
        pytest.param(types_pb2.DT_HALF, "half_val", [864142951, 15360, 1], [-6.402, 1, 5.96e-08], id="half"),
        pytest.param(types_pb2.DT_BFLOAT16, "half_val", [864142951, 16256, 0], [-14784, 1, 0], id="bfloat16"),
        pytest.param(types_pb2.DT_INT64, "bool_val", [True, True, True], [0, 0, 0], id="of-another-field"),
    ],
)
def test_values_that_are_too_large_are_read_as_tensorflow_reads_them(dtype, field, values, read):
    """What `tf.io.parse_tensor` of 2.21 makes of the same: perf_analyzer, for one, sends such values."""
    proto = tensor_pb2.TensorProto(dtype=dtype, **{field: values})
    proto.tensor_shape.dim.add(size=3)

    np.testing.assert_allclose(tensors.to_array(proto).astype(np.float64), read, rtol=1e-3)
