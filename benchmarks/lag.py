"""How late requests of open load leave by each pacing, what that costs of a CPU, and whether replies are read later.

    python -m benchmarks.lag [--repeats 5]

One process sends to the null server (`benchmarks.null_server`), at each rate by each pacing, in an order drawn from a
seed for each repeat. Lag is from the instant at which a request was due to when it was sent, and service from then to
when its answer was there: a pacing that keeps the process from its replies makes the server look slow.
"""

import argparse
import itertools
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import null_server, report
from benchmarks.measurement import PROJECT, MeasurementError
from benchmarks.null_server import NullServer
from benchmarks.spread import Spread
from tfsload.load.asked import PACINGS

RATES_RPS = (500, 2_000, 10_000)
# What spinning is for: from so many requests a second on, the medians of its lag are within these.
SPIN_FROM_RPS, SPIN_WITHIN_US = 2_000, (15, 110)
LEVEL_S = 3
WARM_UP_S = 1
_LIMIT_S = 120
_SEED = 1
# 4: the suite itself finds that the level supports no verdict, on a machine with neighbours; its figures stand.
_EXIT_CODES = (0, 4)


@dataclass(frozen=True)
class Setting:
    """What is run once in each repeat."""

    rate_rps: int
    pacing: str

    @property
    def text(self) -> str:
        """Name it for people."""
        return f"{self.rate_rps:,}/s, {self.pacing}"

    @property
    def is_bounded(self) -> bool:
        """Whether its lag has to be within bounds."""
        return self.pacing == "spin" and self.rate_rps >= SPIN_FROM_RPS


@dataclass(frozen=True)
class Level:
    """What one level came to.

    Attributes:
        lag_us, service_us: median and p99.
        busy: share of a CPU that the process kept busy.
        waited: share of the time for which it waited for one.
    """

    lag_us: tuple[float, float]
    service_us: tuple[float, float]
    busy: float
    waited: float


FIGURES = (
    ("lag p50", " µs", ",.0f", lambda level: level.lag_us[0]),
    ("lag p99", " µs", ",.0f", lambda level: level.lag_us[1]),
    ("service p50", " µs", ",.0f", lambda level: level.service_us[0]),
    ("service p99", " µs", ",.0f", lambda level: level.service_us[1]),
    ("CPU busy", " %", ".1f", lambda level: 100 * level.busy),
    ("waited for a CPU", " %", ".1f", lambda level: 100 * level.waited),
)
Results = Mapping[Setting, Sequence[Level]]


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="of each rate and pacing (default: 5)")
    n_repeats = parser.parse_args().repeats
    if n_repeats < 1:
        sys.exit(f"--repeats {n_repeats}: expected at least 1")
    if not shutil.which("nghttpd"):
        sys.exit("the null server is missing: apt-get install nghttp2-server")
    try:
        print(render(run(n_repeats)))
    except MeasurementError as error:
        sys.exit(f"no comparison: {error}")


def run(n_repeats: int) -> Results:
    """Run each rate by each pacing so many times, in turn."""
    order = random.Random(_SEED)
    settings = [Setting(*pair) for pair in itertools.product(RATES_RPS, PACINGS)]
    results: dict[Setting, list[Level]] = {setting: [] for setting in settings}
    with null_server.running() as server:
        for number in range(1, n_repeats + 1):
            for setting in order.sample(settings, len(settings)):
                print(f"repeat {number} of {n_repeats}: {setting.text}", file=sys.stderr, flush=True)
                results[setting].append(_measure(setting, server))
    return results


def _measure(setting: Setting, server: NullServer) -> Level:
    command = [sys.executable, "-m", "locust", "-f", "locustfile.py,benchmarks/lag_probe.py"]
    command += ["--headless", "--only-summary", "--host", server.address]
    command += ["--rate", str(setting.rate_rps), "--pacing", setting.pacing]
    command += ["--level-duration", str(LEVEL_S), "--warm-up", str(WARM_UP_S)]
    done = subprocess.run(
        command, cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LIMIT_S
    )
    if done.returncode not in _EXIT_CODES:
        raise MeasurementError(f"{setting.text} ended with exit code {done.returncode}:\n{done.stderr[-2000:]}")
    return level_in(done.stdout)


def level_in(text: str) -> Level:
    """Return what the probe has printed of one level; raise MeasurementError where it has not, or not of all."""
    lines = [line for line in text.splitlines() if line.startswith('{"n_kept"')]
    if len(lines) != 1:
        raise MeasurementError(f"{len(lines)} levels where one was run:\n{text[-2000:]}")
    told = json.loads(lines[0])
    if told["n_kept"] != told["n_requests"]:
        raise MeasurementError(f"the probe has seen {told['n_kept']} of {told['n_requests']} requests")
    return Level(tuple(told["lag_us"]), tuple(told["service_us"]), told["busy"], told["waited"])


def render(results: Results) -> str:
    """Return the comparison as Markdown."""
    heading = ("at", "pacing", *(name for name, *_ in FIGURES))
    rows = [heading, ("---",) * len(heading)]
    for setting, levels in results.items():
        spreads = (Spread.of(map(of, levels)).text(form, unit) for _, unit, form, of in FIGURES)
        rows.append((f"{setting.rate_rps:,}/s", setting.pacing, *spreads))
    n_repeats = len(next(iter(results.values())))
    repeats = "1 repeat" if n_repeats == 1 else f"{n_repeats} interleaved repeats"
    return "\n".join(
        [
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
            *(_bounds_text(setting, levels) for setting, levels in results.items() if setting.is_bounded),
            "",
            f"{repeats} of {LEVEL_S} s, one process; medians with the lowest and the highest. {report.machine()}.",
        ]
    )


def _bounds_text(setting: Setting, levels: Sequence[Level]) -> str:
    reached = [Spread.of(level.lag_us[place] for level in levels).median for place in range(len(SPIN_WITHIN_US))]
    held = [
        "yes" if lag_us <= within_us else "**no**" for lag_us, within_us in zip(reached, SPIN_WITHIN_US, strict=True)
    ]
    bounds = zip(("p50", "p99"), SPIN_WITHIN_US, held, strict=True)
    return f"- {setting.text}: " + ", ".join(
        f"lag {name} ≤ {within_us} µs: {is_held}" for name, within_us, is_held in bounds
    )


def section(n_repeats: int) -> str:
    """Run all, and return what it came to as a section of a report."""
    method = (
        "Lag is from the instant at which a request was due to when it was sent, service from then to its answer, by "
        "`--rate` and `--pacing`; Poisson arrivals."
    )
    return f"## Pacings\n{method}\n\n{render(run(n_repeats))}\n"


if __name__ == "__main__":
    main()
