"""Answers that are kept for when the same reply comes again: as long as that pays."""

import numpy as np
import pytest

from tests.support.predict_replies import reply
from tfsload.transport import class_reader
from tfsload.transport.call_spec import LABELS, OutputSpec
from tfsload.transport.grpc import codec
from tfsload.transport.grpc.class_replies import class_decoder
from tfsload.transport.protos import predict_pb2, types_pb2

ROOM = 8


def labelled(number):
    """Return a reply that answers with a number as a text."""
    message = predict_pb2.PredictResponse()
    tensor = message.outputs["label"]
    tensor.dtype = types_pb2.DT_STRING
    tensor.tensor_shape.dim.add(size=1)
    tensor.string_val.append(str(number).encode())
    return message.SerializeToString()


def scored(number):
    """Return a reply that answers with scores of which one is the number."""
    return reply(np.array([[number, 0.25, 0.5]], np.float32))


# What reads replies, a reply that says a number, and what is read there.
READERS = {
    "scores": (lambda: codec.ReplyReader("scores", 1), scored, lambda answer: int(answer.scores[0, 0])),
    "classes": (
        lambda: class_reader.ClassReader(class_decoder(OutputSpec("label", "DT_STRING", (-1,), LABELS), 1)),
        labelled,
        lambda answer: answer.predicted[0],
    ),
}


@pytest.fixture(params=READERS.values(), ids=READERS)
def told(request, monkeypatch):
    """Return a function that has numbers read, and says of each whether its answer was that of an earlier reply."""
    monkeypatch.setattr(codec, "_MOST_ANSWERS", ROOM)
    monkeypatch.setattr(class_reader, "_MOST_KNOWN", ROOM)
    monkeypatch.setattr(class_reader, "_WORTH_PERCENT", 25)
    make, reply_of, number_in = request.param
    reader, answers = make(), []  # all of them, so that no object is another one at the same place
    if reply_of is scored:
        reader.read(reply_of(0))  # decoded in full, as the first is
    seen = set()

    def read(numbers):
        are_known = []
        for number in numbers:
            answers.append(reader.read(reply_of(number)))
            assert number_in(answers[-1]) == number
            are_known.append(id(answers[-1]) in seen)
            seen.add(id(answers[-1]))
        return are_known

    read.reader = reader
    return read


def rounds(n, of, first=1):
    return list(range(first, first + of)) * n


# What was read before, what is read then, and of how many of these the answer is a kept one, in percent.
HISTORIES = {
    "nothing-before": ([], [1, 2, 1, 2], 50),
    "all-have-room": (rounds(9, ROOM), rounds(2, ROOM), 100),
    "twice-as-many-as-have-room": (rounds(30, 2 * ROOM), rounds(2, 2 * ROOM), 50),
    "three-times-as-many": (rounds(30, 3 * ROOM), rounds(2, 3 * ROOM), 100 / 3),
    "ten-times-as-many": (rounds(3, 10 * ROOM), rounds(2, 10 * ROOM), 0),
    "ever-new": (rounds(1, 10 * ROOM), rounds(1, 10 * ROOM, 500), 0),
    "another-version": (rounds(30, ROOM) + rounds(20, ROOM, 100), rounds(2, ROOM, 100), 100),
    "version-after-version": (
        [number for version in range(1, 9) for number in rounds(20, ROOM, 100 * version)],
        rounds(2, ROOM, 800),
        100,
    ),
    "a-few-odd-ones-now-and-then": (
        [number for place in range(30) for number in [*rounds(1, ROOM), 100 + place]],
        rounds(2, ROOM),
        100,
    ),
    "a-warm-up-with-others": (rounds(1, 2 * ROOM, 100) + rounds(20, ROOM), rounds(2, ROOM), 100),
}


@pytest.mark.parametrize(("before", "then", "percent"), HISTORIES.values(), ids=HISTORIES)
def test_answers_are_kept_as_long_as_they_come_again(told, before, then, percent):
    told(before)
    are_known = told(then)

    assert 100 * sum(are_known) == pytest.approx(percent * len(then))


@pytest.mark.parametrize("numbers", [rounds(3, 10 * ROOM), rounds(1, 30 * ROOM)], ids=["in-rounds", "ever-new"])
def test_where_replies_are_many_nothing_is_kept_or_looked_for(told, numbers):
    told(numbers)

    assert told.reader._kept.by_reply == {}
    assert told.reader._kept.room == 0


def test_with_room_for_none_all_replies_are_read(told):
    told.reader._kept.room = 0
    told.reader._kept.by_reply.clear()

    assert told(rounds(3, ROOM)) == [False] * 3 * ROOM
