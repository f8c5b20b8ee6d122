"""Runs that `fork_server.py` forks, as the tests see them."""

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_LOOK_S = 0.005
# It is asked for one run after another, and imports what they need first of all.
_LIMIT_S = 120
_PROJECT = Path(__file__).parents[2]


class ForkedRun:
    """One run: what the tests use of `subprocess.Popen`, whose parent is the fork server.

    Attributes:
        pid: its process.
        returncode: as Popen has it; None while it runs.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        stdin: int,
        stdout: int,
        stderr: int,
        cwd: Path,
        env: Mapping[str, str],
        start_new_session: bool,
    ) -> None:
        """Start it; what is given means what Popen means by it, with files by their numbers."""
        asked = {"arguments": list(arguments), "cwd": str(cwd), "environment": dict(env)}
        message = json.dumps({**asked, "new_session": start_new_session}).encode()
        told, tell = os.pipe()
        self._told = open(told, "rb", buffering=0)  # noqa: SIM115  (as long as this object)
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            given = null if stdin == subprocess.DEVNULL else stdin
            socket.send_fds(_fork_server(), [message], [given, stdout, stderr, tell])
        finally:
            os.close(null)
            os.close(tell)
        self.returncode: int | None = None
        self.pid = self._read()

    def poll(self) -> int | None:
        """Return its exit status if it has ended."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = self._read()
            self._told.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raise `TimeoutExpired` after so many seconds."""
        limit = time.monotonic() + (float("inf") if timeout is None else timeout)
        while self.poll() is None:
            if time.monotonic() > limit:
                raise subprocess.TimeoutExpired("locust", timeout)
            time.sleep(_LOOK_S)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _read(self) -> int:
        limit_s = time.monotonic() + _LIMIT_S
        while not select.select([self._told], [], [], _LOOK_S)[0]:
            assert time.monotonic() < limit_s, f"the fork server said nothing for {_LIMIT_S} s"
        line = self._told.readline()
        assert line, "the fork server is gone"
        return int(line)


@functools.cache
def _fork_server() -> socket.socket:
    """Start the fork server of this process, which ends with it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # Locust asks the terminal's width when it is imported, and a run's output is a file.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "GRPC_"))}
    with its:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server"],
            stdin=its.fileno(),
            stdout=subprocess.DEVNULL,
            cwd=_PROJECT,
            env={**environment, "PYTHONPATH": str(_PROJECT)},
        )
    atexit.register(_end, ours, process)
    return ours


def _end(control: socket.socket, process: subprocess.Popen) -> None:
    control.close()
    process.wait()
