"""What lies in a directory, in an order that does not depend on the file system."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from tfsload.datasets.data_error import DataError

# What systems leave in directories, beside what begins with a dot.
_DROPPINGS = ("Thumbs.db", "desktop.ini", "__MACOSX")
_PICTURES = (".png", ".jpg", ".jpeg")


@dataclass
class Listing:
    """What lies in a directory, by name, each kind in order; hidden files, and what systems leave there, are left out.

    Attributes:
        files: regular files.
        folders: directories, and links to some.
        broken: links that lead nowhere or in a circle, and what else is neither: a pipe, say.
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def list_directory(directory: Path) -> Listing:
    """List a directory.

    Raises:
        DataError: it cannot be read.
    """
    listing = Listing()
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name not in _DROPPINGS:
                    _kind_of(entry, listing).append(entry.name)
    except OSError as error:
        raise DataError(f"{directory}: expected a readable directory, found: {error.strerror or error}") from None
    for names in (listing.files, listing.folders, listing.broken):
        names.sort()
    return listing


def _kind_of(entry: os.DirEntry[str], listing: Listing) -> list[str]:
    try:
        if entry.is_dir():
            return listing.folders
        if entry.is_file():
            return listing.files
    except OSError:  # a link to itself
        pass
    return listing.broken


def is_picture(name: str) -> bool:
    """Whether a file is an image by its name."""
    return name.lower().endswith(_PICTURES)
