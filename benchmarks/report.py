"""The report, as Markdown: targets first, then what was measured."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.row import Row
from benchmarks.sections import Section
from benchmarks.spread import Spread
from benchmarks.target import Results, Target
from tfsload.run.surroundings import python_build

_INTRODUCTION = """\
Each client runs against the null server on the same machine: nghttpd with a canned reply, so fast that the client is
the bottleneck. {repeats} interleaved: each repeat runs every row once, and ratios are taken within a repeat.
Figures are medians, with the lowest and the highest."""


def render(sections: Sequence[Section], results: Results, n_repeats: int) -> str:
    """Return the whole report."""
    repeats = "1 repeat," if n_repeats == 1 else f"{n_repeats} repeats,"
    blocks = [
        "# The load generator's own speed",
        _targets([target for section in sections for target in section.targets], results),
        _INTRODUCTION.format(repeats=repeats),
        f"{machine()}. {_others(results)}",
        _left_out(row for section in sections for row in section.rows),
        *(_section(section, results) for section in sections),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _table(heading: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heading, ["---"] * len(heading), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _targets(targets: Sequence[Target], results: Results) -> str:
    return _table(("at", "target", "reached", "holds?"), [_target_line(target, results) for target in targets])


def _target_line(target: Target, results: Results) -> tuple[str, ...]:
    reached = target.reached(results)
    if reached is None:
        return target.at, target.text(), "–", "not measured"
    return target.at, target.text(), target.reached_text(reached), "yes" if target.holds(reached) else "**no**"


def _section(section: Section, results: Results) -> str:
    heading = ("at", "client", *(figure.name for figure in section.figures))
    lines = [_line(row, section.figures, results) for row in section.rows if row in results]
    return f"## {section.heading}\n{section.method}\n\n{_table(heading, lines)}"


def _line(row: Row, figures: Sequence[Figure], results: Results) -> tuple[str, ...]:
    return row.load, row.client.name, *(_cell(figure, row, results) for figure in figures)


def _cell(figure: Figure, row: Row, results: Results) -> str:
    values = [figure.of(run) for run in results[row]]
    return "–" if None in values else Spread.of(values).text(figure.form, figure.unit)


def left_out(rows: Iterable[Row]) -> dict[str, str]:
    """Return why a client cannot be run, by client."""
    return {row.client.name: row.client.missing for row in rows if row.client.missing}


def _left_out(rows: Iterable[Row]) -> str:
    return "\n".join(f"Left out: {name}: {reason}." for name, reason in left_out(rows).items())


def _others(results: Results) -> str:
    """Say how quiet the machine was."""
    busy = [run.other_cpus for runs in results.values() for run in runs if run.other_cpus is not None]
    if not busy:
        return ""
    spread = Spread.of(busy)
    return (
        f"Beside client and server, other programs kept {spread.median:.2f} CPUs busy (the median run; "
        f"at most {spread.high:.2f})."
    )


def machine() -> str:
    """Return what was measured on and with."""
    model = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ": ?"
    ).split(": ")[1]
    packages = ", ".join(f"{name} {version(name)}" for name in ("locust", "gevent", "grpcio", "numpy", "tensorflow"))
    return (
        f"{os.cpu_count()} CPUs ({model}), Linux {platform.release()}, Python {platform.python_version()} "
        f"({python_build() or 'its build is not told'}), {packages}"
    )
