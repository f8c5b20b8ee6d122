"""MNIST itself, and Fashion-MNIST: downloaded from a public mirror, verified, kept in the user's cache folder.

The cache folder is the operating system's (~/.cache/tfsload on Linux); the environment variable
TFSLOAD_CACHE_DIR names another.
"""

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from tfsload.datasets.data_error import DataError


@dataclass(frozen=True)
class Published:
    """A data set as its makers published it, in four files named as MNIST's are.

    Attributes:
        title: its name, for people.
        mirrors: where the files are fetched from, in the order of trial; each ends in a slash.
        sha256: of each file, by name.
    """

    title: str
    mirrors: tuple[str, ...]
    sha256: Mapping[str, str]


PUBLISHED = {
    "mnist": Published(
        "MNIST",
        (
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        {
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        },
    ),
    # As TensorFlow Datasets lists the files of the first mirror, which is the one that the set's own page names; the
    # second is that page's repository.
    "fashion_mnist": Published(
        "Fashion-MNIST",
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        {
            "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        },
    ),
}
"""What can be downloaded, by the name that `--dataset` takes."""

FILES = {
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
}
"""The images and the labels of each split."""

ANSWER_TIMEOUT_S = 4.0
"""How long a mirror has to give its first answer: name look-up and all its addresses together."""

READ_TIMEOUT_S = 15.0
"""How long a download may stand still. It does not bound the whole: a slow line is allowed its time."""

_CHUNK_BYTES = 64 * 1024


def cache_folder(name: str = "mnist") -> Path:
    """Return the folder of a set's downloaded files; it need not exist yet.

    name: one of `PUBLISHED`.
    """
    root = os.environ.get("TFSLOAD_CACHE_DIR") or pooch.os_cache("tfsload")
    return Path(os.path.expanduser(root)) / name


def fetch(name: str, split: str) -> tuple[Path, Path]:
    """Return the paths of a set's images and labels of a split, downloading what the cache lacks.

    name: one of `PUBLISHED`.
    split: "test" or "train".
    A file already in the cache is used without any request if its SHA-256 is right, and fetched anew if not.
    Raises DataError if a file is to be had from no mirror (within seconds when the machine is offline), or
    the cache cannot be written.
    """
    failures = []
    for mirror in PUBLISHED[name].mirrors:
        try:
            images, labels = (_retrieve(name, mirror, file) for file in FILES[split])
            return images, labels
        except _MirrorError as error:
            failures.append(f"{mirror} ({error})")
    raise DataError(_explain(name, split, failures))


class _MirrorError(Exception):
    """A mirror could not give a file; the next one may."""


def _retrieve(name: str, mirror: str, file: str) -> Path:
    path, sha256 = cache_folder(name) / file, PUBLISHED[name].sha256[file]
    try:
        if path.exists() and not path.is_file():  # of a pipe, pooch would wait for who writes
            raise DataError(f"{path}: it is no regular file: take it away, and it is downloaded anew")
        if path.is_file() and pooch.file_hash(str(path)) == sha256:
            return path
        _await_answer(mirror + file)
        pooch.retrieve(mirror + file, f"sha256:{sha256}", path.name, path.parent, downloader=_downloader())
    except requests.RequestException as error:
        raise _MirrorError(f"{file}: {_reason(error)}") from error
    except OSError as error:
        raise DataError(
            f"{path}: the download cannot be kept there: {error.strerror or error}; "
            "name a folder that can be written in the environment variable TFSLOAD_CACHE_DIR"
        ) from error
    except ValueError as error:  # pooch's word for a wrong checksum: it has deleted the file; or no address
        raise _MirrorError(str(error).replace("\n", " ")) from error
    return path


def _downloader() -> pooch.HTTPDownloader:
    return pooch.HTTPDownloader(
        progressbar=sys.stderr is not None and sys.stderr.isatty(),
        chunk_size=_CHUNK_BYTES,
        timeout=(ANSWER_TIMEOUT_S, READ_TIMEOUT_S),
    )


def _await_answer(url: str) -> None:
    """Return when the server of `url` has answered anything at all; raise what came of it if it does not.

    A connect timeout alone holds for each address of a name, of which the mirrors have many, and not at all
    for the look-up of the name: without a network that adds up to minutes. Hence the thread.
    """
    outcome: list[Exception | None] = []
    thread = threading.Thread(target=_ask, args=(url, outcome), daemon=True)
    thread.start()
    thread.join(ANSWER_TIMEOUT_S)
    if not outcome:
        raise requests.ConnectTimeout(f"no answer within {ANSWER_TIMEOUT_S:g} s")
    if outcome[0] is not None:
        raise outcome[0]


def _ask(url: str, outcome: list[Exception | None]) -> None:
    try:
        requests.head(url, timeout=ANSWER_TIMEOUT_S).close()
    except Exception as error:  # also what no request is made of, as a proxy of the environment that is no address
        outcome.append(error)
    else:
        outcome.append(None)


def _reason(error: BaseException) -> str:
    """Return the innermost cause: requests wraps what the system said in three layers of its own."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error) or type(error).__name__


def _explain(name: str, split: str, failures: list[str]) -> str:
    files = " and ".join(FILES[split])
    return (
        f"{PUBLISHED[name].title}'s {split} set could not be downloaded; tried {'; '.join(failures)}. Without a "
        f"network, use --dataset mnist5k (shipped), or put {files} into a directory DIR and use --dataset DIR"
    )
