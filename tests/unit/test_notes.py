"""What a run is to be remembered by, in its result and on the terminal."""

import pytest

from tests.support.golden import outcome_of, result_of
from tests.support.past_runs import PastRun
from tfsload.transport.words import HIDDEN, hide


@pytest.fixture
def hidden():
    hide(["Bearer c0ffee-c0ffee"])
    yield "c0ffee-c0ffee"
    hide([])


def test_notes_are_in_the_result_in_the_order_in_which_they_were_given():
    result = result_of(PastRun({"note": "commit=1a2b3c4; build=77; a=", "num_tests": "10"}).end())

    assert list(result.notes.items()) == [("commit", "1a2b3c4"), ("build", "77"), ("a", "")]
    assert result_of(PastRun({"num_tests": "10"}).end()).notes == {}


def test_a_secret_in_a_note_is_masked(hidden):
    outcome = outcome_of(PastRun({"note": f"given={hidden}; {hidden}=1", "num_tests": "10"}).end())

    assert dict(outcome.result.notes) == {"given": HIDDEN, HIDDEN: "1"}
    assert hidden not in outcome.text


def test_a_note_steers_no_terminal():
    text = outcome_of(PastRun({"note": "why=\x1b[2J\x07; and=\u202eright", "num_tests": "10"}).end()).text

    assert "note         why=?[2J?\nnote         and=?right\n" in text
