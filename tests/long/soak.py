"""Runs the suite at full rate against the null server, and watches that it takes no more the longer it runs.

    python -m tests.long.soak [--minutes 5] [--users 32]

It fails (exit code 1) where memory or file descriptors grow, a request fails, Locust's exit code is not 0, or
anything is left in the channel when the users have stopped.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import null_server
from tests.support.runs import PROJECT, LocustProcess, locust

SOAKED = PROJECT / "tests" / "support" / "locustfiles" / "soaked.py"
LOOK_INTERVAL_S = 1.0
N_ROWS = 10
# Memory that a run may take in its last quarter beyond its second: whichever is more.
GROWTH_MB, GROWTH_SHARE = 3.0, 0.03


@dataclass(frozen=True)
class Sample:
    """One look at the process.

    Attributes:
        elapsed_s: since the first request.
        requests: made so far.
        memory_mb, n_fds, n_threads: of the load generator.
        server_mb: of the null server.
    """

    elapsed_s: float
    requests: int
    memory_mb: float
    n_fds: int
    n_threads: int
    server_mb: float


def watch(process: LocustProcess, server_pid: int, look: Path, limit_s: float) -> Iterator[Sample]:
    """Yield a sample a second, from the first request until the time is up or the process ends."""
    own, server, start_s = psutil.Process(process.pid), psutil.Process(server_pid), None
    while process.process.poll() is None and (start_s is None or time.monotonic() < start_s + limit_s):
        time.sleep(LOOK_INTERVAL_S)
        requests = read(look).get("requests", 0)
        if not requests:
            continue
        start_s = start_s or time.monotonic()
        try:
            with own.oneshot():
                figures = own.memory_info().rss / 1e6, own.num_fds(), own.num_threads()
        except psutil.Error:  # it has just ended
            return
        yield Sample(time.monotonic() - start_s, requests, *figures, server.memory_info().rss / 1e6)


def read(look: Path) -> dict[str, Any]:
    """Return what the locustfile has written; empty before it has."""
    return json.loads(look.read_text()) if look.exists() else {}


def show(samples: Iterator[Sample], interval_s: float) -> list[Sample]:
    """Print a row now and then; return all samples."""
    print(f"{'minute':>6} {'requests':>12} {'rate/s':>9} {'memory MB':>10} {'fds':>5} {'threads':>8} {'server MB':>10}")
    shown: Sample | None = None
    seen: list[Sample] = []
    for sample in samples:
        seen.append(sample)
        if shown is None or sample.elapsed_s >= shown.elapsed_s + interval_s:
            print(row(sample, shown), flush=True)
            shown = sample
    return seen


def row(sample: Sample, before: Sample | None) -> str:
    """Return a sample as a row of the table; its rate is that since the row before."""
    rate = (sample.requests - before.requests) / (sample.elapsed_s - before.elapsed_s) if before else 0.0
    return (
        f"{sample.elapsed_s / 60:6.1f} {sample.requests:12,} {rate:9,.0f} {sample.memory_mb:10.1f} "
        f"{sample.n_fds:5} {sample.n_threads:8} {sample.server_mb:10.1f}"
    )


def growth_faults(samples: Sequence[Sample]) -> list[str]:
    """Return what has grown from the first half, or its second quarter, to the last quarter."""
    n = len(samples)
    second, last = samples[n // 4 : n // 2], samples[3 * n // 4 :]
    if not second:
        return [f"only {n} samples: let it run longer"]
    faults = []
    before_mb, after_mb = (statistics.median(sample.memory_mb for sample in part) for part in (second, last))
    if after_mb - before_mb > max(GROWTH_MB, GROWTH_SHARE * before_mb):
        faults.append(f"memory grew from {before_mb:.1f} to {after_mb:.1f} MB")
    # Against the whole first half: gevent's pool for name lookups starts and ends a thread now and then.
    for name in ("n_fds", "n_threads"):
        before, after = (max(getattr(sample, name) for sample in part) for part in (samples[: n // 2], last))
        if after > before:
            faults.append(f"{name.removeprefix('n_')} grew from {before} to {after}")
    return faults


def end_faults(end: dict[str, Any], exit_code: int) -> list[str]:
    """Return what was wrong with the run's end."""
    faults = [] if exit_code == 0 else [f"locust's exit code is {exit_code}"]
    if end.get("failed"):
        faults.append(f"{end['failed']:,} requests failed")
    if "left" not in end:
        faults.append("the users were never stopped")
    left = {name: number for name, number in end.get("left", {}).items() if number}
    if left:
        faults.append(f"left in the channel: {left}")
    return faults


def soak(directory: Path, minutes: float, users: int) -> list[str]:
    """Run it; return what was wrong."""
    look, limit_s = directory / "look.json", minutes * 60
    arguments = ["--headless", "--only-summary", "-u", str(users), "-r", str(users), "-t", f"{limit_s:.0f}s"]
    with (
        null_server.running() as server,
        locust(
            directory / "run", *arguments, "--host", server.address, locustfile=SOAKED, TFSLOAD_TEST_SOAK_LOOK=str(look)
        ) as process,
    ):
        samples = show(watch(process, server.pid, look, limit_s), limit_s / N_ROWS)
        ended = process.wait()
    end = read(look)
    faults = growth_faults(samples) + end_faults(end, ended.exit_code)
    if faults:
        print(ended.stdout[-2000:], ended.stderr[-2000:], sep="\n", file=sys.stderr)
    print(f"{end.get('requests', 0):,} requests, {end.get('failed', 0):,} failed; in the channel: {end.get('left')}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--users", type=int, default=32)
    options = parser.parse_args()
    if not shutil.which("nghttpd"):
        print("the null server is missing: apt-get install nghttp2-server", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as directory:
        faults = soak(Path(directory), options.minutes, options.users)
    print(f"FAIL: {'; '.join(faults)}" if faults else "PASS: memory, file descriptors and threads stay as they were")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
