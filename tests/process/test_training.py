"""Training and export. TensorFlow runs in processes of its own, never in this one."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.training.__main__ import main
from models.training.augmentation import Ranges, augment

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "mnist" / "1"
README = ROOT / "models" / "README.md"
STILL = Ranges(rotation_degrees=0, shift_pixels=0, zoom=0, shear=0)

INSPECT = """
import json, sys
from pathlib import Path
from models.training.quiet import import_tensorflow
import_tensorflow()
import tensorflow as tf
from tfsload.datasets.dataset import load
from models.training.export import error_rate, predict

def tensors(infos):
    return {
        alias: [tf.as_dtype(info.dtype).name, [size.size for size in info.tensor_shape.dim]]
        for alias, info in infos.items()
    }

path, dataset = Path(sys.argv[1]), load("mnist5k")
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
scores = predict(path, dataset.images[:50])
print(json.dumps({
    "signatures": {
        key: [signature.method_name, tensors(signature.inputs), tensors(signature.outputs)]
        for key, signature in meta_graph.signature_def.items() if not key.startswith("__")
    },
    "operations": sorted({node.op for node in meta_graph.graph_def.node}),
    "functions": len(meta_graph.graph_def.library.function),
    "row_sums": scores.sum(axis=1).tolist(),
    "lowest_score": float(scores.min()),
    "error": error_rate(path, dataset),
}))
"""

SAVE_TWICE_THEN_WRONGLY = """
import json, sys
from pathlib import Path
from models.training.quiet import import_tensorflow
import_tensorflow()
from tfsload.datasets.dataset import load
from models.training import export, network

untrained, sample, outcomes = network.build(), load("mnist5k").images[:8], []
right = export._folded
for folded in (right, right, lambda kernel, layer: (kernel * 2, right(kernel, layer)[1] + 1)):
    export._folded = folded
    target = Path(sys.argv[1]) / ("1" if folded is right else "2")
    try:
        export.save(untrained, target, sample=sample)
        outcomes.append("saved")
    except (FileExistsError, export.ExportError) as error:
        outcomes.append(type(error).__name__)
print(json.dumps(outcomes))
"""


def run(*arguments: str, code: int = 0) -> subprocess.CompletedProcess:
    """Run Python in the project's root as a user would, whatever this process's log settings."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code, done.stderr
    return done


def inspect(model: Path) -> dict:
    return json.loads(run("-c", INSPECT, str(model)).stdout)


def train(output: Path, *options: str, code: int = 0) -> subprocess.CompletedProcess:
    quick = ("--epochs", "1", "--images", "200", "--output", str(output))
    return run("-m", "models.training", *quick, *options, code=code)


@pytest.fixture(scope="module")
def shipped() -> dict:
    return inspect(SHIPPED)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    output = tmp_path_factory.mktemp("models") / "mnist"
    return output, train(output)


def assert_serves_mnist(model: dict) -> None:
    predict = [
        "tensorflow/serving/predict",
        {"images": ["float32", [-1, 784]]},
        {"scores": ["float32", [-1, 10]]},
    ]
    assert model["signatures"] == {"predict_images": predict, "serving_default": predict}
    np.testing.assert_allclose(model["row_sums"], 1, atol=1e-5)
    assert model["lowest_score"] >= 0


def test_the_shipped_model_has_the_signatures_of_the_example(shipped):
    assert_serves_mnist(shipped)


def test_the_shipped_model_holds_inference_only(shipped):
    assert shipped["functions"] == 0
    stateful = [name for name in shipped["operations"] if re.search("Var|Restore|Save|Train|Adam", name)]
    assert stateful == []


def test_the_shipped_model_is_as_good_as_its_readme_says(shipped):
    said = re.search(r"\| mnist5k, test \| 1,000 \| ([\d.]+) % \|", README.read_text("utf-8"))
    # Another processor rounds differently: one image in the thousand may fall to the other side.
    assert 100 * shipped["error"] == pytest.approx(float(said[1]), abs=0.101)


def test_the_shipped_model_is_as_small_as_its_readme_says():
    size = sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file())
    said = re.search(r"([\d,]+) bytes", README.read_text("utf-8"))
    assert size == int(said[1].replace(",", "")) <= 1_000_000


def test_a_short_training_exports_a_model_of_the_same_kind(trained):
    output, done = trained
    assert_serves_mnist(inspect(output / "1"))
    assert [path.name for path in output.iterdir()] == ["1"]
    assert "epoch   1/1" in done.stdout
    assert re.search(r"error on 1000 images of mnist5k: [\d.]+%", done.stdout)


def test_training_prints_no_chatter_of_tensorflow(trained):
    assert trained[1].stderr == ""


def test_an_existing_version_is_kept_unless_forced(trained):
    output, _ = trained
    before = (output / "1" / "saved_model.pb").read_bytes()
    refused = train(output, code=2)
    assert f"{output / '1'} exists" in refused.stderr
    assert "--force" in refused.stderr
    assert (output / "1" / "saved_model.pb").read_bytes() == before
    train(output, "--force", "--seed", "2")
    assert (output / "1" / "saved_model.pb").read_bytes() != before
    assert [path.name for path in output.iterdir()] == ["1"]


def test_an_export_is_refused_if_it_exists_or_computes_something_else(tmp_path):
    done = run("-c", SAVE_TWICE_THEN_WRONGLY, str(tmp_path))
    assert json.loads(done.stdout) == ["saved", "FileExistsError", "ExportError"]
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(["--epochs", "0"], "--epochs 0: expected an integer of at least 1", id="no-epochs"),
        pytest.param(["--epochs", "many"], "invalid int value: 'many'", id="not-a-number"),
        pytest.param(["--version", "0"], "--version 0: expected an integer of at least 1", id="version-0"),
        pytest.param(["--seed", "-1"], "--seed -1: expected an integer of at least 0", id="negative-seed"),
        pytest.param(["--seed", "4294967296"], "--seed 4294967296: expected at most", id="seed-too-large"),
        pytest.param(["--images", "-5"], "--images -5: expected an integer of at least 0", id="images"),
        pytest.param(["--images", "4001"], "--images 4001: expected at most 4000", id="too-many-images"),
        pytest.param(["--evaluate", "nowhere"], "dataset 'nowhere': expected mnist5k", id="no-dataset"),
        pytest.param(["--output", __file__], "expected a directory, or a place for one", id="output-is-a-file"),
        pytest.param(["--output", f"{__file__}/x"], "or a place for one: Not a dir", id="output-in-a-file"),
        pytest.param(["--speed", "9"], "unrecognized arguments: --speed", id="unknown-option"),
    ],
)
def test_bad_options_are_named_and_exit_with_2(tmp_path, capsys, options, message):
    with pytest.raises(SystemExit) as caught:
        main(["--output", str(tmp_path), *options])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_all_faults_are_reported_at_once(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--output", str(tmp_path), "--epochs", "0", "--version", "-3"])
    assert re.search(r"--version -3: .*; --epochs 0: ", capsys.readouterr().err)


def blobs(count: int = 20) -> np.ndarray:
    rows, columns = np.mgrid[:28, :28] - 13.5
    blob = np.exp(-(rows**2 + columns**2) / 18).astype(np.float32)
    return np.repeat(blob[None], count, axis=0)


def centres(images: np.ndarray) -> np.ndarray:
    grid = np.mgrid[:28, :28] - 13.5
    return np.einsum("nij,dij->nd", images, grid) / images.sum(axis=(1, 2))[:, None]


def test_augmentation_without_ranges_changes_nothing():
    images = np.random.default_rng(0).random((5, 28, 28), np.float32)
    np.testing.assert_allclose(augment(images, np.random.default_rng(1), STILL), images, atol=1e-5)


def test_augmentation_gives_new_images_of_the_same_kind():
    images = blobs()
    copies = augment(images, np.random.default_rng(1))
    assert (copies.shape, copies.dtype) == (images.shape, np.float32)
    assert 0 <= copies.min() <= copies.max() <= 1
    assert len(np.unique(copies, axis=0)) == len(images)


def test_augmentation_repeats_with_its_seed():
    copies = [augment(blobs(), np.random.default_rng(seed)) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(copies[0], copies[1])
    assert not np.array_equal(copies[0], copies[2])


@pytest.mark.parametrize(
    ("ranges", "furthest"),
    [
        pytest.param(Ranges(0, 3, 0, 0), 3, id="shift"),
        pytest.param(Ranges(90, 0, 0, 0), 0, id="rotation-about-the-centre"),
        pytest.param(Ranges(0, 0, 0.3, 0), 0, id="zoom-about-the-centre"),
        pytest.param(Ranges(0, 0, 0, 0.3), 0, id="shear-about-the-centre"),
    ],
)
def test_augmentation_moves_no_further_than_its_ranges(ranges, furthest):
    moved = np.abs(centres(augment(blobs(200), np.random.default_rng(5), ranges))).max()
    assert 0.9 * furthest - 0.05 <= moved <= furthest + 0.05


def test_augmentation_loses_what_leaves_the_image_and_brings_nothing_in():
    far = augment(np.ones((50, 28, 28), np.float32), np.random.default_rng(6), Ranges(0, 100, 0, 0))
    assert far.min() == 0
    assert far.sum() < 50 * 28 * 28 / 2
