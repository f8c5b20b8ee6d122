"""REST: the suite's own HTTP/1.1 client, and TensorFlow Serving's JSON."""
