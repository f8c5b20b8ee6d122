"""Servers that run as processes of their own."""

import subprocess
import sys

from tests.support.runs import PROJECT

MODEL = PROJECT / "models" / "mnist"


class ScriptedServer:
    """A process of `scripted_server.py`, or of another; its port is there when this object is."""

    def __init__(self, *arguments: str, script: str = "scripted_server.py") -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROJECT / "tests" / "support" / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.port = int(self.process.stdout.readline())

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)
