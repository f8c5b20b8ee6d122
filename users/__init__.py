"""Locust users that fire images at a model server and score the answers."""

from users.grpc_user import GrpcPredictionUser
from users.prediction_user import PredictionUser

__all__ = ["GrpcPredictionUser", "PredictionUser"]
