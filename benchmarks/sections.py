"""What is measured: each section's rows, columns and targets, and how it is done."""

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tfsload.datasets.dataset
from benchmarks import clients
from benchmarks.clients import Client
from benchmarks.figure import CPU, LAG, MEMORY, MISSING, P50, RATE, REPORTED, SERVED, Figure
from benchmarks.row import Row
from benchmarks.target import Sense, Target

IN_FLIGHT = (8, 32)
# Times perf_analyzer's rate that the suite is to reach, by requests in flight.
TIMES_ANALYZER = {8: 2.0, 32: 1.8}
MANY_USERS = 5_000
FULL_SET = 10_000
N_VERIFIED = 1_000
RATES = (1_000, 5_000, 20_000)
HIGH_RATE = 23_000


@dataclass(frozen=True)
class Section:
    """One part of the report.

    Attributes:
        heading: above it.
        method: how it is measured.
        rows: what is run.
        figures: the table's columns.
        targets: what must be reached.
    """

    heading: str
    method: str
    rows: Sequence[Row]
    figures: Sequence[Figure]
    targets: Sequence[Target]


def throughput(peers: "Peers") -> Section:
    """Compare rate and CPU time with all others'."""
    rows, targets = [], []
    for n in IN_FLIGHT:
        own, stock, analyzer, h2load = (
            Row(str(n), client, n) for client in (peers.suite, peers.stock, peers.analyzer, peers.h2load)
        )
        rows += [own, Row(str(n), clients.suite("--transport", "grpcio", name="tfsload --transport grpcio"), n)]
        rows += [stock, analyzer, h2load]
        at = f"{n} in flight"
        targets += [
            Target(at, RATE, own, Sense.AT_LEAST, 17, stock, "stock Locust + grpcio's"),
            Target(at, RATE, own, Sense.AT_LEAST, TIMES_ANALYZER[n], analyzer, "perf_analyzer's"),
            Target(at, CPU, own, Sense.AT_MOST, 0.75, analyzer, "perf_analyzer's"),
            Target(at, CPU, own, Sense.AT_MOST, 5, h2load, "h2load's"),
        ]
    method = (
        "One process each, for some seconds. Requests/s is each client's own account. CPU time is the operating "
        "system's account of the client (with its children) over a window under full load. Stock Locust is "
        "`benchmarks/stock_locustfile.py`: the recipe of Locust's documentation around the code of TensorFlow "
        "Serving's `mnist_client.py`."
    )
    return Section("8 and 32 in flight", method, rows, (RATE, CPU, MEMORY), targets)


def latency(peers: "Peers") -> Section:
    """Compare the median latency of one request at a time."""
    own, analyzer = (Row("1", client, 1) for client in (peers.suite, peers.analyzer))
    method = (
        "The median by each client's own account, of the time from sending a request to having its answer. "
        "(perf_analyzer's includes 1–2 µs of packing the request and reading the reply. Locust's own table rounds to "
        "milliseconds, so stock Locust has no row.)"
    )
    target = Target("1 in flight", P50, own, Sense.AT_MOST, 1.15, analyzer, "perf_analyzer's")
    return Section("1 in flight", method, [own, analyzer], (P50, RATE, CPU), [target])


def users(peers: "Peers") -> Section:
    """See whether thousands of users slow a process down."""
    few, many = (Row(f"{n:,} users", peers.suite_once_steady, n) for n in (IN_FLIGHT[-1], MANY_USERS))
    method = (
        "One process. The rate is that of steady load: the process's own count of requests at two instants, 6 s "
        "apart, after the last user was started (`benchmarks/steady.py`), so starting users is not in it. nghttpd "
        "takes its default of 100 requests at once on a connection; the channel lets the others wait, and their "
        "latency (of the whole run) includes that."
    )
    target = Target(many.load, RATE, many, Sense.AT_LEAST, 0.8, few, "that of 32 users")
    return Section("Many users", method, [few, many], (RATE, P50, MEMORY), [target])


def memory(peers: "Peers") -> Section:
    """See what a process needs with either data set."""
    rows, targets = [], []
    for client, bound in ((peers.suite, 95), (peers.suite_full_set, 160)):
        for n in IN_FLIGHT:
            row = Row(str(n), client, n)
            rows.append(row)
            n_images = f"{FULL_SET:,} images" if client is peers.suite_full_set else "mnist5k"
            targets.append(Target(f"{n} in flight, {n_images}", MEMORY, row, Sense.AT_MOST, bound))
    method = (
        "The highest resident memory that the process had in a run at full speed (the kernel's VmHWM), in 10⁶ bytes. "
        "The data set mnist5k holds 1,000 images to fire, MNIST's test set 10,000."
    )
    return Section("Memory", method, rows, (MEMORY, RATE), targets)


def processes(peers: "Peers") -> Section:
    """See what a second process brings, and that nothing is lost between processes."""
    n = IN_FLIGHT[-1]
    one, two = Row(f"{n} users, 1 process", peers.suite, n), Row(f"{n} users, 2 processes", peers.suite_of_two, n)
    counted = Row(f"{n} users, 2 processes, counted", peers.suite_of_two_to_the_end, n, is_counted=True)
    method = (
        "Two workers and their master share the machine with the server. nghttpd counts nothing, so the last row "
        "runs against another one with `--verbose`, which logs every frame and is slower for it. Its lines of Predict "
        "requests are counted and held against the summary's total. `--stop-timeout` lets users finish the request "
        "that they have in flight at the end of the run, so the two must be equal. Without it the server sees some "
        "more, at most one a user: those in flight, which the summary counts apart."
    )
    targets = [
        Target("2 processes", RATE, two, Sense.AT_LEAST, 1, one, "one process's"),
        Target("2 processes", MISSING, counted, Sense.EXACTLY, 0),
    ]
    return Section("Two processes", method, [one, two, counted], (RATE, CPU, REPORTED, SERVED), targets)


def verification(peers: "Peers") -> Section:
    """See what it costs to compare each answer with the one without load."""
    rows, targets = [], []
    for n in IN_FLIGHT:
        plain, verifying = Row(str(n), peers.suite, n), Row(str(n), peers.suite_verifying, n)
        rows += [plain, verifying]
        targets.append(
            Target(f"{n} in flight, --verify", RATE, verifying, Sense.AT_LEAST, 0.9, plain, "that without --verify")
        )
    method = (
        f"One process; `--verify {N_VERIFIED}` has every answer to every image of mnist5k compared with the one that "
        "was recorded before the load."
    )
    return Section("Answers compared", method, rows, (RATE, CPU, MEMORY), targets)


def open_load(peers: "Peers") -> Section:
    """See how late requests leave that are due by a schedule, and whether the rate is kept."""
    rows, targets = [], []
    for rate in RATES:
        own = Row(f"{rate:,}/s", peers.suite_open, rate)
        rows += [own, Row(f"{rate:,}/s", peers.analyzer_open, rate)]
        targets.append(Target(own.load, LAG, own, Sense.AT_MOST, 300))
    kept = Row(f"{HIGH_RATE:,}/s", peers.suite_open_constant, HIGH_RATE)
    rows += [kept, Row(kept.load, peers.analyzer_open, HIGH_RATE)]
    targets += [
        Target(kept.load, RATE, kept, Sense.AT_LEAST, 0.99 * HIGH_RATE),
        Target(kept.load, RATE, kept, Sense.AT_MOST, 1.01 * HIGH_RATE),
    ]
    method = (
        "One process; every reply is scored and both events are fired. Lag is from the instant at which a request was "
        "due to when it was sent; the suite's latency has that in it, so that no median of the two is compared. "
        f"{HIGH_RATE:,} requests/s are evenly spaced, the others Poisson arrivals. "
        "perf_analyzer (`--request-rate-range`, Poisson) tells no lag."
    )
    return Section("Open load", method, rows, (RATE, LAG, CPU), targets)


SECTIONS: dict[str, Callable[["Peers"], Section]] = {
    "throughput": throughput,
    "latency": latency,
    "users": users,
    "memory": memory,
    "processes": processes,
    "verify": verification,
    "open": open_load,
}


class Peers:
    """The clients that sections compare, each made once."""

    def __init__(self, directory: Path, mnist: str | None) -> None:
        """Find them.

        Args:
            directory: for files that they need.
            mnist: a directory with MNIST's test set; None: download it.
        """
        self._mnist = mnist
        self.suite = clients.suite()
        self.suite_once_steady = clients.suite_once_steady()
        self.suite_verifying = clients.suite("--verify", str(N_VERIFIED), name="tfsload --verify")
        self.suite_of_two = clients.suite("--processes", "2", name="tfsload --processes 2")
        self.suite_of_two_to_the_end = clients.suite(
            "--processes", "2", "--stop-timeout", "10", name="tfsload --processes 2"
        )
        self.stock = clients.stock()
        self.analyzer = clients.perf_analyzer()
        self.analyzer_open = clients.perf_analyzer("--request-rate-range {n} --request-distribution poisson")
        self.suite_open, self.suite_open_constant = map(clients.suite_at_rate, ("poisson", "constant"))
        self.h2load = clients.h2load(directory)

    @functools.cached_property
    def suite_full_set(self) -> Client:
        """The suite with MNIST's whole test set, which may have to be downloaded first."""
        return _suite_with(self._mnist or "mnist")


def _suite_with(source: str) -> Client:
    """Return the suite with MNIST's whole test set, or with the reason why it is not to be had."""
    name = f"tfsload with {FULL_SET:,} images"
    source = source if source in tfsload.datasets.dataset.NAMED else os.path.abspath(source)
    try:
        n_images = len(tfsload.datasets.dataset.load(source))
    except tfsload.datasets.dataset.DataError as error:
        return clients.suite(name=name, missing=f"{error}; `--mnist DIR` names a directory that has it")
    if n_images != FULL_SET:
        return clients.suite(name=name, missing=f"{source} has {n_images:,} images")
    return clients.suite("--dataset", source, name=name)
