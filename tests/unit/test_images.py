"""How often each image was fired, and for what it was taken: counted, merged, handed over and told."""

import json
import random
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.golden import result_of, text_of
from tests.support.page_runs import page_run
from tests.support.past_runs import PAST_RUNS, PastRun
from tfsload.analysis.image_counts import MOST_SHOWN, ImageCounts, Misread
from tfsload.datasets.dataset import load
from tfsload.prediction.process_run import RunImages
from tfsload.records.images import Images
from tfsload.records.recorder import Recorder, merge_plain
from tfsload.report.page.answers import answers
from tfsload.report.page.page import render
from tfsload.run import result_making
from tfsload.transport.failure import PredictionFailure

GONE = PredictionFailure("UNAVAILABLE", "gone")
COUNTS = st.dictionaries(st.integers(0, 10**6), st.integers(1, 10**6), max_size=20)
MISREAD = st.dictionaries(st.tuples(st.integers(0, 10**6), st.integers(0, 999)), st.integers(1, 10**6), max_size=20)


def recorded(*requests):
    """Return the images of requests: the first image's position, labels, answers."""
    recorder = Recorder()
    for first, labels, predicted in requests:
        recorder.record(labels, predicted, None if predicted else GONE, 1, 1, 2, None, None, None, None, first)
    records = {}
    merge_plain(records, recorder.take_all())
    return records[0].images


@given(COUNTS, MISREAD, COUNTS)
def test_what_is_handed_over_is_the_same_when_it_is_read(fired, misread, unanswered):
    given = Images(fired, misread, unanswered)
    read = Images.from_plain(given.to_plain()) if fired else given

    assert (read.fired, read.misread, read.unanswered) == (fired, misread, unanswered)


@given(COUNTS, COUNTS, MISREAD, MISREAD, COUNTS, COUNTS)
def test_counts_are_added_up(fired, more_fired, misread, more_misread, unanswered, more_unanswered):
    images = Images(dict(fired), dict(misread), dict(unanswered))
    images.merge(Images(more_fired, more_misread, more_unanswered))

    assert Counter(images.unanswered) == Counter(unanswered) + Counter(more_unanswered)

    assert Counter(images.fired) == Counter(fired) + Counter(more_fired)
    assert Counter(images.misread) == Counter(misread) + Counter(more_misread)


def test_requests_of_several_images_count_for_each():
    images = recorded((0, [1, 2, 3], [1, 2, 4]), (3, [4, 5, 6], None), (6, [7], [8]), (0, [1, 2, 3], [9, 2, 4]))
    counts = ImageCounts.of(images, n_images=7, per_request=3)

    assert counts.fired == (2, 2, 2, 1, 1, 1, 1)
    assert counts.unanswered == {3: 1, 4: 1, 5: 1}
    assert counts.answered == (2, 2, 2, 0, 0, 0, 1)
    assert counts.misread == (Misread(0, 9, 1), Misread(2, 4, 2), Misread(6, 8, 1))
    assert counts.worst == (0, 2, 6)


@pytest.mark.parametrize("kind", ["demo", "thresholds", "sweep", "rate", "failed"])
def test_images_add_up_to_the_totals(kind):
    result = page_run(kind)

    assert sum(result.images.fired) == result.totals.predictions
    assert sum(result.images.unanswered.values()) == result.totals.n_failed
    assert sum(one.count for one in result.images.misread) == result.totals.wrong


def test_the_pixels_of_what_was_misread_are_there():
    result = page_run("demo")
    images = load("mnist5k").images

    assert set(result.images.pixels) == {one.image for one in result.images.misread}
    for image, pixels in result.images.pixels.items():
        assert bytes.fromhex(pixels) == images[image].tobytes()


def test_pixels_that_the_process_holds_are_not_loaded_anew(monkeypatch):
    past = PAST_RUNS["demo"]()
    checked, images = past.checked, RunImages.of(load("mnist5k"))
    monkeypatch.setattr(PastRun, "checked", property(lambda _: replace(checked, images=images)))
    monkeypatch.setattr(result_making, "load_images", None)
    result = result_of(past)

    assert {*result.images.pixels} == {one.image for one in result.images.misread} != set()
    for image, pixels in result.images.pixels.items():
        assert bytes.fromhex(pixels) == images.dataset.images[image].tobytes()


@pytest.mark.parametrize(
    ("shape", "step", "shown"),
    [
        pytest.param((12, 20), 1, (84, 50), id="broad"),
        pytest.param((20, 12), 1, (50, 84), id="tall"),
        pytest.param((1, 64), 1, (84, 1), id="a-line"),
        pytest.param((200, 130), 4, (55, 84), id="large"),
    ],
)
def test_images_of_any_size_are_kept_and_drawn_in_their_form(tmp_path, shape, step, shown):
    pixels = np.random.default_rng(1).integers(0, 256, (48, *shape), np.uint8)
    np.savez(tmp_path / "a.npz", images=pixels, labels=np.arange(48) * 7 % 10)
    past = PastRun({"dataset": str(tmp_path / "a.npz"), "num_tests": "48"})
    for image in range(48):
        past.fire(image, 10**9 + image * 10**6, 3_000_000)
    result = result_of(past.end())

    (kept,) = result.images.pixels.items()
    assert kept == (5, pixels[5, ::step, ::step].tobytes().hex())
    assert result.images.columns == pixels[5, ::step, ::step].shape[1]
    (image,) = answers(result).images
    assert image.src
    assert (image.width, image.height) == shown
    assert f'width="{shown[0]}" height="{shown[1]}"' in render(result)


def test_names_of_classes_stand_where_classes_do(monkeypatch):
    checked, names = PastRun.checked.fget, tuple(f"animal-{number}" for number in range(9))
    monkeypatch.setattr(PastRun, "checked", property(lambda past: replace(checked(past), class_names=names)))
    past = PAST_RUNS["demo"]()
    result, text = result_of(past), text_of(past)

    seen = answers(result)
    assert [row.cells[0].text for row in seen.classes.rows] == [*(f"{n} animal-{n}" for n in range(9)), "9"]
    shown = (*seen.images, *seen.folded)
    assert {image.label for image in shown} <= {*(f"{n} animal-{n}" for n in range(9)), "9"}
    assert all(f"Image {n}" in image.alt for n, image in zip(sorted(result.images.labels), shown, strict=True))
    assert any(line.startswith("0 animal-0 ") for line in text.splitlines())
    assert re.search(r"\d animal-\d \(\d+×\)", text)


def test_what_each_misread_image_shows_is_there():
    images, labels = page_run("demo").images, load("mnist5k").labels

    assert images.labels == {one.image: labels[one.image] for one in images.misread}
    assert images.labels


def test_the_pixels_of_another_data_set_in_the_same_place_are_not_shown(monkeypatch):
    past = PAST_RUNS["demo"]()
    checked = past.checked
    monkeypatch.setattr(PastRun, "checked", property(lambda _: replace(checked, data_fingerprint="of another")))
    result = result_of(past)

    assert result.images.misread
    assert result.images.pixels == {}
    assert result.images.labels == {}


def test_of_many_misread_images_those_are_shown_that_were_so_most_often():
    misread = tuple(Misread(image, 1, 1 + image % 3) for image in range(1000))
    worst = ImageCounts((), misread).worst

    assert len(worst) == MOST_SHOWN
    assert list(worst) == sorted(worst)
    assert all(image % 3 == 2 for image in worst)


def test_ten_thousand_images_are_handed_over_in_a_few_kilobytes():
    chance = random.Random(3)
    fired = {image: 10 + chance.randint(0, 1) for image in range(10_000)}
    misread = {(image, chance.randint(0, 9)): 10 for image in chance.sample(range(10_000), 116)}

    assert len(Images(fired, misread).to_plain()) < 4_000


def test_a_large_data_set_of_which_half_is_misread_is_written_in_less_than_two_megabytes():
    past, chance = PastRun({}), random.Random(5)
    for n in range(20_000):
        past.fire(n % 1000, 10**9 + n * 10**6, 3_000_000)
    past.end()
    counts = past.results.records[0].images
    counts.misread = {(image, chance.randint(0, 9)): 20 for image in range(0, 1000, 2)}

    result = result_of(past)
    assert len(result.images.pixels) == MOST_SHOWN
    assert len(json.dumps(result.to_plain(), allow_nan=False)) < 1_000_000
