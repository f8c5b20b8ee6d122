"""Images without labels: no answer is right or wrong, and every output says so in words."""

import csv
import functools
import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import past_runs
from tests.support.data_files import images, write_idx, write_pictures
from tests.support.golden import result_of, text_of
from tests.support.past_runs import PAST_RUNS, PastRun
from tfsload.analysis.result import RunResult
from tfsload.analysis.thresholds import parse
from tfsload.datasets.dataset import Dataset, load
from tfsload.load.request_book import UNLABELLED, RequestBook
from tfsload.prediction import events
from tfsload.records.recorder import Recorder
from tfsload.records.window import Window
from tfsload.report import csv_files, json_file, junit, live_line, markdown
from tfsload.report.page.answers import answers
from tfsload.report.page.cards import cards
from tfsload.report.page.level_tables import levels_table
from tfsload.report.page.page import render
from tfsload.report.standing import Counters, Standing
from tfsload.run.data_faults import data_faults
from tfsload.run.result_events import tell_level
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.servable import UNTOLD
from tfsload.webui import live_words, tab_rows

MS, SECOND = 1_000_000, 1_000_000_000
GONE = PredictionFailure("UNAVAILABLE", "gone")
NO_LABELS = "the data set has no labels"


def _as_idx(directory):
    write_idx(directory / "t10k-images-idx3-ubyte.gz", images(3))
    return directory


def _as_idx_file(directory):
    return write_idx(directory / "digits", images(3))


def _as_npz(directory):
    np.savez(directory / "a.npz", x_test=images(3), y_train=np.zeros(9, np.uint8))
    return directory / "a.npz"


def _as_pictures(directory):
    return write_pictures(directory / "flat", {f"{n}.png": image for n, image in enumerate(images(3))})


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(_as_idx, id="idx-directory"),
        pytest.param(_as_idx_file, id="idx-file-of-any-name"),
        pytest.param(_as_npz, id="npz"),
        pytest.param(_as_pictures, id="flat-directory"),
    ],
)
def test_a_data_set_may_have_no_labels(tmp_path, write):
    dataset = load(str(write(tmp_path)))

    np.testing.assert_array_equal(dataset.images, images(3))
    assert (dataset.labels, dataset.first(2).labels, len(dataset.first(2))) == (None, None, 2)
    assert dataset.fingerprint != replace(dataset, labels=np.zeros(3, np.uint8)).fingerprint


def test_files_with_labels_win_over_those_without(tmp_path):
    write_idx(tmp_path / "t10k-images-idx3-ubyte", images(3))
    write_idx(tmp_path / "test-images-idx3-ubyte", images(4))
    write_idx(tmp_path / "test-labels-idx1-ubyte", np.zeros(4, np.uint8))
    assert load(str(tmp_path)).labels.tolist() == [0, 0, 0, 0]


def test_requests_without_labels_know_how_many_images_they_hold():
    book = RequestBook(images(5), None, 2, lambda chosen: chosen.tobytes())

    assert [request.labels for request in book] == [[UNLABELLED] * 2, [UNLABELLED] * 2, [UNLABELLED]]
    assert book[2].body == images(5)[4:].tobytes()


REQUESTS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 12), min_size=1, max_size=3), st.integers(0, 40 * MS), st.booleans(), st.booleans()
    ),
    max_size=40,
)


@given(requests=REQUESTS, has_window=st.booleans())
def test_what_is_counted_is_what_a_model_without_fault_would_be_counted_for(requests, has_window):
    unlabelled, faultless = Recorder(is_labelled=False, within_ns=(20 * MS,)), Recorder(within_ns=(20 * MS,))
    if has_window:
        for recorder in (unlabelled, faultless):
            recorder.measure(Window.of(1, 11 * SECOND, SECOND, False))
    done_ns = 11 * SECOND - 60 * MS
    for first, (predicted, latency_ns, is_failed, waits) in enumerate(requests):
        done_ns += 10 * MS
        sent_ns = done_ns - latency_ns
        for recorder, labels in ((unlabelled, [UNLABELLED] * len(predicted)), (faultless, predicted)):
            if is_failed:
                recorder.record(labels, None, GONE, sent_ns, sent_ns, done_ns, None, first_image=first)
            elif waits:
                recorder.waiting.append((labels, predicted, sent_ns, sent_ns, done_ns, None, None, UNTOLD, first))
            else:
                recorder.record(
                    labels, predicted, None, sent_ns, sent_ns, done_ns, None, answered_by=UNTOLD, first_image=first
                )

    found, expected = unlabelled.take_all(), faultless.take_all()

    assert found == expected
    assert all(label == answer for row in found for label, answer, _ in row["record"]["confusion"])


def test_listeners_are_told_that_there_is_no_label():
    told = []
    hooks = SimpleNamespace(
        request=SimpleNamespace(fire=lambda **_: None),
        prediction=SimpleNamespace(
            _handlers=[1], fire=lambda **given: told.append((given["label"], given["predicted"]))
        ),
    )
    answer = SimpleNamespace(predicted=[4, 7], counted=[4, 7], servable=UNTOLD, scores=np.zeros((2, 10)))
    request = RequestBook(images(2), None, 2, lambda _: b"")[0]
    given = {"lease": None, "failure": None, "n_mismatched": None, "example": None, "reply_bytes": 0, "url": ""}
    times = {"due_ns": SECOND, "sent_ns": SECOND, "done_ns": 2 * SECOND}

    events.book(
        hooks, Recorder(is_labelled=False), request_type="grpc", name="Predict", request=request, answer=answer,
        **given, **times,
    )  # fmt: skip

    assert told == [(None, 4), (None, 7)]


@pytest.mark.parametrize(
    ("threshold", "is_refused"),
    [
        pytest.param("error_rate < 5%", True, id="error_rate"),
        pytest.param("wrong_rate < 5%", True, id="wrong_rate"),
        pytest.param("right_rate[20ms] > 5", True, id="right_rate"),
        pytest.param("recall[3] > 5%", True, id="recall"),
        pytest.param("precision[3] > 5%", True, id="precision"),
        pytest.param("failed_rate < 5%", False, id="failed_rate"),
        pytest.param("mismatched_rate < 5%", False, id="mismatched_rate"),
        pytest.param("p99 < 50ms", False, id="p99"),
        pytest.param("rate > 5", False, id="rate"),
    ],
)
def test_thresholds_on_what_is_right_are_refused(threshold, is_refused):
    faults = data_faults(parse(threshold), Dataset("mine", images(3), None))
    why = f"--threshold '{threshold}': {NO_LABELS}, so that no answer is right or wrong: leave it out"
    assert [fault[: len(why)] for fault in faults] == ([why] if is_refused else [])


@pytest.fixture
def unlabelled(monkeypatch):
    """A function from the name of a past run to its like on images without labels."""
    monkeypatch.setattr(past_runs, "Recorder", functools.partial(Recorder, is_labelled=False))
    checked = PastRun.checked.fget
    monkeypatch.setattr(PastRun, "checked", property(lambda past: replace(checked(past), is_labelled=False)))
    return lambda kind: PAST_RUNS[kind]()


KINDS = ["demo", "sweep", "rate", "failed"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_has_nothing_that_labels_tell(unlabelled, kind):
    result = result_of(unlabelled(kind))

    assert (result.totals.wrong, result.totals.error_rate) == (None, None)
    assert [(level.wrong, level.error_rate) for level in result.levels] == [(None, None)] * len(result.levels)
    assert (result.classes, result.confusion, result.images.misread, result.warnings, result.accuracy) == ((),) * 5
    assert result.images.is_labelled is False
    assert sum(result.images.fired) == result.totals.predictions > 0
    assert result.judged.exit_code == result_of(PAST_RUNS[kind]()).judged.exit_code
    assert RunResult.from_plain(json.loads(json.dumps(result.to_plain()))) == result


def test_a_result_of_before_has_labels():
    written = result_of(PAST_RUNS["demo"]()).to_plain()
    for key in ("is_labelled", "columns", "class_names"):
        del written["images"][key]
    read = RunResult.from_plain(written)
    assert (read.images.is_labelled, read.images.columns, read.images.class_names) == (True, 0, ())
    assert all(image.src and (image.width, image.height) == (84, 84) for image in answers(read).images)


@pytest.mark.parametrize("kind", KINDS)
def test_the_terminal_says_so(unlabelled, kind):
    text = text_of(unlabelled(kind))

    assert text.splitlines()[-1] == f"Inference error rate: – ({NO_LABELS})"
    assert f"predictions: {NO_LABELS}" in text
    assert "wrong  " not in text
    assert " errors " not in text
    assert "recall" not in text


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_for_spreadsheets_have_empty_cells(unlabelled, kind):
    result = result_of(unlabelled(kind))

    assert {(row["wrong"], row["error_rate"]) for row in _rows(csv_files.levels(result))} == {("", "")}
    assert {row["wrong"] for row in _rows(csv_files.series(result))} == {""}
    assert _rows(csv_files.images(result)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_files_say_so_in_words(unlabelled, kind):
    result = result_of(unlabelled(kind))
    summary = markdown.write(result)

    assert f"There is no error rate: {NO_LABELS}." in summary
    assert "| errors |" not in summary
    assert "| wrong |" not in summary
    assert f"{NO_LABELS}: there is no error rate" in junit.write(result)
    assert json.loads(json_file.write(result))["totals"]["error_rate"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_so(unlabelled, kind):
    result = result_of(unlabelled(kind))
    (card,) = [card for card in cards(result) if card.title == "How often wrong: error rate"]
    seen, html = answers(result), render(result)

    assert card.value == "–"
    assert card.below.startswith(f"{NO_LABELS} · ")
    assert seen.summary.startswith("The data set has no labels: ")
    assert (seen.classes.rows, seen.pairs.rows, seen.images) == ((), (), ())
    assert seen.summary in html
    assert "Misread images" not in html
    assert not {"errors", "wrong"} & {heading.text for heading in levels_table(result).headings}


def test_listeners_of_levels_are_told_nothing_of_right_and_wrong(unlabelled):
    told = []
    hooks = SimpleNamespace(level=SimpleNamespace(_handlers=[lambda **given: told.append(given)]))

    for level in result_of(unlabelled("sweep")).levels:
        tell_level(hooks, level)

    assert {(one["error_rate"], one["wrong_rate"], one["failed_rate"]) for one in told} == {(None, None, 0.0)}


COUNTED = Counters(requests=100, predictions=200, wrong=None, failed=4, rate_rps=50.0)


def test_a_run_under_way_shows_what_failed_in_the_place_of_an_error_rate():
    standing = Standing(20.0, lasts_s=60.0, counted=COUNTED, users=2, users_asked=2)

    assert COUNTED.error_rate is None
    assert live_line.of(standing, 100).endswith("50.0/s  2.00% failed")
    (card,) = [card for card in live_words._cards(standing) if card.title.startswith("Error rate")]
    assert (card.value, card.below) == ("–", f"{NO_LABELS} · 4 failed · of 200 images")
    row = tab_rows.under_way("2 users", COUNTED, is_open_load=False)
    assert (row["errors"], row["wrong"], row["failed"]) == ("–", "–", "4")
    row = tab_rows.all_classes_under_way(COUNTED)
    assert (row["right"], row["wrong"], row["images"]) == ("–", "–", "200")


@pytest.mark.parametrize("kind", KINDS)
def test_locust_s_page_has_dashes(unlabelled, kind):
    result = result_of(unlabelled(kind))

    row = tab_rows.all_classes(result, "ended")
    assert (row["right"], row["wrong"], row["errors"]) == ("–", "–", "–")
    assert row["label"].replace("\u00a0", " ") == f"all: ended ({NO_LABELS})"
    assert tab_rows.classes(result) == []
    for row in [tab_rows.all_levels(result, "ended"), *tab_rows.levels(result)]:
        assert (row["errors"], row["wrong"]) == ("–", "–")
