"""Answers recorded without load, and those under load held against them."""

from dataclasses import replace

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.level_rows import Sample, record_of
from tfsload.analysis import exit_codes
from tfsload.analysis.tolerance import DEFAULT
from tfsload.datasets.dataset import load
from tfsload.run import checks
from tfsload.run.user_hosts import HostAsked
from tfsload.settings.refusal import RunRefused
from tfsload.settings.settings import Settings
from tfsload.target.embedded import EmbeddedModel
from tfsload.target.preflight import Preflight
from tfsload.target.references import References
from tfsload.target.verification import VerificationError, record_references
from tfsload.transport.answer import Answer
from tfsload.transport.call_spec import MNIST_EXAMPLE
from tfsload.transport.grpc.transport import GrpcTransport

SCORES = np.array([[0.1, 0.7, 0.2], [0.9, 0.05, 0.05]], "<f4")


def transport_of(settings):
    return GrpcTransport(settings.model, settings.connection)


def references_of(*answers):
    references = References()
    for number, scores in enumerate(answers):
        references.keep(number, scores)
    return references


def changed(row, by, scores=SCORES):
    """Return scores of which one row differs by so much."""
    other = scores.copy()
    other[row, 0] += np.float32(by)
    return other


def rows(*chosen):
    return SCORES[list(chosen)]


@pytest.mark.parametrize(
    ("scores", "mismatched"),
    [
        pytest.param(SCORES, 0, id="equal-byte-by-byte"),
        pytest.param(SCORES.copy(), 0, id="equal-elsewhere-in-memory"),
        pytest.param(changed(0, 0.9 * DEFAULT.value), 0, id="off-by-less-than-the-tolerance"),
        pytest.param(changed(0, 1.1 * DEFAULT.value), 1, id="one-image-off-by-more"),
        pytest.param(changed(0, -1.1 * DEFAULT.value), 1, id="below"),
        pytest.param(changed(1, 0.5, changed(0, 0.5)), 2, id="both-images-off"),
        pytest.param(SCORES[::-1], 2, id="swapped-images"),
        pytest.param(SCORES.astype("<f8"), 0, id="another-dtype-with-the-same-values"),
        pytest.param(np.hstack([SCORES, SCORES]), 2, id="more-classes"),
        pytest.param(SCORES[:, :2], 2, id="fewer-classes"),
        pytest.param(SCORES[:1], 2, id="fewer-images"),
        pytest.param(None, None, id="no-answer-is-a-failure-and-nothing-to-compare"),
    ],
)
def test_answers_are_compared_image_by_image(scores, mismatched):
    answer = None if scores is None else Answer.of(np.ascontiguousarray(scores))

    assert references_of(SCORES).n_mismatched(0, answer) == mismatched


def test_an_answer_that_goes_on_after_the_recorded_scores_differs():
    longer = np.array([[0.1, 0.7, 0.2, 0.9]], "<f4")

    assert references_of(SCORES[:1]).n_mismatched(0, Answer.of(longer)) == 1


def test_a_request_that_was_not_recorded_is_not_compared():
    assert references_of(SCORES).n_mismatched(1, Answer.of(changed(0, 0.5))) is None


def test_each_request_has_its_own_scores():
    references = references_of(rows(0), rows(1))

    assert [references.n_mismatched(number, Answer.of(rows(0))) for number in (0, 1)] == [0, 1]
    assert len(references) == 2


finite = st.floats(-10, 10, width=32)


@given(
    st.dictionaries(
        st.integers(0, 10_000),
        st.tuples(st.integers(1, 4), st.integers(1, 5), st.sampled_from(["<f4", "<f8"])).flatmap(
            lambda shape: st.lists(finite, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
                lambda values: np.array(values, shape[2]).reshape(shape[:2])
            )
        ),
        max_size=5,
    )
)
def test_references_survive_locusts_messages(answers):
    references = References()
    for number, scores in answers.items():
        references.keep(number, scores)
    arrived = References.from_plain(msgpack.loads(msgpack.dumps(references.to_plain()), strict_map_key=False))

    assert len(arrived) == len(answers)
    assert arrived.to_plain() == references.to_plain()
    for number, scores in answers.items():
        assert arrived.n_mismatched(number, Answer.of(scores)) == 0
        assert arrived.n_mismatched(number, Answer.of(scores + 1)) == len(scores)


def test_no_references_travel_too():
    assert len(References.from_plain(References().to_plain())) == 0


def test_mismatches_are_counted_with_the_requests_that_have_them():
    compared = [Sample(0, 1000, n_mismatched=0), Sample(0, 1000, n_mismatched=1)]
    record = record_of([*compared, Sample(0, 1000, is_wrong=True)])

    assert (record.compared, record.mismatched, record.wrong, record.requests) == (2, 1, 1, 3)


# Recorded from a real server


def settings_of(model_server, **options):
    return Settings.parse(options, model_server.address)


@pytest.mark.parametrize(
    ("verify", "per_request", "n_requests"),
    [
        pytest.param(1, 1, 1, id="one"),
        pytest.param(12, 1, 12, id="twelve"),
        pytest.param(12, 4, 3, id="four-images-a-request"),
        pytest.param(10, 4, 3, id="the-last-request-is-recorded-as-a-whole"),
    ],
)
def test_so_many_answers_are_recorded(model_server, verify, per_request, n_requests):
    settings = settings_of(model_server, verify=str(verify), images_per_request=str(per_request))
    dataset = load("mnist5k")
    references = record_references(settings.checks, transport_of(settings), dataset)

    assert len(references) == n_requests
    again = record_references(settings.checks, transport_of(settings), dataset)
    for number, dtype, shape, *_ in references.to_plain():
        assert (dtype, shape) == ("<f4", [per_request, 10])
        assert references.n_mismatched(number, Answer.of(again._scores[number])) == 0


def options_of(**options):
    return {"dataset": "mnist5k", "num_tests": "0", "num_users": None, **options}


def test_checks_record_what_is_to_be_compared(model_server):
    checked = checks.check(options_of(verify="5"), HostAsked(model_server.address), GrpcTransport, EmbeddedModel(), [])

    assert len(checked.references) == 5
    assert (
        checks.check(options_of(), HostAsked(model_server.address), GrpcTransport, EmbeddedModel(), []).references
        is None
    )


@pytest.mark.parametrize(
    ("options", "exit_code", "message"),
    [
        pytest.param(
            {"verify": "3", "deadline": "0.000001"},
            exit_codes.FAILED,
            "--verify: image 0 has no answer even without load (DEADLINE_EXCEEDED:",
            id="a-server-that-does-not-answer",
        ),
        pytest.param(
            {"verify": "1001"},
            exit_codes.BAD_USAGE,
            "--verify 1001: the run fires 1,000 images; pass at most that many",
            id="more-than-there-are",
        ),
        pytest.param(
            {"verify": "11", "num_tests": "10"},
            exit_codes.BAD_USAGE,
            "--verify 11: the run fires 10 images; pass at most that",
            id="more-than-are-fired",
        ),
    ],
)
def test_a_run_that_cannot_be_verified_is_refused(model_server, options, exit_code, message):
    with pytest.raises(RunRefused) as caught:
        checks.check(options_of(**options), HostAsked(model_server.address), GrpcTransport, EmbeddedModel(), [])

    assert caught.value.exit_code == exit_code
    assert len(caught.value.faults) == 1
    assert message in caught.value.text()


def test_an_answer_that_cannot_be_read_is_named_with_its_image(model_server):
    # The preflight has found scores where it says classes here.
    settings = settings_of(model_server, verify="2")
    spec = replace(MNIST_EXAMPLE, output=replace(MNIST_EXAMPLE.output, kind="classes"))
    transport = GrpcTransport(settings.model, settings.connection, spec)

    with pytest.raises(VerificationError, match="--verify: ") as caught:
        record_references(settings.checks, transport, load("mnist5k"))

    assert "image 0" in str(caught.value)


@pytest.mark.parametrize(
    ("version", "host", "changed"),
    [
        pytest.param(1, None, "", id="the-same"),
        pytest.param(7, None, "version 7 answered before, 1 after", id="another-version"),
        pytest.param(1, "127.0.0.1:9", "", id="a-server-that-is-gone-has-not-changed"),
    ],
)
def test_a_model_that_changes_during_a_run_is_noticed(model_server, version, host, changed):
    settings = Settings.parse({}, host or model_server.address)
    checked = checks.Checked(settings, transport_of(settings), 1000, "", Preflight(version))

    assert checks.has_changed(checked) == changed


OPEN = replace(MNIST_EXAMPLE.input, described=None)


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        pytest.param(OPEN, replace(OPEN, shape=(28, 28)), False, id="another-shape-was-tried"),
        pytest.param(replace(OPEN, form="file"), replace(OPEN, form="example", feature="x"), False, id="another-text"),
        pytest.param(OPEN, replace(OPEN, dtype="DT_DOUBLE"), True, id="another-dtype"),
        pytest.param(MNIST_EXAMPLE.input, replace(MNIST_EXAMPLE.input, shape=(28, 28)), True, id="another-shape"),
    ],
)
def test_what_was_found_by_trying_has_not_changed(model_server, monkeypatch, before, now, changed):
    settings = settings_of(model_server)
    specs = [replace(MNIST_EXAMPLE, input=one) for one in (before, now)]
    checked = checks.Checked(settings, transport_of(settings), 1000, "", Preflight(1, spec=specs[0]))
    monkeypatch.setattr(checks.preflight, "ask", lambda *_: Preflight(1, spec=specs[1]))

    assert bool(checks.has_changed(checked)) == changed


def test_a_model_that_is_gone_after_the_run_has_changed(model_server):
    settings = settings_of(model_server, model_version="9")
    checked = checks.Checked(settings, transport_of(settings), 1000, "", Preflight(9))

    assert "has no version 9" in checks.has_changed(checked)
