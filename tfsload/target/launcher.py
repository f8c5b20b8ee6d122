"""Starts and stops the embedded model server as a child process; imports neither TensorFlow nor gRPC."""

import atexit
import contextlib
import os
import re
import signal
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tfsload.datasets.shipped import PACKAGE_PARENT

_READY = re.compile(rb"^Serving model .*: gRPC at (\S+)\n", re.MULTILINE)
_POLL_S = 0.02
_PATIENCE_S = 5.0
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
            # -P: what lies in the working directory is not what Python's own modules are taken for.
            *(sys.executable, "-P", "-m", "tfsload.modelserver", "--port=0", "--exit_with_parent"),
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

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, by `stop` or otherwise; of the process that started it."""
        return self._child.has_ended()

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
        self._exit_code: int | None = None
        self._output = contextlib.ExitStack()
        # Files, not pipes: nobody has to read them for the child to go on.
        self._stdout = self._output.enter_context(_temporary_file())
        self._stderr = self._output.enter_context(_temporary_file())
        read_end, write_end = os.pipe()
        self._output.callback(os.close, write_end)
        try:
            self.pid = _spawn(list(command), read_end, self._stdout.fileno(), self._stderr.fileno())
        finally:
            os.close(read_end)

    def wait_ready(self, deadline_s: float) -> str:
        """Wait for the child's ready line; returns the address in it."""
        end = time.monotonic() + deadline_s
        while True:
            ended = self.has_ended()
            if ready := _READY.search(_tail(self._stdout)):
                return ready[1].decode()
            if ended:
                raise ServerStartError(f"the embedded model server ended with {self._exit_code}: {self._said()}")
            if time.monotonic() > end:
                raise ServerStartError(
                    f"the embedded model server was not ready after {deadline_s:g} s: {self._said()}"
                )
            time.sleep(_POLL_S)

    def stop(self) -> None:
        if os.getpid() != self._owner:
            return
        for number, patience_s in ((signal.SIGTERM, _PATIENCE_S), (signal.SIGKILL, _PATIENCE_S)):
            if self.has_ended():
                break
            os.kill(self.pid, number)
            self._wait(patience_s)
        self._output.close()

    def _wait(self, patience_s: float) -> None:
        end = time.monotonic() + patience_s
        while not self.has_ended() and time.monotonic() < end:
            time.sleep(_POLL_S)

    def has_ended(self) -> bool:
        """Whether the child has ended; until it has, its pid is its own, and no other process's."""
        if self._exit_code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                # Something in this process collects every child, as gevent's loop may do.
                pid, status = self.pid, 0
            if pid:
                self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code is not None

    def _said(self) -> str:
        return _tail(self._stderr).decode(errors="replace").strip() or "it said nothing"


def _spawn(command: list[str], stdin: int, stdout: int, stderr: int) -> int:
    """Start a process in a session of its own, so that Ctrl-C reaches only us; returns its pid.

    Not by subprocess: gevent's replacement of it forks, and gRPC's fork handlers then crash the child where
    this process has used gRPC before.
    """
    wiring = [(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in enumerate((stdin, stdout, stderr))]
    return os.posix_spawn(command[0], command, _environment(), file_actions=wiring, setsid=True)


def _temporary_file() -> IO[bytes]:
    return tempfile.TemporaryFile()  # closed by the caller's ExitStack


def _environment() -> dict[str, str]:
    """This process's environment, with this package where the child looks for packages."""
    if Path(sysconfig.get_path("purelib")).resolve() == PACKAGE_PARENT:
        return dict(os.environ)  # installed: it is found as it is, and on PYTHONPATH all would come before Python's own
    paths = [str(PACKAGE_PARENT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}


def _tail(file: IO[bytes]) -> bytes:
    """The last bytes of a file that another process writes (at its own position, which is shared)."""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), _TAIL_BYTES, max(0, size - _TAIL_BYTES))
