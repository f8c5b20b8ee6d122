"""Kinds of requests: what goes to the processes that fire them, and what these make of it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.golden import result_of, text_of
from tests.support.past_runs import PAST_RUNS, PastRun
from tfsload.analysis.result import RunResult
from tfsload.analysis.thresholds import parse
from tfsload.datasets.dataset import Dataset
from tfsload.prediction.hooks import NO_HOOKS, Hook, Hooks
from tfsload.prediction.prediction_user import PredictionUser
from tfsload.report import json_file, junit, markdown
from tfsload.report.page.answers import answers
from tfsload.report.page.page import render
from tfsload.run.judged_before import cost_ns
from tfsload.run.kinds import CheckedKind, called_words, calls_from_text, calls_text, hook_faults, kinds_asked, kinds_of
from tfsload.settings.settings import SettingsError
from tfsload.target.preflight import Preflight
from tfsload.transport.call_spec import MNIST_EXAMPLE, GivenInput

JUDGED = replace(MNIST_EXAMPLE, judged_by="Judge.is_right (1 µs an answer)", asks_for=())
DATA = Dataset("mine", np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.array([1, 2], np.uint8))


class Plain(PredictionUser):
    abstract = True


class Inverted(PredictionUser):
    abstract = True

    def encode(self, image):
        return 255 - image


class Judge(PredictionUser):
    abstract = True

    def is_right(self, label, answer):
        return label == answer


def checked(*kinds):
    return [CheckedKind(names, Preflight(1, spec=spec)) for names, spec in kinds]


def test_classes_without_ways_of_their_own_are_one_kind_of_all():
    (kind,) = kinds_of(DATA, [Plain, type("Other", (Plain,), {"abstract": True})])

    assert (kind.class_names, kind.encoded.dataset) == ((), DATA)
    assert calls_text(checked(((), MNIST_EXAMPLE))) == MNIST_EXAMPLE.to_text()
    assert calls_from_text(MNIST_EXAMPLE.to_text(), ()) == [((), MNIST_EXAMPLE)]


def test_what_is_sent_of_several_is_read_again():
    kinds = [(("Plain",), MNIST_EXAMPLE), (("Judge", "Heir"), JUDGED)]

    assert calls_from_text(calls_text(checked(*kinds)), ()) == kinds
    assert called_words(checked(*kinds)) == f"Plain: {MNIST_EXAMPLE.words}; Judge, Heir: {JUDGED.words}"


def test_a_process_that_fires_makes_the_same_requests():
    of_its_size = replace(MNIST_EXAMPLE, input=replace(MNIST_EXAMPLE.input, pixels=(3, 4)))
    text = calls_text(checked((("Plain",), MNIST_EXAMPLE), (("Inverted",), of_its_size), (("Judge",), JUDGED)))

    kinds = kinds_asked(text, DATA, [Judge, Plain, Inverted], {})

    assert [one.class_names for one in kinds] == [("Plain",), ("Inverted",), ("Judge",)]
    assert [one.dataset.images[0, 0, 1] for one in kinds] == [1, 254, 1]
    assert [bool(one.hooks.is_right) for one in kinds] == [False, False, True]
    held = kinds_of(DATA, [Inverted])[0].encoded.dataset
    again = kinds_asked(text, DATA, [Judge, Plain, Inverted], {("Inverted",): held})
    assert again[1].dataset is held


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        pytest.param([(("Gone",), MNIST_EXAMPLE), (("Plain",), MNIST_EXAMPLE)], "has no user class Gone", id="gone"),
        pytest.param([(("Plain",), JUDGED)], "user class Plain: its is_right is not the master's", id="no-judge"),
        pytest.param([(("Judge",), MNIST_EXAMPLE)], "user class Judge: its is_right is not the master's", id="judge"),
        pytest.param(
            [(("Plain", "Inverted"), MNIST_EXAMPLE)], "Plain, Inverted: their encode or is_right", id="differ"
        ),
    ],
)
def test_a_worker_with_other_classes_is_unfit(kinds, message):
    with pytest.raises(SettingsError, match=message):
        kinds_asked(calls_text(checked(*kinds)), DATA, [Plain, Inverted, Judge], {})


def encoding(made):
    return type("Own", (PredictionUser,), {"abstract": True, "encode": staticmethod(lambda _: made)})


@pytest.mark.parametrize(
    ("made", "in_master", "message"),
    [
        pytest.param(np.zeros((3, 4), np.uint8), (), "", id="the-same-images"),
        pytest.param(
            np.zeros((4, 3), np.uint8),
            (),
            "Own.encode makes images of 4 × 3 in this worker, and images of 3 × 4 in its master",
            id="images-the-other-way-round",
        ),
        pytest.param(np.zeros(12, np.float32), (), "makes arrays in this worker, and images of 3 × 4", id="arrays"),
        pytest.param(np.zeros(12, np.float32), ("float32 [12]",), "", id="the-same-array"),
        pytest.param({"x": np.zeros(12, np.float32)}, ("float32 [12]",), "", id="the-same-array-by-its-name"),
        pytest.param(
            np.zeros(5, np.float32),
            ("float32 [12]",),
            "makes float32 [5] for the input 'x' in this worker, and float32 [12] in its master",
            id="another-length",
        ),
        pytest.param(np.zeros((3, 4), np.float32), ("float32 [4, 3]",), "float32 [3, 4] for", id="another-shape"),
        pytest.param(np.zeros(12), ("float32 [12]",), "makes float64 [12] for the input 'x'", id="another-dtype"),
        pytest.param({"y": np.zeros(12)}, ("float32 [12]",), "makes nothing for the input 'x'", id="another-name"),
    ],
)
def test_a_worker_whose_encode_makes_something_else_is_unfit(made, in_master, message):
    """It would have fired requests that cannot be made, or that are others' than the master has checked."""
    given = tuple(GivenInput("x", "DT_FLOAT", None, (12,), gives=words, by="Own.encode") for words in in_master)
    spec = replace(MNIST_EXAMPLE, given=given, input=replace(MNIST_EXAMPLE.input, pixels=(3, 4)))
    text = calls_text(checked((("Own",), spec)))
    if message:
        with pytest.raises(SettingsError) as caught:
            kinds_asked(text, DATA, [encoding(made)], {})
        assert message in str(caught.value)
    else:
        (kind,) = kinds_asked(text, DATA, [encoding(made)], {})
        assert len(kind.dataset) == len(DATA)


# What the reports say where a class judges

WHY = "Judge.is_right says which answers are right: no class is told, nor for what an image was taken"


@pytest.fixture
def judged(monkeypatch):
    """A function from the name of a past run to its like of a class that judges answers."""
    plain = PastRun.checked.fget
    kinds = (CheckedKind(("Judge",), Preflight(1, spec=JUDGED), None, "Judge.is_right"),)
    monkeypatch.setattr(PastRun, "checked", property(lambda past: replace(plain(past), kinds=kinds)))
    return lambda kind: PAST_RUNS[kind]()


@pytest.mark.parametrize("kind", ["demo", "sweep", "rate"])
def test_a_result_has_its_errors_and_no_classes(judged, kind):
    result, plain = result_of(judged(kind)), result_of(PAST_RUNS[kind]())

    assert (result.totals.wrong, result.totals.error_rate) == (plain.totals.wrong, plain.totals.error_rate)
    assert (result.classes, result.confusion, result.images.misread, result.warnings) == ((),) * 4
    assert result.accuracy == plain.accuracy
    assert result.images.judged_by == "Judge.is_right"
    assert result.images.n_misjudged > 0
    assert result.server.called == JUDGED.words
    assert RunResult.from_plain(result.to_plain()) == result


def test_of_two_classes_the_one_that_labels_judge_is_named(monkeypatch):
    plain = PastRun.checked.fget
    kinds = (
        CheckedKind(("Judge",), Preflight(1, spec=JUDGED), None, "Judge.is_right"),
        CheckedKind(("Plain", "Inverted"), Preflight(1, spec=MNIST_EXAMPLE)),
    )
    monkeypatch.setattr(PastRun, "checked", property(lambda past: replace(plain(past), kinds=kinds)))
    result = result_of(PAST_RUNS["demo"]())

    told = "Judge.is_right says which answers are right, and of those to users of Plain and Inverted their labels do"
    assert result.images.why_no_classes.startswith(f"{told}: no class is told")
    assert RunResult.from_plain(result.to_plain()) == result
    judge = Hook("Judge.is_right", bool, ())
    found = [(("Judge",), Hooks(is_right=judge)), (("Plain", "Inverted"), NO_HOOKS)]
    (fault,) = hook_faults(found, parse("recall[3] > 5%"), DATA)
    assert f"{told}, so that there are no classes" in fault


@pytest.mark.parametrize("kind", ["demo", "sweep"])
def test_every_output_says_why(judged, kind):
    result, text = result_of(judged(kind)), text_of(judged(kind))
    seen = answers(result)

    assert f"{WHY}." in " ".join(text.split())
    assert "recall" not in text
    assert WHY.replace("_", r"\_") in markdown.write(result)
    assert WHY in junit.write(result)
    assert '"judged_by":"Judge.is_right"' in json_file.write(result)
    assert seen.summary.endswith(f"were answered wrong. {WHY}.")
    assert seen.summary.startswith(f"{result.images.n_misjudged} of the ")
    assert (seen.classes.rows, seen.pairs.rows, seen.images) == ((), (), ())
    assert WHY in render(result)


def test_a_result_of_before_is_judged_by_labels():
    written = result_of(PAST_RUNS["demo"]()).to_plain()
    for key in ("judged_by", "n_misjudged"):
        del written["images"][key]
    read = RunResult.from_plain(written)

    assert (read.images.judged_by, read.images.why_no_classes) == ("", "")


def test_the_cost_is_the_mean_of_some_calls():
    clock, n_calls = iter(range(0, 10**9, 5_000_000)), []

    assert cost_ns(lambda: n_calls.append(1), lambda: next(clock)) == 5_000_000
    assert len(n_calls) == 4  # in 20 ms
    assert cost_ns(lambda: n_calls.append(1), lambda: 0) == 0
    assert len(n_calls) == 1_004
