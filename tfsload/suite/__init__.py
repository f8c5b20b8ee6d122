"""Fits it all into Locust."""
