"""A Locust process with its web UI, as whoever talks HTTP sees it."""

import contextlib
import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.runs import PROJECT, LocustProcess, free_port, locust, wait_until

# Behind Locust's login, at which nobody is known.
WITH_LOGIN = PROJECT / "tests" / "support" / "locustfiles" / "with_login.py"
# How long a request may take that waits for a check of the server, on a busy machine.
REQUEST_LIMIT_S = 60


@dataclass(frozen=True)
class Reply:
    """An answer of HTTP.

    Attributes:
        status: its code.
        headers: by name in lower case.
        body: as text.
    """

    status: int
    headers: dict[str, str]
    body: str


class WebUi:
    """A Locust process with its web UI, as a browser sees it."""

    def __init__(self, process: LocustProcess, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> Reply:
        """Send one request with these headers (`_` for `-`; the `Host` of one's choice too)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_LIMIT_S)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.putrequest(method, path, skip_host="Host" in named)
            for name, value in {"Content-Type": "application/x-www-form-urlencoded", **named}.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body.encode())))
            connection.endheaders(body.encode())
            reply = connection.getresponse()
            return Reply(
                reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read().decode()
            )

    @staticmethod
    def routes(written: Path) -> dict[str, set[str]]:
        """Return methods by route, as `locustfiles/routed.py` has written them."""
        return {rule: set(methods) for rule, methods in json.loads(written.read_text())}

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=REQUEST_LIMIT_S) as reply:
            return reply.read().decode()

    def is_up(self, path: str = "/") -> bool:
        try:
            return bool(self.get(path))
        except OSError:
            return False

    def start(self, **form: Any) -> dict[str, Any]:
        """Send the start form; return what the page is told."""
        fields = urllib.parse.urlencode({"user_count": 4, "spawn_rate": 4, **form}).encode()
        with urllib.request.urlopen(self.url + "/swarm", fields, timeout=REQUEST_LIMIT_S) as reply:
            return json.loads(reply.read())

    def stop(self) -> None:
        """Press the stop button."""
        urllib.request.urlopen(self.url + "/stop", b"", timeout=REQUEST_LIMIT_S).close()

    def stats(self) -> dict[str, Any]:
        return json.loads(self.get("/stats/requests"))

    def counts(self) -> tuple[int, int]:
        """Return requests and failures in Locust's table."""
        row = next(row for row in self.stats()["stats"] if row["name"] == "Predict")
        return row["num_requests"], row["num_failures"]

    def log(self) -> list[str]:
        """Return what the log tab shows, a record each."""
        return json.loads(self.get("/logs"))["master"]

    def wait_for_end(self) -> None:
        """Wait as a page does, which reads the log beside the state."""
        wait_until(lambda: self.log() and self.stats()["state"] == "stopped", "the run to end by itself")

    def wait_until_running(self) -> None:
        """Wait until a run has begun."""
        wait_until(lambda: self.stats()["state"] == "running", "the run")

    def n_summaries(self) -> int:
        return self.summaries().count("Inference error rate:")

    def summaries(self) -> str:
        """Return what was logged, the suite's own lines without what stands before each."""
        return re.sub(r"(?m)^\[[^\]]*\] \S+/INFO/tfsload: ", "", self.process.log())


@contextlib.contextmanager
def web_ui_of(
    directory: Path,
    *arguments: str,
    web_host: str = "127.0.0.1",
    up_path: str = "/",
    is_drawn: bool = False,
    **options: Any,
) -> Iterator[WebUi]:
    """Start Locust with its web UI, and wait until it answers to `up_path`.

    Runs over the observed locustfile leave whole reports only where `is_drawn` says so, otherwise pages without charts:
    to draw them takes two seconds of a CPU, and a run a tenth of one.
    """
    port = free_port()
    where = ("--web-host", web_host, "--web-port", str(port))
    if not is_drawn:
        options["TFSLOAD_TEST_UNDRAWN"] = "1"
    with locust(directory, *where, *arguments, **options) as process:
        ui = WebUi(process, port)
        wait_until(lambda: ui.is_up(up_path), "the web UI")
        yield ui


# What a start form asks for that a run before it may have: a field that is not sent keeps the value of the last start.
UNSET = {"sweep": "", "rate": "", "num_tests": "0", "deadline": "5", "run_time": ""}
LEVEL = {"level_duration": "1", "warm_up": "0.2"}
