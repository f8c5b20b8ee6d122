"""The suite's part of Locust's web UI."""
