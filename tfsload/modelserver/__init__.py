"""The embedded model server: a SavedModel behind TensorFlow Serving's gRPC interface, in a process of its own.

Start one with `tfsload.target.launcher.EmbeddedServer`, or by hand with `python -m tfsload.modelserver`.
"""
