"""Which model answered: read from each reply, counted, merged, and held against the one that was found before."""

from collections import Counter

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.predict_replies import reply
from tests.support.summaries import judge, record_of, summarise
from tfsload.analysis import exit_codes
from tfsload.records.record import Record
from tfsload.records.recorder import Recorder, merge_plain
from tfsload.transport import servable
from tfsload.transport.grpc import codec
from tfsload.transport.protos import predict_pb2
from tfsload.transport.servable import FURTHER, MOST_TOLD_APART, UNTOLD, Servable

ONE, TWO = Servable("mnist", 1), Servable("mnist", 2)


def reply_by(who, scores=(0.1, 0.9)):
    """Return a reply that names a model."""
    message = predict_pb2.PredictResponse.FromString(reply([list(scores)]))
    if who != UNTOLD:
        message.model_spec.name = who.name
        message.model_spec.signature_name = "predict_images"
        if who.version is not None:
            message.model_spec.version.value = who.version
    return message.SerializeToString()


SERVABLES = [
    pytest.param(ONE, id="a-version"),
    pytest.param(Servable("mnist", 300), id="a-version-of-two-bytes"),
    pytest.param(Servable("mnist", 0), id="version-0"),
    pytest.param(Servable("mnist", 2**62), id="a-time-as-version"),
    pytest.param(Servable("another", 1), id="another-name"),
    pytest.param(Servable("mnist", None), id="no-version"),
    pytest.param(UNTOLD, id="nothing-is-told"),
]


@pytest.mark.parametrize("who", SERVABLES)
def test_a_reply_says_who_answered(who):
    reader = codec.ReplyReader("scores", 1)

    assert [reader.read(reply_by(who)).servable for _ in range(3)] == [who] * 3


VERSIONS = [Servable("mnist", version) for version in (1, 2, 9, 10, 127, 128, 300)]


@given(st.lists(st.tuples(st.sampled_from(VERSIONS), st.integers(0, 9)), min_size=1, max_size=60))
def test_who_answered_is_told_whatever_came_before(made):
    reader = codec.ReplyReader("scores", 1)
    for who, answered in made:
        answer = reader.read(reply_by(who, [float(place == answered) + place / 100 for place in range(10)]))
        assert (answer.servable, answer.predicted) == (who, [answered])


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param([1, 2], id="of-one-length"),
        pytest.param([9, 10, 300], id="of-several-lengths"),
        pytest.param([1, 2, 3, 4, 5, 6, 7, 8], id="eight"),
    ],
)
def test_replies_of_several_versions_in_turn_are_all_read_in_place(versions, monkeypatch):
    decoded = Counter()
    decode = codec.decode_answer

    def counted(body, *arguments):
        decoded[body] += 1
        return decode(body, *arguments)

    monkeypatch.setattr(codec, "decode_answer", counted)
    reader = codec.ReplyReader("scores", 1)
    for round_ in range(50):
        for version in versions:
            scores = [0.2, 0.3 + round_ / 1000]
            assert reader.read(reply_by(Servable("mnist", version), scores)).servable.version == version

    assert decoded.total() == len(versions)  # each one's first


def test_a_server_that_names_itself_anew_each_time_does_not_fill_the_memory():
    reader = codec.ReplyReader("scores", 1)
    told = Counter(reader.read(reply_by(Servable(f"model {number}", 1))).servable for number in range(200))

    assert len(told) == MOST_TOLD_APART + 1
    assert told[FURTHER] == 200 - MOST_TOLD_APART


@given(
    st.lists(st.sampled_from([*VERSIONS, UNTOLD, Servable("", 3), Servable("é\x1b", None)]), max_size=20),
    st.integers(0, 20),
)
def test_counts_of_two_processes_merged_are_those_of_one(answered_by, n_first):
    merged: dict[int, Record] = {}
    for part in (answered_by[:n_first], answered_by[n_first:]):
        recorder = Recorder()
        for who in part:
            recorder.record([1], [1], None, 0, 0, 1000, None, answered_by=who)
        merge_plain(merged, msgpack.loads(msgpack.dumps(recorder.take_all())))

    assert merged.get(0, Record()).servables == Counter(answered_by)


@pytest.mark.parametrize(
    ("counts", "expected", "words"),
    [
        pytest.param({ONE: 9}, ONE, "", id="the-one-that-was-found"),
        pytest.param({}, ONE, "", id="no-answer"),
        pytest.param(
            {TWO: 4, ONE: 5},
            ONE,
            "not all answers are of one model: 5 by mnist, version 1, 4 by mnist, version 2",
            id="two-versions",
        ),
        pytest.param(
            {ONE: 1999, TWO: 1}, ONE, "1,999 by mnist, version 1, 1 by mnist, version 2", id="one-stray-answer"
        ),
        pytest.param(
            {TWO: 9},
            ONE,
            "all 9 answers are by mnist, version 2, and mnist, version 1 was found before",
            id="the-other",
        ),
        pytest.param({Servable("b", 1): 9}, ONE, "all 9 answers are by b, version 1", id="another-model"),
        pytest.param({ONE: 5, Servable("b", 1): 4}, ONE, "4 by b, version 1", id="another-model-too"),
        pytest.param({UNTOLD: 9}, ONE, "", id="servers-that-tell-nothing"),
        pytest.param({ONE: 5, UNTOLD: 4}, ONE, "4 by a model that is not named", id="one-of-two-servers-tells-nothing"),
        pytest.param({Servable("", 1): 9}, ONE, "", id="no-name-and-the-version"),
        pytest.param({Servable("", 2): 9}, ONE, "all 9 answers are by version 2", id="no-name-and-another-version"),
        pytest.param({Servable("mnist", None): 9}, ONE, "", id="the-name-alone"),
        pytest.param({Servable("b", None): 9}, ONE, "all 9 answers are by b, no version", id="another-name-alone"),
        pytest.param({TWO: 9}, UNTOLD, "", id="nothing-was-told-before"),
        pytest.param({TWO: 9, ONE: 1}, UNTOLD, "9 by mnist, version 2", id="nothing-was-told-before-and-two-answer"),
        pytest.param({Servable("a\x1b[2J\n", 1): 9}, ONE, "by a?[2J?, version 1", id="a-name-that-steers-terminals"),
        pytest.param(
            {Servable("mnist", version): 10 for version in range(1, 60)},
            ONE,
            "10 by mnist, version 5, 540 by 54 others",
            id="very-many",
        ),
    ],
)
def test_what_speaks_against_one_model(counts, expected, words):
    found = servable.fault(Counter(counts), expected)

    assert words in found
    assert bool(found) is bool(words)


def record_by(*answered_by):
    record = record_of([(1, 1)] * len(answered_by))
    record.servables.update(answered_by)
    return record


@pytest.mark.parametrize(
    ("record", "more", "code"),
    [
        pytest.param(record_by(ONE, ONE), {}, exit_codes.PASS, id="one"),
        pytest.param(record_by(ONE, TWO), {}, exit_codes.INVALID, id="two"),
        pytest.param(record_by(TWO, TWO), {}, exit_codes.INVALID, id="the-other"),
        pytest.param(record_by(ONE), {"uncounted": record_by(TWO)}, exit_codes.INVALID, id="the-other-in-a-warm-up"),
        pytest.param(
            record_by(ONE, TWO), {"changed": "version 1 answered before, 2 after"}, exit_codes.INVALID, id="a-roll-out"
        ),
    ],
)
def test_answers_of_another_model_make_a_run_invalid(record, more, code):
    verdict = judge(summarise(record, expected=ONE, **more))

    assert verdict.exit_code == code
    assert len(verdict.sentences) == (code != exit_codes.PASS)  # a roll-out is told once
