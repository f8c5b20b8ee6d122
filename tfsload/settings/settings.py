"""What a run was asked to do: all options, read and checked together.

Options are kept as text until `Settings.parse` reads them all at once, so that one message can name
all faults, whether a value came from the command line, a file, the environment or the web form.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfsload.analysis.thresholds import Threshold, ThresholdError
from tfsload.analysis.tolerance import Tolerance
from tfsload.load.asked import LoadAsked
from tfsload.settings import rules
from tfsload.settings.options import OPTIONS
from tfsload.transport import words
from tfsload.transport.address import Address, AddressError, parse_address
from tfsload.transport.asked import ConnectionAsked, ModelAsked
from tfsload.transport.faults import FaultsError
from tfsload.transport.spoken import GRPC, Spoken


class SettingsError(FaultsError):
    """Bad usage."""


@dataclass(frozen=True)
class DataAsked:
    """What is fired, and in which order.

    Attributes:
        dataset: as `tfsload.datasets.dataset.load` takes it.
        num_tests: images to fire, each exactly once; 0: no limit.
        seed: of the firing order and of arrivals.
    """

    dataset: str
    num_tests: int
    seed: int


@dataclass(frozen=True)
class ChecksAsked:
    """What the run is held against.

    Attributes:
        thresholds: what must hold.
        verify: images whose answers are compared with those without load.
        tolerance: how far their scores may be off.
        label_offset: how far the model's classes are above the labels.
    """

    thresholds: tuple[Threshold, ...]
    verify: int
    tolerance: Tolerance
    label_offset: int

    @property
    def compared_by(self) -> tuple[Tolerance, int]:
        """How scores are compared with those without load: how far off they may be, and where the labels begin."""
        return self.tolerance, self.label_offset


@dataclass(frozen=True)
class ReportAsked:
    """What is kept of the run, and how.

    Attributes:
        directory: of the report; empty: none is written.
        hgrm: whether that holds the latencies of each level as HdrHistogram's tools read them.
        notes: pairs of key and value that the run is remembered by.
        dry_run: whether all is only checked.
    """

    directory: str
    hgrm: bool
    notes: tuple[tuple[str, str], ...]
    dry_run: bool


@dataclass(frozen=True)
class Settings:
    """What a run was asked to do, checked.

    Attributes:
        model: what is called.
        connection: where it is, and how it is spoken to.
        data: what is fired.
        load: the levels, if there are any.
        checks: what it is held against.
        report: what is kept of it.
        web_origins: further pages that may start and stop runs in the web UI.
    """

    model: ModelAsked
    connection: ConnectionAsked
    data: DataAsked
    load: LoadAsked
    checks: ChecksAsked
    report: ReportAsked
    web_origins: tuple[str, ...]

    def at_ready(self, target: Address) -> "Settings":
        """Return these settings with another server, which is ready: that it starts is no reason to wait for it."""
        connection = dataclasses.replace(self.connection, target=target, wait_s=0.0)
        return dataclasses.replace(self, connection=connection)

    @classmethod
    def parse(
        cls, values: Mapping[str, Any], host: str | None, host_named_by: str = "--host", spoken: Spoken = GRPC
    ) -> "Settings":
        """Read and check all options.

        Args:
            values: text by option name (Locust's parsed options as a mapping); a missing one has its default.
            host: the server's address; empty or None: the embedded server.
            host_named_by: what names it, for messages.
            spoken: what the run speaks.

        Raises:
            SettingsError: with every fault.
        """
        faults: list[str] = []
        fields: dict[str, Any] = {"connection.target": None}
        for option in OPTIONS:
            given = str(values.get(option.dest, option.default)).strip()
            try:
                fields[option.field] = option.by_itself if given == option.default else option.read(given)
            except (ThresholdError, FaultsError) as error:
                faults += [f"{option.flag} {fault}" for fault in error.faults]
            except ValueError as expected:
                given = "(its value is not shown)" if option.is_secret else words.given(given)
                faults.append(f"{option.flag} {given}: expected {expected}")
        if host:
            try:
                fields["connection.target"] = parse_address(host, host_named_by, spoken)
            except AddressError as fault:
                faults.append(str(fault))
        faults += rules.tls_by_address(fields, host, host_named_by)
        faults += rules.faults(fields, host, spoken)
        if faults:
            raise SettingsError(faults)
        return cls(
            model=ModelAsked(**_section(fields, "model")),
            connection=ConnectionAsked(**_section(fields, "connection")),
            data=DataAsked(**_section(fields, "data")),
            load=LoadAsked(**_section(fields, "load")),
            checks=ChecksAsked(**_section(fields, "checks")),
            report=ReportAsked(**_section(fields, "report")),
            web_origins=fields["web_origins"],
        )


# The fields of each section, with its attributes; the server is named by no option.
_OF_SECTIONS: dict[str, list[tuple[str, str]]] = {}
for _field in ("connection.target", *(option.field for option in OPTIONS)):
    _name, _, _attribute = _field.partition(".")
    _OF_SECTIONS.setdefault(_name, []).append((_field, _attribute))


def _section(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the fields of one section, by attribute."""
    return {attribute: fields[field] for field, attribute in _OF_SECTIONS[name]}
