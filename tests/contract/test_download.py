"""The download of MNIST and Fashion-MNIST: mirrors, checksums, cache, and no network; all on loopback."""

import gzip
import hashlib
import http.server
import socket
import struct
import threading
from dataclasses import replace

import gevent
import numpy as np
import pytest

from tests.support.odd_files import ODD_FILES
from tfsload.datasets import download
from tfsload.datasets.data_error import DataError
from tfsload.datasets.dataset import DOWNLOADED, load


def _packed(array: np.ndarray) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
GOOD = {IMAGES: _packed(PIXELS), LABELS: _packed(np.arange(5, dtype=np.uint8))}
WRONG = dict.fromkeys(GOOD, b"an error page of a captive portal")


class Mirror(http.server.ThreadingHTTPServer):
    """Serves the given files, and writes down which were asked for."""

    def __init__(self, files: dict[str, bytes]):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.fetched: list[str] = []
        self.requests = 0
        self.url = f"http://127.0.0.1:{self.server_port}/mnist/"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        content = self._answer()
        if content is not None:
            self.server.fetched.append(self._name())
            self.wfile.write(content)

    def _name(self) -> str:
        return self.path.removeprefix("/mnist/")

    def _answer(self) -> bytes | None:
        self.server.requests += 1
        content = self.server.files.get(self._name())
        if content is None:
            self.send_error(404)
            return None
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def serve():
    """A function from files to a running Mirror."""
    mirrors = []

    def start(files: dict[str, bytes]) -> Mirror:
        mirror = Mirror(files)
        threading.Thread(target=mirror.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        mirrors.append(mirror)
        return mirror

    yield start
    for mirror in mirrors:
        mirror.shutdown()
        mirror.server_close()


@pytest.fixture
def dead():
    """The address of a mirror that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening, so that nobody else gets the port
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/mnist/"


@pytest.fixture
def silent():
    """The address of a mirror that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/mnist/"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and a registry with the sums of the files in GOOD."""
    monkeypatch.setenv("TFSLOAD_CACHE_DIR", str(tmp_path / "cache"))
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in GOOD.items()}
    for name, published in download.PUBLISHED.items():
        monkeypatch.setitem(download.PUBLISHED, name, replace(published, sha256=sums))
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "cache" / "mnist"


@pytest.fixture
def mirrors(monkeypatch):
    """A function that sets the mirrors to be tried."""

    def set_all(*urls: str) -> None:
        for name, published in download.PUBLISHED.items():
            monkeypatch.setitem(download.PUBLISHED, name, replace(published, mirrors=urls))

    return set_all


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_good_mirror_gives_the_data_set(serve, mirrors, cache, name):
    mirror = serve(GOOD)
    mirrors(mirror.url)
    dataset = load(name)
    assert (dataset.name, dataset.labels.tolist()) == (name, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(dataset.images, PIXELS)
    assert sorted(path.name for path in (cache.parent / name).iterdir()) == [IMAGES, LABELS]


def test_sets_whose_files_are_named_alike_do_not_mix_in_the_cache(serve, mirrors):
    mirrors(serve(GOOD).url)
    images = {download.fetch(name, "test")[0] for name in DOWNLOADED}
    assert len(images) == len(DOWNLOADED) == 2


def test_a_second_call_makes_no_request(serve, mirrors):
    mirror = serve(GOOD)
    mirrors(mirror.url)
    first = download.fetch("mnist", "test")
    asked = mirror.requests
    assert download.fetch("mnist", "test") == first
    assert mirror.requests == asked > 0


def test_a_damaged_file_in_the_cache_is_fetched_again(serve, mirrors, cache):
    mirror = serve(GOOD)
    mirrors(mirror.url)
    download.fetch("mnist", "test")
    (cache / LABELS).write_bytes(b"damaged")
    download.fetch("mnist", "test")
    assert (cache / LABELS).read_bytes() == GOOD[LABELS]
    assert mirror.fetched == [IMAGES, LABELS, LABELS]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(WRONG, id="wrong-checksum"),
        pytest.param({}, id="not-found"),
        pytest.param({IMAGES: GOOD[IMAGES]}, id="only-one-file"),
        pytest.param(None, id="refuses-connections"),
    ],
)
def test_the_second_mirror_helps_out(serve, mirrors, dead, files):
    second = serve(GOOD)
    mirrors(dead if files is None else serve(files).url, second.url)
    images, labels = download.fetch("mnist", "test")
    assert (images.read_bytes(), labels.read_bytes()) == (GOOD[IMAGES], GOOD[LABELS])
    assert LABELS in second.fetched


def test_a_silent_mirror_is_given_up(serve, mirrors, silent, monkeypatch):
    monkeypatch.setattr(download, "ANSWER_TIMEOUT_S", 0.2)
    second = serve(GOOD)
    mirrors(silent, second.url)
    download.fetch("mnist", "test")
    assert second.fetched == [IMAGES, LABELS]


def test_wrong_checksums_everywhere_are_named_and_nothing_is_kept(serve, mirrors, cache):
    mirrors(serve(WRONG).url, serve(WRONG).url)
    with pytest.raises(DataError) as caught:
        load("mnist")
    got, want = (hashlib.sha256(files[IMAGES]).hexdigest() for files in (WRONG, GOOD))
    assert str(caught.value).count(got) == str(caught.value).count(want) == 2
    assert list(cache.iterdir()) == []


def _refusing(dead, _silent):
    return dead, dead, "refused"


def _silent(_dead, silent):
    return silent, silent, "no answer within 0.2 s"


def _nameless(_dead, _silent):
    return "http://first.invalid/", "http://second.invalid/", r"resol|not known|no answer within"


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(_refusing, id="refused"),
        pytest.param(_silent, id="silent"),
        pytest.param(_nameless, id="no-name-look-up"),
    ],
)
def test_without_a_network_the_mirrors_the_reason_and_a_way_out_are_named(mirrors, dead, silent, monkeypatch, network):
    monkeypatch.setattr(download, "ANSWER_TIMEOUT_S", 0.2)
    first, second, reason = network(dead, silent)
    mirrors(first, second)
    with gevent.Timeout(60), pytest.raises(DataError, match=f"(?i){reason}") as caught:
        load("mnist")
    for part in (first, second, "--dataset mnist5k", "--dataset DIR", IMAGES, LABELS):
        assert part in str(caught.value)


def test_a_proxy_that_is_no_address_is_named_at_once(mirrors, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://me:pass-word@a..b:80")
    monkeypatch.setenv("no_proxy", "")
    mirrors("http://first.invalid/")

    with pytest.raises(DataError, match=r"first.invalid/ .*Failed to parse: 'a\.\.b'") as caught:
        load("mnist")

    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("make", ODD_FILES)
def test_what_is_no_file_in_the_cache_is_named_and_not_read(serve, mirrors, cache, make):
    mirrors(serve(GOOD).url)
    cache.mkdir(parents=True)
    make(cache / LABELS)
    with pytest.raises(DataError, match=f"{LABELS}: it is no regular file: take it away"):
        load("mnist")


def test_a_cache_that_cannot_be_written_is_named(serve, mirrors, cache):
    mirrors(serve(GOOD).url)
    cache.parent.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot be kept there.*TFSLOAD_CACHE_DIR") as caught:
        download.fetch("mnist", "test")
    assert str(cache) in str(caught.value)


def test_every_file_of_every_split_is_registered(monkeypatch):
    monkeypatch.undo()
    assert tuple(download.PUBLISHED) == DOWNLOADED
    for published in download.PUBLISHED.values():
        assert sorted(name for pair in download.FILES.values() for name in pair) == sorted(published.sha256)
        assert all(len(bytes.fromhex(checksum)) == 32 for checksum in published.sha256.values())


def test_the_cache_is_the_system_s_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("TFSLOAD_CACHE_DIR")
    assert download.cache_folder().parts[-2:] == ("tfsload", "mnist")
