"""Data sets: what `load` takes, and the shipped images."""

import gzip
import hashlib
import importlib.util
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.data_files import images, write_keras_npz, write_pair, write_pictures
from tests.support.odd_files import link_to_device, pipe, unix_socket
from tfsload.datasets.dataset import DataError, Dataset, load

ROOT = Path(__file__).parents[2]
MNIST5K = ROOT / "data" / "mnist5k"


@pytest.mark.parametrize(
    "source",
    [pytest.param(name, id=name or "empty") for name in ("", "letters", "no/such/directory", "~no-such-user/mnist")],
)
def test_load_lists_the_choices(source):
    choices = f"dataset {source!r}: expected mnist5k .*, mnist or fashion_mnist .*existing file or directory: of IDX"
    with pytest.raises(DataError, match=choices):
        load(source)


@pytest.fixture
def directory(tmp_path):
    """One of many things that are no data set, or more than one."""
    (tmp_path / "empty").mkdir()
    write_pair(tmp_path, "train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    write_keras_npz(tmp_path / "mnist.npz")
    write_pictures(tmp_path / "mixed", {"1.png": images(1)[0]})
    write_pair(tmp_path / "mixed", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    (tmp_path / "archives").mkdir()
    write_keras_npz(tmp_path / "archives" / "mnist.npz")
    np.save(tmp_path / "one.npy", images(3))
    (tmp_path / "text").write_text("no data")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("gone")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        pytest.param("mnist6k", "mnist5k", id="mistyped"),
        pytest.param("MNIST", "mnist", id="in-capitals"),
        pytest.param("fashion-mnist", "fashion_mnist", id="a-hyphen"),
    ],
)
def test_a_name_that_is_nearly_one_is_asked_back(source, meant):
    with pytest.raises(DataError, match=rf"dataset '{source}' \(did you mean {meant}\?\): expected"):
        load(source)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("empty", "/empty: expected IDX files .* or PNG and JPEG files.*; found nothing$", id="empty"),
        pytest.param(
            "", "holds data sets of several kinds, train-images-idx3-ubyte, mnist.npz: pass a", id="two-kinds"
        ),
        pytest.param("mixed", "several kinds, t10k-images-idx3-ubyte, 1.png: pass a file", id="idx-and-pictures"),
        pytest.param("archives", "a .npz is passed by its own name: .*archives/mnist.npz", id="directory-of-a-npz"),
        pytest.param("one.npy", "holds one array: save images and labels together with numpy.savez", id="npy"),
        pytest.param("text", "text: expected an IDX file .*, found magic 6e 6f 20 64, which is not IDX", id="text"),
        pytest.param("mixed/1.png", "found a single image: pass its directory, .*mixed", id="one-image"),
        pytest.param("train-labels-idx1-ubyte", "expected images, found labels by its name", id="labels"),
        pytest.param("loop", "dataset '.*loop': expected mnist5k.*; found a link that leads in a cir", id="itself"),
        pytest.param("nowhere", "'.*nowhere': expected mnist5k.*; found a link that leads nowhere$", id="nowhere"),
        pytest.param("gone", "'.*gone': expected mnist5k.*; found nothing$", id="no-such-file"),
        pytest.param("x" * 300, "x': expected mnist5k.*; found File name too long$", id="name-that-is-too-long"),
        pytest.param("a\0b", "b': expected mnist5k.*; found nothing$", id="null-character"),
    ],
)
def test_load_says_what_to_pass_in_the_place_of_what_is_no_data_set(directory, name, message):
    with pytest.raises(DataError, match=message):
        load(str(directory / name))


@pytest.mark.parametrize(
    ("make", "found"),
    [
        pytest.param(pipe, "a pipe", id="pipe"),
        pytest.param(link_to_device, "a device", id="link-to-a-device"),
        pytest.param(unix_socket, "a socket", id="socket"),
    ],
)
def test_what_is_no_file_is_called_by_its_name_alone_and_in_a_directory(tmp_path, make, found):
    path = tmp_path / "x.npz"
    make(path)
    with pytest.raises(DataError, match=f"x.npz': expected mnist5k .* existing file .*; found {found}$"):
        load(str(path))
    with pytest.raises(DataError, match=rf"{tmp_path}: expected IDX files .*; found x.npz \({found}\)$"):
        load(str(tmp_path))


def test_a_directory_in_which_nothing_fits_says_what_is_there(tmp_path):
    for n in range(6):
        (tmp_path / f"{n}.bmp").write_bytes(b"BM")
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(DataError, match=r"; found 0\.bmp, 1\.bmp, 2\.bmp, 3\.bmp, 4\.bmp and 2 more$"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"class_names": ("dog", "cat")}, id="names-the-other-way-round"),
        pytest.param({"class_names": ("ca", "tdog")}, id="names-cut-elsewhere"),
        pytest.param({"class_names": ()}, id="no-names"),
        pytest.param({"labels": np.array([1, 0], np.uint8)}, id="labels"),
        pytest.param({"labels": None}, id="no-labels"),
        pytest.param({"images": images(2)[::-1]}, id="images"),
    ],
)
def test_a_fingerprint_is_of_all_that_workers_must_have_alike(change):
    made = Dataset("a", images(2), np.array([0, 1], np.uint8), ("cat", "dog"))
    changed = replace(made, **change)
    changed = replace(changed, images=np.ascontiguousarray(changed.images))
    assert changed.fingerprint != made.fingerprint
    assert replace(made, name="b", remarks=("elsewhere",)).fingerprint == made.fingerprint


def test_a_class_may_have_a_name_that_is_no_unicode():
    assert Dataset("a", images(1), None, ("\udcff",)).fingerprint


@pytest.mark.parametrize(
    ("names", "renamed"),
    [
        pytest.param(["zero", "one", "two"], "one 1, two 2, zero 0", id="words"),
        pytest.param(["Two", "One", "Nine"], "Nine 9, One 1, Two 2", id="in-capitals"),
        pytest.param(["digit9", "digit10"], "digit10 10, digit9 9", id="numbers-in-names"),
        pytest.param(["digit1", "digit2"], "", id="in-their-order"),
        pytest.param(["one", "two"], "", id="words-in-their-order"),
        pytest.param(["one", "two", "dog"], "", id="not-all"),
        pytest.param(["cat", "dog"], "", id="no-numbers"),
        pytest.param(["b1", "a1"], "", id="a-number-twice"),
    ],
)
def test_folders_whose_names_mean_numbers_are_told_of_where_they_come_in_another_order(tmp_path, names, renamed):
    dataset = load(str(write_pictures(tmp_path, {f"{name}/1.png": images(1)[0] for name in names})))

    assert dataset.class_names == tuple(sorted(names))
    cure = [one for one in dataset.remarks if "rename the folders" in one]
    assert [one.partition("rename the folders (")[2].rstrip(")") for one in cure] == ([renamed] if renamed else [])


def test_the_first_images_of_a_set_keep_all_that_is_known_of_it(tmp_path):
    dataset = load(str(write_pictures(tmp_path, {f"{name}/1.png": images(1)[0] for name in ("cat", "dog", "eel")})))
    first = dataset.first(2)

    assert (len(first), first.labels.tolist(), first.class_names) == (2, [0, 1], ("cat", "dog", "eel"))
    assert (
        first.remarks
        == dataset.remarks
        == (f"classes of {tmp_path}, by the names of its folders: 0 = cat, 1 = dog, 2 = eel",)
    )


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
    assert loaded.isdisjoint({"pooch", "tqdm", "requests", "tensorflow", "PIL", "tfsload.datasets.download"})


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
