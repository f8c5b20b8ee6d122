"""Whole runs on data sets of one's own: the answers are TensorFlow's, whatever the images lay in."""

import json

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
    assert "takes images of 28 × 28 pixels (DT_FLOAT [-1, 784]), and the data set's are 8 × 9; images" in ended.stderr
    assert "resize them to 28 × 28, pass another --dataset" in " ".join(ended.stderr.split())


def _flat(directory, digits):
    return write_pictures(directory / "flat", {f"{place:03}.png": image for place, image in enumerate(digits.images)})


def _npz_without_labels(directory, digits):
    np.savez(directory / "a.npz", images=digits.images)
    return directory / "a.npz"


@pytest.mark.parametrize(
    "write", [pytest.param(_flat, id="flat-directory"), pytest.param(_npz_without_labels, id="npz-without-labels")]
)
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="one-by-one"),
        pytest.param(["--processes", "2", "--images-per-request", "8"], id="two-processes-eight-a-request"),
    ],
)
def test_images_without_labels_are_fired_and_compared_and_none_is_right_or_wrong(
    tmp_path, model_server, digits, write, arguments
):
    source, report = write(tmp_path, digits), tmp_path / "report"

    ended = run_headless(
        tmp_path / "run", "--host", model_server.address, "-u", "4", "-r", "4", "--dataset", str(source),
        "--num-tests", str(N_IMAGES), "--verify", "40", "--threshold", "failed_rate < 1%; mismatched_rate < 1%",
        "--report", str(report), *arguments,
    )  # fmt: skip

    assert ended.exit_code == 0, ended.stdout
    assert "the data set has no labels, so that no answer is right or wrong; --verify still compares" in ended.stderr
    assert ended.stdout.splitlines()[-1] == "Inference error rate: – (the data set has no labels)"
    assert "100 of 100 images, each exactly once" in ended.stdout
    result = json.loads((report / "result.json").read_text())
    totals = result["totals"]
    assert (totals["predictions"], totals["wrong"], totals["error_rate"], totals["mismatched"]) == (100, None, None, 0)
    assert totals["compared"] == 40
    assert (result["images"]["is_labelled"], result["images"]["misread"], result["classes"]) == (False, [], [])


def test_thresholds_on_labels_that_there_are_not_are_refused_before_the_load(tmp_path, model_server, digits):
    source = _npz_without_labels(tmp_path, digits)

    ended = run_headless(
        tmp_path / "run", "--host", model_server.address, "--dataset", str(source), "--threshold", "error_rate < 5%"
    )

    assert ended.exit_code == 2
    assert "--threshold 'error_rate < 5%': the data set has no labels" in ended.stderr


def test_what_a_directory_holds_is_told_before_the_run(tmp_path, model_server, digits):
    named = dict(zip((0, 1), ("nought", "one"), strict=True))
    chosen = [place for place, label in enumerate(digits.labels) if label in named]
    pictures = {f"{named[digits.labels[place]]}/{place}.png": digits.images[place] for place in chosen}
    source = write_pictures(tmp_path / "named", pictures)
    (source / "notes.txt").write_text("words")

    ended = run_headless(tmp_path / "run", "--host", model_server.address, "--dataset", str(source), "--dry-run")

    assert ended.exit_code == 0, ended.stdout
    for told in (ended.stderr, ended.stdout):
        assert f"classes of {source}, by the names of its folders: 0 = nought, 1 = one" in told
        assert f"passed over beside the folders of {source}: notes.txt" in told
    assert f"images 0 to {min(len(chosen), 20) - 1}: {min(len(chosen), 20)} right, 0 wrong" in ended.stdout
