"""A user that fires images over REST: copy it, and change what is to be different."""

import tfsload


class RestPredictionUser(tfsload.RestUser):
    """Fires one request after another, as JSON over HTTP. A run of the suite's locustfile has it where it is named.

    What can be set here is Locust's own: `host` (where `--host` names none), `weight` beside other users, `wait_time`
    between two requests, `on_start` for what a user does first. `encode(image)` may say what is sent for an image, and
    `is_right(label, answer)` which answers are right: see docs/own-task.md.
    """

    weight = 1
