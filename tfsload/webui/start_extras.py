"""Fields of the start page that hang on the locustfile: user classes, protocols, and further options of its own."""

import contextlib
import io
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from locust.argument_parser import get_parser, ui_extra_args_dict
from locust.web import WebUI

from tfsload.settings.options import OPTIONS
from tfsload.transport import words
from tfsload.webui.hidden_texts import all_hidden
from tfsload.webui.load_kinds import NO_SHAPE, SHAPE, USER_CLASSES, WITH_SHAPE, LoadKind
from tfsload.webui.protocol_field import ProtocolField
from tfsload.webui.start_fields import CHOICE, SECRET, SWITCH, TEXT, Field, Words
from tfsload.webui.start_values import LOAD, text_of, typed


class Extras:
    """What a locustfile adds to the form.

    Attributes:
        protocol: the field for what runs speak, where its classes are the suite's own for several protocols.
    """

    def __init__(self, web_ui: WebUI, protocol: ProtocolField) -> None:
        """Look at nothing yet: a locustfile may add options until the form is shown.

        Args:
            web_ui: Locust's.
            protocol: the field for what runs speak.
        """
        self._web_ui = web_ui
        self.protocol = protocol
        self._found: dict[str, dict[str, Any]] | None = None

    @property
    def _options(self) -> dict[str, dict[str, Any]]:
        """Its own options that are marked for the web UI, by name, as Locust describes them."""
        if self._found is None:
            own = {option.dest for option in OPTIONS}
            self._found = {name: one for name, one in marked_options().items() if name not in own}
        return self._found

    @property
    def fields(self) -> tuple[Field, ...]:
        """A field for each of those options."""
        return tuple(_field(name, one) for name, one in self._options.items())

    @cached_property
    def flags(self) -> dict[str, str]:
        """What each of them is called on the command line, by name; not there: it has no flag."""
        found: dict[str, str] = {}
        for action in get_parser()._actions if self._options else ():
            if action.dest in self._options and action.option_strings:
                long = [one for one in action.option_strings if one.startswith("--")]
                found.setdefault(action.dest, [*long, *action.option_strings][0])
        return found

    @property
    def values(self) -> dict[str, str]:
        """What each holds at first, by name, as a page may show it; what is secret stays where it is."""
        texts = {name: "" if one["is_secret"] else text_of(one["default_value"]) for name, one in self._options.items()}
        return all_hidden(self.protocol.at_first | texts)

    @property
    def classes(self) -> tuple[str, ...]:
        """The user classes to choose among; none: there is nothing to choose."""
        if not self._web_ui.userclass_picker_is_active:
            return ()
        return tuple(sorted(self._web_ui.environment.available_user_classes or {}))

    @property
    def shapes(self) -> tuple[str, ...]:
        """The load shapes to choose among."""
        shapes = self._web_ui.environment.available_shape_classes if self.classes else None
        return (NO_SHAPE, *sorted(shapes)) if shapes else ()

    def chosen(self, named: Iterable[str]) -> tuple[str, ...]:
        """Return the user classes of these that there are, each text one or several with "," between; none: all."""
        asked = {name for text in named for name in text.split(",")}
        return tuple(name for name in self.classes if name in asked)

    def sent(self, form: Mapping[str, str]) -> dict[str, str]:
        """Return the text of each option, by name: as a form has sent it, or else what it holds at first."""
        known = {name: self.values[name] for name, one in self._options.items() if not one["is_secret"]}
        off = {one.name: "false" for one in self.fields if one.kind == SWITCH} if LOAD in form else {}
        known |= self.protocol.sent(form)
        return {**known, **off, **{name: typed(form[name]) for name in self._options if name in form}}

    def held(self) -> dict[str, str]:
        """Return what the run that begins was asked to do with all this, as a page may show it, by name."""
        environment = self._web_ui.environment
        options = vars(environment.parsed_options)
        texts = {name: text_of(options.get(name)) for name, one in self._options.items() if not one["is_secret"]}
        texts |= self.protocol.held
        if self.classes:
            texts[USER_CLASSES] = ",".join(one.__name__ for one in environment.user_classes)
        if self.shapes:
            shape = type(environment.shape_class).__name__
            texts[SHAPE] = shape if shape in self.shapes else NO_SHAPE
        return all_hidden(texts)

    def for_locust(
        self, form: Mapping[str, str], texts: Mapping[str, str], chosen: Iterable[str], kind: LoadKind | None
    ) -> list[tuple[str, str]]:
        """Return what goes to Locust: these texts, but for those of options that stay what they are, and the picker's.

        Args:
            form: what was sent.
            texts: of the options, by name.
            chosen: the user classes.
            kind: of load, which was chosen; a load shape that is not seen with it is none. None: no kind was.
        """
        own = self.protocol.at_first
        made = [(name, text) for name, text in texts.items() if name in own or not self._stays(name, text)]
        if self.classes:
            made += [(USER_CLASSES, name) for name in chosen]
        if self.shapes and SHAPE in form:
            made.append((SHAPE, form[SHAPE] if kind is None or kind in WITH_SHAPE else NO_SHAPE))
        return made

    def _now(self, name: str) -> Any:
        return vars(self._web_ui.environment.parsed_options).get(name, self._options[name]["default_value"])

    def _stays(self, name: str, text: str) -> bool:
        """Whether nothing was typed for an option that is a secret, or holds nothing: Locust would make "" of it."""
        return not text and (self._options[name]["is_secret"] or self._now(name) in (None, []))

    def faults(self, texts: Mapping[str, str]) -> list[str]:
        """Return what Locust would fail at: it gives each option's text the type of what is there.

        No fault says what was typed for a secret.
        """
        found = self.protocol.faults(texts)
        for name, text in [(name, text) for name, text in texts.items() if name not in self.protocol.at_first]:
            wanted = _wanted(self._now(name), text)
            if wanted and not self._stays(name, text):
                given = "(its value is not shown)" if self._options[name]["is_secret"] else words.given(text)
                found.append(f"{self.flags.get(name, name)} {given}: expected {wanted}")
        return found


def marked_options() -> dict[str, dict[str, Any]]:
    """Return all options marked for the web UI, by name; none in a program whose arguments are not Locust's."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            return ui_extra_args_dict()
    except SystemExit:
        return {}


def help_shown(text: str | None) -> str:
    """Return an argument's help as a page shows it: with a % where argparse wants two."""
    return (text or "").replace("%%", "%")


def _wanted(value: Any, text: str) -> str:
    """Return what would be expected in place of a text that cannot take the place of a value; empty: it can."""
    try:
        if type(value) in (int, float):
            type(value)(text)
        elif isinstance(value, list) and all(isinstance(one, int) for one in value):
            [int(part) for part in text.split(",")]
    except ValueError:
        return {int: "a whole number", float: "a number"}.get(type(value), "whole numbers, such as 1,2")
    return ""


def _field(name: str, one: Mapping[str, Any]) -> Field:
    choices = tuple(map(str, one["choices"] or ()))
    kind = SWITCH if isinstance(one["default_value"], bool) else CHOICE if choices else TEXT
    words = Words(name.replace("_", " ").capitalize(), help_shown(one["help_text"]))
    return Field(name, (words,), SECRET if one["is_secret"] else kind, choices)
