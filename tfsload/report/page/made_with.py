"""How to make the run again: its settings, versions, machine and notes. Pure."""

from dataclasses import dataclass, replace

from tfsload.analysis.result import RunResult
from tfsload.report import units
from tfsload.report.where import EMBEDDED, protocol


@dataclass(frozen=True)
class Listing:
    """Names and what they hold.

    Attributes:
        title: of all of them.
        rows: name and text.
        is_folded: whether hardly anybody wants to see them.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    is_folded: bool = False


def listings(result: RunResult) -> tuple[Listing, ...]:
    """Return what is known of how a run was made."""
    made_by, machine, server, course = result.made_by, result.machine, result.server, result.course
    python = f"{made_by.python} ({made_by.python_build})" if made_by.python_build else made_by.python
    versions = [("tfsload", made_by.suite), ("Python", python), ("Locust", made_by.locust)]
    versions += made_by.libraries.items()
    cpus = f"{machine.n_cpus} CPU{'' if machine.n_cpus == 1 else 's'}" if machine.n_cpus else ""
    model = f"{server.model_name}, version {server.model_version}" if server.model_version else server.model_name
    run = [
        ("server", f"{server.address} ({EMBEDDED})" if server.is_embedded else server.address),
        ("protocol", protocol(server.protocol)),
        ("model", model),
        ("signature", server.signature_name),
        ("input", server.input_name),
        ("output", server.output_name),
        ("understood as", server.called),
        ("began", units.moment(course.begun_unix_s)),
        ("machine", " · ".join(part for part in (machine.host, cpus, machine.kernel) if part)),
        ("processes with users", units.count(result.workers.n) if result.totals.requests else ""),
        ("digest of the settings", result.asked.digest),
    ]
    changed = set(result.asked.changed)
    settings = sorted(result.asked.options.items())
    made = (
        Listing("Notes", tuple(result.notes.items())),
        Listing("Run", tuple(run)),
        Listing("Settings", tuple(one for one in settings if one[0] in changed)),
        Listing("Settings left at their defaults", tuple(one for one in settings if one[0] not in changed), True),
        Listing("Versions", tuple(versions), True),
    )
    with_text = (replace(one, rows=tuple(row for row in one.rows if row[1])) for one in made)
    return tuple(one for one in with_text if one.rows)
