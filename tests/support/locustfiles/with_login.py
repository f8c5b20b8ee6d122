"""The suite's users behind Locust's login, at which nobody is known."""

from locust import events

from tests.support.locustfiles.observed import GrpcPredictionUser

__all__ = ["GrpcPredictionUser"]


@events.init.add_listener
def on_init(web_ui, **_):
    if web_ui is not None:
        web_ui.app.secret_key = "for this test"
        web_ui.login_manager.user_loader(lambda user_id: None)  # noqa: ARG005  (Flask's name)
