"""What Locust's documentation shows for gRPC: one grpcio channel and stub a user, scored as the suite scores."""

import time

import grpc
import grpc.experimental.gevent as grpc_gevent
import numpy as np
from locust import User, task

import data.dataset
from tfsload import codec
from tfsload.protos import predict_pb2, prediction_service_pb2_grpc
from tfsload.settings import Settings

grpc_gevent.init_gevent()


class StockUser(User):
    """Encodes, calls, reads and scores each prediction with grpcio and protobuf."""

    def on_start(self):
        self.settings = Settings.parse({}, None)
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(self.host))
        self.images = data.dataset.load("mnist5k").images[:1]

    @task
    def predict(self):
        request = predict_pb2.PredictRequest.FromString(codec.encode_request(self.settings, self.images))
        start = time.perf_counter()
        reply = self.stub.Predict(request, timeout=5.0)
        elapsed_ms = (time.perf_counter() - start) * 1000
        np.argmax(reply.outputs["scores"].float_val)
        self.environment.events.request.fire(
            request_type="grpc", name="Predict", response_time=elapsed_ms, response_length=reply.ByteSize(),
            exception=None, context={},
        )  # fmt: skip
