"""Holds this tree's speed against another commit's, run beside it on the same machine.

    python -m benchmarks.against COMMIT [--pairs 5]

Both send to the null server (`benchmarks.null_server`), and to one in their own process (`benchmarks.in_process`), in
pairs: one run of each, in an order drawn from a seed. The
ratio of a row is the geometric mean of its pairs' ratios, with Student's 95 % interval of their logarithms. A row falls
short where that whole interval lies below `LEAST_RATIO`; the exit code is then 1.
"""

import argparse
import math
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from benchmarks import clients, measurement, null_server, report
from benchmarks.clients import Client
from benchmarks.figure import CPU, RATE, Figure
from benchmarks.measurement import PROJECT, Measurement, MeasurementError
from benchmarks.null_server import NullServer
from benchmarks.spread import Spread
from tfsload.analysis.usl import student_t_95

# Medians of equal code differ by 10 to 20 % on a shared machine; intervals that reach above this do not tell.
LEAST_RATIO = 0.97
# With fewer, the interval is wider than any difference that matters.
LEAST_PAIRS = 5
_SEED = 1


@dataclass(frozen=True)
class Contest:
    """One load that both sides are run at.

    Attributes:
        load: in words.
        client: what is run; `{n}` is `n`.
        n: requests in flight, or the rate.
        figure: what is compared.
        is_better_lower: whether a lower figure is the faster side's.
    """

    load: str
    client: Client
    n: int
    figure: Figure
    is_better_lower: bool = False

    def ratio(self, new: Measurement, old: Measurement) -> float:
        """Return how many times as fast the new side is."""
        ratio = self.figure.of(new) / self.figure.of(old)
        return 1 / ratio if self.is_better_lower else ratio


CONTESTS = (
    Contest("8 in flight", clients.suite(), 8, RATE),
    Contest("32 in flight", clients.suite(), 32, RATE),
    # The rate is given, so what it costs is compared.
    Contest(
        "20,000/s, open load", clients.suite_at_rate("poisson", tells_lag=False), 20_000, CPU, is_better_lower=True
    ),
    # No kernel and no second process: differences of a few percent are seen.
    Contest("8 in flight, in process", clients.suite_in_process(), 8, CPU, is_better_lower=True),
)


@dataclass(frozen=True)
class Interval:
    """A ratio with the ends of its 95 % interval."""

    ratio: float
    low: float
    high: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> "Interval":
        """Return the geometric mean of paired ratios, each above 0, and Student's interval of their logarithms.

        Raises:
            ValueError: with fewer pairs than `LEAST_PAIRS`.
        """
        if len(ratios) < LEAST_PAIRS:
            raise ValueError(f"{len(ratios)} pairs: expected at least {LEAST_PAIRS}, fewer tell nothing of chance")
        logs = [math.log(ratio) for ratio in ratios]
        mean = fmean(logs)
        half = student_t_95(len(logs) - 1) * stdev(logs) / math.sqrt(len(logs))
        return cls(math.exp(mean), math.exp(mean - half), math.exp(mean + half))

    @property
    def falls_short(self) -> bool:
        """Whether it is known to be slower than it may be."""
        return self.high < LEAST_RATIO


def main() -> None:
    """Compare this tree with a commit; end with 1 where it is slower."""
    options = _parser().parse_args()
    if options.pairs < LEAST_PAIRS:
        sys.exit(f"--pairs {options.pairs}: expected at least {LEAST_PAIRS}, fewer tell nothing of chance")
    if not shutil.which("nghttpd"):
        sys.exit("the null server is missing: apt-get install nghttp2-server")
    with tempfile.TemporaryDirectory() as directory:
        old = Path(directory)
        name = _check_out(options.commit, old)
        try:
            results = run_pairs(PROJECT, old, options.pairs)
        except MeasurementError as error:
            sys.exit(f"no comparison: {error}")
    print(render(name, results))
    sys.exit(int(any(_interval(contest, pairs).falls_short for contest, pairs in results.items())))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="what this tree is held against, as git names it")
    parser.add_argument("--pairs", type=int, default=LEAST_PAIRS, help=f"of each row (default: {LEAST_PAIRS})")
    return parser


def _check_out(commit: str, directory: Path) -> str:
    """Write a commit's files to a directory; return its short name."""
    found = subprocess.run(
        ["git", "rev-parse", "--verify", "--short", f"{commit}^{{commit}}"], cwd=PROJECT, capture_output=True, text=True
    )
    if found.returncode:
        sys.exit(f"{commit!r} is no commit here ({found.stderr.strip()}): name one, as COMMIT=37cc0fb")
    archive = directory / "commit.tar"
    subprocess.run(["git", "archive", "--output", str(archive), found.stdout.strip()], cwd=PROJECT, check=True)
    with tarfile.open(archive) as files:
        files.extractall(directory, filter="data")
    archive.unlink()
    return found.stdout.strip()


Pairs = list[tuple[Measurement, Measurement]]


def run_pairs(new: Path, old: Path, n_pairs: int) -> dict[Contest, Pairs]:
    """Run both sides of each contest so many times, in turn; return new and old by pair."""
    order = random.Random(_SEED)
    results: dict[Contest, Pairs] = {contest: [] for contest in CONTESTS}
    with null_server.running() as server:
        for number in range(1, n_pairs + 1):
            for contest in CONTESTS:
                print(f"pair {number} of {n_pairs}: {contest.load}", file=sys.stderr, flush=True)
                results[contest].append(_pair(contest, new, old, server, order.random() < 0.5))
    return results


def _pair(
    contest: Contest, new: Path, old: Path, server: NullServer, is_new_first: bool
) -> tuple[Measurement, Measurement]:
    sides = (new, old) if is_new_first else (old, new)
    first, second = (measurement.measure(contest.client, contest.n, server, side) for side in sides)
    return (first, second) if is_new_first else (second, first)


def _interval(contest: Contest, pairs: Pairs) -> Interval:
    return Interval.of([contest.ratio(new, old) for new, old in pairs])


def render(name: str, results: dict[Contest, Pairs]) -> str:
    """Return the comparison as Markdown."""
    lines = [
        "| at | figure | this tree | " + name + " | times as fast (95 %) | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for contest, pairs in results.items():
        interval, figure = _interval(contest, pairs), contest.figure
        sides = [Spread.of(map(figure.of, side)).text(figure.form, figure.unit) for side in zip(*pairs, strict=True)]
        word = f"**slower**: all of it below {LEAST_RATIO}" if interval.falls_short else "holds"
        ratio = f"{interval.ratio:.3f} ({interval.low:.3f} to {interval.high:.3f})"
        lines.append(f"| {contest.load} | {figure.name} | {sides[0]} | {sides[1]} | {ratio} | {word} |")
    runs = [run for pairs in results.values() for pair in pairs for run in pair]
    busy = Spread.of(run.other_cpus for run in runs if run.other_cpus is not None)
    n_pairs = len(next(iter(results.values())))
    return "\n".join(
        [
            *lines,
            "",
            f"{n_pairs} interleaved pairs, medians with the lowest and the highest. {report.machine()}. Beside client "
            f"and server, other programs kept {busy.text('.2f')} CPUs busy.",
        ]
    )


if __name__ == "__main__":
    main()
