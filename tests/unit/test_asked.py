"""What a result says was asked for."""

import pytest

from tfsload.run.asked import as_asked
from tfsload.settings.options import OPTIONS
from tfsload.transport.words import HIDDEN, hide


@pytest.fixture
def hidden():
    hide(["Bearer c0ffee-c0ffee"])
    yield "c0ffee-c0ffee"
    hide([])


def test_every_option_is_there_as_it_was_given():
    asked = as_asked({"num_tests": "100", "threshold": "p99 < 50ms", "num_users": 4, "web_login": True})

    assert set(asked.options) == {option.dest for option in OPTIONS} | {"num_users"}
    assert (asked.options["num_tests"], asked.options["num_users"]) == ("100", "4")
    assert asked.options["deadline"] == "5"


def test_a_secret_is_masked_wherever_it_stands(hidden):
    asked = as_asked({"metadata": f"authorization=Bearer {hidden}", "model_label": f"of {hidden}"})

    assert asked.options["metadata"] == HIDDEN
    assert hidden not in str(asked)
    assert as_asked({}).options["metadata"] == ""


def test_equal_options_have_the_same_digest_in_any_order():
    one, other = as_asked({"seed": "1", "verify": "3"}), as_asked({"verify": "3"})

    assert one.digest == other.digest
    assert (
        as_asked({"verify": "3", "note": "build=77", "wait": "60"}).digest == one.digest
    )  # it changes nothing of the run
    assert one.digest != as_asked({"verify": "4"}).digest
