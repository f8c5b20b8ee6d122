"""Predictions over gRPC."""

from tfsload.prediction.prediction_user import PredictionUser
from tfsload.transport.grpc.transport import GrpcTransport


class GrpcUser(PredictionUser):
    """Calls `PredictionService.Predict` with bytes that were encoded once. Abstract: a subclass runs."""

    abstract = True
    request_type = "grpc"
    transport_class = GrpcTransport
