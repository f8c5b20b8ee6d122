"""What lies where a file is expected, and is none: to open it, or to read it, may never end."""

import os
import socket
from pathlib import Path

import pytest


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def unix_socket(path: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(path.parent)  # the name of a socket is short
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


ODD_FILES = [
    pytest.param(pipe, id="a-pipe"),
    pytest.param(link_to_device, id="a-link-to-a-device"),
    pytest.param(unix_socket, id="a-socket"),
    pytest.param(Path.mkdir, id="a-directory"),
]


def far_too_large(path: Path) -> None:
    """Make a file of which nothing is on the disk."""
    with path.open("w") as file:
        file.truncate(2**40)
