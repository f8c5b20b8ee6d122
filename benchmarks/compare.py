"""Compares load generators against the null server: rate, CPU a request and memory, interleaved, medians.

    python -m benchmarks.compare [--repeats 3] [--in-flight 8 32] [--output benchmarks/RESULTS.md]

A peer that is not installed is named, with how to get it. `PERF_ANALYZER` names NVIDIA's binary.
"""

import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks import null_server

PROJECT = Path(__file__).parent.parent
# When the client's CPU and memory are looked at, after its start: every client is at full speed by then.
FROM_S, TO_S = 3.0, 5.5
RUN_S = 7


@dataclass(frozen=True)
class Client:
    """One load generator.

    Attributes:
        name: in the table.
        command: with `{address}`, `{n}` (requests in flight) and `{url}`.
        rate: where its output says requests a second.
        environment: beside our own.
    """

    name: str
    command: Sequence[str]
    rate: str
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Measured:
    """One run of one client: requests a second, CPU µs a request, memory in MB."""

    rate_rps: float
    cpu_us: float
    memory_mb: float


def clients() -> list[Client]:
    """Return the clients that are installed, and say which are not."""
    locust = [
        sys.executable,
        "-m",
        "locust",
        "--headless",
        "--only-summary",
        "-u",
        "{n}",
        "-r",
        "{n}",
        "-t",
        f"{RUN_S}s",
    ]
    suite = [*locust, "-f", "locustfile.py", "--host", "{address}"]
    own = r"^rate +([\d,.]+) requests/s"
    found = [
        Client("tfsload", suite, own),
        Client("tfsload --transport grpcio", [*suite, "--transport", "grpcio"], own),
        Client(
            "Locust + grpcio, as documented",
            [*locust, "-f", "benchmarks/stock_locustfile.py", "--host", "{address}"],
            r"Aggregated.*\| +([\d.]+) +[\d.]+ *$",
            (("PYTHONPATH", str(PROJECT)),),
        ),
    ]
    if analyzer := os.environ.get("PERF_ANALYZER"):
        command = f"{analyzer} --service-kind tfserving -m mnist --model-signature-name predict_images -i grpc"
        command += " --shape images:1,784 -p 1500 -u {address} --concurrency-range {n}"
        found.append(Client("perf_analyzer", command.split(), r"throughput: ([\d.]+) infer/sec, latency"))
    else:
        print(
            "left out: perf_analyzer; it is in the wheel tritonclient==2.46.0, see PERF_ANALYZER above", file=sys.stderr
        )
    if shutil.which("h2load"):
        command = f"h2load --duration={RUN_S} -c 1 -m {{n}} -d {{body}} {{url}}"
        found.append(
            Client("h2load (repeats one request, reads nothing)", command.split(), r"finished in .*?, ([\d.]+) req/s")
        )
    else:
        print("left out: h2load; apt-get install nghttp2-client", file=sys.stderr)
    return found


def measure(client: Client, address: str, in_flight: int, body: Path) -> Measured:
    """Run a client once."""
    url = f"http://{address}/tensorflow.serving.PredictionService/Predict"
    command = [part.format(address=address, n=in_flight, url=url, body=body) for part in client.command]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=PROJECT,
            env={**os.environ, **dict(client.environment)},
        )  # fmt: skip
        cpu_share, memory_mb = _watch(process.pid)
        process.wait(120)
        output.seek(0)
        text = output.read()
    rates = re.findall(client.rate, text, re.MULTILINE)
    if not rates:
        raise RuntimeError(f"{client.name} told no rate:\n{text[-2000:]}")
    rate_rps = float(rates[-1].replace(",", ""))
    return Measured(rate_rps, cpu_share / rate_rps * 1e6, memory_mb)


def _watch(pid: int) -> tuple[float, float]:
    """Return the CPUs that a process keeps busy at full speed, and its memory in MB."""
    process = psutil.Process(pid)
    time.sleep(FROM_S)
    start_s, before = time.monotonic(), process.cpu_times()
    time.sleep(TO_S - FROM_S)
    after, stop_s = process.cpu_times(), time.monotonic()
    busy_s = after.user + after.system - before.user - before.system
    return busy_s / (stop_s - start_s), process.memory_info().rss / 1e6


def table(results: dict[tuple[str, int], list[Measured]], in_flight: Sequence[int]) -> str:
    """Return the medians, with the spread of the rate, as Markdown."""
    lines = [
        "| in flight | client | requests/s (min–max) | ratio to tfsload | CPU a request | memory |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for n in in_flight:
        own = statistics.median(run.rate_rps for run in results["tfsload", n])
        for (name, level), runs in results.items():
            if level == n:
                rates = sorted(run.rate_rps for run in runs)
                median = statistics.median(rates)
                cpu = statistics.median(run.cpu_us for run in runs)
                memory = statistics.median(run.memory_mb for run in runs)
                lines.append(
                    f"| {n} | {name} | {median:,.0f} ({rates[0]:,.0f}–{rates[-1]:,.0f}) | {median / own:.2f} "
                    f"| {cpu:.1f} µs | {memory:.0f} MB |"
                )
    return "\n".join(lines)


def machine() -> str:
    """Return what was measured on and with, in a sentence."""
    model = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ": ?"
    ).split(": ")[1]
    packages = ", ".join(f"{name} {version(name)}" for name in ("locust", "gevent", "grpcio", "numpy"))
    return (
        f"{os.cpu_count()} CPUs ({model}), Linux {platform.release()}, Python {platform.python_version()}, {packages}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if not shutil.which("nghttpd"):
        sys.exit("the null server is missing: apt-get install nghttp2-server")
    results: dict[tuple[str, int], list[Measured]] = {}
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "replies"
        root.mkdir()
        body = Path(directory) / "request"
        body.write_bytes(bytes(3200))  # about the length of a PredictRequest of one image
        with null_server.running(root) as address:
            for repeat in range(options.repeats):
                for in_flight in options.in_flight:
                    for client in clients():
                        print(f"repeat {repeat + 1}, {in_flight} in flight: {client.name}", file=sys.stderr, flush=True)
                        run = measure(client, address, in_flight, body)
                        results.setdefault((client.name, in_flight), []).append(run)
    report = (
        "# The load generator's own speed\n"
        "One process each against the null server (nghttpd with a canned reply) on the same machine; "
        f"{options.repeats} repeats, interleaved; medians.\n\n"
        f"{machine()}.\n\n{table(results, options.in_flight)}\n"
    )
    print(report)
    if options.output:
        options.output.write_text(report)


if __name__ == "__main__":
    main()
