"""Fixtures that several test files share."""

import locust  # noqa: F401  (must come first: it monkey-patches the standard library for gevent)
