"""Trains the shipped MNIST model and exports it: `python -m tfsload.training --help`.

Nothing is imported here: TensorFlow is loaded only by the modules that need it.
"""
