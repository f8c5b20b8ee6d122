"""gRPC: the suite's own channel, grpcio's under gevent, and the messages of `Predict`."""
