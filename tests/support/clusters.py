"""A headless master and its workers, as processes of their own."""

import contextlib
from pathlib import Path

from tests.support.runs import PROJECT, LocustProcess, free_port, locust


class Cluster:
    """A headless master, and workers that are started when the test says."""

    def __init__(self, directory: Path, stack: contextlib.ExitStack, *arguments: str, **environment: str) -> None:
        self._directory, self._stack, self._environment = directory, stack, environment
        self.port = str(free_port())
        self.workers = []
        master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", self.port)
        self.master = stack.enter_context(
            locust(directory / "master", *master, "--headless", "--only-summary", *arguments, cwd=PROJECT)
        )

    def join(self) -> LocustProcess:
        """Start a further worker, and return it at once."""
        join = ("--worker", "--master-host", "127.0.0.1", "--master-port", self.port)
        directory = self._directory / f"worker{len(self.workers)}"
        self.workers.append(self._stack.enter_context(locust(directory, *join, **self._environment)))
        return self.workers[-1]
