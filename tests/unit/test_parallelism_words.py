"""How many requests the server works on at once, in words that stand beside a speed-up: one figure, one meaning."""

import dataclasses

import pytest

from tests.support.page_runs import page_run
from tfsload.analysis.parallelism import Parallelism
from tfsload.report.page.cards import cards
from tfsload.report.page.level_tables import levels_table

TOLD = Parallelism(value=1.81, low=1.59, high=2.04, at_most=1.95, by_scatter=0.1, by_overhead=0.1)
TOO_LITTLE = dataclasses.replace(TOLD, value=0.71, low=0.5, high=0.9, at_most=1.68)
SERIAL = dataclasses.replace(TOO_LITTLE, at_most=1.2)


@pytest.mark.parametrize(
    ("interval", "at_once"),
    [
        pytest.param(TOLD, "1.81", id="told"),
        pytest.param(SERIAL, "0.71", id="less-than-one-of-a-serial-server"),
        pytest.param(TOO_LITTLE, "", id="so-few-that-the-answer-cannot-tell"),
    ],
)
def test_what_the_server_works_on_at_once_is_told_where_the_answer_goes_by_it(interval, at_once):
    whole = page_run("sweep")
    result = dataclasses.replace(whole, scaling=dataclasses.replace(whole.scaling, interval=interval))
    (card,) = [one.below for one in cards(result) if one.kind == "How fast"]
    (note,) = [one for one in levels_table(result).notes if one.startswith("speed-up: ")]

    assert "one user as the client sees it, network included" in card
    assert ("in the server alone" in card) is ("In the server alone" in note) is bool(at_once)
    if at_once:
        assert f"in the server alone about {at_once} requests at once" in card
        assert note.endswith(f"In the server alone there are about {at_once} requests at once.")


@pytest.mark.parametrize("kind", ["sweep", "repeated", "unsettled", "many"])
def test_nothing_overlaps_beside_what_is_at_once(kind):
    result = page_run(kind)
    texts = [one.below for one in cards(result)] + list(levels_table(result).notes)
    texts += [result.scaling.answer.sentence]

    assert not [text for text in texts if "overlap" in text]
