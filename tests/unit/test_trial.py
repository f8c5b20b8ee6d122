"""Whether a run starts at all, as its first predictions go without load."""

from types import SimpleNamespace

import numpy as np
import pytest

from tfsload.datasets.dataset import Dataset
from tfsload.target.trial import TrialError, see_answered
from tfsload.transport.answer import ReplyError
from tfsload.transport.failure import PredictionFailure

UNREADABLE = ReplyError("output 'label' answers 'cat'")
REFUSED = PredictionFailure("INVALID_ARGUMENT", "no image\x1b[2J")
BUSY = PredictionFailure("RESOURCE_EXHAUSTED", "too many")
ANSWERED = None


class Transport:
    """Answers with one thing after the other."""

    def __init__(self, *answers):
        self.model = SimpleNamespace(images_per_request=1)
        self.answers = list(answers)
        self.n_called = 0
        self.is_closed = False

    def encode(self, images):
        return images.tobytes()

    def call(self, _body):
        self.n_called += 1
        answer = self.answers.pop(0)
        if isinstance(answer, PredictionFailure):
            raise answer
        return answer

    def reader_of(self, _n_images):
        return self

    def read(self, reply):
        if isinstance(reply, ReplyError):
            raise reply

    def close(self):
        self.is_closed = True


def tried(*answers, n_images=10):
    transport = Transport(*answers)
    dataset = Dataset("some", np.zeros((n_images, 2, 2), np.uint8), np.zeros(n_images, np.uint8))
    try:
        see_answered(transport, dataset)
    finally:
        assert transport.is_closed
    return transport


@pytest.mark.parametrize(
    ("answers", "n_called"),
    [
        pytest.param([ANSWERED], 1, id="the-first-is-answered"),
        pytest.param([UNREADABLE, ANSWERED], 2, id="the-second-is"),
        pytest.param([REFUSED, UNREADABLE, ANSWERED], 3, id="the-third-is"),
        pytest.param([BUSY], 1, id="busy"),
        pytest.param([UNREADABLE, BUSY], 2, id="busy-later"),
        *(
            pytest.param([PredictionFailure(code, "")], 1, id=code)
            for code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "ABORTED", "CANCELLED")
        ),
    ],
)
def test_a_run_starts_where_one_has_an_answer_or_may_have_one_yet(answers, n_called):
    assert tried(*answers).n_called == n_called


@pytest.mark.parametrize(
    ("answers", "n_images", "message"),
    [
        pytest.param(
            [UNREADABLE] * 3, 10, "first 3 predictions, .* [(]output 'label' answers 'cat'[)]", id="unreadable"
        ),
        pytest.param([REFUSED] * 3, 10, r"[(]INVALID_ARGUMENT: no image\?\[2J[)]", id="refused"),
        pytest.param([REFUSED, UNREADABLE, REFUSED], 10, "INVALID_ARGUMENT", id="the-first-reason-is-told"),
        pytest.param([UNREADABLE] * 2, 2, "first 2 predictions", id="fewer-images"),
        pytest.param([UNREADABLE], 1, "the only prediction, tried without load,", id="one-image"),
        *(
            pytest.param([PredictionFailure(code, "")] * 3, 3, code, id=code)
            for code in ("OUT_OF_RANGE", "FAILED_PRECONDITION", "UNIMPLEMENTED")
        ),
    ],
)
def test_a_run_of_which_no_image_has_an_answer_is_refused(answers, n_images, message):
    with pytest.raises(TrialError, match=message) as caught:
        tried(*answers, n_images=n_images)

    assert "--dry-run" in str(caught.value)
    assert "--no-trial fires at it all the same" in str(caught.value)
