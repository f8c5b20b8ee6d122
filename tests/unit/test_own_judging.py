"""How long a user class's own `is_right` took: when a run tells of it, and what."""

from dataclasses import replace

import pytest

from tests.support.golden import result_of
from tests.support.past_runs import PAST_RUNS
from tests.support.summaries import render as render_text
from tfsload.analysis import own_judging
from tfsload.analysis.judge import judge
from tfsload.report import junit
from tfsload.report.page.page import render


def with_judging(kind, of_its_time, n_workers=1):
    result = result_of(PAST_RUNS[kind]())
    judging_s = of_its_time * result.totals.duration_s * n_workers
    result = replace(result, images=result.images.judged("Mine.is_right"))
    return replace(result, workers=replace(result.workers, n=n_workers, judging_s=judging_s))


@pytest.mark.parametrize("kind", ["demo", "sweep"])
@pytest.mark.parametrize(("of_its_time", "is_told"), [(0.0, False), (0.04, False), (0.06, True), (3.0, True)])
def test_it_is_told_from_a_twentieth_of_the_time_on(kind, of_its_time, is_told):
    assert bool(own_judging.notes(with_judging(kind, of_its_time))) == is_told


def test_it_tells_how_long_it_took_and_that_the_figures_contain_it():
    result = with_judging("demo", 0.5)
    each_ms = 500 * result.totals.duration_s / result.totals.requests
    (note,) = own_judging.notes(result)

    assert note.what.startswith(f"Mine.is_right took {each_ms:.3g} ms a request (")
    assert " in all, 50% of the time of a run): the figures contain it" in note.what
    assert note in judge(result).notes
    assert "50% of the time of 4 processes" in own_judging.notes(with_judging("demo", 0.5, 4))[0].what


def test_of_users_that_wait_in_it_no_share_is_told():
    """Together they wait for longer than the run lasts."""
    assert "%" not in own_judging.notes(with_judging("demo", 3.0))[0].what


def test_every_output_tells():
    result = with_judging("demo", 0.5)
    result = replace(result, verdict=judge(result))

    for text in (render_text(result, result.verdict), junit.write(result), render(result)):
        assert "Mine.is_right took" in " ".join(text.split())
