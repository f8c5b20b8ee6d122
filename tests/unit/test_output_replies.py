"""Replies all of whose outputs matter: what is read of them, how they are compared, and what no reply is."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.analysis import plain
from tfsload.analysis.tolerance import DEFAULT, Tolerance
from tfsload.analysis.totals import MismatchExample
from tfsload.datasets.dataset import load
from tfsload.records.mismatch import Mismatch, from_plain, to_plain
from tfsload.settings.settings import Settings
from tfsload.target.references import References
from tfsload.target.verification import VerificationError, record_references
from tfsload.target.waiting import StoppedError, Wait
from tfsload.transport import protos
from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import CLASSES, CLASSIFIED, CLASSIFY, LABELS, MNIST_EXAMPLE, VALUES, OutputSpec
from tfsload.transport.grpc.readers import reader_for
from tfsload.transport.protos import predict_pb2, types_pb2
from tfsload.transport.servable import FURTHER, MOST_TOLD_APART, Servable
from tfsload.transport.tensors import fill_proto

JUDGED = replace(MNIST_EXAMPLE, judged_by="Mine.is_right", asks_for=())
NO_CLASS = replace(JUDGED, output=OutputSpec("", "", None, VALUES))
SCORES = np.eye(10, dtype=np.float32)[[7, 2]]
PRICE = np.array([[1.5], [2.5]], np.float32)


def reply(version=1, **outputs):
    message = predict_pb2.PredictResponse()
    message.model_spec.name, message.model_spec.version.value = "m", version
    for name, array in outputs.items():
        fill_proto(message.outputs[name], np.asarray(array), as_content=np.asarray(array).dtype != object)
        if np.asarray(array).dtype == object:
            message.outputs[name].string_val[:] = np.asarray(array).ravel().tolist()
    return message.SerializeToString()


def _with_unreadable(content):
    message = predict_pb2.PredictResponse.FromString(content)
    message.outputs["odd"].dtype = types_pb2.DT_VARIANT
    return message.SerializeToString()


UNREADABLE_BESIDE = _with_unreadable(reply(scores=SCORES))


def output(kind, dtype, name="x"):
    return replace(JUDGED, output=OutputSpec(name, dtype, (-1,), kind))


@pytest.mark.parametrize(
    ("spec", "outputs", "predicted"),
    [
        pytest.param(JUDGED, {"scores": SCORES, "price": PRICE}, [7, 2], id="scores"),
        pytest.param(output(CLASSES, "DT_INT64"), {"x": np.array([7, 2])}, [7, 2], id="classes"),
        pytest.param(output(LABELS, "DT_STRING"), {"x": np.array([b"seven", b"2"], object)}, [7, 2], id="labels"),
        pytest.param(
            output(LABELS, "DT_STRING"), {"x": np.array([b"cat", b"2"], object)}, [None] * 2, id="other-words"
        ),
        pytest.param(JUDGED, {"scores": SCORES * np.nan}, [None] * 2, id="no-scores"),
        pytest.param(JUDGED, {"price": PRICE}, [None] * 2, id="no-such-output"),
        pytest.param(NO_CLASS, {"price": PRICE, "all": np.float32(3)}, [None] * 2, id="values"),
    ],
)
def test_the_class_is_read_where_one_is_named_and_all_outputs_are_there(spec, outputs, predicted):
    answer = reader_for(spec, 2).read(reply(**outputs))

    assert answer.predicted == [one.predicted for one in answer.images] == predicted
    assert answer.servable == Servable("m", 1)
    assert answer.counted == [0, 0]  # as long as nobody has judged it
    for place, image in enumerate(answer.images):
        assert set(image.outputs) == set(outputs)
        for name, array in outputs.items():
            part = np.asarray(array)[place] if np.ndim(array) else array
            np.testing.assert_array_equal(image.outputs[name], part)
    if spec.output.kind == "scores" and None not in predicted:
        assert [image.scores.argmax() for image in answer.images] == predicted


def test_of_a_request_that_was_filled_up_the_first_images_are_answered():
    spec = replace(NO_CLASS, input=replace(NO_CLASS.input, batch=2))

    answer = reader_for(spec, 1).read(reply(price=PRICE))

    assert [image.value for image in answer.images] == [1.5]


def test_classified_images_have_labels_and_scores():
    message = protos.classification_pb2.ClassificationResponse()
    for best in (7, 2):
        classes = message.result.classifications.add().classes
        for label in range(10):
            classes.add(label=str(label), score=float(label == best))
    spec = replace(JUDGED, method=CLASSIFY, output=OutputSpec("scores", "DT_FLOAT", (-1, 10), CLASSIFIED))

    answer = reader_for(spec, 2).read(message.SerializeToString())

    assert answer.predicted == [7, 2]
    assert answer.images[0].outputs["classes"].tolist() == [str(label).encode() for label in range(10)]
    assert answer.images[1].outputs["scores"].argmax() == 2


@pytest.mark.parametrize("spec", [pytest.param(JUDGED, id="a-class"), pytest.param(NO_CLASS, id="values")])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"\xff", "not a PredictResponse", id="no-reply"),
        pytest.param(predict_pb2.PredictResponse().SerializeToString(), "the reply has no outputs", id="no-outputs"),
    ],
)
def test_what_is_no_reply_cannot_be_read(spec, content, message):
    with pytest.raises(ReplyError, match=message):
        reader_for(spec, 2).read(content)


def test_a_damaged_output_cannot_be_read():
    message = predict_pb2.PredictResponse()
    message.outputs["price"].dtype = types_pb2.DT_FLOAT
    message.outputs["price"].tensor_content = b"abc"
    message.outputs["price"].tensor_shape.dim.add(size=2)
    with pytest.raises(ReplyError, match="output 'price': 3 bytes for 2 elements"):
        reader_for(NO_CLASS, 2).read(message.SerializeToString())


def test_models_that_answer_are_told_apart_up_to_a_number():
    reader = reader_for(NO_CLASS, 2)
    told = {reader.read(reply(version, price=PRICE)).servable for version in range(1, MOST_TOLD_APART + 10)}

    assert len(told) == MOST_TOLD_APART + 1
    assert FURTHER in told


# --verify

TEXTS = np.array([b"a", b"b"], object)
SEVENS = np.array([b"bus 7 to the harbour", b"7 lost cats", b"order 7"], object)
LABEL = output(LABELS, "DT_STRING")


@pytest.mark.parametrize(
    ("spec", "kept", "later", "n_mismatched"),
    [
        pytest.param(NO_CLASS, {"price": PRICE}, {"price": PRICE}, 0, id="the-same"),
        pytest.param(NO_CLASS, {"price": PRICE}, {"price": PRICE + np.float32(1e-5)}, 0, id="within-the-tolerance"),
        pytest.param(NO_CLASS, {"price": PRICE}, {"price": PRICE[::-1]}, 2, id="swapped"),
        pytest.param(NO_CLASS, {"price": PRICE, "n": [1, 2]}, {"price": PRICE, "n": [1, 3]}, 1, id="another-output"),
        pytest.param(NO_CLASS, {"x": TEXTS}, {"x": TEXTS[::-1]}, 2, id="texts"),
        pytest.param(NO_CLASS, {"x": TEXTS}, {"x": TEXTS}, 0, id="the-same-texts"),
        pytest.param(NO_CLASS, {"x": PRICE * 1j}, {"x": PRICE * 2j}, 2, id="complex"),
        pytest.param(NO_CLASS, {"price": PRICE}, {"price": np.ones((2, 2), np.float32)}, 2, id="another-shape"),
        pytest.param(JUDGED, {"scores": SCORES, "x": [1, 2]}, {"scores": SCORES, "x": [1, 3]}, 1, id="beside-scores"),
        pytest.param(JUDGED, {"scores": SCORES}, {"scores": SCORES[::-1]}, 2, id="other-scores"),
        pytest.param(LABEL, {"x": SEVENS[:2]}, {"x": SEVENS[1:]}, 2, id="texts-with-the-same-number"),
        pytest.param(LABEL, {"x": SEVENS[:2]}, {"x": SEVENS[:2]}, 0, id="texts-that-name-a-class"),
        pytest.param(output(CLASSES, "DT_INT64"), {"x": [7, 2], "y": [1, 2]}, {"x": [7, 2]}, 2, id="one-output-less"),
        pytest.param(NO_CLASS, {"x": PRICE, "y": PRICE}, {"x": PRICE, "z": PRICE}, 2, id="an-output-of-another-name"),
    ],
)
def test_answers_are_compared_by_all_their_outputs_whether_or_not_they_name_a_class(spec, kept, later, n_mismatched):
    assert compared(spec, kept, later) == n_mismatched


@pytest.mark.parametrize("tolerance", ["100%", "1e300"])
@pytest.mark.parametrize(
    ("kept", "later", "n_mismatched"),
    [
        pytest.param({"x": TEXTS}, {"x": TEXTS[::-1]}, 2, id="texts"),
        pytest.param({"x": TEXTS}, {"x": TEXTS}, 0, id="the-same-texts"),
        pytest.param({"x": np.array([True, False])}, {"x": np.array([True, True])}, 1, id="truth-values"),
        pytest.param({"x": np.array([200, 7])}, {"x": np.array([201, 7])}, 1, id="whole-numbers"),
        pytest.param({"x": np.array([200, 7], np.uint8)}, {"x": np.array([201, 7], np.uint8)}, 0, id="quantised"),
    ],
)
def test_no_tolerance_applies_to_what_says_something_by_being_the_same(tolerance, kept, later, n_mismatched):
    assert compared(NO_CLASS, kept, later, Tolerance.parse(tolerance)) == n_mismatched


@pytest.mark.parametrize(("tolerance", "n_mismatched"), [("0.0001", 1), ("1", 0), ("1%", 0)])
def test_a_tolerance_applies_to_whole_numbers_where_no_class_judges(tolerance, n_mismatched):
    kept, later = {"x": np.array([200, 7])}, {"x": np.array([201, 7])}

    assert compared(replace(NO_CLASS, judged_by=""), kept, later, Tolerance.parse(tolerance)) == n_mismatched
    assert compared(replace(NO_CLASS, judged_by=""), {"x": TEXTS}, {"x": TEXTS[::-1]}, Tolerance.parse("100%")) == 2


NEIGHBOURS = st.tuples(st.integers(1 - 2**63, 2**63 - 2), st.integers(-1, 1)).map(lambda one: (one[0], sum(one)))
LONG = 2**53  # from here on a float cannot tell a whole number from the next


@pytest.mark.parametrize(("is_judged", "tolerance"), [(True, "100%"), (False, "0.0001"), (False, "0")])
@pytest.mark.parametrize(
    ("kept", "later", "n_mismatched"),
    [
        pytest.param(np.array([LONG, 7]), np.array([LONG + 1, 7]), 1, id="the-next"),
        pytest.param(np.array([LONG, 7]), np.array([LONG, 7]), 0, id="the-same"),
        pytest.param(np.array([-LONG, 7]), np.array([-LONG - 1, 7]), 1, id="below-0"),
        pytest.param(np.array([LONG + 1, LONG]), np.array([LONG, LONG + 1]), 2, id="swapped"),
        pytest.param(np.array([2**64 - 2, 7], "u8"), np.array([2**64 - 1, 7], "u8"), 1, id="the-largest"),
        pytest.param(np.array([2**64 - 1, 7], "u8"), np.array([-1, 7]), 2, id="of-other-dtypes"),
        pytest.param(np.array([7, 8], "i4"), np.array([7, 8]), 0, id="of-other-lengths"),
        pytest.param(np.array([-(2**63), 2**63 - 1]), np.array([2**63 - 1, -(2**63)]), 2, id="all-there-is-between"),
    ],
)
def test_whole_numbers_are_compared_as_a_whole(is_judged, tolerance, kept, later, n_mismatched):
    spec = NO_CLASS if is_judged else replace(NO_CLASS, judged_by="")

    assert compared(spec, {"x": kept}, {"x": later}, Tolerance.parse(tolerance)) == n_mismatched
    beside = {"price": PRICE, "title": SEVENS[:2]}
    assert compared(spec, {"x": kept, **beside}, {"x": later, **beside}, Tolerance.parse(tolerance)) == n_mismatched


@given(st.lists(NEIGHBOURS, min_size=2, max_size=2))
def test_answers_in_whole_numbers_are_the_same_where_all_of_these_are(pairs):
    kept, later = (np.array(some) for some in zip(*pairs, strict=True))

    assert compared(NO_CLASS, {"x": kept}, {"x": later}) == sum(one != other for one, other in pairs)


@pytest.mark.parametrize(
    ("kept", "later", "place", "words"),
    [
        pytest.param([[1, LONG]], [[1, LONG + 1]], 1, "was 9007199254740992 and became 9007199254740993", id="long"),
        pytest.param([[1, 12345678]], [[1, 12345679]], 1, "was 12345678 and became 12345679", id="each-digit"),
        pytest.param([[5, -(2**63)]], [[9, 2**63 - 1]], 1, "was -9223372036854775808 and", id="the-furthest-off"),
    ],
)
def test_an_example_names_whole_numbers_as_they_are(kept, later, place, words):
    references, reader = References(), reader_for(NO_CLASS, 1)
    recorded = reader.read(reply(x=np.array(kept)))
    references.keep(0, recorded.values, recorded.layout)

    example = references.example(0, reader.read(reply(x=np.array(later))), 0)

    assert (example.place, example.expected) == (place, kept[0][place])
    assert words in example.words
    assert from_plain(json.loads(json.dumps(to_plain(example)))) == example
    told = MismatchExample.of(example)
    assert plain.from_plain(MismatchExample, json.loads(json.dumps(plain.to_plain(told)))) == told


def test_a_relative_tolerance_is_of_each_output_s_own_largest_number():
    kept = {"id": TEXTS, "far": PRICE * 1e6, "near": PRICE}

    assert compared(NO_CLASS, kept, {**kept, "near": PRICE * 2}, Tolerance.parse("1%")) == 2
    assert compared(NO_CLASS, kept, {**kept, "far": PRICE * 1.001e6}, Tolerance.parse("1%")) == 0


def compared(spec, kept, later, tolerance=DEFAULT):
    references, reader = References(tolerance), reader_for(spec, 2)
    recorded = reader.read(reply(**kept))
    references.keep(0, recorded.values, recorded.layout)
    there = json.loads(json.dumps(references.to_plain()))
    both = {
        one.n_mismatched(0, reader.read(reply(**later)))
        for one in (references, References.from_plain(there, tolerance))
    }
    (n_mismatched,) = both
    return n_mismatched


def test_an_example_of_a_mismatch_names_no_class_where_there_is_none():
    references, reader = References(), reader_for(NO_CLASS, 2)
    recorded = reader.read(reply(price=PRICE))
    references.keep(0, recorded.values, recorded.layout)

    example = references.example(0, reader.read(reply(price=PRICE + np.float32([[0], [1]]))), 10)

    assert example.words == "image 11: number 0 of the answer was 2.5 and became 3.5"
    assert Mismatch(*example) == example
    longer = references.example(0, reader.read(reply(price=np.ones((2, 3), np.float32))), 10)
    assert longer.words == "image 10: 1 numbers without load, 3 under it"


@pytest.mark.parametrize(
    ("later", "told"),
    [
        pytest.param({"price": PRICE * 2}, "number 0 of the output price was 1.5 and became 3", id="number"),
        pytest.param({"title": SEVENS[1:]}, "a text of the output title is not the one without load", id="text"),
        pytest.param({"sum": PRICE}, "4 numbers without load, 5 under it", id="one-more"),
        pytest.param({"title": PRICE}, "other outputs, or of other sizes, without load than under it", id="dtype"),
    ],
)
def test_an_example_of_a_mismatch_names_the_output(later, told):
    references, reader = References(), reader_for(NO_CLASS, 2)
    kept = {"pair": np.ones((2, 2), np.float32), "price": PRICE, "title": SEVENS[:2]}
    recorded = reader.read(reply(**kept))
    references.keep(0, recorded.values, recorded.layout)

    assert references.example(0, reader.read(reply(**{**kept, **later})), 10).words == f"image 10: {told}"


@pytest.mark.parametrize(
    ("without_load", "under_load", "words"),
    [
        pytest.param([2], [2.5], "other outputs, or of other sizes, without load than under it", id="no-class"),
        pytest.param([2], [[1, 2]], "1 numbers without load, 2 under it", id="more-numbers"),
        pytest.param([2], np.zeros((1, 0)), "1 numbers without load, 0 under it", id="no-numbers"),
        pytest.param([2.5], [2], "other outputs, or of other sizes, without load than under it", id="a-class-at-last"),
    ],
)
def test_an_answer_that_names_no_class_is_another_one_than_a_class(without_load, under_load, words):
    reader, references = reader_for(output(CLASSES, "DT_INT64"), 1), References()
    recorded = reader.read(reply(x=np.array(without_load)))
    references.keep(0, recorded.values, recorded.layout)
    answer = reader.read(reply(x=np.array(under_load)))

    assert references.n_mismatched(0, answer) == 1
    assert references.example(0, answer, 5).words == f"image 5: {words}"


@pytest.mark.parametrize(("dtype", "is_exact"), [("int64", True), ("bool", True), ("uint8", False), ("float32", False)])
def test_an_example_of_a_mismatch_says_whether_a_tolerance_applied(dtype, is_exact):
    references, reader = References(), reader_for(NO_CLASS, 2)
    recorded = reader.read(reply(x=np.zeros(2, dtype)))
    references.keep(0, recorded.values, recorded.layout)

    assert references.example(0, reader.read(reply(x=np.ones(2, dtype))), 10).is_exact == is_exact


def test_an_output_that_cannot_be_read_under_load_is_another_answer():
    references, reader = References(), reader_for(JUDGED, 2)
    recorded = reader.read(reply(scores=SCORES, x=PRICE))
    references.keep(0, recorded.values, recorded.layout)

    answer = reader.read(UNREADABLE_BESIDE)

    assert references.n_mismatched(0, answer) == 2
    assert references.example(0, answer, 10).words.startswith("image 10: other outputs, or of other sizes")


def test_an_output_that_cannot_be_read_without_load_is_named_with_the_way_out():
    settings = Settings.parse({"verify": "2"}, "127.0.0.1:1")
    transport = SimpleNamespace(
        model=settings.model,
        encode=lambda _images: b"",
        call=lambda _body: UNREADABLE_BESIDE,
        reader_of=lambda n_images: reader_for(JUDGED, n_images),
        close=lambda: None,
    )

    with pytest.raises(VerificationError, match=r"image 0: output 'odd': no tensor .*--output-name asks for one"):
        record_references(settings.checks, transport, load("mnist5k"))


def test_somebody_may_stop_while_answers_are_recorded():
    """Of a slow server, thousands of them take as long as a run."""
    settings, wait, called = Settings.parse({"verify": "900"}, "127.0.0.1:1"), Wait(), []
    good = reply(scores=SCORES[:1])

    def call(body: bytes) -> bytes:
        called.append(body)
        if len(called) == 3:
            wait.stop()
        return good

    transport = SimpleNamespace(
        model=settings.model,
        encode=lambda _images: b"",
        call=call,
        reader_of=lambda n_images: reader_for(JUDGED, n_images),
        close=lambda: called.append("closed"),
    )

    with pytest.raises(StoppedError, match="stopped while --verify asked for answers: 3 of 900 requests were answered"):
        record_references(settings.checks, transport, load("mnist5k"), wait=wait)

    assert called == [b"", b"", b"", "closed"]


def test_answers_of_several_kinds_are_kept_apart():
    together = References()
    for kind in range(3):
        own = References()
        own.keep(1, SCORES + kind)
        together.add(own, kind * 5)

    parts = References.from_plain(together.to_plain()).parts(3, 5)

    assert [len(part) for part in parts] == [1, 1, 1]
    for kind, part in enumerate(parts):
        assert part.to_plain() == [[1, *row[1:]] for row in together.to_plain() if row[0] == 5 * kind + 1]
