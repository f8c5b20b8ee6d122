"""Data sets: the strict IDX reader, the search for files, and the shipped images."""

import gzip
import hashlib
import importlib.util
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.odd_files import ODD_FILES
from tfsload.datasets import idx
from tfsload.datasets.dataset import DataError, load

ROOT = Path(__file__).parents[2]
MNIST5K = ROOT / "data" / "mnist5k"
IMAGE = (28, 28)


def idx_bytes(array: np.ndarray, *, element_type: int = 8) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, element_type, array.ndim, *array.shape)
    return header + array.tobytes()


def images(count: int, shape: tuple[int, int] = IMAGE) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, *shape), np.uint8)


def labels(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.uint8) % 10


def write_pair(directory: Path, images_name: str, labels_name: str, count: int = 3) -> None:
    for name, array in ((images_name, images(count)), (labels_name, labels(count))):
        content = idx_bytes(array)
        (directory / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


@given(count=st.integers(1, 5), item_shape=st.sampled_from([(), IMAGE, (2, 3)]), seed=st.integers(0, 99))
def test_parse_gives_back_what_was_written(count, item_shape, seed):
    array = np.random.default_rng(seed).integers(0, 256, (count, *item_shape), np.uint8)
    parsed = idx.parse(idx_bytes(array), item_shape, "file")
    np.testing.assert_array_equal(parsed, array)
    assert (parsed.dtype, parsed.flags.c_contiguous, parsed.flags.writeable) == (np.uint8, True, False)


def _with_count(count_and_tail: tuple[int, bytes]) -> bytes:
    count, tail = count_and_tail
    return struct.pack(">HBBI", 0, 8, 1, count) + tail


@given(content=st.binary(max_size=64) | st.tuples(st.integers(0, 4), st.binary(max_size=4)).map(_with_count))
def test_parse_reads_or_refuses_any_bytes(content):
    try:
        again = idx_bytes(idx.parse(content, (), "file"))
    except DataError:
        again = None
    sound = len(content) > 8 and content[:4] == b"\0\0\x08\1"
    sound = sound and struct.unpack_from(">I", content, 4) == (len(content) - 8,)
    assert again == (content if sound else None)


@given(length=st.integers(0, 16 + 2 * 784 - 1))
def test_parse_refuses_every_shorter_file(length):
    with pytest.raises(DataError, match=r"^file: "):
        idx.parse(idx_bytes(images(2))[:length], IMAGE, "file")


GOOD = idx_bytes(images(2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "found an empty file", id="empty"),
        pytest.param(b"\0\0", "found magic 00 00, and then the end", id="half-a-magic"),
        pytest.param(b"PK\3\4" + bytes(20), r"magic 50 4b 03 04, which is not IDX", id="a-zip-file"),
        pytest.param(GOOD[:10], "expected an IDX header of 16 bytes, found a file of 10", id="half-a-header"),
        pytest.param(
            idx_bytes(images(1).astype(">f4"), element_type=0x0D),
            r"elements of type 32-bit float in 3 dim",
            id="floats",
        ),
        pytest.param(idx_bytes(labels(2)), r"in 1 dimension\(s\) \(magic 00 00 08 01\)", id="labels-for-images"),
        pytest.param(GOOD[:-1], "2 items, 1584 bytes in all, but the file ends after 1583", id="one-byte-short"),
        pytest.param(GOOD + b"\0", "1584 bytes in all, but the file goes on", id="one-byte-over"),
        pytest.param(idx_bytes(images(2, (32, 28))), "images of 28×28 pixels, found 32×28", id="not-28x28"),
        pytest.param(idx_bytes(images(0)), "at least one item, found none", id="no-images"),
        pytest.param(
            struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 28, 28),
            "at most 1,000,000 items, found 4,294,967,295",
            id="absurd-count",
        ),
    ],
)
@pytest.mark.parametrize("packed", [pytest.param(False, id="plain"), pytest.param(True, id="gzipped")])
def test_read_refuses_what_is_not_an_image_file(tmp_path, content, message, packed):
    path = tmp_path / "some-images"
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError, match=message) as caught:
        idx.read(path, IMAGE)
    assert str(caught.value).startswith(f"{path}: ")


def _with_bad_checksum(packed: bytes) -> bytes:
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


def _with_damaged_body(packed: bytes) -> bytes:
    return packed[:40] + bytes(200) + packed[240:]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(_with_bad_checksum, "damaged one .*CRC", id="wrong-crc"),
        pytest.param(_with_damaged_body, "expected a sound gzip stream, found a damaged one", id="damaged-body"),
        pytest.param(lambda packed: packed[:-100], "complete gzip stream, found its end missing", id="cut-short"),
        pytest.param(lambda packed: packed[:-4], "complete gzip stream, found its end missing", id="no-length"),
        pytest.param(lambda packed: packed + b"junk", "found a damaged one", id="junk-behind"),
        pytest.param(lambda packed: packed + packed, "but the file goes on after them", id="twice"),
    ],
)
def test_read_refuses_a_damaged_gzip(tmp_path, damage, message):
    path = tmp_path / "images.gz"
    path.write_bytes(damage(gzip.compress(GOOD, mtime=0)))
    with pytest.raises(DataError, match=message):
        idx.read(path, IMAGE)


def test_read_unpacks_no_more_of_a_bomb_than_the_header_announces(tmp_path, monkeypatch):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(GOOD + bytes(50_000_000)))
    parsed = []
    monkeypatch.setattr(idx, "parse", lambda content, *_: parsed.append(len(content)))
    idx.read(path, IMAGE)
    assert parsed == [len(GOOD) + 1]


@pytest.mark.parametrize("make", ODD_FILES)
def test_read_opens_nothing_but_a_regular_file(tmp_path, make):
    make(tmp_path / "odd")
    with pytest.raises(DataError, match="expected a readable file, found: it is no regular file"):
        idx.read(tmp_path / "odd", IMAGE)


def test_read_says_what_the_system_says_of_an_unreadable_file(tmp_path):
    with pytest.raises(DataError, match="expected a readable file, found: it is no regular file"):
        idx.read(tmp_path, IMAGE)


@pytest.mark.parametrize(
    ("split", "images_name", "labels_name"),
    [
        pytest.param("test", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", id="t10k"),
        pytest.param("test", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", id="t10k-gzipped"),
        pytest.param("test", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte", id="t10k-dotted"),
        pytest.param("test", "test-images-idx3-ubyte.gz", "test-labels-idx1-ubyte.gz", id="test-gzipped"),
        pytest.param("test", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte", id="one-gzipped"),
        pytest.param("train", "train-images-idx3-ubyte", "train-labels-idx1-ubyte", id="train"),
        pytest.param("train", "train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte.gz", id="train-dotted"),
    ],
)
def test_load_finds_a_directory_s_files(tmp_path, split, images_name, labels_name):
    write_pair(tmp_path, images_name, labels_name)
    dataset = load(str(tmp_path), split)
    assert (dataset.name, len(dataset)) == (str(tmp_path), 3)
    np.testing.assert_array_equal(dataset.images, images(3))
    np.testing.assert_array_equal(dataset.labels, labels(3))


def test_load_believes_the_content_before_the_name(tmp_path):
    write_pair(tmp_path, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    for path in tmp_path.iterdir():
        path.rename(f"{path}.gz")  # what a browser leaves that unpacks on the way
    assert len(load(str(tmp_path))) == 3


PAIRS_IN_ORDER = [
    ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    ("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
    ("test-images-idx3-ubyte", "test-labels-idx1-ubyte"),
    ("test-images.idx3-ubyte.gz", "test-labels.idx1-ubyte.gz"),
]


@pytest.mark.parametrize("first", [pytest.param(index, id=pair[0]) for index, pair in enumerate(PAIRS_IN_ORDER)])
def test_load_chooses_among_several_in_a_fixed_order(tmp_path, first):
    for count, pair in enumerate(PAIRS_IN_ORDER[first:], start=1):
        write_pair(tmp_path, *pair, count=count)
    assert len(load(str(tmp_path))) == 1


def test_load_passes_over_a_pair_without_its_other_half(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(b"not even read")
    write_pair(tmp_path, "test-images-idx3-ubyte", "test-labels-idx1-ubyte")
    assert len(load(str(tmp_path))) == 3


def test_load_passes_over_a_directory_with_a_file_s_name(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").mkdir()
    write_pair(tmp_path, "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte")
    assert len(load(str(tmp_path))) == 3


@pytest.mark.parametrize(
    ("present", "message"),
    [
        pytest.param([], "found no images and labels of the test split; expected one of", id="empty-directory"),
        pytest.param(["train-images-idx3-ubyte"], "of the test split; .*t10k-images", id="other-split-only"),
        pytest.param(
            ["t10k-images-idx3-ubyte.gz"],
            "found t10k-images-idx3-ubyte.gz, but not its counterpart t10k-labels-idx1-ubyte",
            id="no-labels",
        ),
        pytest.param(
            ["test-labels-idx1-ubyte"],
            "found test-labels-idx1-ubyte, but not its counterpart test-images-idx3-ubyte",
            id="no-images",
        ),
    ],
)
def test_load_says_which_files_are_missing(tmp_path, present, message):
    for name in present:
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=message) as caught:
        load(str(tmp_path))
    assert str(tmp_path) in str(caught.value)


def test_load_refuses_images_and_labels_that_do_not_belong_together(tmp_path):
    write_pair(tmp_path, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(labels(4)))
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte: expected 3 labels.*found 4"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    "source",
    [pytest.param(name, id=name or "empty") for name in ("", "mnist6k", "no/such/directory", "~no-such-user/mnist")],
)
def test_load_lists_the_choices(source):
    choices = f"dataset {source!r}: expected mnist5k .*, mnist .* or an existing directory"
    with pytest.raises(DataError, match=choices):
        load(source)


def test_load_refuses_an_unknown_split():
    with pytest.raises(DataError, match="split 'dev': expected one of test, train"):
        load("mnist5k", "dev")


@pytest.mark.parametrize(
    ("split", "per_class"), [pytest.param("train", 400, id="train"), pytest.param("test", 100, id="test")]
)
def test_the_shipped_set_is_balanced_and_shuffled(split, per_class):
    dataset = load("mnist5k", split)
    assert (dataset.name, dataset.images.shape) == ("mnist5k", (10 * per_class, 28, 28))
    assert np.bincount(dataset.labels).tolist() == [per_class] * 10
    assert set(dataset.labels[:100]) == set(range(10))
    assert not dataset.images.flags.writeable
    assert dataset.images.flags.c_contiguous


def test_the_shipped_set_is_read_once_and_a_directory_each_time(tmp_path):
    counts = []
    for count in (3, 4):
        write_pair(tmp_path, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", count)
        counts.append(len(load(str(tmp_path))))

    assert load("mnist5k") is load("mnist5k")
    assert counts == [3, 4]


def test_the_shipped_halves_share_no_image():
    train, test = ({image.tobytes() for image in load("mnist5k", split).images} for split in ("train", "test"))
    assert (len(train), len(test), len(train & test)) == (4000, 1000, 0)


def test_the_shipped_files_are_those_of_the_readme():
    rows = re.findall(r"`([\w-]+\.gz)` \|.*`([0-9a-f]{64})`", (MNIST5K / "README.md").read_text("utf-8"))
    shipped = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in MNIST5K.glob("*.gz")}
    assert len(shipped) == 4
    assert dict(rows) == shipped


def test_the_shipped_set_is_loaded_without_the_downloader():
    program = "import sys, tfsload.datasets.dataset as d; d.load('mnist5k'); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert "tfsload.datasets.dataset" in loaded
    assert loaded.isdisjoint({"pooch", "tqdm", "requests", "tensorflow", "tfsload.datasets.download"})


@pytest.fixture(scope="module")
def builder():
    spec = importlib.util.spec_from_file_location("mnist5k_build", MNIST5K / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_source(path: Path, rows: np.ndarray) -> Path:
    path.write_bytes(gzip.compress("\n".join(",".join(map(str, row)) for row in rows.tolist()).encode(), 1))
    return path


@pytest.fixture(scope="module")
def source_rows() -> np.ndarray:
    rows = np.zeros((5000, 785), np.uint8)
    rows[:, :2] = np.stack(np.divmod(np.arange(5000), 256), axis=1)  # numbers the images
    rows[:, -1] = np.repeat(np.arange(10), 500)
    return rows


def test_building_again_gives_the_same_bytes(builder, source_rows, tmp_path):
    source = write_source(tmp_path / "source.csv.gz", source_rows)
    contents = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        contents.append([path.read_bytes() for path in builder.build(source, tmp_path / name)])
    assert contents[0] == contents[1]
    train, test = (load(str(tmp_path / "once"), split) for split in ("train", "test"))
    assert (len(train), len(test)) == (4000, 1000)
    everything = np.concatenate([train.images, test.images])[:, 0, :2]
    assert len(np.unique(everything, axis=0)) == 5000


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda rows: rows[:100], "expected 5000 rows of 785 numbers", id="too-few-rows"),
        pytest.param(lambda rows: rows[:, 1:], "expected 5000 rows of 785 numbers", id="too-few-columns"),
        pytest.param(lambda rows: np.zeros_like(rows), "expected 500 images a class", id="one-class"),
    ],
)
def test_building_refuses_another_source(builder, source_rows, tmp_path, change, message):
    source = write_source(tmp_path / "source.csv.gz", change(source_rows))
    with pytest.raises(ValueError, match=message):
        builder.read_rows(source)
