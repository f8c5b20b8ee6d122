"""Locust load tests for TensorFlow Serving that check the answers.

In a locustfile:

    import tfsload

    class MyUser(tfsload.GrpcUser):
        pass

What stands here is imported when it is first asked for: a process that needs no Locust, such as a model server, is not
to have gevent's patches in it.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locust import events as events

    from tfsload.prediction.grpc_user import GrpcUser as GrpcUser
    from tfsload.prediction.prediction_user import PredictionUser as PredictionUser
    from tfsload.prediction.rest_user import RestUser as RestUser
    from tfsload.settings.refusal import RunRefused as RunRefused
    from tfsload.suite.last_result import result as result
    from tfsload.suite.library import run_to_end as run_to_end
    from tfsload.suite.lifecycle import install as install
    from tfsload.transport.image_answer import ImageAnswer as ImageAnswer

__version__ = "0.1.0"
__all__ = [
    "GrpcUser",
    "ImageAnswer",
    "PredictionUser",
    "RestUser",
    "RunRefused",
    "__version__",
    "events",
    "install",
    "result",
    "run_to_end",
]

_PUBLIC = {
    "GrpcUser": "tfsload.prediction.grpc_user",
    "ImageAnswer": "tfsload.transport.image_answer",
    "PredictionUser": "tfsload.prediction.prediction_user",
    "RestUser": "tfsload.prediction.rest_user",
    "RunRefused": "tfsload.settings.refusal",
    "events": "locust",
    "install": "tfsload.suite.lifecycle",
    "result": "tfsload.suite.last_result",
    "run_to_end": "tfsload.suite.library",
}


if "locust.main" in sys.modules:
    # Locust's own program: a Ctrl-C is to end it in a line from the locustfile's first line on.
    import_module("tfsload.suite.beginning").begin()
    import_module("tfsload.suite.no_user_class").listen()


def __getattr__(name: str) -> object:
    """Import what is asked for, with the suite hung on Locust's events: whoever has a user of it has all of it."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'tfsload' has no attribute {name!r}")
    import_module("tfsload.suite.beginning").begin()  # where a program imports this before it is Locust's
    locust_events = import_module("locust").events
    import_module("tfsload.suite.lifecycle").install(locust_events)
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
