"""Compares load generators against the null server, and says which targets the suite reaches.

    python -m benchmarks.compare [--repeats 3] [--only latency] [--output benchmarks/RESULTS.md]

A peer that is not installed is named, with how to get it. `PERF_ANALYZER` names NVIDIA's program.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import lag, measurement, null_server, report
from benchmarks.measurement import Measurement, MeasurementError
from benchmarks.row import Row
from benchmarks.sections import SECTIONS, Peers

# The section that `benchmarks.lag` makes.
_PACINGS = "pacings"


def main() -> None:
    """Measure what the command line asks for, and print the report."""
    options = _parser().parse_args()
    if options.repeats < 1:
        sys.exit(f"--repeats {options.repeats}: expected at least 1")
    if not shutil.which("nghttpd"):
        sys.exit("the null server is missing: apt-get install nghttp2-server")
    names = options.only or [*SECTIONS, _PACINGS]
    with tempfile.TemporaryDirectory() as directory:
        peers = Peers(Path(directory), options.mnist)
        sections = [SECTIONS[name](peers) for name in names if name != _PACINGS]
        rows = list(dict.fromkeys(row for section in sections for row in section.rows))
        for name, reason in report.left_out(rows).items():
            _say(f"left out: {name}: {reason}")
        try:
            results = measure([row for row in rows if not row.client.missing], options.repeats)
            pacings = lag.section(options.repeats) if _PACINGS in names else ""
        except MeasurementError as error:
            sys.exit(f"no report: {error}")
    text = "\n".join(filter(None, (report.render(sections, results, options.repeats), pacings)))
    print(text)
    if options.output:
        options.output.write_text(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="how often each row is run (default: 3)")
    parser.add_argument(
        "--only", action="append", choices=[*SECTIONS, _PACINGS], help="one section; several by repeating it"
    )
    parser.add_argument(
        "--mnist",
        metavar="DIR",
        default=os.environ.get("TFSLOAD_TEST_MNIST") or None,
        help="a directory with MNIST's test set (default: $TFSLOAD_TEST_MNIST; without it: downloaded)",
    )
    parser.add_argument("--output", type=Path, help="write the report there too")
    return parser


def measure(rows: Sequence[Row], n_repeats: int) -> dict[Row, list[Measurement]]:
    """Run each row once in each repeat."""
    results: dict[Row, list[Measurement]] = {row: [] for row in rows}
    with null_server.running() as server:
        for repeat in range(n_repeats):
            for number, row in enumerate(rows):
                _say(f"repeat {repeat + 1} of {n_repeats}, {number + 1} of {len(rows)}: {row.client.name}, {row.load}")
                run = measurement.count(row.client, row.n) if row.is_counted else None
                results[row].append(run or measurement.measure(row.client, row.n, server))
    return results


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
