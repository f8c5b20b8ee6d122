"""Locust started by a shell, with its redirections."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.runs import PROJECT

HEADLESS = ("--headless", "--only-summary", "-u", "4", "-r", "4")


def run_in_shell(redirection: str, *arguments: str, cwd: Path = PROJECT, **environment: str):
    """Run Locust as a shell does it, with `redirection` behind its command; keep what is written elsewhere."""
    passed_on = {name: value for name, value in os.environ.items() if not name.startswith(("LOCUST_", "TFSLOAD_"))}
    command = (sys.executable, "-m", "locust", "-f", str(PROJECT / "locustfile.py"), *HEADLESS, *arguments)
    return subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "bash", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=cwd,
        env={**passed_on, "PYTHONPATH": str(PROJECT), **environment},
        timeout=120,
    )
