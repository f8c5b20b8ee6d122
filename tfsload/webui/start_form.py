"""The start form: a run that cannot start is refused there, with the reason."""

from collections.abc import Callable
from typing import Any

from flask import jsonify, request
from locust.runners import STATE_RUNNING, STATE_SPAWNING

from tfsload import exit_codes
from tfsload.load.shape import LevelShape
from tfsload.refusal import RunRefused
from tfsload.settings import OPTIONS

_SWARM = "locust.swarm"
# Locust's own fields, and the names of its options.
_N_USERS_FIELD, _N_USERS_OPTION = "user_count", "num_users"


def guard(web_ui: Any, check: Callable[[dict[str, Any], str | None, list[type]], None]) -> None:
    """Run `check` on what the form holds, before Locust starts a run.

    Args:
        web_ui: Locust's.
        check: takes options by name, the host and the user classes; raises RunRefused.
    """
    environment = web_ui.environment
    start = web_ui.app.view_functions[_SWARM]

    # Behind the login, if there is one: a check connects to the host that the form names.
    @web_ui.auth_required_if_enabled
    def checked_start() -> Any:
        try:
            _refuse_what_is_no_field()
            if environment.runner.state in (STATE_RUNNING, STATE_SPAWNING):
                _refuse_changes(environment)
            else:
                check(_options(environment), request.form.get("host", environment.host), _user_classes(web_ui))
        except RunRefused as refused:
            return jsonify({"success": False, "message": refused.sentence(), "host": environment.host})
        return start()

    web_ui.app.view_functions[_SWARM] = checked_start


def _refuse_what_is_no_field() -> None:
    """Let nobody set from outside what is not in the form.

    Raises:
        RunRefused: such an option was sent.
    """
    sent = [option.flag for option in OPTIONS if not option.is_in_form and option.dest in request.form]
    if sent:
        raise RunRefused(
            exit_codes.BAD_USAGE,
            [f"{flag} is not a field of the form: give it to Locust when you start it" for flag in sent],
        )


def _options(environment: Any) -> dict[str, Any]:
    """Return all options, with what the form says of them.

    Raises:
        RunRefused: the number of users is none.
    """
    options = dict(vars(environment.parsed_options))
    options.update({option.dest: request.form[option.dest] for option in OPTIONS if option.dest in request.form})
    n_users = request.form.get(_N_USERS_FIELD)
    if n_users is not None:
        if not (n_users.isascii() and n_users.removeprefix("-").isdigit() and len(n_users) < 100):
            raise RunRefused(exit_codes.BAD_USAGE, [f"number of users {n_users!r}: expected a whole number"])
        options[_N_USERS_OPTION] = int(n_users)
    return options


def _user_classes(web_ui: Any) -> list[type]:
    """Return the classes of the users that the form asks for: with Locust's `--class-picker` it chooses among all."""
    environment = web_ui.environment
    if not web_ui.userclass_picker_is_active:
        return environment.user_classes
    available = environment.available_user_classes
    return [available[name] for name in request.form.getlist("user_classes") or available if name in available]


def _refuse_changes(environment: Any) -> None:
    """Let nothing but the number of users be changed in a run under way.

    Raises:
        RunRefused: something else is asked for, or the run sets its number of users itself.
    """
    now = vars(environment.parsed_options)
    changed = [one.flag for one in OPTIONS if request.form.get(one.dest, now[one.dest]) != now[one.dest]]
    if environment.shape_class is not None:
        who = "its levels say" if isinstance(environment.shape_class, LevelShape) else "its load shape says"
        raise RunRefused(exit_codes.BAD_USAGE, [f"a run is under way, and {who} how many users there are"])
    if request.form.get("host") not in (None, "", environment.host):
        changed.append("host")
    if changed:
        raise RunRefused(
            exit_codes.BAD_USAGE,
            [f"{' and '.join(changed)}: a run is under way, and only its number of users can change; stop it first"],
        )
