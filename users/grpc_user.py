"""Predictions over gRPC."""

import grpc

from tfsload import codec
from tfsload.failure import PredictionFailure
from tfsload.run import Run
from tfsload.scoring import Answer
from users.prediction_user import PredictionUser


class GrpcPredictionUser(PredictionUser):
    """Calls `PredictionService.Predict` with bytes that were encoded once."""

    request_type = "grpc"

    def connect(self, run: Run) -> None:
        """Take the process's channel; without serialisers, a call takes and returns bytes."""
        self._predict = run.channel.unary_unary(codec.PREDICT_METHOD)
        self._deadline_s = run.settings.deadline_s
        self._readers = {}
        self._output_name = run.settings.output_name

    def call(self, body: bytes) -> bytes:
        """Send a PredictRequest and return the PredictResponse, both serialised."""
        try:
            return self._predict(body, timeout=self._deadline_s)
        except grpc.RpcError as error:
            raise PredictionFailure(error.code().name, error.details()) from None

    def read(self, reply: bytes, n_images: int) -> Answer:
        """Return the answer in a PredictResponse."""
        reader = self._readers.get(n_images)
        if reader is None:
            reader = self._readers[n_images] = codec.ReplyReader(self._output_name, n_images)
        return reader.read(reply)
