"""Everything that is checked before any load: options, data, the server and its model."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.dataset import DataError, Dataset
from tfsload import exit_codes, preflight
from tfsload.channel.connect import check_files
from tfsload.embedded import EmbeddedModel
from tfsload.preflight import MisfitError, NoServerError, Preflight
from tfsload.refusal import RunRefused
from tfsload.run import fingerprint, load_images
from tfsload.settings import Settings, SettingsError
from tfsload.target import parse_grpc_target

_DATA_OPTIONS = ("dataset", "num_tests")


@dataclass(frozen=True)
class Checked:
    """A run that can start.

    Attributes:
        settings: with `target` set.
        n_images: images that it fires: once each, or over and over.
        data_fingerprint: of these images.
        preflight: what the server said of its model.
    """

    settings: Settings
    n_images: int
    data_fingerprint: str
    preflight: Preflight


def check(options: Mapping[str, Any], host: str | None, embedded: EmbeddedModel) -> Checked:
    """Check a run; the embedded server is started where no host is named.

    Raises:
        RunRefused: with all faults of the options, or of the data, or of the server.
    """
    settings, dataset = _checked_here(options, host)
    if settings.target is None:
        target = parse_grpc_target(embedded.address(settings.model_name))
        settings = dataclasses.replace(settings, target=target)
    try:
        check_files(settings)
        found = preflight.ask(settings, n_classes=int(dataset.labels.max()) + 1)
    except SettingsError as error:
        raise RunRefused(exit_codes.BAD_USAGE, error.faults) from None
    except NoServerError as error:
        raise RunRefused(exit_codes.FAILED, error.faults) from None
    except MisfitError as error:
        raise RunRefused(exit_codes.BAD_USAGE, error.faults) from None
    return Checked(settings, len(dataset.labels), fingerprint(dataset), found)


def _checked_here(options: Mapping[str, Any], host: str | None) -> tuple[Settings, Dataset]:
    """Check what needs no server: the options and the data, with the faults of both at once."""
    faults: list[str] = []
    settings = dataset = None
    try:
        settings = Settings.parse(options, host)
    except SettingsError as error:
        faults += error.faults
    try:
        dataset = load_images(settings or Settings.parse({name: options[name] for name in _DATA_OPTIONS}, None))
    except SettingsError as error:
        faults += [fault for fault in error.faults if fault not in faults]
    except DataError as error:
        faults.append(str(error))
    n_users = options.get("num_users")
    if n_users is not None and n_users < 1:
        faults.append(f"-u {n_users}: expected at least 1 user")
    if faults:
        raise RunRefused(exit_codes.BAD_USAGE, faults)
    return settings, dataset
