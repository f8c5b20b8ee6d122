"""Scores, classes and outputs out of REST's JSON: read right, or refused by name."""

import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpys

from tests.support.predict_replies import reply as grpc_reply
from tests.support.rest_replies import rows_text
from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import CLASSES, CLASSIFIED, CLASSIFY, LABELS, MNIST_EXAMPLE, VALUES, OutputSpec
from tfsload.transport.grpc.readers import reader_for as grpc_reader_for
from tfsload.transport.rest import readers
from tfsload.transport.rest.readers import reader_for
from tfsload.transport.servable import UNTOLD


def spec_of(output=MNIST_EXAMPLE.output, **changes):
    return dataclasses.replace(MNIST_EXAMPLE, output=output, **changes)


def read(text, spec=MNIST_EXAMPLE, n_images=1):
    return reader_for(spec, n_images).read(text if isinstance(text, bytes) else json.dumps(text).encode())


@given(
    numpys.arrays(np.float32, st.tuples(st.integers(1, 3), st.integers(1, 12)), elements=st.floats(width=32)),
    st.sampled_from(["row", "column"]),
)
def test_scores_are_those_that_grpc_has_or_refused_as_there(scores, form):
    text = rows_text(scores)
    if form == "column":
        text = text.replace(b"predictions", b"outputs")
    n = len(scores)
    try:
        expected = grpc_reader_for(MNIST_EXAMPLE, n).read(grpc_reply(scores))
    except ReplyError as error:
        with pytest.raises(ReplyError, match=re.escape(str(error))):
            read(text, n_images=n)
        return

    found = read(text, n_images=n)

    assert found.predicted == expected.predicted
    assert found.scores.dtype == np.float32
    assert found.holds(expected.values.tobytes())


FORMS = {
    "a-row": {"predictions": [[0.1, 0.9]]},
    "a-row-among-others": {"predictions": [{"scores": [0.1, 0.9], "other": 1}]},
    "columns": {"outputs": [[0.1, 0.9]]},
    "columns-by-name": {"outputs": {"scores": [[0.1, 0.9]], "other": 3}},
    "not-squeezed": {"predictions": [[[[0.1, 0.9]]]]},
    "without-a-dimension-of-images": {"outputs": [0.1, 0.9]},
    "whole-numbers": {"predictions": [[0, 1]]},
    "beside-something-else": {"predictions": [[0.1, 0.9]], "model_version": "1"},
}


@pytest.mark.parametrize("said", FORMS.values(), ids=FORMS)
def test_scores_are_found_wherever_they_stand(said):
    answer = read(said)

    assert answer.predicted == [1]
    assert answer.scores.shape == (1, 2)
    assert answer.servable == UNTOLD


def test_the_same_reply_has_the_same_answer():
    reader = reader_for(MNIST_EXAMPLE, 1)
    text = rows_text(np.array([[0.25, 0.75]], np.float32))

    assert reader.read(text) is reader.read(bytes(bytearray(text)))
    assert reader.read(text.replace(b"0.75", b"0.15")).predicted == [0]


def test_ever_new_replies_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(readers, "_MOST_ANSWERS", 8)
    reader = reader_for(MNIST_EXAMPLE, 1)
    for number in range(500):
        assert reader.read(b'{"predictions":[[%d,0]]}' % number).scores[0, 0] == number

    assert len(reader._kept.by_reply) <= 8


NO_SCORES = {
    "no-json": (b"<html>", "no JSON"),
    "nothing": ({}, "neither 'predictions' nor 'outputs': it has nothing"),
    "an-error": ({"error": "x"}, "it has ['error']"),
    "a-list": ([1], "it is no object, but a list"),
    "null": (b"null", "it is no object, but a lone value"),
    "no-list": ({"predictions": 1}, "'predictions' is no list"),
    "no-rows": ({"predictions": []}, "has shape (0,): expected (1, classes)"),
    "too-many": ({"predictions": [[0.1], [0.2]]}, "has shape (2, 1): expected (1, classes)"),
    "a-number-each": ({"predictions": [0.1, 0.2], "x": 0}, None),
    "empty": ({"predictions": [[]]}, "has shape (1, 0): expected"),
    "other-outputs": ({"predictions": [{"a": [1], "b": [2]}]}, "no output 'scores' in the reply; it has ['a', 'b']"),
    "other-columns": ({"outputs": {"a": [1], "b": [2]}}, "no output 'scores' in the reply; it has ['a', 'b']"),
    "rows-of-other-outputs": ({"predictions": [{"scores": [1], "b": 1}, {"scores": [1]}]}, "not have the same outputs"),
    "a-row-that-is-no-object": ({"predictions": [{"scores": [1], "b": 1}, 7]}, "not have the same outputs"),
    "texts": ({"predictions": [["0.1", "0.9"]]}, "holds a text: expected numbers"),
    "truth": ({"predictions": [[True, 0.5]]}, "holds true or false: expected numbers"),
    "null-among-them": ({"predictions": [[None, 0.5]]}, "holds null: expected numbers"),
    "an-object-among-them": ({"predictions": [[{"b64": "x"}, 0.5]]}, "holds an object: expected numbers"),
    "uneven": ({"predictions": [[0.1, 0.9], [0.1]]}, "not equally long"),
    "nan": (b'{"predictions": [[NaN, 0.5]]}', "not finite"),
    "infinity": (b'{"predictions": [[Infinity, 0.5]]}', "not finite"),
    "lowest-alone": (b'{"predictions": [[-Infinity, -Infinity]]}', "not finite"),
    "too-large-for-a-float32": ({"predictions": [[1e300, 0.5]]}, "not finite"),
    "too-large-for-any-float": (b'{"predictions": [[1' + b"0" * 400 + b", 0.5]]}", "too large to convert to float"),
    "nested-deeply": (b'{"predictions": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "no JSON"),
    "nested-deeper-than-tensors": (b'{"predictions": ' + b"[" * 60 + b"]" * 60 + b"}", "nested more than 32 deep"),
}


@pytest.mark.parametrize(("said", "why"), NO_SCORES.values(), ids=NO_SCORES)
def test_what_are_no_scores_is_named(said, why):
    if why is None:  # two numbers are the scores of one image
        assert read(said).predicted == [1]
        return
    with pytest.raises(ReplyError) as raised:
        read(said)

    assert why in str(raised.value)


def test_scores_that_leave_a_class_out_are_scores():
    assert read(b'{"predictions": [[-Infinity, 0.5]]}').predicted == [1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["predictions", "outputs", "scores", "b64", "results"]), inner, max_size=3)
    ),
    max_leaves=12,
)
OF_KINDS = {
    "scores": spec_of(),
    "classes": spec_of(OutputSpec("c", "DT_INT64", (-1,), CLASSES)),
    "best-of-several": spec_of(OutputSpec("c", "DT_INT64", (-1, 3), CLASSES, scored_by="scores")),
    "labels": spec_of(OutputSpec("c", "DT_STRING", (-1,), LABELS)),
    "classified": spec_of(OutputSpec("scores", "DT_FLOAT", (-1, 2), CLASSIFIED), method=CLASSIFY),
    "values": spec_of(OutputSpec("", "", None, VALUES), judged_by="Judge.is_right", asks_for=()),
}


@pytest.mark.parametrize("spec", OF_KINDS.values(), ids=OF_KINDS)
@given(
    said=st.sampled_from(["predictions", "outputs", "results"]).flatmap(lambda key: JSON.map(lambda x: {key: x})) | JSON
)
def test_whatever_json_says_is_an_answer_or_a_named_fault(spec, said):
    try:
        answer = read(said, spec, 2)
        if spec.judged_by:
            _ = [one.outputs for one in answer.images]
    except ReplyError:
        return

    assert len(answer.predicted) == 2
    if answer.scores is not None:
        assert answer.scores.shape[0] == 2
        assert np.isfinite(answer.scores.max(axis=1)).all()


# Replies that a reader meets after one with two scores, in any order.
FOLLOWING = st.sampled_from(
    [*FORMS.values(), *(said for said, _ in NO_SCORES.values() if len(said) < 1000)]
) | st.fixed_dictionaries(
    {"predictions": st.lists(st.lists(st.floats(width=32) | st.integers(-(10**40), 10**40), max_size=3), max_size=2)}
)


@given(st.lists(FOLLOWING, min_size=1, max_size=4), st.sampled_from(["DT_FLOAT", "DT_DOUBLE", "DT_HALF"]))
def test_a_reply_is_read_the_same_whatever_was_read_before(replies, dtype):
    spec = spec_of(OutputSpec("scores", dtype, (-1, 2)))
    reader = reader_for(spec, 1)
    for said in ({"predictions": [[0.25, 0.75]]}, *replies):
        text = said if isinstance(said, bytes) else json.dumps(said).encode()
        outcomes = []
        for one in (reader, reader_for(spec, 1)):
            try:
                answer = one.read(text)
                outcomes.append((answer.predicted, answer.values.tobytes(), answer.values.dtype, answer.values.shape))
            except ReplyError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]


# What models say that name a class, and which of two images' labels it is.
NAMED = {
    "numbers": (OutputSpec("c", "DT_INT64", (-1,), CLASSES), {"predictions": [3, 7]}, [3, 7]),
    "numbers-moved": (OutputSpec("c", "DT_INT64", (-1,), CLASSES, 1), {"predictions": [3, 7]}, [2, 6]),
    "numbers-as-floats": (OutputSpec("c", "DT_FLOAT", (-1,), CLASSES), {"predictions": [3.0, 7.0]}, [3, 7]),
    "numbers-in-columns": (OutputSpec("c", "DT_INT64", (-1,), CLASSES), {"outputs": {"c": [[3], [7]], "d": 1}}, [3, 7]),
    "the-best-of-several": (
        OutputSpec("c", "DT_INT32", (-1, 2), CLASSES, scored_by="s"),
        {"predictions": [{"c": [3, 1], "s": [0.9, 0.1]}, {"c": [5, 7], "s": [0.2, 0.7]}]},
        [3, 7],
    ),
    "words": (OutputSpec("c", "DT_STRING", (-1,), LABELS), {"predictions": ["three", "7"]}, [3, 7]),
    "words-in-base64": (
        OutputSpec("c_bytes", "DT_STRING", (-1,), LABELS),
        {"predictions": [{"b64": "Mw=="}, "7"]},
        [3, 7],
    ),
    "names": (
        OutputSpec("c", "DT_STRING", (-1,), LABELS, names=("cat", "café")),
        {"predictions": ["cat", "café"]},
        [0, 1],
    ),
    "pairs": (
        OutputSpec("s", "DT_FLOAT", (-1, 2), CLASSIFIED),
        {"results": [[["3", 0.9], ["1", 0.1]], [["5", 0.1], ["7", 1]]]},
        [3, 7],
    ),
    "pairs-without-labels": (
        OutputSpec("s", "DT_FLOAT", (-1, 2), CLASSIFIED),
        {"results": [[["", 0.9], ["", 0.1]], [["", 0.1], ["", 1]]]},
        [0, 1],
    ),
}


@pytest.mark.parametrize(("output", "said", "labels"), NAMED.values(), ids=NAMED)
def test_a_class_that_is_named_is_read(output, said, labels):
    answer = read(said, spec_of(output), 2)

    assert answer.predicted == labels
    assert answer.scores is None


NO_CLASS = {
    "a-fraction": (OutputSpec("c", "DT_FLOAT", (-1,), CLASSES), {"predictions": [3.5]}, "a whole one"),
    "nan": (OutputSpec("c", "DT_FLOAT", (-1,), CLASSES), b'{"predictions": [NaN]}', "a whole one"),
    "too-large": (OutputSpec("c", "DT_INT64", (-1,), CLASSES), {"predictions": [10**30]}, "expected one below 100,000"),
    "a-text": (OutputSpec("c", "DT_INT64", (-1,), CLASSES), {"predictions": ["3"]}, "holds a text: expected numbers"),
    "truth": (OutputSpec("c", "DT_INT64", (-1,), CLASSES), {"predictions": [True]}, "true or false: expected numbers"),
    "several": (OutputSpec("c", "DT_INT64", (-1,), CLASSES), {"predictions": [3, 4]}, "has shape (2,): expected (1,)"),
    "an-unknown-word": (OutputSpec("c", "DT_STRING", (-1,), LABELS), {"predictions": ["cat"]}, "answers 'cat'"),
    "no-word": (OutputSpec("c", "DT_STRING", (-1,), LABELS), {"predictions": [7]}, "holds a number: expected texts"),
    "no-base64": (OutputSpec("c", "DT_STRING", (-1,), LABELS), {"predictions": [{"b64": "*"}]}, "expected texts"),
    "no-results": (OutputSpec("s", "DT_FLOAT", None, CLASSIFIED), {"predictions": [1]}, "the reply has no 'results'"),
    "no-pairs": (OutputSpec("s", "DT_FLOAT", None, CLASSIFIED), {"results": [[["3"]]]}, "no list of pairs"),
    "pairs-of-others": (OutputSpec("s", "DT_FLOAT", None, CLASSIFIED), {"results": [[[3, 0.5]]]}, "no list of pairs"),
    "too-many-results": (
        OutputSpec("s", "DT_FLOAT", None, CLASSIFIED),
        {"results": [[], []]},
        "2 images are classified",
    ),
    "none-for-an-image": (OutputSpec("s", "DT_FLOAT", None, CLASSIFIED), {"results": [[]]}, "without a label"),
}


@pytest.mark.parametrize(("output", "said", "why"), NO_CLASS.values(), ids=NO_CLASS)
def test_what_names_no_class_is_refused(output, said, why):
    with pytest.raises(ReplyError) as raised:
        read(said, spec_of(output))

    assert why in str(raised.value)


def judged(asks_for=(), **changes):
    output = OutputSpec("a", "DT_FLOAT", (-1, 2), VALUES)
    return spec_of(output, judged_by="Judge.is_right", asks_for=asks_for, **changes)


def outputs_of(said, spec, place=0):
    return {name: (one.dtype.name, one.tolist()) for name, one in read(said, spec, 2).images[place].outputs.items()}


ROWS = {"predictions": [{"a": [0.1, 1], "n": 1, "t": "x", "y": True}, {"a": [2, 3], "n": 2, "t": "é", "y": False}]}


def test_all_outputs_are_there_for_who_judges():
    assert outputs_of(ROWS, judged(), 1) == {
        "a": ("float32", [2.0, 3.0]),
        "n": ("int64", 2),
        "t": ("object", "é".encode()),
        "y": ("bool", False),
    }


def test_whole_numbers_of_64_bits_are_not_rounded():
    said = {"predictions": [{"a": [0, 0], "i": 2**53 + 1, "u": 2**64 - 1}, {"a": [0, 0], "i": -(2**63), "u": 0}]}

    assert outputs_of(said, judged(("i", "u"))) == {"i": ("int64", 2**53 + 1), "u": ("uint64", 2**64 - 1)}


def test_of_all_outputs_those_are_there_that_are_asked_for():
    assert outputs_of(ROWS, judged(None)).keys() == {"a"}
    assert outputs_of(ROWS, judged(("n", "y"))).keys() == {"n", "y"}


def test_an_output_of_no_image_is_there_as_a_whole():
    said = {"outputs": {"a": [[1, 2], [3, 4]], "version": [7, 8]}}

    assert outputs_of(said, judged(whole=("version",)), 1) == {
        "a": ("float32", [3.0, 4.0]),
        "version": ("int64", [7, 8]),
    }


def test_pairs_are_outputs_too():
    said = {"results": [[["3", 0.5], ["1", 0.25]], [["5", 0.1], ["7", 1]]]}

    found = outputs_of(said, judged(method=CLASSIFY))

    assert found == {"classes": ("object", [b"3", b"1"]), "scores": ("float32", [0.5, 0.25])}


def test_whole_numbers_of_a_model_that_scores_by_them_are_its_own():
    spec = spec_of(OutputSpec("scores", "DT_UINT8", (-1, 3)))

    assert read({"predictions": [[1, 255, 3]]}, spec).scores.tolist() == [[1, 255, 3]]
    assert read({"predictions": [[1.0, 255.0, 3.0]]}, spec).scores.dtype == np.uint8
    for odd, why in (([1, 256, 3], "out of bounds"), ([1, 0.5, 3], "holds fractions")):
        with pytest.raises(ReplyError, match=why):
            read({"predictions": [odd]}, spec)
