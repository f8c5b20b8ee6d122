"""All outputs of a reply, as arrays by name."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfsload.transport import protos
from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import PREDICT
from tfsload.transport.image_answer import Outputs
from tfsload.transport.protos import predict_pb2
from tfsload.transport.servable import Servable
from tfsload.transport.tensors import TensorError, to_array


def outputs_decoder(method: str) -> Callable[[bytes], tuple[Outputs, Servable]]:
    """Return what reads all outputs, and which model answered, out of the replies to one kind of call."""
    return _predicted if method == PREDICT else _classified


def _predicted(reply: bytes) -> tuple[Mapping[str, NDArray[Any]], Servable]:
    """Return the outputs of a PredictResponse, by name, and the model that it names."""
    try:
        message = predict_pb2.PredictResponse.FromString(reply)
    except Exception as error:  # protobuf's DecodeError is not the same class in all its implementations
        raise ReplyError(f"not a PredictResponse: {error}") from None
    outputs = {}
    for name, tensor in message.outputs.items():
        try:
            outputs[name] = to_array(tensor)
        except TensorError as error:
            raise ReplyError(f"output {name!r}: {error}; --output-name asks for one output alone") from None
    if not outputs:
        raise ReplyError("the reply has no outputs")
    return outputs, Servable.of(message.model_spec)


def _classified(reply: bytes) -> tuple[Mapping[str, NDArray[Any]], Servable]:
    """Return labels and scores of a ClassificationResponse, (images, labels), as the outputs classes and scores."""
    try:
        message = protos.classification_pb2.ClassificationResponse.FromString(reply)
    except Exception as error:  # as above
        raise ReplyError(f"not a ClassificationResponse: {error}") from None
    found = [one.classes for one in message.result.classifications]
    if not found or len(set(map(len, found))) > 1:
        raise ReplyError("the images are not classified with equally many labels each")
    labels = np.array([[one.label.encode() for one in classes] for classes in found], object)
    scores = np.array([[one.score for one in classes] for classes in found], np.float32)
    return {"classes": labels, "scores": scores}, Servable.of(message.model_spec)
