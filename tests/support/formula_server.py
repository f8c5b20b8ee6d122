"""A model server whose models are formulas, so that whoever asks knows the answers; run as a process by the tests.

    python -m tests.support.formula_server

prints its port when it is ready. Its models, each by `serving_default`:

| model | takes | answers |
| --- | --- | --- |
| `digits` | `images` float [-1, 784] | `scores` float [-1, 10]: 1 for the class (the sum of pixels as bytes) mod 10 |
| `number` | `images` float [-1, 784] | `number` float [-1, 1]: (the sum of pixels as bytes) mod 100, ÷ 10 |
| `both` | `image` float [-1, 28, 28], `threshold` float [-1] | `scores` as above, of how many pixels are above it; `ink` int64 [-1]: how many |
| `prices` | `features` float [-1, 3], `rooms` int64 [-1] | `price` float [-1, 1]: rooms × the sum of features |

`/test.Formula/Seen` returns how many examples each model was asked for so far, as JSON.
"""  # noqa: E501

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np

from tests.support.serving import serve
from tfsload.transport.protos import get_model_metadata_pb2, get_model_status_pb2, predict_pb2, types_pb2
from tfsload.transport.tensors import fill_proto, to_array

FLOAT, INT64, UINT8 = types_pb2.DT_FLOAT, types_pb2.DT_INT64, types_pb2.DT_UINT8
SIGNATURES = {
    "digits": ({"images": (FLOAT, (-1, 784))}, {"scores": (FLOAT, (-1, 10))}),
    "number": ({"images": (FLOAT, (-1, 784))}, {"number": (FLOAT, (-1, 1))}),
    "both": (
        {"image": (FLOAT, (-1, 28, 28)), "threshold": (FLOAT, (-1,))},
        {"scores": (FLOAT, (-1, 10)), "ink": (INT64, (-1,))},
    ),
    "moved": ({"images": (UINT8, (-1, 28, 28)), "by": (INT64, (-1,))}, {"scores": (FLOAT, (-1, 10))}),
    "prices": ({"features": (FLOAT, (-1, 3)), "rooms": (INT64, (-1,))}, {"price": (FLOAT, (-1, 1))}),
}


def sums(images):
    """Return the sum of each image's pixels as bytes."""
    return np.rint(images.astype(np.float64) * 255).astype(np.int64).reshape(len(images), -1).sum(axis=1)


def one_hot(classes):
    return np.eye(10, dtype=np.float32)[classes % 10]


def answer(model, given):
    """Return a model's outputs."""
    if model == "digits":
        return {"scores": one_hot(sums(given["images"]))}
    if model == "number":
        return {"number": (sums(given["images"]) % 100 / 10).astype(np.float32)[:, None]}
    if model == "both":
        ink = (given["image"] > given["threshold"][:, None, None]).sum(axis=(1, 2)).astype(np.int64)
        return {"scores": one_hot(ink), "ink": ink}
    if model == "moved":
        return {"scores": one_hot(given["images"].sum(axis=(1, 2)).astype(np.int64) + given["by"])}
    return {"price": (given["rooms"] * given["features"].sum(axis=1)).astype(np.float32)[:, None]}


class Handler(grpc.GenericRpcHandler):
    def __init__(self):
        self._seen = Counter()
        self._methods = {
            "PredictionService/Predict": self.predict,
            "PredictionService/GetModelMetadata": self.metadata,
            "ModelService/GetModelStatus": self.status,
            "Formula/Seen": lambda _request, _context: json.dumps(self._seen).encode(),
        }

    def service(self, details):
        for name, method in self._methods.items():
            if details.method.endswith(name):
                return grpc.unary_unary_rpc_method_handler(method)
        return None

    def predict(self, request, context):
        asked = predict_pb2.PredictRequest.FromString(request)
        inputs, outputs = SIGNATURES[asked.model_spec.name]
        given = {name: to_array(tensor) for name, tensor in asked.inputs.items()}
        for name, (dtype, shape) in inputs.items():
            tensor = asked.inputs[name]
            fits = given[name].ndim == len(shape) and given[name].shape[1:] == shape[1:]
            if tensor.dtype != dtype or not fits:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{name} is {tensor.dtype} {given[name].shape}")
        if set(given) != set(inputs) or len({len(array) for array in given.values()}) != 1:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"inputs {sorted(given)}")
        self._seen[asked.model_spec.name] += len(next(iter(given.values())))
        reply = predict_pb2.PredictResponse()
        reply.model_spec.name, reply.model_spec.version.value = asked.model_spec.name, 1
        for name, array in answer(asked.model_spec.name, given).items():
            if not asked.output_filter or name in asked.output_filter:
                assert name in outputs
                fill_proto(reply.outputs[name], array, as_content=False)
        return reply.SerializeToString()

    def metadata(self, request, _context):
        name = get_model_metadata_pb2.GetModelMetadataRequest.FromString(request).model_spec.name
        signatures = get_model_metadata_pb2.SignatureDefMap()
        signature = signatures.signature_def["serving_default"]
        signature.method_name = "tensorflow/serving/predict"
        for tensors, described in zip((signature.inputs, signature.outputs), SIGNATURES[name], strict=True):
            for alias, (dtype, shape) in described.items():
                tensors[alias].dtype = dtype
                for size in shape:
                    tensors[alias].tensor_shape.dim.add(size=size)
        reply = get_model_metadata_pb2.GetModelMetadataResponse()
        reply.model_spec.name, reply.model_spec.version.value = name, 1
        reply.metadata["signature_def"].Pack(signatures)
        return reply.SerializeToString()

    def status(self, _request, _context):
        reply = get_model_status_pb2.GetModelStatusResponse()
        reply.model_version_status.add(version=1, state=30)
        return reply.SerializeToString()


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(16), handlers=[Handler()], options=[("grpc.so_reuseport", 0)])
    serve(server, server.add_insecure_port("127.0.0.1:0"))


if __name__ == "__main__":
    main()
