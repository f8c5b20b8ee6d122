"""What is offered to be run next after a run that is INVALID: it cures the first reason told, or there is nothing."""

import dataclasses
import html
import re
import shlex

import pytest

from tests.support.cured_runs import CURED, OUTSIDE, judged, sweep
from tests.support.page_runs import page_run
from tfsload.analysis import exit_codes
from tfsload.analysis.doubts import Doubt
from tfsload.analysis.first_cure import first_cure
from tfsload.analysis.next_sweep import NextSweep
from tfsload.report.command import command
from tfsload.report.next_run import changes, next_run
from tfsload.report.page.first_screen import first_screen
from tfsload.report.page.page import render


@pytest.mark.parametrize(("make", "said", "options"), CURED.values(), ids=CURED)
def test_the_command_cures_the_first_reason_that_is_told(make, said, options):
    result = make()

    assert result.judged.exit_code == exit_codes.INVALID
    assert str(result.judged.reasons[0]).startswith(said)
    assert first_cure(result).options == options
    with_locusts = judged(result)
    offered = changes(with_locusts)
    assert offered.keys() >= options.keys()
    words = shlex.split(command(with_locusts, offered))
    for name, text in options.items():
        flag = {"run_time": "-t", "num_users": "-u", "spawn_rate": "-r"}.get(name, f"--{name.replace('_', '-')}")
        # It, or more of it where another reason asks for more.
        assert offered[name] == text or float(offered[name]) > float(text)
        assert words[words.index(flag) + 1] == offered[name]
    assert command(with_locusts, offered) != command(with_locusts)
    assert not first_screen(with_locusts).outside


@pytest.mark.parametrize(("make", "said", "cure"), OUTSIDE.values(), ids=OUTSIDE)
def test_where_no_option_cures_it_there_is_no_command_but_what_to_do(make, said, cure):
    result = make()

    assert result.judged.exit_code == exit_codes.INVALID
    assert str(result.judged.reasons[0]).startswith(said)
    assert next_run(result).changes == {}
    assert next_run(result).outside.startswith(cure)
    seen = first_screen(result)
    assert not seen.next_command
    assert "".join(piece.text for piece in seen.outside).startswith(cure)


@pytest.mark.parametrize("kind", ["one", "repeated", "spotless", "many"])
def test_what_is_to_be_another_option_is_offered_once_on_a_page(kind):
    result = page_run(kind)
    page = html.unescape(re.sub(r'<span class="option">(--[\w-]+)</span>', r"\1", render(result)))
    (first, _) = page.split("<!-- Here ends what is seen first. -->")

    for name, text in changes(result).items():
        assert first.count(f"--{name.replace('_', '-')} {text}") == 1


def test_a_page_says_what_to_do_where_there_is_no_other_command():
    page = render(page_run("stopped"))

    assert "First: mend what keeps that worker from taking part. Then the same command: " in page


@pytest.mark.parametrize(
    ("asked", "wanted", "are_others"),
    [
        pytest.param("1,2,1", (1, 2, 1), False, id="the-same"),
        pytest.param("1, 2,1", (1, 2, 1), False, id="with-blanks"),
        pytest.param("1.0,2,1", (1, 2, 1), False, id="written-otherwise"),
        pytest.param("1,2", (1, 2, 1), True, id="others"),
        pytest.param("", (1, 2, 1), True, id="none"),
    ],
)
def test_the_command_that_was_run_is_not_offered_again(asked, wanted, are_others):
    whole = page_run("sweep")
    answer = dataclasses.replace(whole.scaling.answer, next=NextSweep(wanted))
    options = {**whole.asked.options, "sweep": asked}
    result = dataclasses.replace(
        whole,
        asked=dataclasses.replace(whole.asked, options=options),
        scaling=dataclasses.replace(whole.scaling, answer=answer),
    )

    assert bool(changes(result)) is are_others


@pytest.mark.parametrize(
    ("wanted", "beside"),
    [
        pytest.param(NextSweep(is_heavier=True, images_per_request=64), {}, id="larger-requests"),
        pytest.param(NextSweep((1, 2, 4, 1)), {"sweep": "1,2,4,1"}, id="another-lone-user"),
    ],
)
def test_how_long_it_has_to_last_is_reckoned_for_the_requests_that_it_will_make(wanted, beside):
    """Larger requests are fewer a second: levels that are long enough for this run's would be too short again."""
    whole = sweep(Doubt("too few samples", "hold it longer", wants_longer=True))
    answer = dataclasses.replace(whole.scaling.answer, next=wanted)
    offered = changes(dataclasses.replace(whole, scaling=dataclasses.replace(whole.scaling, answer=answer)))

    assert offered.pop("level_duration")
    assert offered == beside
