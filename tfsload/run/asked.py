"""What a run was asked to do, as texts that may be kept: every option of the suite, and those of Locust's own load."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tfsload.analysis.result import Asked
from tfsload.datasets.shipped import shipped
from tfsload.run import called_as
from tfsload.settings.options import OPTIONS
from tfsload.transport.words import HIDDEN, redacted, without_password

# Locust's own that say what load there is, and for how long, and what they say by themselves; others of its options say
# where things are written.
_OF_LOCUST = {
    "num_users": ("", "1"),
    "spawn_rate": ("", "1", "1.0"),
    "run_time": ("", "0"),
    "stop_timeout": ("", "0", "0.0"),
    "processes": ("",),
    "expect_workers": ("", "1"),
    "tags": ("", "False"),
    "exclude_tags": ("", "False"),
    "exit_code_on_error": ("", "1"),
    "user_classes": ("",),
}
# What is kept of a run, who may start it, and what it has waited for, makes no other run of it.
_NOT_OF_THE_RUN = {option.dest for option in OPTIONS if option.group in ("report", "web UI")} | {"wait"}


def as_asked(options: Mapping[str, Any], host: str | None = None) -> Asked:
    """Return options, by name, as they may be kept: a secret is masked, wherever it stands.

    Args:
        options: Locust's and the suite's.
        host: the address that was given with `--host`; None: none was.
    """
    texts = {option.dest: _text(options.get(option.dest, option.default)) for option in OPTIONS}
    texts.update({option.dest: HIDDEN for option in OPTIONS if option.is_secret and texts[option.dest]})
    texts.update({name: _text(options[name]) for name in _OF_LOCUST if name in options})
    of_the_run = sorted((name, text) for name, text in texts.items() if name not in _NOT_OF_THE_RUN)
    digest = hashlib.sha256(json.dumps(of_the_run).encode()).hexdigest()
    locustfile = _locustfile(options.get("locustfile"))
    return Asked(
        options=texts,
        digest=digest,
        changed=tuple(name for name, text in texts.items() if text not in _AS_BY_THEMSELVES[name]),
        host=without_password(_text(host)),
        locustfile=locustfile,
        program=called_as.program(bool(locustfile)),
    )


def _locustfile(given: Any) -> str:
    """Return the locustfile as it was given; empty: it is that of `tfsload run`, or there is none."""
    text = _text(given)
    return "" if text == str(shipped("locustfile.py")) else text


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        value = " ".join(map(str, value))
    return "" if value is None else redacted(str(value)).strip()


_AS_BY_THEMSELVES = {option.dest: ("", option.default.strip()) for option in OPTIONS} | _OF_LOCUST
