"""Starts and stops the embedded model server as a child process; imports neither TensorFlow nor gRPC."""

import atexit
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_PROJECT = Path(__file__).resolve().parents[2]
_READY = re.compile(rb"^Serving model .*: gRPC at (\S+)\n", re.MULTILINE)
_POLL_S = 0.02
_TAIL_BYTES = 2000

DEFAULT_FLAGS = (
    # The real server's default, 4 for each CPU, rejects whoever comes beyond. On a small machine that is
    # 8 users: a first run with more would see errors, where it should see a queue.
    "--grpc_max_threads=256",
)


class ServerStartError(RuntimeError):
    """The embedded server ended, or was not ready in time; the message ends with what it last said."""


class EmbeddedServer:
    """A model server on a free port of loopback. It lives until `stop`, the end of this process, or its kill.

    Use `start` to make one. A process forked later on may hold this object, but cannot stop the server.

    Attributes:
        address: "127.0.0.1:port".
        pid: the server's process.
    """

    def __init__(self, child: "_Child", address: str) -> None:
        self._child = child
        self.address = address
        self.pid = child.pid
        atexit.register(self.stop)

    @classmethod
    def start(
        cls,
        model_name: str,
        model_base_path: Path | str,
        flags: Sequence[str] = (),
        *,
        deadline_s: float = 60.0,
    ) -> "EmbeddedServer":
        """Start a server, and wait until it answers.

        Args:
            model_name: the name in requests.
            model_base_path: directory that holds the version directories.
            flags: further flags of the server, such as "--tensorflow_inter_op_parallelism=1"; they win over
                `DEFAULT_FLAGS`.
            deadline_s: seconds until the server must be ready.

        Raises:
            ServerStartError: it ended early, or was not ready in time.
        """
        command = [
            *(sys.executable, "-m", "tfsload.modelserver", "--port=0", "--exit_with_parent"),
            f"--model_name={model_name}",
            f"--model_base_path={Path(model_base_path).absolute()}",
            *DEFAULT_FLAGS,
            *flags,
        ]
        child = _Child(command)
        try:
            return cls(child, child.wait_ready(deadline_s))
        except BaseException:
            child.stop()
            raise

    def stop(self) -> None:
        """End the server: SIGTERM, and SIGKILL after 5 s. More than once does nothing more."""
        atexit.unregister(self.stop)
        self._child.stop()

    def __enter__(self) -> "EmbeddedServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Child:
    """The process, its output in temporary files, and the pipe whose end tells it that we are gone."""

    def __init__(self, command: Sequence[str]) -> None:
        self._owner = os.getpid()
        # Files, not pipes: nobody has to read them for the child to go on.
        self._output = contextlib.ExitStack()
        self._stdout: IO[bytes] = self._output.enter_context(tempfile.TemporaryFile())
        self._stderr: IO[bytes] = self._output.enter_context(tempfile.TemporaryFile())
        read_end, write_end = os.pipe()
        self._output.callback(os.close, write_end)
        self._running = True
        try:
            self._process = subprocess.Popen(
                command,
                stdin=read_end,
                stdout=self._stdout,
                stderr=self._stderr,
                env=_environment(),
                # Ctrl-C reaches this process first, which may still have calls under way.
                start_new_session=True,
            )
        finally:
            os.close(read_end)
        self.pid = self._process.pid

    def wait_ready(self, deadline_s: float) -> str:
        """Wait for the child's ready line; returns the address in it."""
        end = time.monotonic() + deadline_s
        while True:
            code = self._process.poll()
            if ready := _READY.search(_tail(self._stdout)):
                return ready[1].decode()
            if code is not None:
                raise ServerStartError(f"the embedded model server ended with {code}: {self._said()}")
            if time.monotonic() > end:
                raise ServerStartError(
                    f"the embedded model server was not ready after {deadline_s:g} s: {self._said()}"
                )
            time.sleep(_POLL_S)

    def stop(self, patience_s: float = 5.0) -> None:
        if os.getpid() != self._owner or not self._running:
            return
        self._running = False
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def _said(self) -> str:
        return _tail(self._stderr).decode(errors="replace").strip() or "it said nothing"


def _environment() -> dict[str, str]:
    """This process's environment, with the project first where Python looks for packages."""
    paths = [str(_PROJECT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}


def _tail(file: IO[bytes]) -> bytes:
    """The last bytes of a file that another process writes (at its own position, which is shared)."""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), _TAIL_BYTES, max(0, size - _TAIL_BYTES))
