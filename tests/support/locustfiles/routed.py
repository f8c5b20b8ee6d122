"""The suite with routes of the user's own in the web UI; writes all routes that there are."""

import json
import os
from pathlib import Path

from locust import events

from tests.support.locustfiles.observed import GrpcPredictionUser

__all__ = ["GrpcPredictionUser"]


@events.init.add_listener
def on_init(web_ui=None, **_):
    if web_ui is None:
        return  # a worker

    @web_ui.app.route("/mine", methods=["POST", "PUT", "PATCH", "DELETE"])
    def mine():
        return "changed"

    rules = [[rule.rule, sorted(rule.methods)] for rule in web_ui.app.url_map.iter_rules()]
    Path(os.environ["TFSLOAD_TEST_ROUTES"]).write_text(json.dumps(rules))
