"""Sees what other programs take of this machine's CPUs while levels are measured, where that can be told at all."""

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import psutil

from tfsload.records.level import Level
from tfsload.records.neighbours import MachineReading, Neighbour, Neighbours, neighbours_between
from tfsload.run import machine_reading
from tfsload.transport.address import Address
from tfsload.transport.words import cut, shown

# In a shorter window a single job of a second, as any machine has some, would be a good part of it.
LEAST_S = 3.0
# The first reading is taken so long before the window: the process that takes it may run users, too.
_AHEAD_S = 0.1
_LONGEST_NAME = 40
# They listen for a server that is somewhere else, in a container of this machine, say: it is not known where.
FORWARDERS = frozenset(
    {
        *("docker-proxy", "containerd-shim", "rootlesskit", "rootlessport", "slirp4netns", "pasta", "pasta.avx2"),
        *("passt", "conmon", "podman", "gvproxy", "vpnkit", "kubectl", "kube-proxy", "ssh", "sshd", "socat"),
        *("nginx", "haproxy", "envoy", "traefik", "caddy", "systemd", "init"),
    }
)


class NeighbourWatch:
    """Reads the machine when a level's window begins and ends.

    What is no process of the run is another program. So nothing is claimed where the server may be such a program,
    since it is not seen, or where workers are on this machine whose processes are not.
    """

    def __init__(
        self,
        server_pids: Collection[int] | None,
        read: Callable[[], MachineReading | None] = machine_reading.read_machine,
        place: Callable[[], str] = machine_reading.place,
        cpus_of: Callable[[int], Collection[int]] = machine_reading.cpus_of,
    ) -> None:
        """Watch nothing yet.

        Args:
            server_pids: the server's processes, if this process has not started it; None: it is not known which.
            read: reads the machine.
            place: says which machine that is.
            cpus_of: on which CPUs a process may run.
        """
        self._server_pids = server_pids
        self._read, self._cpus_of = read, cpus_of
        self._place = place() if server_pids is not None else ""
        self._begin: MachineReading | None = None
        self._end: MachineReading | None = None
        self._begin_s = self._end_s = 0.0

    @classmethod
    def of(cls, server: Address, is_embedded: bool) -> "NeighbourWatch":
        """Return one for a run against a server; this looks for its process, which takes some milliseconds."""
        return cls(frozenset() if is_embedded else listeners(server))

    def level_begins(self, level: Level, now_s: float) -> None:
        """Know that a level's warm-up begins."""
        self._begin = self._end = None
        self._begin_s = now_s + max(level.warm_up_s - _AHEAD_S, 0.0)
        self._end_s = now_s + level.warm_up_s + level.duration_s
        if not self._place or level.duration_s < LEAST_S:
            self._begin_s = self._end_s = float("inf")
        self.look(now_s)

    def look(self, now_s: float) -> None:
        """Read the machine, if the level's window begins or ends about now."""
        if self._begin_s <= now_s and self._begin is None:
            self._begin_s, self._begin = float("inf"), self._read()
        elif self._end_s <= now_s and self._begin is not None:
            self._end_s, self._end = float("inf"), self._read()

    def level_ended(self, reports: Iterable[Mapping[str, Any]], now_s: float) -> Neighbours | None:
        """Return what others took in the level; None: it is not known.

        Args:
            reports: of all processes that ran users in it, with their `place` and `pid`.
            now_s: the time.
        """
        self.look(now_s + _AHEAD_S)  # clocks of several processes, and of one, are not the same to the last digit
        roots = self._own_pids(reports)
        if self._begin is None or self._end is None or roots is None:
            return None
        found = neighbours_between(self._begin, self._end, roots, self._cpus_of)
        return None if found is None else replace(found, greatest=tuple(map(_named, found.greatest)))

    def _own_pids(self, reports: Iterable[Mapping[str, Any]]) -> set[int] | None:
        """Return the run's own processes on this machine; None: some are not seen from here."""
        reports = list(reports)
        if self._server_pids and self._place not in {report.get("place") for report in reports}:
            return None  # what each worker calls loopback is its own machine's
        own = {os.getpid(), *(self._server_pids or ())}
        for report in reports:
            place = report.get("place", "")
            if place == self._place:
                own.add(report["pid"])
            elif place.partition(" ")[0] == self._place.partition(" ")[0]:
                return None  # in a container of this same machine
        return own


def listeners(server: Address) -> frozenset[int] | None:
    """Return the processes that listen at an address of this machine's loopback; None: it is not known which they are.

    Those of others are seen by root alone, and those that only hand on what they hear say nothing of the server.
    """
    if server.port is None or not server.is_loopback or not sys.platform.startswith("linux"):
        return None
    try:
        listening = [one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
        here = [one for one in listening if _is_reached(one.laddr, server.port)]
        if not here or any(one.pid is None for one in here):
            return None
        pids = frozenset(one.pid for one in here if one.pid is not None)
        return None if any(psutil.Process(pid).name() in FORWARDERS for pid in pids) else pids
    except (psutil.Error, OSError):
        return None


def _is_reached(address: Any, port: int) -> bool:
    """Whether who listens at an address is reached over loopback at a port."""
    ip = str(address.ip)
    if address.port != port:
        return False
    return ip in ("0.0.0.0", "::", "::1") or ip.removeprefix("::ffff:").startswith("127.")


def _named(neighbour: Neighbour) -> Neighbour:
    return replace(neighbour, name=cut(shown(neighbour.name), _LONGEST_NAME)) if neighbour.pid else neighbour
