"""Servers that run as processes of their own."""

import os
import select
import subprocess
import sys

from tests.support.channels import open_channel
from tests.support.runs import PROJECT
from tfsload.settings.settings import Settings

MODEL = PROJECT / "models" / "mnist"
READY_LIMIT_S = 60


def first_line(process: subprocess.Popen) -> bytes:
    """Return what a server says when it is ready."""
    is_ready = select.select([process.stdout], [], [], READY_LIMIT_S)[0]
    assert is_ready, f"not ready after {READY_LIMIT_S} s: {process.args}"
    line = process.stdout.readline()
    assert line, f"ended before it was ready: {process.args}"
    return line


class ScriptedServer:
    """A process of `scripted_server.py`, or of another module; its port is there when this object is."""

    def __init__(self, *arguments: str, module: str = "scripted_server") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.support.{module}", *arguments],
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.port = int(first_line(self.process))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def n_begun(self) -> int:
        """Return how many calls `scripted_server.py` has begun to answer."""
        channel = open_channel(Settings.parse({}, self.address).connection)
        try:
            return int(channel.unary_unary("/test.Scripted/Begun")(b"", timeout=20))
        finally:
            channel.close()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)
