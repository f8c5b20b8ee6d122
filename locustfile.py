"""Load tests for TensorFlow Serving that check the answers: `locust -f locustfile.py`."""

from locust import events

from tfsload.suite import lifecycle
from users import GrpcPredictionUser

lifecycle.install(events)

__all__ = ["GrpcPredictionUser"]
