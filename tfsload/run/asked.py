"""What a run was asked to do, as texts that may be kept: every option of the suite, and those of Locust's own load."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tfsload.analysis.result import Asked
from tfsload.settings.options import OPTIONS
from tfsload.transport.words import HIDDEN, redacted

# Locust's own that say what load there is, and for how long; others of its options say where things are written.
_OF_LOCUST = (
    "num_users",
    "spawn_rate",
    "run_time",
    "stop_timeout",
    "processes",
    "expect_workers",
    "tags",
    "exclude_tags",
    "exit_code_on_error",
)
# What is kept of a run, who may start it, and what it has waited for, makes no other run of it.
_NOT_OF_THE_RUN = {option.dest for option in OPTIONS if option.group in ("report", "web UI")} | {"wait"}


def as_asked(options: Mapping[str, Any]) -> Asked:
    """Return options, by name, as they may be kept: a secret is masked, wherever it stands."""
    texts = {option.dest: _text(options.get(option.dest, option.default)) for option in OPTIONS}
    texts.update({option.dest: HIDDEN for option in OPTIONS if option.is_secret and texts[option.dest]})
    texts.update({name: _text(options[name]) for name in _OF_LOCUST if name in options})
    of_the_run = sorted((name, text) for name, text in texts.items() if name not in _NOT_OF_THE_RUN)
    digest = hashlib.sha256(json.dumps(of_the_run).encode()).hexdigest()
    return Asked(options=texts, digest=digest)


def _text(value: Any) -> str:
    return "" if value is None else redacted(str(value)).strip()
