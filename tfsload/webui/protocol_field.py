"""The start page's field for the protocol, where there is one to choose."""

from collections.abc import Mapping
from typing import Any

from tfsload.transport.words import given
from tfsload.webui.load_kinds import PROTOCOL, USER_CLASSES
from tfsload.webui.start_fields import CHOICE, Field, Words
from tfsload.webui.start_needs import Form, Protocols

_HELP = "gRPC: Predict with bytes that were encoded once. REST: JSON over HTTP, which a server has to read and write."


class ProtocolField:
    """What runs that a page starts speak."""

    def __init__(self, protocols: Protocols) -> None:
        """Offer a choice among these."""
        self._protocols = protocols

    @property
    def fields(self) -> tuple[Field, ...]:
        """The field; none: there is nothing to choose."""
        names = self._protocols.names
        return (Field(PROTOCOL, (Words("Protocol", _HELP),), CHOICE, names),) if names else ()

    @property
    def at_first(self) -> dict[str, str]:
        """What it holds on a new page, by its name: what a run sends for which nobody says anything."""
        return {PROTOCOL: self._protocols.names[0]} if self._protocols.names else {}

    @property
    def held(self) -> dict[str, str]:
        """What it would have to hold for the run under way."""
        return {PROTOCOL: self._protocols.now} if self._protocols.names else {}

    def sent(self, form: Mapping[str, str]) -> dict[str, str]:
        """Return what was sent of it; nothing sent: what it holds at first."""
        return {name: form.get(name, text) for name, text in self.at_first.items()}

    def faults(self, form: Mapping[str, str]) -> list[str]:
        """Return what is wrong with what was sent of it, a sentence."""
        names, name = self._protocols.names, form.get(PROTOCOL)
        if name is None or name in names:
            return []
        if not names:
            why = "the suite's own user classes for both were started, and neither was named"
            return [f"{PROTOCOL} {given(name)} is a field of the form only where {why}"]
        return [f"{PROTOCOL} {given(name)}: expected {' or '.join(names)}"]

    def is_other(self, form: Mapping[str, str]) -> bool:
        """Whether another one is sent than that of the run under way."""
        return form.get(PROTOCOL) not in (None, self._protocols.now)

    def classes(self, form: Mapping[str, str]) -> list[type] | None:
        """Return the user classes of the run that a form asks for; None: it says nothing of them."""
        name = form.get(PROTOCOL)
        return self._protocols.classes(name) if name in self._protocols.names and name is not None else None

    def options(self, form: Form) -> dict[str, Any]:
        """Return what a command has to say for it, by the name of Locust's option."""
        name = form.get(PROTOCOL)
        return {USER_CLASSES: self._protocols.named(name)} if name in self._protocols.names else {}
