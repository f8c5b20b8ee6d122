"""Runs Locust as a user does: as processes of its own."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.forked_run import ForkedRun

PROJECT = Path(__file__).parents[2]
OBSERVED = Path(__file__).parent / "locustfiles" / "observed.py"
# What is looked at is seldom how fast a run is: the requests of one that lasts for a time take so long at least, which
# leaves the machine to the tests beside it. A test that needs them faster, or slower, says so.
UNHURRIED_S = "0.005"
# For a test whose truth is of a load generator that goes as fast as it can.
FULL_SPEED = {"TFSLOAD_TEST_IN_FLIGHT_S": ""}
# Far beyond what any of these runs takes: a hang is to fail the test, not the machine's load.
LIMIT_S = 120
_LEAST_PORT = 10_000
# A run is to see what a user's shell would hand it.
_NOT_PASSED_ON = ("LOCUST_", "TFSLOAD_", "GRPC_")
# What Python reads when it starts, which the fork server has done.
_PYTHONS_OWN = ("PYTHON", "LC_", "LANG", "LD_")


@dataclass(frozen=True)
class Ended:
    """A Locust process that has ended.

    Attributes:
        exit_code, stdout, stderr: the process's.
        outcome: what `observed.py` wrote; None where the run did not get that far.
    """

    exit_code: int
    stdout: str
    stderr: str
    outcome: dict[str, Any] | None


class LocustProcess:
    """One `locust` process over the observed locustfile."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        locustfile: Path = OBSERVED,
        cwd: Path = PROJECT,
        start_new_session: bool = False,
        stdin: int = subprocess.DEVNULL,
        is_forked: bool = True,
        **environment: str,
    ) -> None:
        """Start it in `cwd`; what it leaves goes to `directory`, which no other process may use.

        It is forked by the fork server, which saves its imports; not where `is_forked` is false, for a test of what
        happens among them, or where a variable is Python's own.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._outcome = directory / "outcome.json"
        self.progress = directory / "progress"
        self._stdout, self._stderr = directory / "stdout", directory / "stderr"
        is_forked = is_forked and not any(name.startswith(_PYTHONS_OWN) for name in environment)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)},
            "PYTHONPATH": str(PROJECT),
            "TFSLOAD_TEST_OUTCOME": str(self._outcome),
            "TFSLOAD_TEST_PROGRESS": str(self.progress),
            **({} if "--num-tests" in arguments else {"TFSLOAD_TEST_IN_FLIGHT_S": UNHURRIED_S}),
            **environment,
        }
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            start = ForkedRun if is_forked else _start
            self.process = start(
                ["-f", str(locustfile), *arguments, *_own_ports(arguments)],
                stdin=stdin,
                stdout=stdout.fileno(),
                stderr=stderr.fileno(),
                cwd=cwd,
                env=environment,
                start_new_session=start_new_session,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def n_done(self) -> int:
        """Return how many requests of a `--num-tests` run were delivered so far."""
        try:
            return int(self.progress.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def log(self) -> str:
        """Return what it has logged so far."""
        return self._stderr.read_text()

    def has_spawned(self) -> bool:
        """Whether users were started, as Locust says on a machine with time and on one without.

        A master that has not heard of them yet says that there are none.
        """
        log = self.log()
        return "All users spawned" in log or "Spawning is complete" in log

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> Ended:
        """Wait until it ends by itself."""
        try:
            exit_code = self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"locust did not end in {LIMIT_S} s:\n{self.log()}") from None
        outcome = json.loads(self._outcome.read_text()) if self._outcome.exists() else None
        return Ended(exit_code, self._stdout.read_text(), self._stderr.read_text(), outcome)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait(LIMIT_S)


@contextlib.contextmanager
def locust(directory: Path, *arguments: str, **options: Any) -> Iterator[LocustProcess]:
    """Start a Locust process; it does not outlive the block."""
    process = LocustProcess(directory, *arguments, **options)
    try:
        yield process
    finally:
        process.kill()


def run_headless(directory: Path, *arguments: str, **options: Any) -> Ended:
    """Run `locust --headless …` to its end."""
    with locust(directory, "--headless", "--only-summary", *arguments, **options) as process:
        return process.wait()


def wait_until(condition: Callable[[], Any], what: str, limit_s: float = 60) -> Any:
    """Poll until a condition is true and return its value; fail with `what` after the limit."""
    limit = time.monotonic() + limit_s
    while not (value := condition()):
        assert time.monotonic() < limit, f"waited {limit_s} s in vain: {what}"
        time.sleep(0.01)
    return value


def wait_for(condition: Callable[[], Any]) -> Any:
    """Wait for what other greenlets of this process do; pytest shows the condition that stayed false."""
    return wait_until(condition, "see the condition", 10)


def free_port() -> int:
    """Return a TCP port of loopback that is free now, and that the system gives no outgoing connection meanwhile."""
    for port in random.SystemRandom().sample(range(_LEAST_PORT, _first_port_of_connections()), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def _first_port_of_connections() -> int:
    """Return from where on the system takes ports by itself."""
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:  # not Linux
        first = 32_768
    return max(first, 2 * _LEAST_PORT)


def is_listening(address: str) -> bool:
    """Whether somebody takes connections at an address, HOST:PORT."""
    host, port = address.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def forked(n_workers: int) -> tuple[str, ...]:
    """Return the arguments of a run whose workers are forked, on a port that no other run has; 0: of one process."""
    if not n_workers:
        return ()
    port = str(free_port())
    return ("--processes", str(n_workers), "--master-bind-port", port, "--master-port", port)


def _start(arguments: Sequence[str], **options: Any) -> subprocess.Popen:
    """Start `python -m locust` as a user does."""
    return subprocess.Popen([sys.executable, "-m", "locust", *arguments], **options)


def _own_ports(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ports of a master that forks its workers: by default all have the same, and tests run side by side."""
    if "--processes" not in arguments or "--worker" in arguments or "--master-bind-port" in arguments:
        return ()
    port = str(free_port())
    return ("--master-bind-port", port, "--master-port", port)
