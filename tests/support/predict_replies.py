"""Replies to Predict."""

import numpy as np

from tfsload.transport.protos import predict_pb2, types_pb2


def reply(scores, dtype=types_pb2.DT_FLOAT, as_content=False, output="scores", shape=None):
    """Return a serialised PredictResponse as a server would send it."""
    message = predict_pb2.PredictResponse()
    tensor = message.outputs[output]
    tensor.dtype = dtype
    scores = np.asarray(scores)
    for size in scores.shape if shape is None else shape:
        tensor.tensor_shape.dim.add(size=size)
    numpy_type = np.float64 if dtype == types_pb2.DT_DOUBLE else np.float32
    if as_content:
        tensor.tensor_content = scores.astype(numpy_type).tobytes()
    elif dtype == types_pb2.DT_DOUBLE:
        tensor.double_val.extend(scores.ravel().tolist())
    elif dtype == types_pb2.DT_FLOAT:
        tensor.float_val.extend(scores.ravel().tolist())
    return message.SerializeToString()
