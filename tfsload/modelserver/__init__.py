"""The embedded model server: a SavedModel behind TensorFlow Serving's gRPC and REST interfaces, in an own process.

Start one with `tfsload.target.launcher.EmbeddedServer`, or by hand with `python -m tfsload.modelserver`.
"""
