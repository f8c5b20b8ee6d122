"""Whole runs of user classes with ways of their own, against a server whose answers are known by a formula."""

import json
import re
from collections import Counter

import gevent
import numpy as np
import pytest

from tests.support.formula_server import sums
from tests.support.runs import forked, run_headless, wait_until
from tests.support.server_processes import ScriptedServer
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes
from tfsload.datasets.dataset import load

HEAD = """
import os
import numpy as np
from locust import events
import tfsload

def say(*words):
    with open(os.environ["SAID"], "a") as said:
        print(*words, file=said)
"""
DATA = load("mnist5k")
LABELS = DATA.labels.astype(np.int64)
N = 60


@pytest.fixture(scope="module")
def server():
    server = ScriptedServer(module="formula_server")
    yield server
    server.stop()


@pytest.fixture
def run(tmp_path, server):
    """A function that runs a locustfile; returns what it ended with, its result and what it has said."""
    path, said, report = tmp_path / "own.py", tmp_path / "said", tmp_path / "report"

    def run(source, *arguments, model="digits", n_workers=0):
        path.write_text(HEAD + source)
        given = ("--host", server.address, "--model-name", model, "--report", str(report), *arguments)
        ended = run_headless(tmp_path / "run", *given, *forked(n_workers), locustfile=path, SAID=str(said))
        file = report / "result.json"
        result = json.loads(file.read_text()) if file.exists() else {}
        return ended, result, said.read_text().splitlines() if said.exists() else []

    return run


TWO = """
class Straight(tfsload.GrpcUser):
    request_name = "Straight"

class Inverted(tfsload.GrpcUser):
    request_name = "Inverted"

    def encode(self, image):
        return 255 - image

class Flat(tfsload.GrpcUser):
    request_name = "Flat"

    def encode(self, image):
        return (image // 2).ravel() / np.float32(255)

@events.prediction.add_listener
def on_prediction(image_index, predicted, label, is_right, request_name, **_):
    say(request_name, image_index, predicted, label, is_right)
"""
ENCODED = {"Straight": DATA.images, "Inverted": 255 - DATA.images, "Flat": DATA.images // 2}


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked")])
def test_each_class_has_its_own_requests(run, n_workers):
    ended, result, said = run(TWO, "-u", "6", "-r", "6", "--num-tests", str(N), "--verify", "20", n_workers=n_workers)

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    told = [line.split() for line in said]
    answers = {name: sums(images / 255) % 10 for name, images in ENCODED.items()}
    for name, image, predicted, label, is_right in told:
        assert int(predicted) == answers[name][int(image)], name
        assert int(label) == LABELS[int(image)]
        assert is_right == str(predicted == label)
    assert sorted(int(image) for _, image, *_ in told) == [*range(N)]
    assert {name for name, *_ in told} == set(ENCODED)
    totals = result["totals"]
    assert totals["wrong"] == sum(predicted != label for _, _, predicted, label, _ in told)
    assert (totals["compared"], totals["mismatched"]) == (20, 0)
    for name in ENCODED:
        assert f"{name}: images [-1, 784] float ← " in result["server"]["called"]
    assert bool(result["classes"]) is True


JUDGES = """
class Judge(tfsload.GrpcUser):
    def is_right(self, label, answer):
        say("asked", os.getpid())
        return answer.predicted != label

class Heir(Judge):
    weight = 2

@events.prediction.add_listener
def on_prediction(predicted, label, is_right, **_):
    say("told", (predicted != label) == is_right)
"""


def test_what_is_right_is_the_class_s_word_everywhere(run):
    gate = ("--threshold", "error_rate < 50%; right_rate[10s] > 1")
    users = ("-u", "3", "-r", "3")
    ended, result, said = run(JUDGES, *users, "--num-tests", str(N), "--images-per-request", "7", *gate)

    n_wrong = int((sums(DATA.images[:N] / 255) % 10 == LABELS[:N]).sum())
    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert (result["totals"]["wrong"], result["totals"]["error_rate"]) == (n_wrong, n_wrong / N)
    assert Counter(said)["told True"] == N
    assert Counter(said)["told False"] == 0
    images = result["images"]
    assert (images["judged_by"], images["n_misjudged"], images["misread"]) == ("Judge.is_right", n_wrong, [])
    assert (result["classes"], result["confusion"], result["warnings"]) == ([], [], [])
    why = "Judge.is_right says which answers are right: no class is told, nor for what an image was taken"
    assert why in " ".join(ended.stdout.split())


SLOW = """
import time


class Judge(tfsload.GrpcUser):
    def is_right(self, label, answer):
        time.sleep(0.005)
        return True
"""


@pytest.mark.parametrize("n_workers", [0, 2])
def test_a_judge_that_slows_the_run_is_told_of(run, n_workers):
    ended, result, _ = run(SLOW, "--num-tests", str(N), "-u", "2", n_workers=n_workers)

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert result["workers"]["judging_s"] >= 0.005 * N
    told = " ".join(ended.stdout.split())
    assert re.search(r"Judge\.is_right took [5-9]\.\d\d ms a request \(.*\): the figures contain it", told)


RAISES_LATER = """
class Judge(tfsload.GrpcUser):
    def is_right(self, label, answer):
        if label == 3:
            raise ValueError("a three")
        return None if label == 4 else True
"""


def test_answers_that_cannot_be_judged_are_failures_and_told_once(run):
    ended, result, _ = run(RAISES_LATER, "--num-tests", str(N))

    labels = Counter(LABELS[:N].tolist())
    assert ended.exit_code == exit_codes.FAILED
    assert result["totals"]["failed"] == {"UNJUDGED": labels[3] + labels[4]}
    assert (result["totals"]["wrong"], result["totals"]["predictions"]) == (0, N)
    log, _, table = ended.stderr.partition("Error report")
    assert log.count("ValueError: a three, at ") == log.count("returned NoneType None, expected True or False") == 1
    assert table.count("ValueError, at ") == table.count("returned NoneType, expected") == 1  # whatever it says


@pytest.mark.parametrize(
    ("source", "message", "options"),
    [
        pytest.param(
            "    def encode(self, image):\n        return image.nothing\n",
            "Mine.encode, image 0: AttributeError: 'numpy.ndarray' object has no attribute 'nothing', at ",
            (),
            id="encode-raises",
        ),
        pytest.param(
            "    def encode(self, image):\n        return {'images': image}\n",
            "Mine.encode gives uint8 [28, 28]: the input 'images' is DT_FLOAT [-1, 784], expected float32, such",
            (),
            id="encode-without-scaling",
        ),
        pytest.param(
            "    def encode(self, image):\n        return {'image': image / 255}\n",
            "Mine.encode gives 'image': signature 'serving_default' has no such input (did you mean 'images'?)",
            (),
            id="encode-for-no-input",
        ),
        pytest.param(
            "    def encode(self, image):\n        return {'images': image[:, 1:] / 255}\n",
            "Mine.encode gives float64 [28, 27]: the input 'images' is DT_FLOAT [-1, 784], expected [784] each",
            (),
            id="encode-of-another-size",
        ),
        pytest.param(
            "    def encode(self, image, label):\n        return image\n",
            "Mine.encode takes (self, image, label): expected def encode(self, image)",
            (),
            id="encode-takes-more",
        ),
        pytest.param(
            "    def is_right(self, label, answer):\n        return answer.outputs['x'] == label\n",
            "Mine.is_right, image 0: KeyError: 'x', at ",
            (),
            id="is-right-raises",
        ),
        pytest.param(
            "    def is_right(self, label, answer):\n        return 1\n",
            "Mine.is_right, image 0: returned int 1, expected True or False",
            (),
            id="is-right-says-neither",
        ),
        pytest.param(
            "    def is_right(self, label, answer):\n        return True\n",
            "--threshold 'recall[3] > 5%': Mine.is_right says which answers are right, so that there are no cl",
            ("--threshold", "recall[3] > 5%"),
            id="classes-where-there-are-none",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_load(run, source, message, options):
    ended, _, _ = run(f"class Mine(tfsload.GrpcUser):\n{source}", "--num-tests", "20", *options)

    assert ended.exit_code == exit_codes.BAD_USAGE, ended.stderr
    assert message in ended.stderr
    assert "requests " not in ended.stdout
    assert "Traceback" not in ended.stderr


ONCE = """
class Counted(tfsload.GrpcUser):
    def encode(self, image):
        say(os.getpid())
        return 255 - image
"""


@pytest.mark.parametrize(
    ("options", "n_workers", "n_processes"),
    [
        pytest.param(("--num-tests", "20"), 0, 1, id="each-once"),
        pytest.param(("--sweep", "1,2", "--level-duration", "0.5", "--dataset", "SMALL"), 0, 1, id="levels"),
        pytest.param(("--num-tests", "20"), 2, 3, id="with-workers"),
    ],
)  # fmt: skip
def test_an_image_is_encoded_once_in_each_process(run, tmp_path, options, n_workers, n_processes):
    np.savez(tmp_path / "small.npz", images=DATA.images[:20], labels=DATA.labels[:20])
    options = [str(tmp_path / "small.npz") if one == "SMALL" else one for one in options]

    ended, result, said = run(ONCE, "-u", "2", "-r", "2", *options, n_workers=n_workers)

    assert result["totals"]["predictions"] >= 20, ended.stderr
    assert [*Counter(said).values()] == [20] * n_processes


PLAIN = """
class Plain(tfsload.GrpcUser):
    pass
"""


@pytest.mark.parametrize("n_workers", [0, 1])
def test_arrays_beside_images_are_sent_to_a_model_that_has_inputs_of_their_names(run, tmp_path, n_workers):
    images, by = DATA.images[:N], np.arange(N)
    right = (images.sum(axis=(1, 2)).astype(np.int64) + by) % 10
    archive = tmp_path / "beside.npz"
    np.savez(archive, images=images, by=by, labels=right)
    given = ("--dataset", str(archive), "--num-tests", str(N))

    ended, result, _ = run(PLAIN, *given, model="moved", n_workers=n_workers)
    alone, of_images, _ = run(PLAIN, *given, n_workers=n_workers)

    assert ended.exit_code == alone.exit_code == exit_codes.PASS, ended.stderr
    assert (result["totals"]["predictions"], result["totals"]["wrong"]) == (N, 0)
    assert "images, by, and labels" in ended.stderr or "by, images, and labels" in ended.stderr
    assert of_images["totals"]["predictions"] == N


def test_where_arrays_beside_images_do_not_fit_what_images_lack_is_told_too(run, tmp_path):
    archive = tmp_path / "beside.npz"
    np.savez(archive, images=DATA.images[:N], threshold=np.full(N, 0.5), labels=LABELS[:N])

    refused, _, _ = run(PLAIN, "--num-tests", str(N), "--dataset", str(archive), model="both")
    ended, result, _ = run(
        PLAIN, *("--num-tests", str(N), "--dataset", str(archive), "--input", "threshold=0.5"), model="both"
    )

    assert refused.exit_code == exit_codes.BAD_USAGE
    assert "also wants the input 'threshold', DT_FLOAT [-1]: pass --input threshold=VALUE" in refused.stderr
    assert "gives 'images': signature 'serving_default' has no such input" in refused.stderr
    assert (ended.exit_code, result["totals"]["predictions"]) == (exit_codes.PASS, N), ended.stderr


SLOWLY = """
import time


class Slow(tfsload.GrpcUser):
    def encode(self, image):
        say("made")
        time.sleep(0.02)
        return 255 - image
"""


def test_the_stop_button_ends_the_encoding_of_a_large_data_set(tmp_path, server):
    """It would take 20 s."""
    path, said = tmp_path / "own.py", tmp_path / "said"
    path.write_text(HEAD + SLOWLY)
    given = ("--host", server.address, "--model-name", "digits")
    with web_ui_of(tmp_path / "run", *given, locustfile=path, SAID=str(said)) as ui:
        start = gevent.get_hub().threadpool.spawn(ui.start, num_tests="1000")
        wait_until(said.exists, "the first image")
        ui.stop()
        stopped = start.get(timeout=10)
        n_made = len(said.read_text().splitlines())
        again = ui.start(num_tests="5")
        wait_until(ui.n_summaries, "the summary")

    assert not stopped["success"]
    assert re.search(r"stopped while Slow\.encode made its images: [\d,]+ of 1,000 were made", stopped["message"])
    assert n_made < 900
    assert again["success"], again


def test_a_second_run_of_the_web_ui_encodes_anew(tmp_path, server):
    path, said = tmp_path / "own.py", tmp_path / "said"
    path.write_text(HEAD + ONCE)
    given = ("--host", server.address, "--model-name", "digits")
    with web_ui_of(tmp_path / "run", *given, locustfile=path, SAID=str(said)) as ui:
        for n_runs, n_tests in enumerate((20, 30), start=1):
            assert ui.start(num_tests=str(n_tests))["success"]
            wait_until(lambda n=n_runs: ui.n_summaries() == n, "the summary")
            ui.wait_for_end()
        summaries = ui.summaries()

    assert len(said.read_text().splitlines()) == 50
    rates = [sums((255 - DATA.images[:n]) / 255) % 10 != LABELS[:n] for n in (20, 30)]
    for wrong in rates:
        assert f"({wrong.sum()})" in summaries
