"""The choice of protocol on the start page: between the suite's own user classes, where nobody has named one."""

from typing import Any

from locust.env import Environment

from tfsload.run import one_protocol
from tfsload.suite import bare_run
from tfsload.transport.spoken import GRPC, SPOKEN


class ProtocolChoice:
    """What runs that a page starts may speak.

    Attributes:
        names: of the protocols to choose among; none: there is nothing to choose.
    """

    def __init__(self, environment: Environment) -> None:
        """Offer both where both of the suite's classes are there, and neither was named.

        Args:
            environment: Locust's, with the classes of a bare run.
        """
        by_name: dict[str, Any] = environment.available_user_classes or {}
        own = one_protocol.own_classes(by_name.values()) if bare_run.is_bare(environment) else {}
        self._environment = environment
        self._own = own if len(own) > 1 else {}
        self._at_first = list(environment.user_classes)
        self.names = tuple(SPOKEN[key].name for key in self._own)

    @property
    def now(self) -> str:
        """The one of the run under way, or of the last; empty: there is nothing to choose."""
        chosen = [key for key, one in self._own.items() if one in self._environment.user_classes]
        return SPOKEN[chosen[0]].name if chosen else ""

    def classes(self, name: str) -> list[type]:
        """Return the user classes of a run that speaks one of `names`: all others stay."""
        own = next(one for key, one in self._own.items() if SPOKEN[key].name == name)
        return [own if one in self._own.values() else one for one in self._at_first]

    def named(self, name: str) -> list[str]:
        """Return the classes that a command has to name for such a run; none: it is what a bare one sends."""
        return [] if name == GRPC.name else [one.__name__ for one in self.classes(name)]
