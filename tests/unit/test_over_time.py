"""The charts over time of levels so short that what lies between them is seen."""

import dataclasses

import pytest

from tests.support.page_runs import page_run
from tfsload.report.charts.chart import NARROW_PX
from tfsload.report.charts.over_time import over_time

GREY = "var(--grid"
TICK_PX = 14


def short_levels(duration_s, warm_up_s=0.0, gap_s=1.0):
    """Return a sweep of levels that each are one row, which begin so long after one another."""
    whole = page_run("sweep")
    levels = tuple(
        dataclasses.replace(
            level,
            begun_s=number * gap_s,
            warm_up_s=warm_up_s,
            duration_s=duration_s,
            seconds=(dataclasses.replace(level.seconds[0], at_s=0.0, lasts_s=duration_s),),
        )
        for number, level in enumerate(whole.levels)
    )
    return dataclasses.replace(whole, levels=levels)


def specs_of(result):
    return {chart.name: chart.spec(NARROW_PX) for chart in over_time(result)}


def rows_of(spec, mark):
    return [
        row
        for layer in spec["layer"]
        if layer["mark"]["type"] == mark and layer["mark"]["color"].startswith(GREY)
        for row in layer["data"]["values"]
    ]


@pytest.mark.parametrize(
    ("warm_up_s", "grey"),
    [
        pytest.param(0.0, [(0.3, 1.0), (1.3, 2.0), (2.3, 3.0)], id="no-warm-up"),
        pytest.param(
            0.2, [(0.0, 0.2), (0.5, 1.0), (1.0, 1.2), (1.5, 2.0), (2.0, 2.2), (2.5, 3.0), (3.0, 3.2)], id="one"
        ),
    ],
)
def test_what_lies_between_short_levels_is_shaded_as_what_is_not_counted(warm_up_s, grey):
    for name, spec in specs_of(short_levels(0.3, warm_up_s)).items():
        shaded = sorted((row["x"], row["x2"]) for row in rows_of(spec, "rect"))
        assert [one for pair in shaded for one in pair] == pytest.approx([one for pair in grey for one in pair]), name


def test_what_follows_on_one_another_has_nothing_between_that_is_shaded():
    for spec in specs_of(short_levels(1.0)).values():
        assert rows_of(spec, "rect") == []


@pytest.mark.parametrize(
    ("duration_s", "each"),
    [
        pytest.param(0.3, "each 0.3 s", id="shorter-than-a-second"),
        pytest.param(1.0, "each second", id="a-second"),
        pytest.param(0.999999, "each second", id="nearly"),
        pytest.param(1.4, "each 1.4 s", id="longer"),
    ],
)
def test_a_slot_is_called_what_it_is(duration_s, each):
    rate, latency, errors = over_time(short_levels(duration_s, gap_s=2.0))

    assert rate.below.startswith(f"Answered requests, {each}")
    assert latency.below.startswith(f"Of {each}")
    assert f"errors (images, {each})" in str(errors.spec(NARROW_PX))


def test_a_run_of_whole_seconds_with_an_end_is_told_by_the_second():
    whole = page_run("thresholds")
    last = dataclasses.replace(whole.seconds[-1], lasts_s=0.6)
    rate, *_ = over_time(dataclasses.replace(whole, seconds=(*whole.seconds[:-1], last)))

    assert "each second" in rate.below


@pytest.mark.parametrize("kind", ["sweep", "rate", "unsettled", "repeated"])
def test_no_line_of_a_tick_goes_through_the_names_of_levels(kind):
    for name, spec in specs_of(page_run(kind)).items():
        scale = spec["encoding"]["y"]["scale"]
        ticks = spec["encoding"]["y"]["axis"]["values"]
        if scale.get("type") == "log":
            continue  # it has room above its last tick
        top = scale["domain"][1]
        assert [tick for tick in ticks if (1 - tick / top) * spec["height"] < TICK_PX] == [], name
        assert len(ticks) >= 2
