"""Locustfiles as people write them, run against a server that keeps its own count of what it was sent."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.runs import Ended, forked, run_headless
from tests.support.truth import TruthServer, truth_server
from tests.support.truth_server import Served

# What each begins with; `say` notes that something has happened, and what.
HEAD = """
import os
import gevent
from locust import *
from locust import events
import tfsload

def say(*words):
    with open(os.environ["SAID"], "a") as said:
        print(*words, file=said)
"""
SERVICE_MS = 10


@dataclass(frozen=True)
class Seen:
    """What came of a run.

    Attributes:
        ended: what the command line left.
        served: the server's log: each request that it was sent.
        said: how often the locustfile has said what.
    """

    ended: Ended
    served: list[Served]
    said: Counter[str]

    @property
    def n_served(self) -> int:
        return len(self.served)

    @property
    def most_in_flight(self) -> int:
        return max((one.in_flight for one in self.served), default=0)

    @property
    def spawned(self) -> list[dict[str, int]]:
        """How many users of which class there were, each time that Locust says so."""
        lines = [line for line in self.ended.stderr.splitlines() if "All users spawned: {" in line]
        return [json.loads(line[line.index("{") : line.index("}") + 1]) for line in lines]


class Own:
    """Runs locustfiles in a directory of their own against one server."""

    def __init__(self, directory: Path, server: TruthServer) -> None:
        self.directory, self.server = directory, server
        self.said = directory / "said"

    @property
    def address(self) -> str:
        return self.server.address

    def write(self, source: str, name: str = "own.py") -> Path:
        """Write a file; of a locustfile, after its beginning."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = source.replace("SERVER", self.address)
        path.write_text(HEAD + text if name.endswith(".py") else text)
        return path

    def run(self, source: str, *arguments: str, n_workers: int = 0, **options: Any) -> Seen:
        """Run a locustfile headless to its end; the server's log ends with it."""
        path = self.write(source)
        given = ("--host", self.address, *arguments, *forked(n_workers))
        ended = run_headless(self.directory / "run", *given, locustfile=path, SAID=str(self.said), **options)
        return self.seen(ended)

    def seen(self, ended: Ended) -> Seen:
        said = Counter(self.said.read_text().splitlines()) if self.said.exists() else Counter()
        return Seen(ended, self.server.end(), said)


@contextmanager
def own_locustfiles(directory: Path, **script: Mapping[str, Any]) -> Iterator[Own]:
    """Start the server; it does not outlive the block."""
    with truth_server(directory / "server", **{"service_ms": SERVICE_MS, **script}) as server:
        yield Own(directory, server)
