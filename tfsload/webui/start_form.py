"""The start form: a run that cannot start is refused there, with the reason."""

from collections.abc import Callable
from typing import Any

from flask import jsonify, request
from locust.runners import STATE_RUNNING, STATE_SPAWNING

from tfsload.refusal import RunRefused
from tfsload.settings import OPTIONS

_SWARM = "locust.swarm"


def guard(web_ui: Any, check: Callable[[dict[str, Any], str | None], None]) -> None:
    """Run `check` on what the form holds, before Locust starts a run.

    Args:
        web_ui: Locust's.
        check: takes options by name and the host; raises RunRefused.
    """
    environment = web_ui.environment
    start = web_ui.app.view_functions[_SWARM]

    # Behind the login, if there is one: a check connects to the host that the form names.
    @web_ui.auth_required_if_enabled
    def checked_start() -> Any:
        if environment.runner.state in (STATE_RUNNING, STATE_SPAWNING):
            return start()  # a change of users in a run under way
        options = dict(vars(environment.parsed_options))
        options.update({option.dest: request.form[option.dest] for option in OPTIONS if option.dest in request.form})
        host = request.form.get("host", environment.host)
        try:
            check(options, host)
        except RunRefused as refused:
            return jsonify({"success": False, "message": refused.sentence(), "host": environment.host})
        return start()

    web_ui.app.view_functions[_SWARM] = checked_start
