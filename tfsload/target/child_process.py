"""A program of the suite's own, run beside this process: out of the reach of Ctrl-C, and gone when it is."""

import contextlib
import os
import signal
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tfsload.datasets.shipped import PACKAGE_PARENT

POLL_S = 0.02
_PATIENCE_S = 5.0
_TAIL_BYTES = 2000


def own_program(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this suite.

    -P: what lies in the working directory is not what Python's own modules are taken for.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


class ChildProcess:
    """A process, its output in temporary files, and a pipe to it, whose end tells it that we are gone.

    One forked from this process later on may hold this object, but cannot stop the child.

    Attributes:
        pid: the child's.
        exit_code: its exit code, below 0: the signal that ended it; None: it has not ended yet, as far as was looked.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """Start it.

        Raises:
            OSError: it cannot be started.
        """
        self._owner = os.getpid()
        self.exit_code: int | None = None
        with contextlib.ExitStack() as output:
            # Files, not pipes: nobody has to read them for the child to go on.
            self._stdout = output.enter_context(_temporary_file())
            self._stderr = output.enter_context(_temporary_file())
            read_end, write_end = os.pipe()
            output.callback(os.close, write_end)
            try:
                self.pid = _spawn(list(command), read_end, self._stdout.fileno(), self._stderr.fileno())
            finally:
                os.close(read_end)
            self._output = output.pop_all()  # of one that is not started, nothing stays open

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL after 5 s. More than once does nothing more."""
        if os.getpid() != self._owner:
            return
        for number, patience_s in ((signal.SIGTERM, _PATIENCE_S), (signal.SIGKILL, _PATIENCE_S)):
            if self.has_ended():
                break
            os.kill(self.pid, number)
            self.wait(patience_s)
        self._output.close()

    def wait(self, limit_s: float) -> bool:
        """Wait for its end; return whether it has ended within so many seconds."""
        end = time.monotonic() + limit_s
        while not self.has_ended() and time.monotonic() < end:
            time.sleep(POLL_S)
        return self.has_ended()

    def has_ended(self) -> bool:
        """Whether the child has ended; until it has, its pid is its own, and no other process's."""
        if self.exit_code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                # Something in this process collects every child, as gevent's loop may do.
                pid, status = self.pid, 0
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is not None

    @property
    def printed(self) -> bytes:
        """The last of what it has written to standard output."""
        return _tail(self._stdout)

    @property
    def said(self) -> str:
        """The last of what it has written to standard error."""
        return _tail(self._stderr).decode(errors="replace").strip() or "it said nothing"


def _spawn(command: list[str], stdin: int, stdout: int, stderr: int) -> int:
    """Start a process in a group of its own, so that Ctrl-C reaches only us; returns its pid.

    The session is ours: where we end while the child is stopped (SIGSTOP, a debugger), which cannot notice, the system
    hangs it up and has it go on, as it does with each stopped group whose session has nobody else to do so.

    Not by subprocess: gevent's replacement of it forks, and gRPC's fork handlers then crash the child where
    this process has used gRPC before.
    """
    wiring = [(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in enumerate((stdin, stdout, stderr))]
    return os.posix_spawn(command[0], command, _environment(), file_actions=wiring, setpgroup=0)


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
