"""Locust load tests for TensorFlow Serving that check the answers."""
