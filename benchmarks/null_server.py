"""The null server: nghttpd with canned replies, so fast that the client is the bottleneck."""

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import canned

START_LIMIT_S = 10
# nghttpd's verbose log has this line once for each request.
_REQUEST_LINE = f":path: /{canned.PREDICT_PATH}\n".encode()


@dataclass(frozen=True)
class NullServer:
    """A null server that runs.

    Attributes:
        address: HOST:PORT.
        pid: its process.
        log: where it logs each frame, which makes it slower; None: it does not.
    """

    address: str
    pid: int
    log: Path | None

    def cpu_s(self) -> float:
        """Return the CPU time that it has used, in seconds."""
        used = psutil.Process(self.pid).cpu_times()
        return used.user + used.system

    def n_served(self) -> int:
        """Return how many Predict requests it has logged."""
        with self.log.open("rb") as log:
            return sum(line.endswith(_REQUEST_LINE) for line in log)


@contextlib.contextmanager
def running(is_logging: bool = False) -> Iterator[NullServer]:
    """Run a null server on loopback."""
    with tempfile.TemporaryDirectory() as directory:
        root, log = Path(directory) / "replies", Path(directory) / "log"
        _write_replies(root)
        port = free_port()
        command = ["nghttpd", "--no-tls", "--address=127.0.0.1", "-d", str(root), "--trailer", "grpc-status: 0"]
        command += ["--verbose", str(port)] if is_logging else [str(port)]
        with log.open("wb") as output:
            server = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        try:
            wait_until_it_listens(port)
            yield NullServer(f"127.0.0.1:{port}", server.pid, log if is_logging else None)
        finally:
            server.kill()
            server.wait()


def _write_replies(root: Path) -> None:
    for path, reply in canned.replies().items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(reply)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_listens(port: int) -> None:
    """Wait for whoever is to listen on a port of loopback; raise TimeoutError if nobody does."""
    limit = time.monotonic() + START_LIMIT_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > limit:
            raise TimeoutError(f"nghttpd does not listen on port {port} after {START_LIMIT_S} s")
        time.sleep(0.05)
