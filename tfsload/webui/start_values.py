"""What the start page's fields hold: at first, as they were sent, and as Locust is to be given them."""

import math
from collections.abc import Mapping
from typing import Any

from locust.env import Environment

from tfsload.settings.options import OPTIONS, OWN_PREFIX
from tfsload.webui import load_kinds
from tfsload.webui.load_kinds import HOST, N_USERS, PLAIN, RUN_TIME, SPAWN_RATE, SWEEP, LoadKind

LOAD = "load"
# Several texts of these are one, with ";" between them; on the page each has a line.
OF_LINES = frozenset(option.dest for option in OPTIONS if option.is_repeatable)
_SWITCHES = frozenset(option.dest for option in OPTIONS if option.is_switch and option.is_in_form)
_LOCUSTS = (HOST, N_USERS, SPAWN_RATE, RUN_TIME)
_NAMES = (*(option.dest for option in OPTIONS if option.is_in_form), *_LOCUSTS)


def of_command_line(environment: Environment) -> dict[str, str]:
    """Return the texts of the suite's and Locust's own fields, by name, as the command line has them."""
    options = vars(environment.parsed_options)
    texts = {one.dest: str(options.get(one.dest, one.default)) for one in OPTIONS if one.is_in_form}
    run_time = options.get("run_time")
    is_seconds = run_time is None or isinstance(run_time, int | float)
    return texts | {
        HOST: environment.host or "",
        N_USERS: _text(options.get("num_users") or 1),
        SPAWN_RATE: _text(options.get("spawn_rate") or 1),
        RUN_TIME: run_time_text(run_time) if is_seconds else str(run_time),
    }


def of_run(environment: Environment, limit_s: float | None) -> dict[str, str]:
    """Return the texts of the same fields for a run like the one that begins.

    Args:
        environment: Locust's, whose options keep a run time that an earlier run had.
        limit_s: for how long this one is asked to run; None: it has no such end.
    """
    return of_command_line(environment) | {RUN_TIME: run_time_text(limit_s)}


def run_time_text(seconds: float | None) -> str:
    """Return a run time as its field has it, in whole seconds, as Locust reads it; None, and 0: there is none."""
    return f"{math.ceil(seconds)}s" if seconds else ""


def of_all_options(environment: Environment) -> dict[str, str]:
    """Return the texts of all fields that a form of this page or of Locust's may have, by name, as of now."""
    others = {name: text_of(value) for name, value in vars(environment.parsed_options).items()}
    return others | of_command_line(environment)


def text_of(value: Any) -> str:
    """Return the value of an option as a form has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _text(value: Any) -> str:
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def first_kind(environment: Environment, values: Mapping[str, str], has_shape: bool) -> LoadKind:
    """Return the kind of load that a new page offers: a sweep, where nothing else is asked for.

    Args:
        environment: with what the command line asks for.
        values: the same, by field.
        has_shape: whether a load shape of the locustfile's says how many users there are.
    """
    kind = load_kinds.kind_of(values)
    options = vars(environment.parsed_options)
    is_plain_asked_for = has_shape or options.get("num_users") or options.get("run_time")
    return SWEEP if kind is PLAIN and not is_plain_asked_for else kind


def shown(values: Mapping[str, str]) -> dict[str, str]:
    """Return texts of options as fields show them: suggestions where nothing asks for a kind of load, lists by line."""
    texts = dict(values)
    for kind in load_kinds.KINDS:
        if kind.asked_by and not load_kinds.is_asked_for(kind, values):
            texts[kind.asked_by] = kind.suggested
    for name in OF_LINES & set(texts):
        texts[name] = "\n".join(part.strip() for part in texts[name].split(";") if part.strip())
    texts[SPAWN_RATE] = texts[SPAWN_RATE].removesuffix(".0")
    if texts.get(RUN_TIME) == "0":
        texts[RUN_TIME] = ""
    return texts


def typed(text: str) -> str:
    r"""Return a text as a person has typed it: a browser sends each end of a line as two letters.

    >>> typed("p99 < 5ms\r\nrate > 1")
    'p99 < 5ms\nrate > 1'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")


def sent(form: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each field as it was sent.

    Args:
        form: what was sent. A switch of a form that a person has filled is off where nothing is sent of it.
        before: those of fields of which nothing was sent.
    """
    off = dict.fromkeys(_SWITCHES, "false") if LOAD in form else {}
    return {**before, **off, **{name: typed(form[name]) for name in _NAMES if name in form}}


def for_locust(form: Mapping[str, str], values: Mapping[str, str], kind: LoadKind) -> dict[str, str]:
    """Return what Locust's form would send.

    Args:
        form: what was sent.
        values: the text of each field, by name, as it was sent.
        kind: the kind of load; all that is not of it is left out, where the form says which it is.
    """
    texts = dict(values)
    for name in OF_LINES & set(texts):
        texts[name] = ";".join(line.strip() for line in texts[name].split("\n") if line.strip())
    if load_kinds.kind_named(form.get(LOAD, "")) is kind:
        texts = load_kinds.cleared(texts, kind)
    # What is no field of a form is there to be refused.
    is_no_field = {option.dest for option in OPTIONS if not option.is_in_form}
    refused = {name: form[name] for name in form if name in is_no_field or name.startswith(OWN_PREFIX)}
    return load_kinds.with_what_is_not_said(texts, kind) | refused
