"""Locust users that fire images at a model server and score the answers."""

from tfsload.prediction.grpc_user import GrpcPredictionUser
from tfsload.prediction.prediction_user import PredictionUser

__all__ = ["GrpcPredictionUser", "PredictionUser"]
