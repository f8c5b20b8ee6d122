"""Predictions over gRPC."""

import grpc

from tfsload.prediction.prediction_user import PredictionUser
from tfsload.prediction.process_run import Run
from tfsload.transport.answer import Answer
from tfsload.transport.failure import PredictionFailure


class GrpcUser(PredictionUser):
    """Calls `PredictionService.Predict` with bytes that were encoded once. Abstract: a subclass runs."""

    abstract = True

    request_type = "grpc"

    def connect(self, run: Run) -> None:
        """Take what the process's users share: thousands with their own would keep the processor waiting for memory."""
        self._predict = run.predict
        self._deadline_s = run.settings.model.deadline_s
        self._reader_of = run.reader_of

    def call(self, body: bytes) -> bytes:
        """Send a PredictRequest and return the PredictResponse, both serialised."""
        try:
            return self._predict(body, timeout=self._deadline_s)
        except grpc.RpcError as error:
            raise PredictionFailure(error.code().name, error.details()) from None

    def read(self, reply: bytes, n_images: int) -> Answer:
        """Return the answer in a PredictResponse."""
        return self._reader_of(n_images).read(reply)
