"""Load tests for TensorFlow Serving that check the answers: `locust -f locustfile.py`.

That sends gRPC; `locust -f locustfile.py RestPredictionUser` sends REST: a run has one protocol.
"""

import tfsload  # noqa: F401  (first: a Ctrl-C during the imports that follow is to end in a line)
from users import GrpcPredictionUser, RestPredictionUser

__all__ = ["GrpcPredictionUser", "RestPredictionUser"]
