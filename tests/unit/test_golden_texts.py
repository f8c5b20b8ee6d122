"""What a user sees at the end of a run, kind by kind, against texts that lie beside this file."""

import pytest

from tests.support.golden import GOLDEN, path_of, text_of
from tests.support.past_runs import PAST_RUNS


@pytest.mark.parametrize("kind", PAST_RUNS)
def test_the_text_of_a_run_is_the_one_that_is_kept(kind):
    assert text_of(PAST_RUNS[kind]()) + "\n" == path_of(kind).read_text()


def test_no_text_is_kept_of_which_no_run_is_left():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(PAST_RUNS)
