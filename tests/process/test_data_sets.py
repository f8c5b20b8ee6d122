"""Whole runs on data sets of one's own: the answers are TensorFlow's, whatever the images lay in."""

import numpy as np
import pytest

from tests.support.data_files import write_idx, write_pictures
from tests.support.reference import assert_equals_reference
from tests.support.runs import run_headless
from tfsload.datasets.dataset import load

N_IMAGES = 100


@pytest.fixture(scope="module")
def digits():
    return load("mnist5k").first(N_IMAGES)


def _as_folders(directory, digits):
    pictures = {f"{label}/{place:03}.png": digits.images[place] for place, label in enumerate(digits.labels)}
    return write_pictures(directory / "digits", pictures)


def _as_npz(directory, digits):
    path = directory / "mnist.npz"
    np.savez_compressed(path, x_test=digits.images, y_test=digits.labels, x_train=digits.images, y_train=digits.labels)
    return path


def _as_emnist(directory, digits):
    path = write_idx(directory / "emnist-digits-test-images-idx3-ubyte.gz", digits.images.transpose(0, 2, 1))
    write_idx(directory / "emnist-digits-test-labels-idx1-ubyte.gz", digits.labels)
    return path


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(_as_folders, id="folders-of-png-files"),
        pytest.param(_as_npz, id="keras-npz"),
        pytest.param(_as_emnist, id="one-file-of-emnist"),
    ],
)
def test_a_run_over_a_data_set_of_one_s_own(tmp_path, model_server, reference, digits, write):
    source = write(tmp_path, digits)

    ended = run_headless(
        tmp_path / "run", "--host", model_server.address, "-u", "4", "-r", "4",
        "--dataset", str(source), "--num-tests", str(N_IMAGES),
    )  # fmt: skip

    assert_equals_reference(ended, reference("mnist5k"), N_IMAGES)


def test_images_that_fit_no_input_are_refused_before_the_load(tmp_path, model_server):
    source = write_pictures(tmp_path / "pets", {f"{pet}/1.png": np.zeros((8, 9), np.uint8) for pet in ("cat", "dog")})

    ended = run_headless(tmp_path / "run", "--host", model_server.address, "--dataset", str(source))

    assert ended.exit_code == 2
    assert "images are sent as [1, 72]" in ended.stderr
