"""Which IDX files of a directory belong together."""

import itertools

import numpy as np
import pytest

from tests.support.data_files import idx_bytes, images, labels, qmnist_labels, write_idx, write_pair
from tfsload.datasets import idx_files
from tfsload.datasets.dataset import DataError, load


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
        pytest.param("test", "qmnist-test-images-idx3-ubyte.gz", "qmnist-test-labels-idx2-int.gz", id="qmnist"),
        pytest.param("train", "qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int", id="qmnist-train"),
        pytest.param("test", "kmnist-t10k-images-idx3-ubyte", "kmnist-t10k-labels-idx1-ubyte", id="another-prefix"),
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


SPELLINGS_IN_ORDER = [
    ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    ("t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
    ("t10k-images.idx3-ubyte.gz", "t10k-labels.idx1-ubyte.gz"),
]


@pytest.mark.parametrize(
    "first", [pytest.param(index, id=pair[0]) for index, pair in enumerate(SPELLINGS_IN_ORDER[:-1])]
)
def test_of_several_spellings_of_one_name_one_is_chosen_in_a_fixed_order(tmp_path, first):
    for count, pair in enumerate(SPELLINGS_IN_ORDER[first:], start=1):
        write_pair(tmp_path, *pair, count=count)
    assert len(load(str(tmp_path))) == 1


SETS = [
    ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    ("test-images-idx3-ubyte.gz", "test-labels-idx1-ubyte.gz"),
    ("emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz"),
    ("emnist-digits-test-images-idx3-ubyte.gz", "emnist-digits-test-labels-idx1-ubyte.gz"),
    ("qmnist-test-images-idx3-ubyte.gz", "qmnist-test-labels-idx2-int.gz"),
]


@pytest.mark.parametrize(
    ("one", "other"),
    [pytest.param(a, b, id=f"{a[0]}-{b[0]}") for a, b in itertools.combinations(SETS, 2)],
)
def test_of_several_sets_the_refusal_names_what_can_be_passed_and_each_can(tmp_path, one, other):
    for count, pair in enumerate((one, other), start=1):
        write_pair(tmp_path, *pair, count=count)

    with pytest.raises(DataError) as caught:
        load(str(tmp_path))

    names = sorted((one[0], other[0]))
    assert f"{tmp_path}: holds several sets, {names[0]}, {names[1]}: pass the one" in str(caught.value)
    for count, (name, _) in enumerate((one, other), start=1):
        dataset = load(str(tmp_path / name))
        assert dataset.labels.tolist() == labels(count).tolist()


def test_emnist_s_images_are_put_upright_by_their_name_and_that_is_told(tmp_path):
    upright = images(3, (28, 20))
    names = "emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz"
    write_idx(tmp_path / names[0], upright.transpose(0, 2, 1))
    write_idx(tmp_path / names[1], np.array([1, 26, 5], np.uint8))

    for source in (tmp_path, tmp_path / names[0]):
        dataset = load(str(source))
        np.testing.assert_array_equal(dataset.images, upright)
        assert dataset.labels.tolist() == [1, 26, 5]
        assert (dataset.images.flags.c_contiguous, dataset.images.flags.writeable) == (True, False)
        assert dataset.remarks == (idx_files.TURNED,)


@pytest.mark.parametrize(
    "prefix", [pytest.param(name, id=name) for name in ("t10k", "qmnist-test", "kmnist-test", "my-emnist-test")]
)
def test_images_of_other_names_stay_as_they_are_stored(tmp_path, prefix):
    write_pair(tmp_path, f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")

    dataset = load(str(tmp_path))

    np.testing.assert_array_equal(dataset.images, images(3))
    assert dataset.remarks == ()


def test_a_negative_class_in_qmnist_s_table_is_refused(tmp_path):
    write_pair(tmp_path, "qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int")
    table = qmnist_labels(3)
    table[1, 0] = -1
    write_idx(tmp_path / "qmnist-test-labels-idx2-int", table, element_type=0x0C)
    with pytest.raises(DataError, match="idx2-int: expected labels from 0 to 999,999, found -1"):
        load(str(tmp_path))


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
        pytest.param([], "expected IDX files .*t10k-images-idx3-ubyte.*; found nothing", id="empty-directory"),
        pytest.param(
            ["train-images-idx3-ubyte"],
            "of the test split; .*t10k-images.*; what is there: train-images-idx3-ubyte",
            id="other-split-only",
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


@pytest.mark.parametrize(
    ("sound", "odd", "source"),
    [
        pytest.param("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "", id="labels"),
        pytest.param("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz", "", id="gzipped-labels"),
        pytest.param("t10k-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "", id="images"),
        pytest.param("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "t10k-images-idx3-ubyte", id="file"),
    ],
)
def test_images_are_not_fired_without_the_labels_that_should_lie_there(tmp_path, sound, odd, source):
    write_idx(tmp_path / sound, images(3) if "images" in sound else labels(3))
    (tmp_path / odd).symlink_to("nowhere")
    with pytest.raises(DataError, match=f"{odd}: expected an IDX file, found a link that leads nowhere"):
        load(str(tmp_path / source))


def test_labels_that_can_be_read_win_over_a_link_that_leads_nowhere(tmp_path):
    write_pair(tmp_path, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz")
    (tmp_path / "t10k-labels-idx1-ubyte").symlink_to("nowhere")
    for source in (tmp_path, tmp_path / "t10k-images-idx3-ubyte"):
        assert load(str(source)).labels.tolist() == labels(3).tolist()


def test_load_refuses_images_and_labels_that_do_not_belong_together(tmp_path):
    write_pair(tmp_path, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(labels(4)))
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte: expected 3 labels.*found 4"):
        load(str(tmp_path))
