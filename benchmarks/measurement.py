"""One run of one client: what it says of itself, and what the operating system says of it."""

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import psutil

from benchmarks import null_server
from benchmarks.clients import Client
from benchmarks.null_server import NullServer

PROJECT = Path(__file__).parent.parent
# The load has begun when the server has used so much CPU time: some clients take seconds to start.
BEGUN_CPU_S = 0.05
# Then, a moment later, CPU times are taken over this window.
SETTLE_S = 1.0
WINDOW_S = 3.0
START_LIMIT_S = 60
END_LIMIT_S = 120
# A process that got less of its core meanwhile was kept from it: what comes in meanwhile is done in larger batches,
# which cost less each. It is run again, so many times.
LEAST_SHARE, MOST_TRIES = 0.9, 5
POLL_S = 0.1
_UNITS_US = {"usec": 1, "µs": 1, "ms": 1e3, "s": 1e6}


class MeasurementError(Exception):
    """A client failed, or did not say what it measured."""


@dataclass(frozen=True)
class Measurement:
    """What one run came to; None: not measured.

    Attributes:
        rate_rps: requests a second, by the client's own account.
        cpu_us: CPU time a request, in µs, of the client with all its processes.
        memory_mb: the highest resident memory of the process that used most, in 10⁶ bytes.
        p50_us: median latency, in µs, by the client's own account.
        n_reported: requests by the client's own account.
        n_served: requests in the server's log.
        lag_us: p99 of how late requests left, in µs, by the client's own account.
        other_cpus: how many CPUs were kept busy by anything but the client and the server, another machine's
            guests on the same host among them.
    """

    rate_rps: float
    cpu_us: float | None = None
    memory_mb: float | None = None
    p50_us: float | None = None
    n_reported: int | None = None
    n_served: int | None = None
    lag_us: float | None = None
    other_cpus: float | None = None

    @property
    def n_missing(self) -> int:
        """Requests that were served and not reported; negative: reported and not served."""
        return self.n_served - self.n_reported


def measure(client: Client, n: int, server: NullServer, directory: Path = PROJECT) -> Measurement:
    """Run a client with n requests in flight, in a directory that holds the suite.

    Raises:
        MeasurementError: it failed.
    """
    if client.own_cpu:
        return _measure_by_own_account(client, n, server, directory)
    with _running(client, n, server, directory) as (process, output):
        cpus, other_cpus = _cpus_under_load(process, server)
        memory_mb = _watch_memory(process)
        text = _text(client, process, output)
    rate_rps = rate_of(client, text)
    if not memory_mb:  # nobody was left to look at
        raise MeasurementError(f"{client.name} ended while its CPU time was being taken:\n{text[-2000:]}")
    return Measurement(
        rate_rps,
        cpus / rate_rps * 1e6,
        memory_mb,
        p50_us_of(client, text),
        lag_us=lag_us_of(client, text),
        other_cpus=max(other_cpus, 0.0),
    )


def _measure_by_own_account(client: Client, n: int, server: NullServer, directory: Path) -> Measurement:
    shares = []
    for _ in range(MOST_TRIES):
        with _running(client, n, server, directory) as (process, output):
            process.wait(END_LIMIT_S)
            text = _text(client, process, output)
        cpu_us, share = map(float, _find(client, client.own_cpu, text))
        if share >= LEAST_SHARE:
            return Measurement(rate_of(client, text), cpu_us)
        shares.append(f"{share:.2f}")
    raise MeasurementError(f"{client.name}: it had {', '.join(shares)} of a core, {LEAST_SHARE} are wanted")


def count(client: Client, n: int) -> Measurement:
    """Run a client against a null server of its own, which logs every request, and count on both sides.

    Raises:
        MeasurementError: it failed.
    """
    with null_server.running(is_logging=True) as server, _running(client, n, server) as (process, output):
        process.wait(END_LIMIT_S)
        text = _text(client, process, output)
        n_reported = int(_find(client, r"^requests +([\d,]+) in ", text)[0].replace(",", ""))
        return Measurement(rate_of(client, text), n_reported=n_reported, n_served=server.n_served())


@contextmanager
def _running(
    client: Client, n: int, server: NullServer, directory: Path = PROJECT
) -> Iterator[tuple[subprocess.Popen, TextIO]]:
    command = [part.format(address=server.address, n=n) for part in client.command]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=directory
        )
        try:
            yield process, output
        finally:
            process.terminate()
            process.wait(END_LIMIT_S)


def _text(client: Client, process: subprocess.Popen, output: TextIO) -> str:
    """Return what a client that has ended has printed."""
    output.seek(0)
    text = output.read()
    if process.returncode not in client.exit_codes:
        raise MeasurementError(f"{client.name} ended with exit code {process.returncode}:\n{text[-2000:]}")
    return text


def _cpus_under_load(process: subprocess.Popen, server: NullServer) -> tuple[float, float]:
    """Return how many CPUs a client keeps busy once its load has begun, and how many others do."""
    _wait_for_load(process, server)
    time.sleep(SETTLE_S)
    before = _cpu_clocks(process, server)
    time.sleep(WINDOW_S)
    elapsed_s, client_s, server_s, machine_s = (
        stop - start for start, stop in zip(before, _cpu_clocks(process, server), strict=True)
    )
    return client_s / elapsed_s, (machine_s - client_s - server_s) / elapsed_s


def _cpu_clocks(process: subprocess.Popen, server: NullServer) -> tuple[float, float, float, float]:
    """Return the time, and the CPU time used so far by the client, the server and the whole machine."""
    machine = psutil.cpu_times()
    busy_s = machine.user + machine.nice + machine.system + machine.steal
    return time.monotonic(), _cpu_s(process.pid), server.cpu_s(), busy_s


def _wait_for_load(process: subprocess.Popen, server: NullServer) -> None:
    idle_s, limit = server.cpu_s(), time.monotonic() + START_LIMIT_S
    while process.poll() is None and server.cpu_s() - idle_s < BEGUN_CPU_S:
        if time.monotonic() > limit:
            raise MeasurementError(f"{process.args[0]} puts no load on the server after {START_LIMIT_S} s")
        time.sleep(POLL_S)


def _family(pid: int) -> list[psutil.Process]:
    """Return a process and all below it that are alive."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def _cpu_s(pid: int) -> float:
    total_s = 0.0
    for process in _family(pid):
        with suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            total_s += used.user + used.system
    return total_s


def _watch_memory(process: subprocess.Popen) -> float:
    """Return the highest memory of the process that uses most, when all have ended."""
    peak_mb, limit = 0.0, time.monotonic() + END_LIMIT_S
    while process.poll() is None:
        if time.monotonic() > limit:
            raise MeasurementError(f"{process.args[0]} has not ended after {END_LIMIT_S} s")
        peak_mb = max([peak_mb, *(_peak_mb(member.pid) for member in _family(process.pid))])
        time.sleep(POLL_S)
    return peak_mb


def _peak_mb(pid: int) -> float:
    """Return the highest resident memory that a process has had so far; 0 if it has just ended."""
    with suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) * 1024 / 1e6 if found else 0.0
    return 0.0


def rate_of(client: Client, text: str) -> float:
    """Return requests a second by what a client printed; raise MeasurementError where it tells none."""
    return float(_find(client, client.rate, text)[0].replace(",", ""))


def p50_us_of(client: Client, text: str) -> float | None:
    """Return its median latency, likewise; None: it never tells any."""
    if not client.p50:
        return None
    number, unit = _find(client, client.p50, text)
    return float(number.replace(",", "")) * _UNITS_US[unit or "ms"]


def lag_us_of(client: Client, text: str) -> float | None:
    """Return how late its requests left, likewise."""
    if not client.lag_column:
        return None
    heading, row = _find(client, rf"^(level .*{re.escape(client.lag_column)}.*)\n(.*)$", text)
    columns = dict(zip(re.split("  +", heading), re.split("  +", row), strict=True))
    return float(columns[client.lag_column].replace(",", "")) * _UNITS_US["ms"]


def _find(client: Client, pattern: str, text: str) -> tuple[str, ...]:
    """Return the groups of a pattern's last match."""
    matches = list(re.finditer(pattern, text, re.MULTILINE))
    if not matches:
        raise MeasurementError(f"{client.name}: nothing like {pattern!r} in what it printed:\n{text[-2000:]}")
    return matches[-1].groups()
