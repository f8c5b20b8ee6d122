"""What a start form has sent of Locust's own fields, and of the suite's options. Pure."""

import math
from collections.abc import Mapping
from typing import Any

from locust.env import Environment
from locust.util.timespan import parse_timespan

from tfsload.analysis.option_limits import MAX_USERS
from tfsload.settings.options import OPTIONS
from tfsload.transport.numerals import whole_number
from tfsload.transport.words import given, quoted
from tfsload.webui.load_kinds import N_USERS, RUN_TIME, SPAWN_RATE, USER_CLASSES
from tfsload.webui.start_needs import Form

_N_USERS_OPTION = "num_users"


def options(form: Form, environment: Environment, has_class_picker: bool) -> dict[str, Any]:
    """Return all options, with what the form says of them; of what cannot be read, `faults` tells.

    Locust takes its own over only when a run was checked, and keeps a run time and user classes where none are sent.

    Args:
        form: what was sent.
        environment: Locust's.
        has_class_picker: whether the form says which user classes run.
    """
    found = dict(vars(environment.parsed_options))
    found.update({option.dest: form[option.dest] for option in OPTIONS if option.dest in form})
    n_users = form.get(N_USERS, "")
    if _is_number_of_users(n_users):
        found[_N_USERS_OPTION] = int(n_users)
    if _is_rate(form.get(SPAWN_RATE) or "", is_of_use=False):
        found[SPAWN_RATE] = float(form[SPAWN_RATE])
    found[RUN_TIME] = run_time_s(form) or None
    if has_class_picker:
        found[USER_CLASSES] = form.getlist(USER_CLASSES)
    return found


def faults(form: Mapping[str, str], may_be_missing: bool, is_rate_of_use: bool) -> list[str]:
    """Return what is wrong with Locust's own fields, a sentence each: Locust looks at them last, one after the other.

    Args:
        form: what was sent.
        may_be_missing: whether users and ramp-up may be left out, and then stay as they are: so before a start.
        is_rate_of_use: whether Locust goes by the ramp-up.
    """
    found = []
    n_users, rate = form.get(N_USERS), form.get(SPAWN_RATE)
    if not _is_number_of_users(n_users or "") and not (n_users is None and may_be_missing):
        cure = "; Stop ends a run" if not may_be_missing and _is_below_1(n_users or "") else ""
        expected = f"a whole number from 1 to {MAX_USERS:,}"
        found.append(f"number of users {given(n_users or '')}: expected {expected}{cure}")
    if not _is_rate(rate or "", is_rate_of_use) and not (rate is None and may_be_missing):
        found.append(f"ramp up {given(rate or '')}: expected users started a second, above 0")
    if run_time_s(form) is None:
        found.append(f"run time {quoted(form[RUN_TIME])}: expected 20, 20s, 3m, 2h, 1h20m or the like")
    return found


def _is_number_of_users(text: str) -> bool:
    """Whether a run goes on with so many: without any it would stand for ever."""
    number = whole_number(text)
    return number is not None and 1 <= number <= MAX_USERS


def _is_below_1(text: str) -> bool:
    number = whole_number(text.removeprefix("-"))
    return number is not None and (number < 1 or text.startswith("-"))


def _is_rate(text: str, is_of_use: bool) -> bool:
    try:
        return (not is_of_use and math.isfinite(float(text))) or 0 < float(text) < math.inf
    except ValueError:
        return False


def is_other_run_time(form: Mapping[str, str], limit_s: float | None) -> bool:
    """Whether a run time is sent that is not the one of the run under way; what is none is refused elsewhere."""
    return bool(form.get(RUN_TIME)) and run_time_s(form) not in (None, limit_s or 0)


def run_time_s(form: Mapping[str, str]) -> float | None:
    """Return the run time that is sent, 0 where there is none; None: it cannot be read."""
    try:
        return parse_timespan(form.get(RUN_TIME) or "0")
    except (ValueError, OverflowError):
        return None
