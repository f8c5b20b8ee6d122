"""TensorFlow Serving's REST API around a model: JSON over HTTP, answered by the methods that gRPC has."""
