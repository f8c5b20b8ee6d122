"""What watching a run costs it: its lag with and without a client that asks for its page's JSON once a second.

    python -m benchmarks.watched [--pairs 8]

One process sends 500 requests a second to the null server (`benchmarks.null_server`) from Locust's web UI, in pairs of
levels: one watched, one not, in an order drawn from a seed. The ratio of the p99 of the lag is the geometric mean of
the pairs' ratios, with Student's 95 % interval of their logarithms; so is that of the CPU that the process kept busy.
"""

import argparse
import contextlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import null_server, report
from benchmarks.against import LEAST_PAIRS, Interval
from benchmarks.measurement import PROJECT
from benchmarks.null_server import NullServer
from benchmarks.spread import Spread

RATE_RPS = 500
LEVEL_S = 10
_POLL_S = 1.0
_LIMIT_S = 120.0
_SEED = 1


@dataclass(frozen=True)
class Level:
    """What one level came to.

    Attributes:
        lag_p99_us: upper end of how late requests left.
        busy: share of a CPU that its process kept busy.
        n_polls: how often it was asked for.
    """

    lag_p99_us: float
    busy: float
    n_polls: int


class WebUi:
    """Locust's web UI, with one run after the other."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._n_runs = 0

    def run(self, is_watched: bool) -> Level:
        """Run one level."""
        fields = {"rate": RATE_RPS, "level_duration": LEVEL_S, "warm_up": 2, "user_count": 100, "spawn_rate": 100}
        reply = self._ask("/swarm", urllib.parse.urlencode(fields).encode())
        if not reply["success"]:
            sys.exit(f"no run: {reply['message']}")
        self._n_runs += 1
        run = f"/tfsload/runs/{self._n_runs}"
        n_polls = self._watch(f"{run}/live.json") if is_watched else 0
        if not is_watched:
            time.sleep(LEVEL_S + 4)
        limit = time.monotonic() + _LIMIT_S
        while not self._ask(f"{run}/live.json").get("is_settled"):
            if time.monotonic() > limit:
                sys.exit(f"run {self._n_runs} has no report after {_LIMIT_S:g} s")
            time.sleep(_POLL_S)
        (level,) = self._ask(f"{run}/files/result.json")["levels"]
        return Level(level["lag_p99_ns"] / 1e3, level["cpu"][0]["busy"], n_polls)

    def _watch(self, path: str) -> int:
        n_polls, end = 0, time.monotonic() + LEVEL_S + 4
        while time.monotonic() < end:
            with contextlib.suppress(urllib.error.HTTPError):  # it has not begun yet
                self._ask(path)
                n_polls += 1
            time.sleep(_POLL_S)
        return n_polls

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        with urllib.request.urlopen(self._url + path, body, timeout=30) as reply:
            return json.load(reply)


@contextlib.contextmanager
def web_ui_of(server: NullServer) -> Iterator[WebUi]:
    """Start Locust with its web UI, on loopback."""
    port = null_server.free_port()
    command = [sys.executable, "-m", "locust", "-f", "locustfile.py", "--host", server.address, "--web-port", str(port)]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT)
        try:
            null_server.wait_until_it_listens(port)
            yield WebUi(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=8, help="of levels (default: 8)")
    n_pairs = parser.parse_args().pairs
    if n_pairs < LEAST_PAIRS:
        sys.exit(f"--pairs {n_pairs}: expected at least {LEAST_PAIRS}, fewer tell nothing of chance")
    if not shutil.which("nghttpd"):
        sys.exit("the null server is missing: apt-get install nghttp2-server")
    order = random.Random(_SEED)
    pairs: list[tuple[Level, Level]] = []
    with null_server.running() as server, web_ui_of(server) as ui:
        for number in range(1, n_pairs + 1):
            print(f"pair {number} of {n_pairs}", file=sys.stderr, flush=True)
            first = order.random() < 0.5
            levels = {is_watched: ui.run(is_watched) for is_watched in (first, not first)}
            pairs.append((levels[True], levels[False]))
    print(render(pairs))


def render(pairs: list[tuple[Level, Level]]) -> str:
    """Return the comparison as Markdown."""
    lines = ["| | watched | not | ratio (95 %) |", "| --- | --- | --- | --- |"]
    for name, unit, form, figure in (
        ("lag, p99", " µs", ",.0f", lambda level: level.lag_p99_us),
        ("CPU busy", " %", ".1f", lambda level: 100 * level.busy),
    ):
        interval = Interval.of([figure(watched) / figure(alone) for watched, alone in pairs])
        sides = [Spread.of(map(figure, side)).text(form, unit) for side in zip(*pairs, strict=True)]
        ratio = f"{interval.ratio:.3f} ({interval.low:.3f} to {interval.high:.3f})"
        lines.append(f"| {name} | {sides[0]} | {sides[1]} | {ratio} |")
    polls = Spread.of(watched.n_polls for watched, _ in pairs)
    return "\n".join(
        [
            *lines,
            "",
            f"{len(pairs)} interleaved pairs of {LEVEL_S} s at {RATE_RPS} requests/s, watched by {polls.text('.0f')} "
            f"requests for live.json; medians with the lowest and the highest. {report.machine()}.",
        ]
    )


if __name__ == "__main__":
    main()
