"""Runs against a server that knows the truth about itself."""

import contextlib
import json
import math
import re
import subprocess
import sys
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.runs import PROJECT, Ended, locust
from tests.support.server_processes import first_line
from tests.support.truth_server import Served
from tfsload.analysis import exit_codes

TRUTHFUL = PROJECT / "tests" / "support" / "locustfiles" / "truthful.py"
PREDICT = "/tensorflow.serving.PredictionService/Predict"
# A run that the machine had no time for is made again, so often at most.
MOST_ATTEMPTS = 4
NS_PER_S = 1_000_000_000


class TruthServer:
    """A process of `truth_server.py`.

    Attributes:
        address: HOST:PORT.
    """

    def __init__(self, directory: Path, script: Mapping) -> None:
        """Start it by a script; its log goes to `directory`."""
        self._log = directory / "served.json"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.truth_server", json.dumps(script), str(self._log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT,
        )
        self.address = f"127.0.0.1:{int(first_line(self._process))}"

    def end(self) -> list[Served]:
        """End it and return its log."""
        self._process.terminate()
        assert self._process.wait(20) == 0
        return [Served(*row) for row in json.loads(self._log.read_text())]

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(20)


@contextlib.contextmanager
def truth_server(directory: Path, **script) -> Iterator[TruthServer]:
    """Start a server; it does not outlive the block."""
    directory.mkdir(parents=True, exist_ok=True)
    server = TruthServer(directory, script)
    try:
        yield server
    finally:
        server.kill()


@dataclass(frozen=True)
class Heard:
    """A request as a listener of the load generator heard of it.

    Attributes:
        crc: of its message.
        level: where it was counted.
        due_ns: when it was due, in closed load sent.
        done_ns: when its answer was there.
        is_failed: whether there was none.
        process: which of the load generator's it was, from 0.
    """

    crc: int
    level: int
    due_ns: int
    done_ns: int
    is_failed: bool
    process: int = 0

    @property
    def latency_ns(self) -> int:
        return self.done_ns - self.due_ns


@dataclass(frozen=True)
class Run:
    """A run that was made.

    Attributes:
        ended: what the command line left.
        served: the server's log, without what came before the first request of a user.
        heard: all requests of all processes, in no order.
        windows: begin and end of each level, by process.
        rows: what the levels' rows hold, printed or not.
    """

    ended: Ended
    served: list[Served]
    heard: list[Heard]
    windows: list[dict[int, tuple[int, int]]]
    rows: list[dict]

    @property
    def text(self) -> str:
        return self.ended.stdout

    @property
    def table(self) -> list[dict[str, str]]:
        """The levels' table, a dict a row, by heading."""
        return parse_table(self.text)

    def window(self, level: int) -> tuple[int, int]:
        """Return a level's window in a run of one process."""
        (windows,) = self.windows
        return windows[level]

    def counted(self, level: int) -> list[Heard]:
        """Return the requests that were counted in a level."""
        return [request for request in self.heard if request.level == level]

    def pairs(self) -> list[tuple[Heard, Served]]:
        """Return each request as the load generator and as the server saw it, as they were due."""
        served = defaultdict(deque)
        for one in self.served:
            served[one.crc].append(one)
        # Messages that are the same are in flight together hardly ever, and are then answered in turn.
        return [(heard, served[heard.crc].popleft()) for heard in sorted(self.heard, key=lambda heard: heard.due_ns)]

    def mean_stay_ms(self, level: int) -> float:
        """Return for how long the counted requests of a level were in the server, by its log; their mean."""
        stays_ns = [one.departure_ns - one.arrival_ns for heard, one in self.pairs() if heard.level == level]
        return sum(stays_ns) / len(stays_ns) / 1e6

    def delays_ns(self) -> list[int]:
        """Return by how much each counted request took longer than the server had reckoned."""
        return [heard.latency_ns - (one.done_ns - one.arrival_ns) for heard, one in self.pairs() if heard.level > 0]


@dataclass(frozen=True)
class Case:
    """A run to be made.

    Attributes:
        script: the server's.
        arguments: Locust's.
        is_to_be_valid: whether a run that finds itself invalid was disturbed.
        most_delay_ms: a run was disturbed if more than a hundredth of its requests were delayed by more than this.
    """

    script: Mapping
    arguments: tuple[str, ...]
    is_to_be_valid: bool = True
    most_delay_ms: float = 60

    def was_disturbed(self, run: Run) -> bool:
        """Return whether the machine had no time for a run."""
        if self.is_to_be_valid and run.ended.exit_code == exit_codes.INVALID:
            return True
        delays_ns = run.delays_ns()
        return not delays_ns or percentile_ns(delays_ns, 99) > self.most_delay_ms * 1e6


def parse_table(text: str) -> list[dict[str, str]]:
    r"""Read the levels' table out of what a run has printed.

    >>> parse_table("level    req/s  p99 ms  stable\n2 users  1,234       –  yes\nEach percentile is the ..")
    [{'level': '2 users', 'req/s': '1,234', 'p99 ms': '–', 'stable': 'yes'}]
    """
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    begin = next(number for number, cells in enumerate(lines) if cells[:2] == ["level", "req/s"])
    end = next(number for number, cells in enumerate(lines) if cells[0].startswith("Each percentile is "))
    return [dict(zip(lines[begin], cells, strict=True)) for cells in lines[begin + 1 : end]]


def number(cell: str) -> float:
    """Read a cell of the table; a percentage as a number from 0 to 100."""
    return float(cell.replace(",", "").removesuffix("%"))


def run_all(directory: Path, cases: Mapping[Any, Case], **environment: str) -> dict[Any, Run]:
    """Make runs at the same time; each has a server of its own."""
    with contextlib.ExitStack() as stack:
        started = {}
        for name, case in cases.items():
            at = directory / str(name)
            server = stack.enter_context(truth_server(at, **case.script))
            arguments = ("--headless", "--only-summary", "--host", server.address, *case.arguments)
            # Room for all columns of the table.
            options = {"locustfile": TRUTHFUL, "TFSLOAD_TEST_TRUTH_HEARD": str(at), "COLUMNS": "200", **environment}
            process = stack.enter_context(locust(at, *arguments, **options))
            started[name] = at, process, server
        ended = {name: process.wait() for name, (_, process, _) in started.items()}
        return {name: read_run(at, ended[name], server.end()) for name, (at, _, server) in started.items()}


def run_in_peace(directory: Path, cases: Mapping[Any, Case]) -> dict[Any, Run]:
    """Make runs side by side, and those again that the machine had no time for: then each by itself."""
    runs = run_all(directory / "0", cases)
    for attempt in range(1, MOST_ATTEMPTS):
        for number, (name, case) in enumerate(cases.items()):
            if case.was_disturbed(runs[name]):
                runs |= run_all(directory / f"{attempt}-{number}", {name: case})
    return runs


def read_run(directory: Path, ended: Ended, served: list[Served]) -> Run:
    heard, windows = [], []
    for process, path in enumerate(directory.glob("heard-*.json")):
        plain = json.loads(path.read_text())
        heard += [Heard(*row, process) for row in plain["requests"]]
        windows.append({int(level): tuple(window) for level, window in plain["windows"].items()})
    first_ns = min((request.due_ns for request in heard), default=0)
    served = [one for one in served if one.arrival_ns >= first_ns]
    rows = directory / "rows.json"
    return Run(ended, served, heard, windows, json.loads(rows.read_text()) if rows.exists() else [])


def percentile_ns(latencies_ns: Iterable[int], percentile: float) -> int:
    """Return the smallest latency that so many percent of all do not exceed."""
    ordered = sorted(latencies_ns)
    return ordered[math.ceil(percentile / 100 * len(ordered)) - 1]
