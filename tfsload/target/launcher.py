"""Starts and stops the embedded model server as a child process; imports neither TensorFlow nor gRPC."""

import atexit
import re
import time
from collections.abc import Sequence
from pathlib import Path

from tfsload.target.child_process import POLL_S, ChildProcess, own_program

_READY = re.compile(rb"^Serving model .*: gRPC at ([^\s,]+)(?:, REST at (\S+))?\n", re.MULTILINE)

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
        address: gRPC's, "127.0.0.1:port".
        rest_address: REST's; empty unless a flag asks for it, such as "--rest_api_free_port".
        pid: the server's process.
    """

    def __init__(self, child: ChildProcess, address: str, rest_address: str) -> None:
        self._child = child
        self.address = address
        self.rest_address = rest_address
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
        command = own_program(
            "tfsload.modelserver",
            "--port=0",
            "--exit_with_parent",
            f"--model_name={model_name}",
            f"--model_base_path={Path(model_base_path).absolute()}",
            *DEFAULT_FLAGS,
            *flags,
        )
        child = ChildProcess(command)
        try:
            return cls(child, *_addresses_when_ready(child, deadline_s))
        except BaseException:
            child.stop()
            raise

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, by `stop` or otherwise; of the process that started it."""
        return self._child.has_ended()

    def ends_within(self, limit_s: float) -> bool:
        """Wait for its end; return whether it has ended within so many seconds."""
        return self._child.wait(limit_s)

    def stop(self) -> None:
        """End the server: SIGTERM, and SIGKILL after 5 s. More than once does nothing more."""
        atexit.unregister(self.stop)
        self._child.stop()

    def __enter__(self) -> "EmbeddedServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _addresses_when_ready(child: ChildProcess, deadline_s: float) -> tuple[str, str]:
    """Wait for the child's ready line; return the addresses in it, of gRPC and of REST (empty: there is none)."""
    end = time.monotonic() + deadline_s
    while True:
        has_ended = child.has_ended()
        if ready := _READY.search(child.printed):
            return ready[1].decode(), (ready[2] or b"").decode()
        if has_ended:
            raise ServerStartError(f"the embedded model server ended with {child.exit_code}: {child.said}")
        if time.monotonic() > end:
            raise ServerStartError(f"the embedded model server was not ready after {deadline_s:g} s: {child.said}")
        time.sleep(POLL_S)
