"""Requests and replies as bytes, and the way to the server and back."""
