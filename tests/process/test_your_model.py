"""Whole runs against models as people build them: what is counted is what TensorFlow itself answers to these images."""

import json

import pytest

from tests.support.model_zoo import ZOO, expected
from tests.support.runs import locust, run_headless
from tests.support.zoo_fixtures import zoo as zoo
from tests.support.zoo_fixtures import zoo_addresses as zoo_addresses
from tests.support.zoo_fixtures import zoo_served as zoo_served
from tests.support.zoo_model import sample
from tfsload.analysis import exit_codes


@pytest.mark.parametrize(
    ("name", "options", "called"),
    [
        pytest.param(
            "keras_tutorial",
            ["--verify", "8", "--processes", "2"],
            "Conv1_input [-1, 28, 28, 1] float ← 28 × 28 pixels ÷ 255 · output_0 [-1, 10] float → class by the highest",
            id="keras-with-workers",
        ),
        pytest.param("tutorial", ["--images-per-request", "3"], "images of any rank float ← 28 × 28", id="tutorial"),
        pytest.param("uint8", [], "images [-1, 28, 28] uint8 ← 28 × 28 pixels as they are", id="bytes"),
        pytest.param("png_bytes", ["--transport", "grpcio"], "image_bytes [-1] string ← PNG of 28 × 28", id="png"),
        pytest.param("class_ids", ["--verify", "8"], "class_id [-1] int64 → class", id="classes"),
        pytest.param(
            "fixed_batch", ["--images-per-request", "4"], "images [4, 784] float ← 28 × 28", id="the-last-is-filled-up"
        ),
        pytest.param("examples", [], "examples [-1] string ← tf.Example, x = 28 × 28 pixels ÷ 255", id="examples"),
        pytest.param(
            "tutorial_classify",
            ["--signature-name", "serving_default", "--verify", "4"],
            "tf.Example, x = 28 × 28 pixels ÷ 255",
            id="classify",
        ),
    ],
)
def test_a_run_counts_what_tensorflow_answers(tmp_path, zoo, zoo_addresses, name, options, called):
    model, n = ZOO[name], 7 if name == "fixed_batch" else 8
    _, labels = sample(n)
    answers = [one for answer in expected(zoo, model) for one in model.classes(answer[model.output])][:n]
    arguments = ["--headless", "--num-tests", str(n), "--host", zoo_addresses[model.served_as], *options]

    with locust(
        tmp_path / "run", *arguments, "--model-name", model.served_as, "--report", str(tmp_path / "report")
    ) as process:
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    result = json.loads((tmp_path / "report" / "result.json").read_text())
    wrong = sum(one != label for one, label in zip(answers, labels.tolist(), strict=True))
    assert (result["totals"]["predictions"], result["totals"]["wrong"]) == (n, wrong)
    assert result["totals"]["error_rate"] == wrong / n
    assert sorted(one for row in result["confusion"] for one in [tuple(row[:2])] * row[2]) == sorted(
        zip(labels.tolist(), answers, strict=True)
    )
    assert called in result["server"]["called"]
    assert result["totals"]["mismatched"] == 0
    assert " ".join(result["server"]["called"].split()) in " ".join(ended.stdout.split())


def test_inverted_pixels_are_named_where_a_model_looks_broken(tmp_path, zoo_addresses):
    """A model of white digits is sent dark ones: to a model of dark digits, white ones are as strange."""
    arguments = ("--host", zoo_addresses["raw_float"], "--model-name", "raw_float", "--num-tests", "200")

    ended = run_headless(tmp_path / "run", *arguments, "--pixel-scale", "255..0")

    assert ended.exit_code == exit_codes.PASS
    assert "the model looks broken: " in ended.stdout
    assert "or 1..0 where its ink is dark on white" in " ".join(ended.stdout.split())
