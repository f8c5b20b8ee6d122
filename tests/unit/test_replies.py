"""Replies of every form and dtype: scores, classes, labels and classifications, and what is none of them."""

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfsload.analysis.tolerance import Tolerance
from tfsload.settings.settings import Settings
from tfsload.target.references import References
from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import CLASSIFIED, CLASSIFY, MNIST_EXAMPLE
from tfsload.transport.grpc import codec
from tfsload.transport.grpc.readers import reader_for
from tfsload.transport.protos import classification_pb2, predict_pb2, types_pb2
from tfsload.transport.servable import Servable
from tfsload.transport.tensors import fill_proto

NAN, INF = float("nan"), float("inf")
FLOATS = [np.float32, np.float64, np.float16, ml_dtypes.bfloat16]
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]


def reply(values, dtype=np.float32, *, as_content=False, name="scores"):
    """A serialised PredictResponse with one output."""
    message = predict_pb2.PredictResponse()
    message.model_spec.name = "m"
    fill_proto(message.outputs[name], np.array(values, dtype), as_content=as_content)
    return message.SerializeToString()


def spec_of(kind="scores", offset=0, batch=None, names=(), dtype="", scored_by=""):
    dtype = dtype or ("DT_INT64" if kind == "classes" else MNIST_EXAMPLE.output.dtype)
    output = replace(MNIST_EXAMPLE.output, dtype=dtype, kind=kind, offset=offset, names=names, scored_by=scored_by)
    return replace(MNIST_EXAMPLE, input=replace(MNIST_EXAMPLE.input, batch=batch), output=output)


def read(body, n_images=1, **spec):
    return reader_for(spec_of(**spec), n_images).read(body)


def classified(*images):
    """A serialised ClassificationResponse: for each image its labels and scores."""
    message = classification_pb2.ClassificationResponse()
    message.model_spec.name = "m"
    for pairs in images:
        one = message.result.classifications.add()
        for label, score in pairs:
            one.classes.add(label=label, score=score)
    return message.SerializeToString()


@pytest.mark.parametrize("as_content", [False, True], ids=["typed", "content"])
@pytest.mark.parametrize("dtype", [*FLOATS, np.uint8, np.int8])
@given(data=st.data())
def test_scores_of_every_dtype_and_form(dtype, as_content, data):
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 70)))
    values = data.draw(hnp.arrays(np.int8, shape, elements=st.integers(0, 127))).astype(dtype)
    reader = reader_for(spec_of(), len(values))

    for _ in range(3):  # decoded in full, then in place
        answer = reader.read(reply(values, dtype, as_content=as_content))
        np.testing.assert_array_equal(answer.scores.astype(np.float64), values.astype(np.float64))
        assert answer.scores.dtype == np.dtype(dtype)
        assert answer.predicted == values.astype(np.float64).argmax(axis=1).tolist()
        assert answer.servable == Servable("m", None)


@pytest.mark.parametrize("as_content", [False, True], ids=["typed", "content"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("scores", "predicted"),
    [
        pytest.param([[-INF, 1.0, 0.5]], [1], id="a-class-is-left-out"),
        pytest.param([[-INF, -INF, -2.0]], [2], id="all-but-one-are"),
        pytest.param([[-INF, 1.0], [3.0, -INF]], [1, 0], id="in-each-of-two-images"),
        pytest.param([[NAN, 1.0]], None, id="nan"),
        pytest.param([[1.0, NAN]], None, id="nan-last"),
        pytest.param([[NAN, -INF]], None, id="nan-beside-an-infinity"),
        pytest.param([[INF, 1.0]], None, id="beyond-all-numbers"),
        pytest.param([[INF, -INF]], None, id="both-infinities"),
        pytest.param([[-INF, -INF]], None, id="no-class-at-all"),
        pytest.param([[0.0, 1.0], [NAN, 1.0]], None, id="nan-in-the-second-image"),
    ],
)
def test_what_is_a_score(dtype, as_content, scores, predicted):
    reader = reader_for(spec_of(), len(scores))
    reader.read(reply(np.zeros_like(scores), dtype, as_content=as_content))

    for _ in range(2):
        body = reply(scores, dtype, as_content=as_content)
        if predicted is None:
            with pytest.raises(ReplyError, match="not finite"):
                reader.read(body)
        else:
            assert reader.read(body).predicted == predicted


def test_left_out_classes_are_read_in_place(monkeypatch):
    n_decoded = 0
    decode = codec.decode_answer

    def counted(*given):
        nonlocal n_decoded
        n_decoded += 1
        return decode(*given)

    monkeypatch.setattr(codec, "decode_answer", counted)
    for n_images in (1, 2):
        reader, n_decoded = reader_for(spec_of(), n_images), 0
        for best in range(3):
            scores = np.full((n_images, 3), -INF)
            scores[:, best] = 0.5
            assert reader.read(reply(scores)).predicted == [best] * n_images
        assert n_decoded == 1


@pytest.mark.parametrize("as_content", [False, True], ids=["typed", "content"])
@pytest.mark.parametrize("dtype", INTEGERS)
@given(st.lists(st.integers(0, 127), min_size=1, max_size=5), st.integers(0, 2))
def test_classes_of_every_dtype_and_shape(dtype, as_content, classes, n_ones):
    shape = (len(classes), *[1] * n_ones) if len(classes) > 1 else (1,) * n_ones
    values = np.array(classes, dtype).reshape(shape)
    reader = reader_for(spec_of("classes"), len(classes))

    for _ in range(2):
        answer = reader.read(reply(values, dtype, as_content=as_content))
        assert (answer.predicted, answer.scores) == (classes, None)


@pytest.mark.parametrize("as_content", [False, True], ids=["typed", "content"])
@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        pytest.param([b"7"], [7], id="digit"),
        pytest.param([b" 7\n", b"+3", b"-1", b"10.0"], [7, 3, -1, 10], id="numbers"),
        pytest.param([[b"seven"], [b"Zero"]], [7, 0], id="in-words"),
    ],
)
def test_labels_are_read_as_numbers(labels, classes, as_content):
    assert read(reply(labels, object, as_content=as_content), len(classes), kind="labels").predicted == classes


@pytest.mark.parametrize("offset", [0, 1, -2])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("labels", reply([b"cat", b"dog", b"cat"], object), id="labels"),
        pytest.param(CLASSIFIED, classified([("cat", 1.0)], [("dog", 1.0)], [("cat", 1.0)]), id="classified"),
    ],
)
def test_labels_may_be_the_names_of_the_data_sets_classes(kind, body, offset):
    assert read(body, 3, kind=kind, names=("dog", "cat"), offset=offset).predicted == [1, 0, 1]


def both(classes, dtype, scores):
    """A reply with several classes of each image, and their scores."""
    message = predict_pb2.PredictResponse()
    fill_proto(message.outputs["classes"], np.array(classes, dtype), as_content=False)
    fill_proto(message.outputs["p"], np.array(scores, np.float32), as_content=False)
    return message.SerializeToString()


def read_best(body, n_images, kind):
    spec = spec_of(kind, scored_by="p")
    return reader_for(replace(spec, output=replace(spec.output, name="classes")), n_images).read(body)


@pytest.mark.parametrize(
    ("kind", "dtype", "classes", "scores", "best"),
    [
        pytest.param("classes", np.int32, [[7, 1, 2]], [[0.6, 0.3, 0.1]], [7], id="best-first"),
        pytest.param("classes", np.int64, [[2, 1, 7]], [[0.1, 0.3, 0.6]], [7], id="best-last"),
        pytest.param("classes", np.int32, [[4, 5], [6, 7]], [[0.1, 0.9], [0.8, 0.2]], [5, 6], id="two-images"),
        pytest.param("classes", np.int32, [[3]], [[0.2]], [3], id="the-best-alone"),
        pytest.param("classes", np.int32, [[3, 4]], [[0.5, 0.5]], [3], id="first-of-equals"),
        pytest.param("labels", object, [[b"one", b"two"]], [[0.1, 0.9]], [2], id="words"),
    ],
)
def test_of_several_classes_that_of_the_highest_score_is_the_answer(kind, dtype, classes, scores, best):
    assert read_best(both(classes, dtype, scores), len(classes), kind).predicted == best


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(reply([[1, 2]], np.int32, name="classes"), "no output 'p' in the reply", id="no-scores"),
        pytest.param(both([[1, 2, 3]], np.int64, [[0.1, 0.9]]), r"has shape \(1, 3\): expected \(1, 2\)", id="more"),
        pytest.param(both([[1], [2]], np.int64, [[0.1], [0.9]]), r"'p' has shape \(2, 1\)", id="of-two-images"),
        pytest.param(both([[1, 2]], np.int64, [[NAN, 0.9]]), "'p' holds scores that are not finite", id="nan"),
        pytest.param(both([[1, 2]], np.float32, [[0.1, 0.9]]), "'classes' is DT_FLOAT", id="no-classes"),
    ],
)
def test_classes_that_do_not_go_with_their_scores_are_refused(body, message):
    with pytest.raises(ReplyError, match=message):
        read_best(body, 1, "classes")


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_class_may_be_a_float(dtype):
    assert read(reply([7, 0], dtype), 2, kind="classes", dtype="DT_FLOAT").predicted == [7, 0]


@pytest.mark.parametrize(
    ("value", "said"),
    [pytest.param(0.93, "0.93", id="a-score"), pytest.param(NAN, "nan", id="nan"), pytest.param(INF, "inf", id="inf")],
)
def test_a_float_that_is_no_whole_number_is_no_class(value, said):
    with pytest.raises(ReplyError, match=f"answers {said}: expected the number of a class"):
        read(reply([value]), kind="classes", dtype="DT_FLOAT")


@pytest.mark.parametrize("shape", [(2, 1, 1, 10), (2, 10, 1), (2, 1, 10)], ids=str)
def test_scores_may_have_sizes_of_one_beside_their_own(shape):
    scores = np.arange(20, dtype=np.float32).reshape(2, 10)[:, ::-1]

    assert read(reply(scores.reshape(shape)), 2).predicted == [0, 0]


def test_scores_of_several_places_of_an_image_are_none():
    with pytest.raises(ReplyError, match=r"has shape \(1, 2, 10\): expected \(1, classes\)"):
        read(reply(np.zeros((1, 2, 10))))


@pytest.mark.parametrize(
    ("text", "names", "offset", "label"),
    [
        pytest.param("7 - seven", (), 0, 7, id="torchvision"),
        pytest.param("LABEL_7", (), 0, 7, id="hugging-face"),
        pytest.param("LABEL_8", (), 1, 7, id="a-number-may-be-moved"),
        pytest.param("class7", (), 0, 7, id="without-a-space"),
        pytest.param("the digit seven.", (), 1, 7, id="a-word-is-a-label"),
        pytest.param("seven (7)", (), 0, 7, id="in-brackets"),
        pytest.param("digit-07", (), 0, 7, id="a-dash"),
        pytest.param("2: cat", ("dog", "cat"), 1, 1, id="beside-a-name"),
    ],
)
def test_a_class_may_stand_among_other_words(text, names, offset, label):
    assert read(reply([text.encode()], object), kind="labels", names=names, offset=offset).predicted == [label]


DIGITS_IN_WORDS = ("eight", "five", "four", "nine", "one", "seven", "six", "three", "two", "zero")


@pytest.mark.parametrize("offset", [0, 1, -1])
@pytest.mark.parametrize("kind", ["labels", CLASSIFIED])
@pytest.mark.parametrize(
    ("text", "names", "label"),
    [
        pytest.param("seven", DIGITS_IN_WORDS, 5, id="a-name-that-is-a-digit"),
        pytest.param("Seven", DIGITS_IN_WORDS, 5, id="in-another-case"),
        pytest.param(" seven\n", DIGITS_IN_WORDS, 5, id="in-spaces"),
        pytest.param("T-SHIRT", ("Coat", " t-shirt "), 1, id="a-name-in-spaces"),
        pytest.param("STRASSE", ("x", "Straße"), 1, id="folded"),
        pytest.param("cafe\u0301", ("x", "Café"), 1, id="an-accent-of-its-own"),
        pytest.param("a", ("A", "a"), 1, id="only-the-case-tells"),
        pytest.param("20", ("10", "20"), 1, id="a-name-that-is-a-number"),
        pytest.param("Seven", (), 7, id="a-digit-in-words"),
    ],
)
def test_a_word_is_a_label_whatever_the_offset(text, names, label, kind, offset):
    body = classified([(text, 1.0)]) if kind == CLASSIFIED else reply([text.encode()], object)

    assert read(body, kind=kind, names=names, offset=offset).predicted == [label]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("seven", ("dog", "cat"), id="no-name-of-the-sets"),
        pytest.param(" A", ("a", "ä", "á", "A ", "a "), id="several-in-other-case"),
    ],
)
def test_a_word_that_is_none_of_the_names_is_no_label(text, names):
    with pytest.raises(ReplyError, match="by its name"):
        read(reply([text.encode()], object), kind="labels", names=names)


def test_replies_that_are_large_are_not_kept():
    reader = reader_for(spec_of("classes"), 1)
    small, large = reply([7], np.int64), reply([7], np.int64, name="scores") + reply([1], np.int64, name="x" * 2000)

    assert reader.read(small) is reader.read(small)
    assert reader.read(large) is not reader.read(large)


@pytest.mark.parametrize(
    ("images", "classes"),
    [
        pytest.param([[("3", 0.1), ("7", 0.9)]], [7], id="the-highest"),
        pytest.param([[("7", 0.9), ("3", 0.9), ("1", 0.1)]], [7], id="the-first-of-equals"),
        pytest.param([[("7", 0.5), ("3", 0.5)]], [7], id="all-are-equal"),
        pytest.param([[("7", -INF), ("3", -2.0)]], [3], id="one-is-left-out"),
        pytest.param([[("4", 1.0)], [("two", 1.0)]], [4, 2], id="the-best-one-alone"),
        pytest.param([[("", 0.1), ("", 0.9)]], [1], id="without-labels-in-order"),
    ],
)
def test_classifications(images, classes):
    assert read(classified(*images), len(images), kind=CLASSIFIED).predicted == classes


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        pytest.param("classes", b"\xff", "not a PredictResponse", id="garbage"),
        pytest.param("classes", reply([1], np.int64, name="x"), "no output 'scores'", id="another-output"),
        pytest.param("classes", reply([1.0]), "is DT_FLOAT: expected the class of each image", id="float"),
        pytest.param("classes", reply([1, 2], np.int64), "has shape (2,): expected (1,)", id="too-many"),
        pytest.param("classes", reply([], np.int64), "has shape (0,): expected (1,)", id="none"),
        pytest.param("classes", reply([10**6], np.int64), "class 1000000: expected one below", id="too-large"),
        pytest.param("classes", reply([-(10**6)], np.int64), "class -1000000", id="too-small"),
        pytest.param("labels", reply([b"0.93"], object), "answers '0.93': expected a label", id="a-fraction"),
        pytest.param("labels", reply([b"class -1"], object), "answers 'class -1'", id="minus-one-in-words"),
        pytest.param("labels", reply([b"3 or 5"], object), "answers '3 or 5'", id="two-numbers"),
        pytest.param("labels", reply([b"7 - nine"], object), "answers '7 - nine'", id="a-number-and-another-word"),
        pytest.param("labels", reply([b"three or five"], object), "answers 'three or five'", id="two-words"),
        pytest.param("labels", reply([1], np.int64), "is DT_INT64: expected the label of each image", id="number"),
        pytest.param("labels", reply([b"cat"], object), "answers 'cat': expected a label that is a class's", id="cat"),
        pytest.param("labels", reply([b"\xff\x1b"], object), "answers '", id="no-utf-8"),
        pytest.param("labels", reply([b""], object), "answers ''", id="an-empty-label"),
        pytest.param("labels", reply([b"9" * 40], object), "expected a label", id="a-long-number"),
        pytest.param(CLASSIFIED, b"\xff", "not a ClassificationResponse", id="classified-garbage"),
        pytest.param(CLASSIFIED, classified(), "0 images are classified: expected 1", id="no-image"),
        pytest.param(CLASSIFIED, classified([]), "without a label that has the highest score", id="no-label"),
        pytest.param(CLASSIFIED, classified([("1", NAN)]), "without a label", id="classified-nan"),
        pytest.param(CLASSIFIED, classified([("cat", 1.0)]), "answers 'cat'", id="classified-cat"),
        pytest.param(
            CLASSIFIED,
            classified([(str(one), 0.0) for one in range(10)]),
            "without a label",
            id="without-scores",
        ),
        pytest.param(CLASSIFIED, classified([("", 0.0), ("", 0.0)]), "without a label", id="neither-labels-nor-scores"),
    ],
)
def test_what_is_no_class_says_what_was_found(kind, body, message):
    with pytest.raises(ReplyError) as caught:
        read(body, kind=kind)

    assert message in str(caught.value)


def test_too_few_values_are_not_filled_up():
    message = predict_pb2.PredictResponse()
    tensor = message.outputs["scores"]
    tensor.dtype = types_pb2.DT_INT64
    tensor.int64_val.append(7)
    tensor.tensor_shape.dim.add(size=3)

    with pytest.raises(ReplyError, match="holds 1 values for its shape"):
        read(message.SerializeToString(), 3, kind="classes")


@pytest.mark.parametrize("kind", ["scores", "classes", "labels", CLASSIFIED])
@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_read_or_refused(kind, body):
    try:
        answer = read(body, kind=kind)
    except ReplyError as error:
        assert str(error)
    else:
        assert len(answer.predicted) == 1


def test_who_answered_is_told_of_classes_too():
    reader = reader_for(spec_of("classes"), 1)
    message = predict_pb2.PredictResponse.FromString(reply([7], np.int64))
    message.model_spec.version.value = 2

    assert reader.read(reply([7], np.int64)).servable == Servable("m", None)
    assert reader.read(message.SerializeToString()).servable == Servable("m", 2)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("scores", reply(np.eye(5)[[4]]), id="scores"),
        pytest.param("classes", reply([4], np.int64), id="classes"),
        pytest.param("labels", reply([b"4"], object), id="labels"),
        pytest.param(CLASSIFIED, classified([("4", 1.0)]), id="classified"),
    ],
)
@pytest.mark.parametrize("offset", [1, -1, 3])
def test_an_offset_moves_classes_back_to_their_labels(kind, body, offset):
    reader = reader_for(spec_of(kind, offset), 1)

    for _ in range(5):  # decoded, read in place, and then known
        assert reader.read(body).predicted == [4 - offset]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("scores", reply(np.eye(5)[[4, 2, 1]]), id="scores"),
        pytest.param("classes", reply([4, 2, 1], np.int64), id="classes"),
    ],
)
def test_of_a_request_that_was_filled_up_the_first_answers_count(kind, body):
    answer = reader_for(spec_of(kind, 1, batch=3), 2).read(body)

    assert answer.predicted == [3, 1]
    assert len(answer.values) == 2


def test_a_model_that_takes_one_image_may_leave_its_dimension_out():
    answer = read(reply([0.1, 0.9]))

    assert (answer.predicted, answer.scores.shape) == ([1], (1, 2))


@pytest.mark.parametrize(
    ("kind", "before", "same", "other", "words"),
    [
        pytest.param(
            "classes",
            reply([7], np.int64),
            reply([7], np.int64, as_content=True),
            reply([1], np.int64),
            "image 5: class 7 without load, class 1 under it",
            id="classes",
        ),
        pytest.param(
            CLASSIFIED,
            classified([("7", 0.5)]),
            classified([("7", 0.6)]),
            classified([("1", 0.5)]),
            "image 5: class 7 without load, class 1 under it",
            id="classified",
        ),
        pytest.param(
            "scores",
            reply([[-INF, 1.0, 0.5]]),
            reply([[-INF, 1.00001, 0.5]]),
            reply([[0.0, 1.0, 0.5]]),
            "image 5: class 1 both times; the score of class 0 was -inf and became 0",
            id="a-class-that-was-left-out",
        ),
    ],
)
@pytest.mark.parametrize("tolerance", ["0.0001", "1%", "100%"])
def test_answers_are_compared_whatever_they_are(kind, before, same, other, words, tolerance):
    references = References(Tolerance.parse(tolerance))
    references.keep(0, read(before, kind=kind).values)
    references = References.from_plain(references.to_plain(), Tolerance.parse(tolerance))

    assert references.n_mismatched(0, read(before, kind=kind)) == 0
    assert references.n_mismatched(0, read(same, kind=kind)) == 0
    assert references.n_mismatched(0, read(other, kind=kind)) == 1
    assert references.example(0, read(other, kind=kind), 5).words == words


@pytest.mark.parametrize("dtype", [*FLOATS, np.uint8])
def test_references_of_every_dtype_come_over_the_wire(dtype):
    answer = read(reply([[1, 3, 2]], dtype))
    references = References()
    references.keep(0, answer.values)

    assert References.from_plain(references.to_plain()).n_mismatched(0, answer) == 0


def test_a_mismatch_tells_classes_as_labels():
    references = References(label_offset=1)
    references.keep(0, read(reply([[0.0, 1.0, 0.0]])).values)

    example = references.example(0, read(reply([[0.0, 0.0, 1.0]])), 0)

    assert (example.expected_class, example.answered_class) == (0, 1)


def test_classify_asks_with_examples():
    images = replace(MNIST_EXAMPLE.input, form="example", shape=(), feature="x", feature_dtype="DT_FLOAT")
    spec = replace(MNIST_EXAMPLE, signature_name="c", method=CLASSIFY, input=images)
    encoder = codec.RequestEncoder(Settings.parse({"model_name": "m"}, None).model, spec)
    request = classification_pb2.ClassificationRequest.FromString(encoder.encode(np.full((2, 28, 28), 255, np.uint8)))

    assert (request.model_spec.name, request.model_spec.signature_name) == ("m", "c")
    features = [one.features.feature["x"].float_list.value for one in request.input.example_list.examples]
    assert [list(one) for one in features] == [[1.0] * 784] * 2
