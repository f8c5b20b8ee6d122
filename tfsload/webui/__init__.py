"""The pages of Locust's web UI, as the suite has them."""
