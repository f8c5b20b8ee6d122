"""Where what comes with the suite lies: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
# pyproject.toml puts the files there when it builds a wheel.
_IN_WHEEL = _PACKAGE / "shipped"

PACKAGE_PARENT = _PACKAGE.parent
"""The directory that a Python has to look into to find the package."""


def shipped(name: str) -> Path:
    """Return the path of a file or directory that comes with the suite.

    name: where it lies in a checkout, such as "data/mnist5k", "models/mnist" or "locustfile.py".
    """
    return (_IN_WHEEL if _IN_WHEEL.is_dir() else PACKAGE_PARENT) / name
