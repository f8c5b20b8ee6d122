"""What every output says of a sweep: on which levels it rests, and what it is worth in a run that supports nothing."""

import pytest

from tests.support.golden import result_of
from tests.support.page_runs import PastRun, closed_sweep, hold_closed
from tfsload.analysis import exit_codes
from tfsload.report import junit, markdown, terminal
from tfsload.report.page.first_screen import first_screen
from tfsload.report.sweep_answer import in_short, sweep_answer

AGAIN = "Of 1 user it leaves out what cannot be trusted, and takes what was measured again."
RESTS = "This rests on the levels with 1 and 2 users, which can be trusted."
AS_A_WHOLE = "The run as a whole supports no verdict: measure again before you rely on this."


def sound():
    return closed_sweep((1,), (2,), (4,))


def with_a_level_in_doubt():
    return closed_sweep((1,), (2,), (4, 0.0, 0.8))


def with_a_level_that_failed():
    return closed_sweep((1,), (2,), (4, 0.2))


def with_requests_that_got_lost():
    past = PastRun({"sweep": "1,2"})
    for number, users in ((1, 1), (2, 2)):
        hold_closed(past, number, users, 4.0 * users)
    past.results.n_unaccounted = 3
    return result_of(past.end())


def with_both():
    past = PastRun({"sweep": "1,2,4"})
    for number, users in ((1, 1), (2, 2), (3, 4)):
        hold_closed(past, number, users, 4.0 * users, grows=0.8 if users == 4 else 0.0)
    past.results.n_unaccounted = 3
    return result_of(past.end())


def with_a_lone_user_in_doubt_at_one_end():
    return closed_sweep((1,), (2,), (4,), (1, 0.0, 0.8))


def that_cannot_tell():
    past = PastRun({"sweep": "2,4"})
    for number, users in ((1, 2), (2, 4)):
        hold_closed(past, number, users, 4.0 * users)
    past.results.n_unaccounted = 3
    return result_of(past.end())


@pytest.mark.parametrize(
    ("make", "exit_code", "head", "said", "unsaid"),
    [
        pytest.param(sound, exit_codes.PASS, "No", [], [RESTS, AS_A_WHOLE], id="sound"),
        pytest.param(with_a_level_in_doubt, exit_codes.INVALID, "No", [RESTS], [AS_A_WHOLE], id="a-level-in-doubt"),
        pytest.param(with_a_level_that_failed, exit_codes.FAILED, "No", [RESTS], [AS_A_WHOLE], id="a-level-failed"),
        pytest.param(
            with_requests_that_got_lost, exit_codes.INVALID, "No", [AS_A_WHOLE], [RESTS], id="the-run-as-a-whole"
        ),
        pytest.param(
            with_a_lone_user_in_doubt_at_one_end,
            exit_codes.INVALID,
            "No",
            [AGAIN],
            [RESTS, AS_A_WHOLE],
            id="a-lone-user-in-doubt-at-one-end",
        ),
        pytest.param(with_both, exit_codes.INVALID, "No", [RESTS, AS_A_WHOLE], [], id="both"),
        pytest.param(
            that_cannot_tell, exit_codes.INVALID, "Cannot tell", [], [RESTS, AS_A_WHOLE], id="nothing-to-rely-on"
        ),
    ],
)
def test_who_reads_an_answer_knows_what_it_is_worth(make, exit_code, head, said, unsaid):
    result = make()
    answer = sweep_answer(result)

    assert result.judged.exit_code == exit_code
    assert answer.startswith(head)
    assert [sentence for sentence in said if sentence not in answer] == []
    assert [sentence for sentence in unsaid if sentence in answer] == []


@pytest.mark.parametrize("make", [sound, with_both], ids=["sound", "both"])
@pytest.mark.parametrize(
    "output",
    [
        pytest.param(terminal.render, id="terminal"),
        pytest.param(lambda result: markdown.write(result).replace("\\", ""), id="markdown"),
        pytest.param(junit.write, id="junit"),
        pytest.param(
            lambda result: "".join(piece.text for piece in first_screen(result).answer.reasons), id="first-screen"
        ),
    ],
)
def test_all_outputs_say_the_same(make, output):
    text = output(make())

    assert (RESTS in text) is (make is with_both)
    assert (AS_A_WHOLE in text) is (make is with_both)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        pytest.param(sound, "no", id="sound"),
        pytest.param(with_a_level_in_doubt, "no", id="a-level-in-doubt"),
        pytest.param(with_requests_that_got_lost, "no?", id="the-run-as-a-whole"),
        pytest.param(that_cannot_tell, "cannot tell", id="nothing-to-rely-on"),
    ],
)
def test_in_short_it_is_told_what_it_is_worth_too(make, told):
    assert in_short(make()) == told


def test_a_run_that_was_no_sweep_has_no_answer():
    past = PastRun({"num_tests": "20"})
    for image in range(20):
        past.fire(image, 10**9 + image * 10**6, 2 * 10**6)
    past.results.n_requests = past.results.n_done = 20

    assert sweep_answer(result_of(past.end())) == ""
