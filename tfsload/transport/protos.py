"""TensorFlow Serving's official protos and stubs, without TensorFlow.

`tensorflow_serving.apis` imports `tensorflow.core.framework.tensor_pb2`, and on its way Python runs
`tensorflow/__init__.py`: seconds of start-up and hundreds of megabytes, for a few generated modules.
Here the package `tensorflow` stands in `sys.modules` without its `__init__` while the generated
modules are imported, and is taken out again, so that a later `import tensorflow` is the real one.

Import the modules from here, never from `tensorflow_serving` directly:

    from tfsload.transport.protos import predict_pb2, prediction_service_pb2_grpc

What few processes need is imported when it is asked for, which takes the same line.
"""

import contextlib
import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator

_PACKAGE = "tensorflow"


@contextlib.contextmanager
def _package_without_init() -> Iterator[None]:
    """Let `tensorflow.*` submodules be imported without running `tensorflow/__init__.py`."""
    if _PACKAGE in sys.modules:
        yield  # the real one is here already: nothing is left to save
        return
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(
            "the package tensorflow is not installed; its generated proto modules are needed: "
            "pip install -r requirements.txt"
        )
    placeholder = types.ModuleType(_PACKAGE)
    placeholder.__path__ = list(spec.submodule_search_locations)
    sys.modules[_PACKAGE] = placeholder
    try:
        yield
    finally:
        # The generated modules stay: a second copy would register the same messages again.
        del sys.modules[_PACKAGE]


with _package_without_init():
    tensor_pb2 = importlib.import_module("tensorflow.core.framework.tensor_pb2")
    types_pb2 = importlib.import_module("tensorflow.core.framework.types_pb2")
    meta_graph_pb2 = importlib.import_module("tensorflow.core.protobuf.meta_graph_pb2")
    model_pb2 = importlib.import_module("tensorflow_serving.apis.model_pb2")
    predict_pb2 = importlib.import_module("tensorflow_serving.apis.predict_pb2")
    get_model_metadata_pb2 = importlib.import_module("tensorflow_serving.apis.get_model_metadata_pb2")
    get_model_status_pb2 = importlib.import_module("tensorflow_serving.apis.get_model_status_pb2")

# What a client of `Predict` does without: the embedded server's other methods, and stubs, which tests call.
_WHEN_ASKED_FOR = {
    "example_pb2": "tensorflow.core.example.example_pb2",
    "input_pb2": "tensorflow_serving.apis.input_pb2",
    "classification_pb2": "tensorflow_serving.apis.classification_pb2",
    "regression_pb2": "tensorflow_serving.apis.regression_pb2",
    "inference_pb2": "tensorflow_serving.apis.inference_pb2",
    "model_service_pb2_grpc": "tensorflow_serving.apis.model_service_pb2_grpc",
    "prediction_service_pb2_grpc": "tensorflow_serving.apis.prediction_service_pb2_grpc",
}


def __getattr__(name: str) -> types.ModuleType:
    if name not in _WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _package_without_init():
        return importlib.import_module(_WHEN_ASKED_FOR[name])
