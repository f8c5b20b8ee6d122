"""Locust load tests for TensorFlow Serving that check the answers."""

from tfsload.suite.beginning import begin

begin()  # first: a Ctrl-C during the imports that follow is to end in a line
