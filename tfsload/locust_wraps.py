"""Every place where the suite replaces a function of Locust's own, each with its reason.

`tests/test_locust_wraps.py` holds each against the Locust that is installed: what it cures, and that it is still there
to be cured.
"""

from typing import Any

import locust.web


def install() -> None:
    """Wrap what is to be wrapped before Locust makes anything; again and again does no harm."""
    locust.web.CORS = _no_cors


def _no_cors(app: Any) -> None:
    """Let no page of another origin read what the web UI says; Locust's own lets every page (`WebUI.__init__`)."""
