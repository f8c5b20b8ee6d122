"""The load generators that are compared: how each is started, and where it says what it measured."""

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import canned

RUN_S = 7

_LOCUST = (sys.executable, "-m", "locust", "--headless", "--only-summary", "--host", "{address}")
_LOAD = ("-u", "{n}", "-r", "{n}", "-t", f"{RUN_S}s")
_LOCUST_RATE = r"Aggregated.*\| +([\d.]+) +[\d.]+ *$"
_SUITE_RATE = r"^rate +([\d,.]+) requests/s"
# A level's row, and the line of latencies, as this tree writes them and as commits before it do.
_LEVEL_RATE = r"^ *[\d,.]+(?: requests)?/s(?: [!?])? +([\d,.]+) "
_LAG_COLUMN = "lag p99 ms"
_SUITE_P50 = r"^latency(?: ms)? +p50 ([\d.,]+)(?: (µs|ms|s))? "
# Three windows, as by default; it may not add windows until three agree, for then runs would differ in length.
_ANALYZER = (
    "--service-kind tfserving -m mnist --model-signature-name predict_images -i grpc --shape images:1,784 "
    "-u {address} --percentile=50 --measurement-interval 2000 --max-trials 3 "
    "--stability-percentage 999"
)
_H2LOAD = (
    f"h2load --duration={RUN_S - 1} --warm-up-time=1 -c 1 -m {{n}} -d {{body}} "
    f"-H content-type:application/grpc -H te:trailers http://{{address}}/{canned.PREDICT_PATH}"
)

_GET_ANALYZER = (
    "set PERF_ANALYZER to the program, which lies in the wheel tritonclient==2.46.0 as `*.data/data/bin/perf_analyzer` "
    "(it needs Debian's libb64-0d and libcudart.so.12)"
)


@dataclass(frozen=True)
class Client:
    """One load generator.

    Attributes:
        name: in tables.
        command: with `{address}` and `{n}` (requests in flight).
        rate: a pattern that finds its requests a second in what it prints.
        p50: likewise its median latency, number and unit, if it is not ms; empty: it tells none, or none that is fine
            enough.
        missing: why it cannot be run, and what to do about it; empty: it can.
        lag_column: what stands above the p99 of how late requests left, in ms; empty: it tells none.
        exit_codes: with which it may end.
        own_cpu: a pattern that finds its own account of the CPU time of a request, in µs, and the share of a core that
            it got meanwhile; empty: the operating system's account of the process is taken.
    """

    name: str
    command: tuple[str, ...]
    rate: str
    p50: str = ""
    missing: str = ""
    lag_column: str = ""
    exit_codes: tuple[int, ...] = (0,)
    own_cpu: str = ""


def suite_at_rate(arrivals: str, *, tells_lag: bool = True) -> Client:
    """Return this suite in open load; `{n}` is the rate."""
    options = ("--rate", "{n}", "--arrivals", arrivals, "--level-duration", f"{RUN_S - 1}", "--warm-up", "2")
    command = (*_LOCUST, "-f", "locustfile.py", *options)
    lag_column = _LAG_COLUMN if tells_lag else ""
    # 4: the suite itself finds the level unstable, on a machine with neighbours; its figures stand.
    return Client(f"tfsload --arrivals {arrivals}", command, _LEVEL_RATE, lag_column=lag_column, exit_codes=(0, 4))


def suite(*options: str, name: str = "tfsload", missing: str = "") -> Client:
    """Return this suite with more options."""
    command = (*_LOCUST, "-f", "locustfile.py", *_LOAD, *options)
    return Client(name, command, _SUITE_RATE, _SUITE_P50, missing)


def suite_in_process() -> Client:
    """Return this suite with the server in its own process: this tree's server, whichever tree's suite is run."""
    server = Path(__file__).with_name("in_process.py")
    command = (*_LOCUST, "-f", f"locustfile.py,{server}", "-u", "{n}", "-r", "{n}", "-t", "120s")
    # 4: it is stopped as soon as it was measured.
    own_cpu = r"^in process: ([\d.]+) µs of CPU a request at ([\d.]+) of a core"
    return Client("tfsload, the server in its process", command, _SUITE_RATE, exit_codes=(0, 4), own_cpu=own_cpu)


def suite_once_steady() -> Client:
    """Return this suite with its rate taken between two instants after all users were started."""
    command = (*_LOCUST, "-f", "locustfile.py,benchmarks/steady.py", "-u", "{n}", "-r", "{n}", "-t", "120s")
    # 4: it is stopped as soon as it was measured.
    return Client("tfsload", command, r"^steady rate ([\d.]+) requests/s", _SUITE_P50, exit_codes=(0, 4))


def stock() -> Client:
    """Return Locust with grpcio, as documented."""
    command = (*_LOCUST, "-f", "benchmarks/stock_locustfile.py", *_LOAD)
    return Client("Locust + grpcio, as documented", command, _LOCUST_RATE)


def perf_analyzer(load: str = "--concurrency-range {n}") -> Client:
    """Return NVIDIA's client, which `PERF_ANALYZER` names."""
    program = shutil.which(os.environ.get("PERF_ANALYZER", ""))
    command = (os.path.abspath(program or ""), *shlex.split(f"{_ANALYZER} {load}"))
    rate, p50 = r"throughput: ([\d.]+) infer/sec, latency", r", latency (\d+) (usec)$"
    return Client("perf_analyzer", command, rate, p50, "" if program else _GET_ANALYZER)


def h2load(directory: Path) -> Client:
    """Return nghttp2's client.

    Args:
        directory: where the request that it repeats is written.
    """
    body = directory / "request"
    body.write_bytes(canned.request())
    command = tuple(part.replace("{body}", str(body)) for part in shlex.split(_H2LOAD))
    rate = r"finished in [^,]+, ([\d.]+) req/s[\s\S]* 0 failed, 0 errored, 0 timeout"
    missing = "" if shutil.which("h2load") else "apt-get install nghttp2-client"
    return Client("h2load (repeats one request, reads nothing)", command, rate, missing=missing)
