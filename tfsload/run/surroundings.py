"""What a result is to say of where it was made, and by what."""

import os
import platform
import re
import sys
import sysconfig
from importlib import metadata

from tfsload.analysis.result import Machine, MadeBy
from tfsload.transport.spoken import GRPC, SPOKEN, Spoken

# What takes part in a measurement, beside Locust itself.
_LIBRARIES = (
    "gevent",
    "greenlet",
    "grpcio",
    "hpack",
    "httptools",
    "numpy",
    "orjson",
    "protobuf",
    "hdrhistogram",
)


def made_by(spoken: Spoken = GRPC) -> MadeBy:
    """Return the versions that are at work in this process.

    Args:
        spoken: what the run speaks.
    """
    idle = {name for other in SPOKEN.values() if other is not spoken for name in other.libraries}
    found = {name: _version(name) for name in _LIBRARIES if name not in idle}
    # Whatever lies in a package has it imported already; its own face is not to be imported by what it shows.
    suite = sys.modules[__name__.partition(".")[0]]
    return MadeBy(
        suite=suite.__version__,
        python=platform.python_version(),
        python_build=python_build(),
        locust=_version("locust"),
        libraries={name: version for name, version in found.items() if version},
    )


def python_build() -> str:
    """Return how this Python was built: optimised by a profile, as distributions build it, or not.

    Empty: it does not tell. The same Python takes a fifth less time where it was: figures of the two are not to be
    compared.
    """
    arguments, by_profile = sysconfig.get_config_var("CONFIG_ARGS"), sysconfig.get_config_var("PGO_PROF_USE_FLAG")
    build = f"{platform.python_implementation()} built"
    # Debian asks for it otherwise than by this option, and takes the flag that it was built with out of what is told.
    if "--enable-optimizations" in str(arguments) or by_profile == "":
        return f"{build} with PGO"
    return f"{build} without PGO" if arguments is not None else ""


def machine() -> Machine:
    """Return the machine that this process runs on."""
    n_cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0
    return Machine(host=platform.node(), n_cpus=n_cpus, kernel=f"{platform.system()} {platform.release()}")


def _version(name: str) -> str:
    try:
        written = metadata.distribution(name).read_text("METADATA") or ""
    except metadata.PackageNotFoundError:
        return ""
    # `metadata.version` reads all of it, line by line: of eight packages half a megabyte, to be thrown away.
    found = re.search("^Version: *(.*)$", written, re.MULTILINE)
    return found[1].strip() if found else metadata.version(name)
