"""A file that somebody has named, read without waiting for anybody, and no further than such a file goes.

A name may lead to a pipe, a socket or a device: to open one may wait for ever, to read one may never end, and a tape
drive rewinds. A file may also grow, or be replaced, while it is read.
"""

import errno
import os
import stat


class NoRegularFileError(OSError):
    """A name leads to something that is no regular file, or to one that is larger than what is read there."""


def opener(path: str | os.PathLike[str], flags: int = os.O_RDONLY) -> int:
    """Open a regular file and return its descriptor, as the `opener` of `open` does.

    Raises:
        NoRegularFileError: there is something else.
        OSError: it cannot be opened.
    """
    try:
        _require_regular(os.stat(path))  # first: to open a device may be an order to it
        # It may have been replaced since; a pipe is then opened without waiting for who writes.
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
    except UnicodeEncodeError:
        raise OSError(errno.EINVAL, "its name holds half a character, which no name can") from None
    except ValueError:
        raise OSError(errno.EINVAL, "its name holds a null character, which no name can") from None
    try:
        _require_regular(os.fstat(descriptor))
    except NoRegularFileError:
        os.close(descriptor)
        raise
    return descriptor


def read(path: str | os.PathLike[str], most_bytes: int) -> bytes:
    """Return what a regular file holds.

    Args:
        path: of it.
        most_bytes: what such a file is never larger than; whole MiB.

    Raises:
        NoRegularFileError: there is something else, or a larger file.
        OSError: it cannot be read.
    """
    with open(opener(path), "rb") as file:
        content = file.read(most_bytes + 1) or b""  # None: a file of the kernel's that has nothing to say yet
    if len(content) > most_bytes:
        raise NoRegularFileError(errno.EFBIG, f"it is larger than {most_bytes // 2**20} MiB, as none is")
    return content


def _require_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NoRegularFileError(errno.EINVAL, "it is no regular file")
