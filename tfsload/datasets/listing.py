"""What lies in a directory, in an order that does not depend on the file system."""

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from tfsload.datasets.data_error import DataError

# What systems leave in directories, beside what begins with a dot.
_DROPPINGS = ("Thumbs.db", "desktop.ini", "__MACOSX")
_PICTURES = (".png", ".jpg", ".jpeg")

FILE, DIRECTORY, NOTHING = "a file", "a directory", "nothing"
_KINDS = {
    stat.S_IFREG: FILE,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass
class Listing:
    """What lies in a directory, by name, each kind in order; hidden files, and what systems leave there, are left out.

    Attributes:
        files: regular files.
        folders: directories, and links to some.
        others: what is neither, such as a pipe, or a link that leads nowhere; each with what it is.
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)


def list_directory(directory: Path) -> Listing:
    """List a directory.

    Raises:
        DataError: it cannot be read.
    """
    listing = Listing()
    others: list[str] = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name not in _DROPPINGS:
                    _names_of_kind(entry, listing, others).append(entry.name)
    except OSError as error:
        raise DataError(f"{directory}: expected a readable directory, found: {error.strerror or error}") from None
    listing.files.sort()
    listing.folders.sort()
    listing.others = {name: what_is(directory / name) for name in sorted(others)}
    return listing


def _names_of_kind(entry: os.DirEntry[str], listing: Listing, others: list[str]) -> list[str]:
    try:
        if entry.is_dir():
            return listing.folders
        if entry.is_file():
            return listing.files
    except OSError:  # a link to itself
        pass
    return others


def what_is(path: Path) -> str:
    """Return what lies at a path, links followed, for people: `FILE`, `DIRECTORY`, `NOTHING`, or what else it is."""
    try:
        return _KINDS.get(stat.S_IFMT(path.stat().st_mode), "no file")
    except FileNotFoundError:
        return "a link that leads nowhere" if path.is_symlink() else NOTHING
    except ValueError:  # a null character, which no name can have
        return NOTHING
    except OSError as error:
        return "a link that leads in a circle" if error.errno == errno.ELOOP else f"{error.strerror or error}"


def is_picture(name: str) -> bool:
    """Whether a file is an image by its name."""
    return name.lower().endswith(_PICTURES)
