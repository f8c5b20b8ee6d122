"""What a result is to say of where it was made, and by what."""

import os
import platform
import sys
from importlib import metadata

from tfsload.analysis.result import Machine, MadeBy

# What takes part in a measurement, beside Locust itself.
_LIBRARIES = ("gevent", "greenlet", "grpcio", "hpack", "numpy", "protobuf", "hdrhistogram")


def made_by() -> MadeBy:
    """Return the versions that are at work in this process."""
    found = {name: _version(name) for name in _LIBRARIES}
    # Whatever lies in a package has it imported already; its own face is not to be imported by what it shows.
    suite = sys.modules[__name__.partition(".")[0]]
    return MadeBy(
        suite=suite.__version__,
        python=platform.python_version(),
        locust=_version("locust"),
        libraries={name: version for name, version in found.items() if version},
    )


def machine() -> Machine:
    """Return the machine that this process runs on."""
    n_cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0
    return Machine(host=platform.node(), n_cpus=n_cpus, kernel=f"{platform.system()} {platform.release()}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
