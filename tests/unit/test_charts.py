"""Charts as specifications: valid, with units, and made of the figures of the result and no others."""

import dataclasses
import itertools
import json
import math
import re
from xml.etree import ElementTree

import pytest

from tests.support.page_runs import MANY, PAGE_RUNS, closed_sweep, page_run
from tests.support.vega_lite import all_of, faults
from tfsload.analysis import thresholds
from tfsload.analysis.figures import percent
from tfsload.analysis.result import RunResult
from tfsload.report.charts import draw
from tfsload.report.charts.all_charts import charts_of
from tfsload.report.charts.chart import NARROW_PX, WIDE_PX
from tfsload.report.charts.level_bars import bars_of
from tfsload.report.speed_ups import speed_ups
from tfsload.report.states import is_doubted

LEAST_FONT_PX = 11
LOAD = {"throughput", "latency"}
TIME = {"rate", "latency_over_time", "errors"}
ANSWERS = {"confusion", "classes"}
CHARTS = {
    "demo": {*ANSWERS, "distribution"},
    "thresholds": {*TIME, *ANSWERS, "distribution"},
    "sweep": {*LOAD, *TIME, *ANSWERS, "distribution"},
    "rate": {*LOAD, *TIME, *ANSWERS, "distribution"},
    "search": {*LOAD, *TIME, *ANSWERS, "distribution"},
    "one": {*TIME, *ANSWERS, "distribution"},
    "all-failed": set(),
    "refused": set(),
    "stopped": set(),
    "unmeasured": set(),
}


@pytest.mark.heavy
@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_specifications_are_valid_and_say_what_their_axes_are(kind):
    for chart in charts_of(page_run(kind)).values():
        for width in chart.widths_px:
            spec = chart.spec(width)

            assert faults(spec) == [], chart.name
            json.dumps(spec, allow_nan=False)
            axes = [spec["encoding"][channel]["axis"]["title"] for channel in ("x", "y")]
            assert all(title == "class" or "(" in title or "→" in title for title in axes), axes
            assert min(all_of(spec, "fontSize"), default=99) >= LEAST_FONT_PX
            assert not list(all_of(spec, "url"))


def test_the_schema_sees_a_fault():
    spec = charts_of(page_run("sweep"))["throughput"].spec(WIDE_PX)
    spec["layer"][0]["mark"]["type"] = "dots"

    assert faults(spec)


@pytest.mark.parametrize(("kind", "names"), CHARTS.items())
def test_there_is_no_chart_of_nothing(kind, names):
    assert set(charts_of(page_run(kind))) == names


@pytest.mark.parametrize("kind", [kind for kind in PAGE_RUNS if charts_of(page_run(kind)).keys() & LOAD])
def test_levels_are_told_as_the_result_has_them(kind):
    result = page_run(kind)
    charts = charts_of(result)
    levels = sorted(result.levels, key=lambda level: (level.rate_rps or level.users, level.number))
    drawn = charts["throughput"].data["levels"]

    assert [one["load"] for one in drawn] == [level.rate_rps or level.users for level in levels]
    assert [one["rps"] for one in drawn] == [level.achieved_rps for level in levels]
    for one, level in zip(charts["latency"].data["levels"], levels, strict=True):
        for percentile in (50.0, 90.0, 99.0, 99.9):
            value = level.upper_end_ns[percentile]
            told = None if value is None else "∞" if math.isinf(value) else value / 1e6
            assert one[f"p{percentile:g}_ms"] == told


@pytest.mark.parametrize("kind", ["rate", "slow-rates", "search"])
def test_levels_of_rates_have_bars_of_their_own(kind):
    result = page_run(kind)
    drawn = charts_of(result)["throughput"].data["bars"]
    levels = sorted(result.levels, key=lambda level: (level.rate_rps, level.number))

    assert [(one["low_rps"], one["high_rps"]) for one in drawn] == [
        (level.achieved_low_rps, level.achieved_high_rps) for level in levels
    ]


@pytest.mark.parametrize("kind", ["sweep", "many", "unsettled", "repeated", "endless"])
def test_the_bars_of_a_sweep_are_the_intervals_that_its_answer_rests_on(kind):
    result = page_run(kind)
    chart = charts_of(result)["throughput"]
    bars = {bar["load"]: bar for bar in chart.data["bars"]}

    assert [bar["load"] for bar in chart.data["bars"]] == [level.users for level in result.scaling.levels]
    for level in result.scaling.levels:
        bar = bars[level.users]
        ends = math.log(bar["high_rps"] / bar["low_rps"]) if bar["low_rps"] else 0.0
        by_spread = 0.05 / math.sqrt(level.n_runs)
        expected = 2 * 1.959964 * math.hypot(level.noise, by_spread) if level.throughput_rps else 0.0
        assert ends == pytest.approx(expected)
        assert bar["rps"] == level.throughput_rps
    for one in result.levels:
        if not (one.doubts or one.failed_requests):
            assert bars[one.users]["low_rps"] <= one.achieved_rps <= bars[one.users]["high_rps"]


def test_a_bar_is_of_the_levels_that_the_sweep_says_count():
    result = page_run("unsettled")
    counted = {level.users: level.numbers for level in result.scaling.levels}
    first, *others = result.scaling.levels
    other = dataclasses.replace(result.scaling, levels=(dataclasses.replace(first, numbers=(4,)), *others))

    assert counted == {1: (1, 4), 2: (2, 5), 4: (3,)}  # the sixth was not steady
    assert {bar.load: bar.numbers for bar in bars_of(result)} == counted
    assert bars_of(dataclasses.replace(result, scaling=other))[0].numbers == (4,)
    assert set(speed_ups(dataclasses.replace(result, scaling=other))) == {2, 3, 4, 5}


def test_of_a_result_that_does_not_say_which_levels_count_all_with_as_many_users_are_shown():
    plain = page_run("unsettled").to_plain()
    for level in plain["scaling"]["levels"]:
        del level["numbers"]
    read = RunResult.from_plain(plain)

    assert {bar.load: bar.numbers for bar in bars_of(read)} == {1: (1, 4), 2: (2, 5), 4: (3, 6)}


@pytest.mark.parametrize(
    ("levels", "below"),
    [
        pytest.param(((1,), (2,)), "Bars: 95%, scatter between equal levels included", id="each-once"),
        pytest.param(
            ((1,), (2,), (1,)),
            "Bars: 95%, scatter between equal levels included. Equal levels share a bar",
            id="a-lone-user-twice",
        ),
    ],
)
def test_it_is_said_what_a_bar_is(levels, below):
    chart = charts_of(closed_sweep(*levels))["throughput"]
    points = [layer for layer in chart.spec(WIDE_PX)["layer"] if layer["mark"]["type"] == "point"]

    assert chart.below == below
    assert sum(len(layer["data"]["values"]) for layer in points) == len(levels)
    assert ("mean of 2 such levels" in chart.label) is (len(levels) == 3)


def test_the_band_of_the_law_says_no_more_than_a_level_does():
    result = page_run("sweep")
    for one in result.scaling.curve:
        assert one.high_rps / one.throughput_rps >= 1.1
        assert one.low_rps / one.throughput_rps <= 1 / 1.1


@pytest.mark.parametrize(
    ("times", "is_cut"), [pytest.param(1.2, False, id="a-narrow-band"), pytest.param(9.0, True, id="a-wide-one")]
)
def test_a_wide_band_does_not_press_flat_what_was_measured(times, is_cut):
    result = page_run("sweep")
    highest = max(level.achieved_rps for level in result.levels)
    curve = tuple(dataclasses.replace(one, high_rps=highest * times) for one in result.scaling.curve)
    drawn = dataclasses.replace(result, scaling=dataclasses.replace(result.scaling, curve=curve))
    top = charts_of(drawn)["throughput"].spec(WIDE_PX)["encoding"]["y"]["scale"]["domain"][1]

    assert (top < highest * times) is is_cut
    assert highest < top < 2.5 * highest


def test_the_law_is_the_results():
    result = page_run("sweep")
    drawn = charts_of(result)["throughput"].data["law"]

    assert [(one["load"], one["rps"], one["low_rps"], one["high_rps"]) for one in drawn] == [
        (one.users, one.throughput_rps, one.low_rps, one.high_rps) for one in result.scaling.curve
    ]
    assert drawn


@pytest.mark.parametrize("width", [WIDE_PX, NARROW_PX])
@pytest.mark.parametrize("kind", ["sweep", "many", "unsettled"])
def test_the_law_and_the_ideal_are_named(kind, width):
    texts = texts_of(charts_of(page_run(kind))["throughput"].spec(width))

    assert [text for text in texts if text.startswith("fitted law")]
    assert [text for text in texts if text.startswith("ideal")]


def test_what_supports_no_verdict_is_hollow_and_has_its_mark():
    result = page_run("unsettled")
    last = result.levels[-1]
    spec = charts_of(result)["throughput"].spec(WIDE_PX)
    (hollow,) = [
        layer for layer in spec["layer"] if layer["mark"]["type"] == "point" and "card" in layer["mark"]["fill"]
    ]

    assert "invalid" in hollow["mark"]["stroke"]
    assert [row["label"] for row in hollow["data"]["values"]] == [
        f"4 users: {last.achieved_rps:.0f} requests/s, unstable"
    ]
    assert [text for text in texts_of(spec) if text.endswith("?")] == [f"{last.achieved_rps:.0f} ?"]


def texts_of(spec):
    return [text for text in all_of(spec, "text") if isinstance(text, str)]


@pytest.mark.parametrize("half", [pytest.param(0.001, id="hidden"), pytest.param(0.2, id="seen")])
def test_bars_are_spoken_of_where_dots_do_not_hide_them(half):
    result = page_run("rate")
    levels = [
        dataclasses.replace(
            level,
            achieved_low_rps=level.achieved_rps * (1 - half),
            achieved_high_rps=level.achieved_rps * (1 + half),
        )
        for level in result.levels
    ]
    below = charts_of(dataclasses.replace(result, levels=tuple(levels)))["throughput"].below

    assert ("Bars" in below) == (half == 0.2)


def test_levels_where_requests_failed_say_how_many():
    result = page_run("endless")
    texts = texts_of(charts_of(result)["throughput"].spec(WIDE_PX))

    for level in result.levels:
        if level.failed_requests:
            assert f"{percent(level.failed_requests / level.requests)} failed" in texts


def test_percentiles_without_a_value_are_told_above_their_level():
    texts = texts_of(charts_of(page_run("endless"))["latency"].spec(WIDE_PX))

    assert [text for text in texts if text.startswith("∞")] == ["∞ p99", "∞ p90 to p99", "∞ p50 to p99"]


def test_what_supports_no_verdict_is_marked_in_every_chart():
    charts = charts_of(page_run("unsettled"))

    for name in ("rate", "latency_over_time", "distribution", "latency"):
        marked = [text for text in texts_of(charts[name].spec(charts[name].widths_px[0])) if text.endswith("?")]
        assert len(marked) == 1, name
        assert charts[name].below.endswith("?: no verdict"), name


def test_errors_are_counted_and_stand_where_a_level_supports_no_verdict():
    errors = charts_of(page_run("unsettled"))["errors"]

    assert not [text for text in texts_of(errors.spec(errors.widths_px[0])) if text.endswith("?")]


@pytest.mark.parametrize("kind", [kind for kind in PAGE_RUNS if kind != "hostile-search"])  # its long names are cut
def test_no_mark_is_explained_that_is_not_there_and_no_text_names_a_colour(kind):
    for name, chart in charts_of(page_run(kind)).items():
        texts = texts_of(chart.spec(chart.widths_px[0]))
        assert ("?: no verdict" in chart.below) <= any(text.endswith("?") for text in texts), name
        assert not re.search(r"\b(red|blue|grey|gray|green|orange|purple|pale|dark)\b", chart.below.lower()), name


@pytest.mark.parametrize("width", [WIDE_PX, NARROW_PX])
@pytest.mark.parametrize("limit_share", [1.0, 1.1, 1.2, 1.3, 1.4])
@pytest.mark.parametrize("n_limits", [1, 3])
def test_what_supports_no_verdict_is_marked_wherever_limits_lie(width, limit_share, n_limits):
    """Dashed lines of thresholds lie where the mark would stand, or all around it."""
    result = page_run("unsettled")
    (doubted,) = [level for level in result.levels if is_doubted(result, level)]
    most_ms = max(value for value in doubted.upper_end_ns.values() if value is not None) / 1e6
    limits = "; ".join(f"p99 < {most_ms * limit_share * (1 + 0.12 * number):.2f}ms" for number in range(n_limits))
    held = [dataclasses.replace(result.thresholds[0], threshold=one) for one in thresholds.parse(limits)]
    spec = charts_of(dataclasses.replace(result, thresholds=tuple(held)))["latency"].spec(width)

    assert texts_of(spec).count("?") == 1


def test_a_level_without_a_percentile_that_supports_no_verdict_is_marked_all_the_same():
    result = page_run("unsettled")
    levels = [
        dataclasses.replace(level, upper_end_ns=dict.fromkeys(level.upper_end_ns))
        if is_doubted(result, level)
        else level
        for level in result.levels
    ]
    spec = charts_of(dataclasses.replace(result, levels=tuple(levels)))["latency"].spec(WIDE_PX)

    assert texts_of(spec).count("?") == 1


def test_counts_are_told_in_whole_numbers():
    axis = charts_of(page_run("many-classes"))["confusion"].spec(WIDE_PX)["encoding"]["x"]["axis"]

    assert axis["values"] == [0, 1, 2]


def test_a_limit_is_drawn_where_it_lies():
    spec = charts_of(page_run("unsettled"))["latency"].spec(WIDE_PX)
    (rules,) = [layer for layer in spec["layer"] if layer["mark"]["type"] == "rule"]

    assert [row["y"] for row in rules["data"]["values"]] == [12.0, 11.0]
    assert {"p99 < 12 ms", "p50 < 11 ms"} <= set(texts_of(spec))


def test_loads_that_are_far_apart_take_doublings():
    scales = [
        charts_of(page_run(kind))["throughput"].spec(WIDE_PX)["encoding"]["x"]["scale"] for kind in ("sweep", "many")
    ]

    assert [scale["type"] for scale in scales] == ["linear", "log"]
    assert scales[1]["base"] == 2
    ticks = charts_of(page_run("many"))["throughput"].spec(NARROW_PX)["encoding"]["x"]["axis"]["values"]
    assert set(ticks) < set(MANY)
    assert {ticks[0], ticks[-1]} == {MANY[0], MANY[-1]}


@pytest.mark.parametrize("kind", ["sweep", "rate", "thresholds", "long", "many"])
def test_what_went_on_over_time_is_the_results(kind):
    result = page_run(kind)
    charts = charts_of(result)
    rows = [one for level in result.levels for one in level.seconds] or list(result.seconds)
    slots = charts["rate"].data["slots"]

    assert len(slots) <= 300
    assert sum(slot["lasts_s"] for slot in slots) == pytest.approx(sum(one.lasts_s for one in rows))
    answered = sum(one.rate_rps * one.lasts_s for one in rows)
    assert sum(slot["rps"] * slot["lasts_s"] for slot in slots) == pytest.approx(answered)
    if len(rows) <= 300:
        assert [slot["rps"] for slot in slots] == [one.rate_rps for one in rows]
        latencies = charts["latency_over_time"].data["slots"]
        assert [slot["p99_ms"] for slot in latencies] == [one.p99_ns and one.p99_ns / 1e6 for one in rows]
    assert max(slot["p99_ms"] or 0 for slot in charts["latency_over_time"].data["slots"]) == max(
        (one.p99_ns or 0) / 1e6 for one in rows
    )
    bars = charts["errors"].data["slots"]
    assert len(bars) <= 60
    for part in ("wrong", "failed", "mismatched"):
        assert sum(slot[part] for slot in bars) == sum(getattr(one, part) for one in rows)


def test_a_level_begins_where_it_began():
    result = page_run("sweep")
    slots = charts_of(result)["rate"].data["slots"]
    first_s = result.levels[0].begun_s

    begins = [level.begun_s - first_s + level.warm_up_s for level in result.levels]
    assert [slot["at_s"] for slot in slots][:: len(slots) // 4] == pytest.approx(begins)


def test_the_matrix_and_the_pairs_of_many_classes_hold_all_counts():
    for kind in ("sweep", "many-classes"):
        result = page_run(kind)
        assert [tuple(one) for one in charts_of(result)["confusion"].data["counts"]] == list(result.confusion)
    bars = charts_of(page_run("many-classes"))["confusion"].spec(WIDE_PX)["data"]["values"]
    worst = sorted((-count for label, answer, count in page_run("many-classes").confusion if label != answer))
    assert [-bar["value"] for bar in bars] == worst[:20]


@pytest.mark.parametrize("kind", ["sweep", "many-classes", "spotless"])
def test_classes_are_told_with_their_counts(kind):
    result = page_run(kind)
    told = {one["class"]: (one["error_rate"], one["wrong"]) for one in charts_of(result)["classes"].data["classes"]}
    rows = {row.label: (row.wrong / row.images, row.wrong) for row in result.classes if row.images}

    assert told.items() <= rows.items()
    assert len(told) == min(len(rows), 20)


def test_a_distribution_is_that_of_the_counts():
    result = page_run("sweep")
    for line, level in zip(charts_of(result)["distribution"].data["lines"], result.levels, strict=True):
        assert line["name"] == level.name
        shares = [share for share, _ in line["points"]]
        assert shares == sorted(set(shares))
        counts = level.latency
        for share, ms in line["points"][:-1]:
            shorter = sum(count for value, count in counts.buckets if max(value, counts.min_ns) < ms * 1e6 - 0.5)
            assert shorter / counts.count == pytest.approx(share)
        assert line["points"][-1] == ((counts.count - 1) / counts.count, counts.max_ns / 1e6)


def test_a_drawing_has_names_of_its_own_and_nothing_that_a_page_forbids():
    chart = charts_of(page_run("hostile-search"))["throughput"]
    drawn = draw.svg(chart.spec(WIDE_PX), "one", chart.label)
    root = ElementTree.fromstring(drawn)

    assert root.get("role") == "img"
    assert root.get("aria-label") == chart.label
    assert (root.get("width"), root.get("height")) == ("556", "300")
    for element in root.iter():
        assert "style" not in element.attrib
        assert (element.get("id") or "one-").startswith("one-")
        assert "url(#" not in (element.get("clip-path") or "") or "url(#one-" in element.get("clip-path")
        assert "NaN" not in " ".join(element.attrib.values())


def test_a_drawing_with_a_style_is_refused():
    root = ElementTree.fromstring('<svg xmlns="http://www.w3.org/2000/svg"><g style="fill:red"/></svg>')

    with pytest.raises(ValueError, match="style"):
        draw._clean(root, "one", "Arial")


@pytest.mark.parametrize("name", ["throughput", "latency"])
@pytest.mark.parametrize("width", [WIDE_PX, NARROW_PX])
def test_an_axis_has_room_for_levels_to_come(name, width):
    whole = page_run("sweep")
    loads = [float(level.users) for level in whole.levels]
    begun = dataclasses.replace(whole, levels=whole.levels[:1], scaling=None)
    first, last = charts_of(begun, loads[1:])[name], charts_of(whole)[name]

    assert name not in charts_of(begun)  # one level alone differs from none
    assert first.spec(width)["encoding"]["x"] == last.spec(width)["encoding"]["x"]


@pytest.mark.parametrize(
    "in_turn_ns",
    [
        pytest.param([(0, 0)], id="none is longer than the clock can tell"),
        pytest.param([(0, 40_000_000)], id="the middle one never is"),
        pytest.param([(1_000_000, 40_000_000), (0, 30_000)], id="in the last second they are not"),
        pytest.param([(0, 0), (1_000, 40_000_000)], id="in the first second they are not"),
        pytest.param([(1, 7200 * 10**9)], id="one waited for hours"),
    ],
)
def test_latencies_too_short_for_the_clock_are_drawn_where_the_axis_begins(in_turn_ns):
    result = page_run("rate")
    levels = []
    for level in result.levels:
        turn = itertools.cycle(in_turn_ns)
        p_ns = [*[next(turn) for _ in level.seconds][:-1], in_turn_ns[-1]]
        seconds = [
            dataclasses.replace(one, p50_ns=p50, p99_ns=p99)
            for one, (p50, p99) in zip(level.seconds, p_ns, strict=True)
        ]
        levels.append(dataclasses.replace(level, seconds=tuple(seconds)))
    chart = charts_of(dataclasses.replace(result, levels=tuple(levels)))["latency_over_time"]
    spec = chart.spec(chart.widths_px[0])
    assert faults(spec) == []
    scale = spec["encoding"]["y"]["scale"]
    rows = [row for values in all_of(spec, "values") for row in values if isinstance(row, dict)]
    drawn = [row["y"] for row in rows if row.get("y") is not None]
    assert len(drawn) > len(levels)
    assert scale["type"] == "linear" or min(drawn) >= scale["domain"][0] > 0
