"""What users copy: Locust's documentation on gRPC, with the body of TensorFlow Serving's own mnist_client.py.

One grpcio channel and stub a user; each task builds its request from the next image with TensorFlow, calls,
compares the answer with the label and fires Locust's event. (The documentation puts an interceptor between, which
costs more; firing in the task is kinder to this peer.)
"""

import itertools
import time

import grpc
import grpc.experimental.gevent as grpc_gevent
import numpy as np
import tensorflow as tf
from locust import User, task
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

import tfsload.datasets.dataset

grpc_gevent.init_gevent()

DATASET = tfsload.datasets.dataset.load("mnist5k")
IMAGES = DATASET.images.reshape(len(DATASET), -1).astype(np.float32) / 255
SAMPLES = itertools.cycle(zip(IMAGES, DATASET.labels, strict=True))


class StockUser(User):
    """Fires one image after another and counts wrong answers."""

    n_wrong = 0

    def on_start(self):
        """Open a channel for each user, as the example has it."""
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(self.host))

    @task
    def predict(self):
        """Fire one image, by the official stubs."""
        image, label = next(SAMPLES)
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "mnist"
        request.model_spec.signature_name = "predict_images"
        request.inputs["images"].CopyFrom(tf.make_tensor_proto(image, shape=[1, image.size]))
        failure, n_bytes = None, 0
        start = time.perf_counter()
        try:
            result = self.stub.Predict(request, 5.0)
            n_bytes = result.ByteSize()
        except grpc.RpcError as error:
            failure = error
        elapsed_ms = (time.perf_counter() - start) * 1000
        if failure is None:
            prediction = np.argmax(np.array(result.outputs["scores"].float_val))
            if prediction != label:
                StockUser.n_wrong += 1
        self.environment.events.request.fire(
            request_type="grpc", name="Predict", response_time=elapsed_ms, response_length=n_bytes,
            exception=failure, context={},
        )  # fmt: skip
