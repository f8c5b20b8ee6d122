"""How far scores may be off, and an example of those that are further."""

import msgpack
import numpy as np
import pytest
from hypothesis import example as an_example
from hypothesis import given
from hypothesis import strategies as st

from tfsload.analysis.tolerance import Tolerance
from tfsload.records import mismatch
from tfsload.records.mismatch import Mismatch
from tfsload.records.record import Record
from tfsload.records.recorder import Recorder, merge_plain
from tfsload.settings.settings import Settings, SettingsError
from tfsload.target.references import References
from tfsload.transport.answer import Answer


@pytest.mark.parametrize(
    ("text", "value", "is_relative"),
    [
        pytest.param("0.0001", 0.0001, False, id="absolute"),
        pytest.param("1e-4", 0.0001, False, id="exponent"),
        pytest.param("0", 0.0, False, id="none"),
        pytest.param(".5", 0.5, False, id="no-digit-before-the-point"),
        pytest.param("20", 20.0, False, id="logits"),
        pytest.param("0.1%", 0.001, True, id="relative"),
        pytest.param("5 %", 0.05, True, id="relative-with-a-space"),
        pytest.param("0%", 0.0, True, id="relative-none"),
        pytest.param("100%", 1.0, True, id="relative-all"),
    ],
)
def test_tolerances_are_read(text, value, is_relative):
    tolerance = Settings.parse({"tolerance": text}, None).checks.tolerance

    assert (tolerance.value, tolerance.is_relative) == (pytest.approx(value), is_relative)
    assert Tolerance.parse(tolerance.text) == tolerance


@pytest.mark.parametrize(
    "text",
    ["", "-1", "-0.1%", "nan", "inf", "1e999", "1e999%", "101%", "%", "1%%", "0,1", "1_0", "0.1 ms", "٣", "1e", "."],
)
def test_what_is_no_tolerance_is_refused_in_words(text):
    with pytest.raises(SettingsError) as caught:
        Settings.parse({"tolerance": text}, None)

    (fault,) = caught.value.faults
    given = repr(text) if text else "is empty"
    assert fault.startswith(f"--tolerance {given}: expected a number of at least 0")


def f4(*scores):
    return np.array([scores], "<f4")


@pytest.mark.parametrize(
    ("tolerance", "expected", "scores", "is_beyond"),
    [
        pytest.param("0.25", f4(0.5, 0.5), f4(0.75, 0.5), False, id="just-as-far"),
        pytest.param("0.25", f4(0.5, 0.5), f4(0.7501, 0.5), True, id="further"),
        pytest.param("0", f4(0.5), f4(0.5), False, id="equal"),
        pytest.param("0", f4(0.5), np.array([[0.5]], "<f8"), False, id="equal-in-another-dtype"),
        pytest.param("0", f4(0.5), f4(np.nextafter(np.float32(0.5), 1)), True, id="the-last-digit"),
        pytest.param("0", f4(0.0), f4(-0.0), False, id="both-zeros-are-one"),
        pytest.param("1%", f4(0.9, 1e-9), f4(0.9, 2e-9), False, id="next-to-nothing-is-nothing"),
        pytest.param("1%", f4(0.9, 0.0), f4(0.9, 0.008), False, id="what-was-zero-may-be-a-share-of-the-largest"),
        pytest.param("1%", f4(0.9, 0.0), f4(0.9, 0.01), True, id="and-no-more"),
        pytest.param("1%", f4(-200, 3), f4(-201, 3), False, id="logits-by-magnitude"),
        pytest.param("1%", f4(-200, 3), f4(-203, 3), True, id="logits-further-off"),
        pytest.param("1%", f4(0, 0), f4(0, 0), False, id="all-zeros"),
        pytest.param("1%", f4(0, 0), f4(0, 1e-12), True, id="all-were-zeros"),
        pytest.param("100%", f4(3e38, 1), f4(-3e38, 1), True, id="largest-numbers"),
        pytest.param("1", f4(0.5, 1), f4(np.nan, 1), True, id="no-number-under-load"),
        pytest.param("100%", f4(np.nan, 1), f4(0.5, 1), True, id="no-number-without-load"),
        pytest.param("0", f4(np.nan, 1), f4(np.nan, 1), False, id="no-number-in-both"),
        pytest.param("0", f4(-np.inf, 1), f4(-np.inf, 1), False, id="one-infinity"),
        pytest.param("0.5", f4(-np.inf, 1), f4(np.inf, 1), True, id="two-infinities"),
        pytest.param("0.5", f4(np.inf, 1), f4(5, 1), True, id="an-infinity-and-a-number"),
        pytest.param("1%", np.array([[1e308]]), np.array([[-1e308]]), True, id="beyond-what-can-be-subtracted"),
    ],
)
def test_scores_are_held_against_it(tolerance, expected, scores, is_beyond):
    assert Tolerance.parse(tolerance).is_beyond(expected, scores).tolist() == [is_beyond]


def test_each_image_has_its_own_largest_score():
    expected = np.array([[100.0, 1.0], [1.0, 0.5]], "<f4")
    moved = expected + np.float32(0.5)

    assert Tolerance.parse("1%").is_beyond(expected, moved).tolist() == [False, True]


def test_references_go_by_the_tolerance_in_every_process():
    references = References(Tolerance.parse("10%"))
    references.keep(0, f4(0.5, 0.5))
    arrived = References.from_plain(references.to_plain(), Tolerance.parse("10%"))
    other = References.from_plain(references.to_plain(), Tolerance.parse("1%"))

    assert [one.n_mismatched(0, Answer.of(f4(0.54, 0.46))) for one in (references, arrived, other)] == [0, 0, 1]


# An example


EXPECTED = np.array([[0.1, 0.8, 0.1], [0.9, 0.05, 0.05]], "<f4")


def example(scores, first_image=40):
    references = References()
    references.keep(7, EXPECTED)
    return references.example(7, Answer.of(np.ascontiguousarray(scores, "<f4")), first_image)


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        pytest.param(
            [[0.1, 0.1, 0.8], EXPECTED[1]],
            "image 40: class 1 without load, class 2 under it; the score of class 1 was 0.8 and became 0.1",
            id="another-class",
        ),
        pytest.param(
            [EXPECTED[0], [0.7, 0.2, 0.1]],
            "image 41: class 0 both times; the score of class 0 was 0.9 and became 0.7",
            id="the-second-image-of-a-request",
        ),
        pytest.param(
            EXPECTED[::-1],
            "image 40: class 1 without load, class 0 under it; the score of class 0 was 0.1 and became 0.9",
            id="the-first-of-several",
        ),
        pytest.param(EXPECTED[:, :2], "image 40: 3 scores without load, 2 under it", id="fewer-classes"),
        pytest.param(np.hstack([EXPECTED, EXPECTED]), "image 40: 3 scores without load, 6 under it", id="more-classes"),
    ],
)
def test_an_example_says_what_was_answered_without_and_under_load(scores, words):
    assert example(np.array(scores)).words == words


@pytest.mark.parametrize(
    ("expected", "found", "place"),
    [
        pytest.param([0.1, 0.9], [0.1, np.nan], 1, id="no-number-under-load"),
        pytest.param([0.1, np.nan], [0.1, 0.9], 1, id="a-number-under-load"),
        pytest.param([0.1, 0.5, 0.4], [0.2, 0.5, np.nan], 2, id="no-number-is-further-off-than-any"),
        pytest.param([np.nan, 0.2], [np.nan, 0.3], 1, id="both-times-none"),
        pytest.param([-np.inf, 0.2], [-np.inf, 0.3], 1, id="both-times-infinite"),
        pytest.param([0.3, np.inf], [0.1, -np.inf], 1, id="the-other-infinity"),
    ],
)
def test_an_example_names_the_number_that_is_furthest_off(expected, found, place):
    for kind in (Mismatch.of, Mismatch.of_values):
        told = kind(3, np.array(expected, "<f4"), np.array(found, "<f4"))

        assert told.place == place
        assert np.array([told.expected, told.answered], "<f4") == pytest.approx(
            np.array([expected[place], found[place]], "<f4"), nan_ok=True
        )


def test_numbers_that_differ_look_different():
    words = Mismatch.of(3, np.array([0.5, 0.2]), np.array([0.5 + 1e-12, 0.2])).words

    assert "was 0.5 and became 0.500000000001" in words


NUMBERS = st.floats(0, 1) | st.sampled_from([np.nan, np.inf, -np.inf, 0, 2**53, 2**53 + 1])
mismatches = st.builds(
    Mismatch, st.integers(0, 5), st.integers(-1, 2), st.integers(-1, 2), st.integers(-4, 2), NUMBERS, NUMBERS
)
SAME_BUT = [Mismatch(0, -1, -1, 0, *pair) for pair in [(0.5, np.nan), (0.5, 0.75), (np.nan, 0.5)]]


@given(st.lists(mismatches, max_size=8), st.integers(0, 8), st.permutations(range(8)))
@an_example(SAME_BUT, 1, [1, 2, 0, 3, 4, 5, 6, 7])
@an_example(SAME_BUT, 1, [0, 1, 2, 3, 4, 5, 6, 7])
def test_which_example_is_kept_does_not_hang_on_who_reports_first(met, n_first, order):
    shuffled = [met[place] for place in order if place < len(met)]
    one, other = kept(met[:n_first], met[n_first:]), kept(shuffled[n_first:], shuffled[:n_first])

    assert str(one) == str(other)  # what is no number is not equal to itself
    assert one is None or one.image == min(each.image for each in met)


def kept(*by_recorder):
    """Return the example that is left of what several processes met."""
    merged: dict[int, Record] = {}
    for met in by_recorder:
        recorder = Recorder()
        for one in met:
            recorder.record([1], [1], None, 0, 0, 1000, None, 1, one)
        merge_plain(merged, msgpack.loads(msgpack.dumps(recorder.take_all())))
    return merged[0].mismatch if merged else None


def test_no_example_travels_too():
    assert mismatch.from_plain(mismatch.to_plain(None)) is None
