"""One run, one protocol: gRPC and REST are held against each other by two runs.

Locust runs every class that a locustfile holds. The suite's own has one for each protocol, so that a run for which
nobody has named a class is one of gRPC: the suite's own class for REST waits until it is named.
"""

from collections.abc import Iterable, Sequence

from tfsload.run.user_hosts import other_classes, suite_classes
from tfsload.settings.settings import SettingsError
from tfsload.transport.spoken import GRPC, REST, SPOKEN, Spoken

# Where the suite's own classes stand, which take no part in a wheel's one top-level name.
_OWN_MODULES = {GRPC: "users.grpc_user", REST: "users.rest_user"}


def is_own(user_class: type, spoken: Spoken) -> bool:
    """Whether a class is the suite's own for a protocol, itself and not one that is made of it."""
    return (user_class.__module__, user_class.__name__) == (_OWN_MODULES[spoken], spoken.user_class)


def own_classes(user_classes: Iterable[type]) -> dict[str, type]:
    """Return the suite's own classes among these, by what they speak, in the order in which that is told."""
    classes = list(user_classes)
    found = {one.key: [each for each in classes if is_own(each, one)] for one in SPOKEN.values()}
    return {key: each[0] for key, each in found.items() if each}


def of_a_bare_run(user_classes: Sequence[type]) -> list[type]:
    """Return the classes of a run for which none was named: without the suite's own for REST, beside that for gRPC."""
    own = own_classes(user_classes)
    left_out = own.get(REST.key) if GRPC.key in own else None
    return [one for one in user_classes if one is not left_out]


def faults(user_classes: Iterable[type]) -> list[str]:
    """Return what is wrong with classes that speak different protocols, a sentence; nothing: they speak one."""
    own = sorted(suite_classes(user_classes), key=lambda one: one.__name__)  # Locust has those that were named anyhow
    each = {
        one.name: " and ".join(each.__name__ for each in own if each.transport_class.protocol == one.key)
        for one in SPOKEN.values()
    }
    told = [f"{names} ({protocol})" for protocol, names in each.items() if names]
    if len(told) < 2:
        return []
    return [
        f"user classes of several protocols: {' and '.join(told)}; a run has one: name the classes of one, such as "
        f"{own[0].__name__}, and compare the protocols by two runs"
    ]


def of_protocol(user_classes: Iterable[type], key: str) -> list[type]:
    """Return the classes that take part in a run of a protocol, in a worker, which may know those of others, too.

    Raises:
        SettingsError: none of the suite's speaks it.
    """
    classes = list(user_classes)
    own = [one for one in suite_classes(classes) if one.transport_class.protocol == key]
    if not own and suite_classes(classes):
        spoken = SPOKEN.get(key)
        name = spoken.name if spoken else key
        raise SettingsError([f"this worker's locustfile has no user class that sends {name}, as its master's has"])
    return [*own, *other_classes(classes)]
