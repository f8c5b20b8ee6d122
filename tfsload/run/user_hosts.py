"""The `host` of each user class: what it names is where its requests go, and a run leaves it as it was."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from locust import User
from locust.env import Environment

from tfsload.prediction.prediction_user import PredictionUser
from tfsload.transport.address import same_address
from tfsload.transport.contract import Transport
from tfsload.transport.grpc.transport import GrpcTransport
from tfsload.transport.words import quoted

logger = logging.getLogger(__name__)

_MISSING = object()
BY_OPTION = "--host"


@dataclass(frozen=True)
class HostAsked:
    """Where a run is to go, by Locust's rule: `--host` beats the `host` of a user class.

    Attributes:
        text: the address as it was given; None: none is named.
        named_by: who names it, for messages.
        faults: what is wrong with the names together, a sentence each.
    """

    text: str | None
    named_by: str = BY_OPTION
    faults: tuple[str, ...] = ()


def suite_classes(user_classes: Iterable[type]) -> list[type[PredictionUser]]:
    """Return the user classes that make predictions."""
    return [one for one in user_classes if issubclass(one, PredictionUser)]


def transport_class_of(user_classes: Iterable[type]) -> type[Transport]:
    """Return the way to the server that a run's user classes take: the class decides the protocol, as Locust has it."""
    return next((one.transport_class for one in suite_classes(user_classes)), GrpcTransport)


def other_classes(user_classes: Iterable[type]) -> list[type]:
    """Return the user classes that do something else."""
    return [one for one in user_classes if not issubclass(one, PredictionUser)]


def host_asked(given: str | None, user_classes: Iterable[type]) -> HostAsked:
    """Find out where a run is to go.

    Args:
        given: by `--host`, the configuration, the environment or the web form; empty or None: nowhere.
        user_classes: those of the run; a class that names no host goes where the others go.
    """
    if given:
        return HostAsked(given)
    named = {one: host for one in suite_classes(user_classes) if (host := own_host(one))}
    if not named:
        return HostAsked(None)
    one, host = next(iter(named.items()))
    first = HostAsked(host, f"host of {one.__name__}")
    spoken = transport_class_of(user_classes).spoken()
    if len({same_address(host, spoken) for host in named.values()}) == 1:
        return first
    each = " and ".join(f"{one.__name__} {quoted(host)}" for one, host in named.items())
    fault = f"user classes name different hosts: {each}; a run has one server: pass --host, or give all the same"
    return HostAsked(first.text, first.named_by, (fault,))


@dataclass
class _Lent:
    """A class whose `host` runs have written, in whichever environments.

    Attributes:
        own: what stood in the class itself before, `_MISSING` where nothing did.
        written: what they have written.
        n_runs: how many of them are under way.
    """

    own: Any
    written: set[str | None] = field(default_factory=set)
    n_runs: int = 0


# While runs are under way; several environments of a process may share a class.
_lent: dict[type[User], _Lent] = {}


def own_host(user_class: type[User]) -> str | None:
    """Return the host that a class names itself, or one above it, whatever a run has written there meanwhile."""
    for one in user_class.__mro__:
        host = _lent[one].own if one in _lent else vars(one).get("host", _MISSING)
        if host is not _MISSING:
            return host  # type: ignore[no-any-return]  # whatever a class has there
    return None


class UserHosts:
    """Gives the suite's user classes their run's address, and all classes their own hosts back.

    Locust writes `environment.host` into every class at each start, for good. So an address that nobody gave does not
    stay there where other users run: theirs are their own.
    """

    def __init__(self, environment: Environment) -> None:
        """Remember each class's host.

        Args:
            environment: Locust's.
        """
        self._environment = environment
        self._own: dict[type[User], Any] = {}  # as it stands in the class itself, and not in one above it
        self._borrowed: list[type[User]] = []  # by the run under way
        self._given: str | None = None  # for the run about to start, or under way
        self._shown: set[str] = set()  # addresses that stood in `environment.host` though nobody gave them
        self._remember()

    @property
    def _classes(self) -> list[type[User]]:
        available = (getattr(self._environment, "available_user_classes", None) or {}).values()
        return list(dict.fromkeys([*available, *self._environment.user_classes]))

    @property
    def named(self) -> list[str]:
        """The hosts that the suite's user classes name, whichever of them a run is of."""
        return [host for one in suite_classes(self._classes) if (host := own_host(one))]

    def _remember(self) -> None:
        self._own = {one: _lent[one].own if one in _lent else vars(one).get("host", _MISSING) for one in self._classes}

    def ask(self, host: str | None, user_classes: Iterable[type]) -> HostAsked:
        """Find out where the run that is about to start is to go.

        Args:
            host: as Locust or the form has it.
            user_classes: those of the run.
        """
        self._remember()
        # Pages that are open still send what stood there before; a server with two ports has an address for each.
        self._given = None if host in self._shown else host or None
        asked = host_asked(self._given, user_classes)
        silent = [one.__name__ for one in suite_classes(user_classes) if not own_host(one)]
        if silent and asked.text and self._given is None:
            logger.info("%s: no host is named, so %s, as %s says", " and ".join(silent), asked.text, asked.named_by)
        return asked

    def show(self, address: str | None) -> None:
        """Have Locust's page and report name an address that nobody gave, where it harms nobody."""
        if not other_classes(self._environment.user_classes):
            self._environment.host = address
            self._shown |= {address} if address else set()

    def begin(self, address: str | None, is_leader: bool) -> None:
        """Give the suite's classes the run's address (on `test_start`, before any user is made).

        Args:
            address: where predictions go; None: the master does not run the suite.
            is_leader: whether this process has asked for the host; a worker is told it by the master.
        """
        self.end()  # of a run that was broken off
        if not is_leader:
            self._remember()
        self._borrowed = list(self._own)
        for one, own in self._own.items():
            lent = _lent.setdefault(one, _Lent(own))
            lent.written |= {address, self._environment.host}  # a master's classes have it by now
            lent.n_runs += 1
        if is_leader and self._given is None:
            self._environment.host = None
            self.show(address)
        if address and not self._environment.host:
            for one in suite_classes(self._environment.user_classes):
                one.host = address

    def end(self) -> None:
        """Give each class back what it had (on `test_stop`); what somebody else has written meanwhile stays."""
        for one in self._borrowed:
            lent = _lent[one]
            lent.n_runs -= 1
            if lent.n_runs:
                continue  # another environment's run goes on with it
            del _lent[one]
            if vars(one).get("host", _MISSING) not in lent.written:
                continue
            if lent.own is _MISSING:
                del one.host
            else:
                one.host = lent.own
        self._borrowed = []
