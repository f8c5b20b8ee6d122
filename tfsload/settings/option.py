"""One option of the suite: its name, default and help, and how it is read."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Option:
    """One option of the command line, the web form, the configuration file and the environment.

    Attributes:
        flag: as on the command line, for example `--model-name`.
        field: what of `Settings` it fills: a section and its attribute, or an attribute.
        default: as text; an empty text means "not set".
        read: turns the text into the value; raises ValueError with what is expected.
        help: one sentence, with the unit and what the default means.
        is_switch: whether the bare flag, without a value, means "true".
        is_repeatable: whether it may be given several times; the texts are joined with ";".
        is_secret: whether its value is not for others' eyes: no page, log or message holds it.
        is_in_form: whether the web form sets it.
    """

    flag: str
    field: str
    default: str
    read: Callable[[str], Any]
    help: str
    is_switch: bool = False
    is_repeatable: bool = False
    is_secret: bool = False
    is_in_form: bool = True

    @cached_property
    def dest(self) -> str:
        """The name of the attribute in Locust's parsed options."""
        return self.flag.removeprefix("--").replace("-", "_")

    @cached_property
    def by_itself(self) -> Any:
        """The value where nobody says anything."""
        return self.read(self.default)

    @property
    def group(self) -> str:
        """The name in `options.GROUPS` under which it is listed: its section of the settings, or else the web UI."""
        section, dot, _ = self.field.partition(".")
        return section if dot else "web UI"

    @property
    def env_var(self) -> str:
        """The environment variable that sets it."""
        return "TFSLOAD_" + self.dest.upper()
