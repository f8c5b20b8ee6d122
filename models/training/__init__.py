"""Trains the shipped MNIST model and exports it: `python -m models.training --help`.

Nothing is imported here: TensorFlow is loaded only by the modules that need it.
"""
