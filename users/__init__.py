"""The suite's own Locust users, one file a protocol."""

from tfsload import PredictionUser
from users.grpc_user import GrpcPredictionUser
from users.rest_user import RestPredictionUser

__all__ = ["GrpcPredictionUser", "PredictionUser", "RestPredictionUser"]
