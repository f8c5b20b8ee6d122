"""Load tests for TensorFlow Serving that check the answers: `locust -f locustfile.py`."""

from users import GrpcPredictionUser

__all__ = ["GrpcPredictionUser"]
