"""A headless master and its workers, as processes of their own."""

import contextlib
from pathlib import Path
from typing import Any

from tests.support.runs import OBSERVED, PROJECT, LocustProcess, free_port, locust


class Cluster:
    """A headless master, and workers that are started when the test says."""

    def __init__(
        self,
        directory: Path,
        stack: contextlib.ExitStack,
        *arguments: str,
        locustfile: Path = OBSERVED,
        cwd: Path = PROJECT,
        of_master: dict[str, str] | None = None,
        **environment: str,
    ) -> None:
        """Start the master.

        Args:
            directory: below it each process leaves what it leaves.
            stack: ends all processes.
            arguments: of the master.
            locustfile: of all processes.
            cwd: of the master.
            of_master: its environment variables.
            environment: of the workers.
        """
        self._directory, self._stack, self._environment = directory, stack, environment
        self._locustfile = locustfile
        self.port = str(free_port())
        self.workers: list[LocustProcess] = []
        options = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", self.port)
        self.master = self._start(
            "master", *options, "--headless", "--only-summary", *arguments, cwd=cwd, **(of_master or {})
        )

    def join(self, *arguments: str, cwd: Path = PROJECT, **environment: str) -> LocustProcess:
        """Start a further worker, and return it at once; `environment` is of this one alone."""
        options = ("--worker", "--master-host", "127.0.0.1", "--master-port", self.port)
        self.workers.append(
            self._start(f"worker{len(self.workers)}", *arguments, *options, cwd=cwd, **self._environment | environment)
        )
        return self.workers[-1]

    def _start(self, name: str, *arguments: str, **options: Any) -> LocustProcess:
        process = locust(self._directory / name, *arguments, locustfile=self._locustfile, **options)
        return self._stack.enter_context(process)
