"""Load tests for TensorFlow Serving that check the answers: `locust -f locustfile.py`."""

import tfsload  # noqa: F401  (first: a Ctrl-C during the imports that follow is to end in a line)
from users import GrpcPredictionUser

__all__ = ["GrpcPredictionUser"]
