"""The report's page in a real browser: what is drawn, whether it can be read, and by whom."""

import dataclasses
import json
import math
import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from tests.support.any_result import unprinted_results
from tests.support.browser import CHROMIUM, DRIVER
from tests.support.page_runs import PAGE_RUNS, page_run
from tfsload.report.page.page import render

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and its driver")

LOOKS = {
    "wide": {"width_px": 1280},
    "phone": {"width_px": 400},
    "narrow": {"width_px": 320},
    "tablet": {"width_px": 900},
    "dark": {"width_px": 1280, "is_dark": True},
    "paper": {"width_px": 688, "is_printed": True},  # A4 within its margins
}


@pytest.fixture(scope="module")
def html():
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = render(page_run(kind))
        return made[kind]

    return of


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_everything_fits_and_no_text_lies_over_another(page, html, kind, look):
    page.show(html(kind), **LOOKS[look])

    # They are drawn for 400 px and more, and made smaller where there is less.
    assert_fits(page, least_px=8.5 if look in ("narrow", "paper") else 11)


# The same cases each time: a name that finds no room is no news of a change that has nothing to do with it.
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.generate],
)
@given(drawn=unprinted_results())
def test_whatever_was_measured_fits(page, drawn):
    html = render(drawn.result)
    for look in ("wide", "phone"):
        page.show(html, **LOOKS[look])
        assert_fits(page, least_px=11)


def assert_fits(page, least_px):
    texts = page.texts
    assert page.too_wide == []
    assert [text for text in texts if text.is_cut] == []
    assert [text for text in texts if text.font_px < least_px] == []
    by_chart = {}
    for text in texts:
        by_chart.setdefault(text.chart, []).append(text)
    overlapping = [
        (chart, one.text, other.text)
        for chart, found in by_chart.items()
        for number, one in enumerate(found)
        for other in found[number + 1 :]
        if one.meets(other)
    ]
    assert overlapping == []


def chart_data(page):
    return json.loads(page.driver.find_element(By.ID, "data").get_attribute("textContent"))["charts"]


# The ticks of an axis: where each lies and what is written there, in the drawing's own px.
_TICKS = """
const svg = [...document.querySelectorAll("#chart-" + arguments[0] + " svg[role=img]")].find(
    svg => svg.getClientRects().length);
const middle = element => {
    const box = element.getBoundingClientRect();
    return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
};
const axes = [...svg.querySelectorAll(".role-axis")].map(axis =>
    [...axis.querySelectorAll(".role-axis-label text")].map(text => [text.textContent, ...middle(text)]));
const marks = [...svg.querySelectorAll("[aria-label]")].filter(one => one.matches(arguments[1])).map(
    one => [one.getAttribute("aria-label"), ...middle(one)]);
const titles = [...svg.querySelectorAll(".role-axis-title text")].map(text => text.textContent);
return [axes.filter(axis => axis.length), marks, titles];
"""


def axis_value(ticks, place, px, is_log=False):
    """Return what lies at a place, by the axis's own labels."""
    known = sorted((tick[place], float(tick[0].replace(",", ""))) for tick in ticks)
    (low_px, low), (high_px, high) = known[0], known[-1]
    share = (px - low_px) / (high_px - low_px)
    if is_log:
        return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    return low + share * (high - low)


@pytest.mark.parametrize(("kind", "is_log"), [("sweep", False), ("rate", False), ("unsettled", False), ("many", True)])
def test_levels_are_drawn_where_they_lie(page, html, kind, is_log):
    result = page_run(kind)
    page.show(html(kind))
    (x_ticks, y_ticks), marks, titles = page.driver.execute_script(_TICKS, "throughput", "path")
    drawn = chart_data(page)["throughput"]["levels"]

    assert titles == [
        "offered rate (requests/s)" if kind == "rate" else "users (requests in flight)",
        "throughput (requests/s)",
    ]
    levels = sorted(result.to_plain()["levels"], key=lambda level: level["rate_rps"] or level["users"])
    assert sorted(one["rps"] for one in drawn) == sorted(level["achieved_rps"] for level in levels)
    found = sorted((axis_value(x_ticks, 1, x, is_log), axis_value(y_ticks, 2, y)) for _, x, y in marks)
    wanted = sorted((one["load"], one["rps"]) for one in drawn)
    assert len(found) == len(wanted)
    most_rps = max(rps for _, rps in wanted)
    for (load, rps), (wanted_load, wanted_rps) in zip(found, wanted, strict=True):
        assert load == pytest.approx(wanted_load, rel=0.03, abs=0.05)
        assert rps == pytest.approx(wanted_rps, abs=0.02 * most_rps)


def in_ms(nanoseconds):
    """Return a figure of `result.json` as the page's data have it."""
    return None if nanoseconds is None else "∞" if nanoseconds == "inf" else nanoseconds / 1e6


@pytest.mark.parametrize("kind", ["sweep", "rate", "endless", "thresholds"])
def test_the_pages_figures_are_those_of_result_json(page, html, kind):
    written = json.loads(json.dumps(page_run(kind).to_plain()))
    page.show(html(kind))
    drawn = chart_data(page)
    levels = written["levels"]

    if levels:
        assert [one["rps"] for one in drawn["throughput"]["levels"]] == [level["achieved_rps"] for level in levels]
        for percentile in ("50", "90", "99", "99.9"):
            told = [level["upper_end_ns"][percentile] for level in levels]
            assert [one[f"p{percentile}_ms"] for one in drawn["latency"]["levels"]] == [in_ms(one) for one in told]
        curve = (written["scaling"] or {}).get("curve", ())
        assert [one["rps"] for one in drawn["throughput"]["law"]] == [one["throughput_rps"] for one in curve]
        assert [line["name"] for line in drawn["distribution"]["lines"]] == [
            level["name"] for level in levels if level["latency"]["count"]
        ]
    seconds = [one for level in levels for one in level["seconds"]] or written["seconds"]
    assert [slot["rps"] for slot in drawn["rate"]["slots"]] == [one["rate_rps"] for one in seconds]
    latencies = drawn["latency_over_time"]["slots"]
    assert [slot["p99_ms"] for slot in latencies] == [in_ms(one["p99_ns"]) for one in seconds]
    for part in ("wrong", "failed", "mismatched"):
        assert sum(slot[part] for slot in drawn["errors"]["slots"]) == sum(one[part] for one in seconds)
    assert drawn["confusion"]["counts"] == written["confusion"]
    assert {one["class"]: one["wrong"] for one in drawn["classes"]["classes"]} == {
        row["label"]: row["images"] - row["right"] for row in written["classes"]
    }


def test_the_matrix_says_its_counts(page, html):
    page.show(html("sweep"))
    texts = [one.text for one in page.texts if one.chart == "chart-confusion"]
    counts = [f"{count:,}" for _, _, count in page_run("sweep").confusion if count]

    assert sorted(text for text in texts if len(text) > 1 and "(" not in text) == sorted(counts)


@pytest.mark.parametrize("kind", ["sweep", "rate", "endless"])
def test_latencies_are_drawn_where_they_lie(page, html, kind):
    result = page_run(kind)
    page.show(html(kind))
    (_, y_ticks), marks, titles = page.driver.execute_script(_TICKS, "latency", "path")

    assert titles[1] == "latency (ms, log scale)"
    by_label = {label: axis_value(y_ticks, 2, y, is_log=True) for label, _, y in marks}
    wanted = {
        (level.name, f"p{p:g}"): level.upper_end_ns[p] / 1e6
        for level in result.levels
        for p in (50.0, 90.0, 99.0, 99.9)
        if level.upper_end_ns[p] is not None and level.upper_end_ns[p] != float("inf")
    }
    assert len(by_label) == len(wanted)
    for label, value in by_label.items():
        name, percentile = re.fullmatch(r"(.*): (p[\d.]+) .*", label).groups()
        assert value == pytest.approx(wanted[name, percentile], rel=0.04)


def test_bars_are_as_long_as_their_figures(page, html):
    result = page_run("sweep")
    page.show(html("sweep"))
    axes, _, _ = page.driver.execute_script(_TICKS, "classes", "path")
    ticks = next(axis for axis in axes if len({tick[1] for tick in axis}) > 1)
    bars = page.driver.execute_script(
        "return [...document.querySelectorAll('#chart-classes .wide path[aria-label]')].map("
        "one => [one.getAttribute('aria-label'), one.getBoundingClientRect().right])"
    )

    drawn = {int(re.match(r"class (\d+)", label)[1]): axis_value(ticks, 1, right) for label, right in bars}
    for row in result.classes:
        assert drawn[row.label] == pytest.approx(100 * row.wrong / row.images, abs=0.06)


def test_the_first_screen_answers(page, html):
    page.show(html("sweep"))
    seen = page.driver.find_element(By.TAG_NAME, "body").text
    bottom = page.driver.execute_script(
        "return Math.max(...[...document.querySelectorAll('.verdict, .cards')]"
        ".map(one => one.getBoundingClientRect().bottom))"
    )

    assert bottom < 560
    assert seen.index("PASS") < seen.index("Does the server run in parallel?") < seen.index("How fast: ")
    assert "474 requests/s" in " ".join(seen.split())
    assert "2.11 %" in " ".join(seen.split())


@pytest.mark.parametrize("look", ["wide", "dark", "phone"])
@pytest.mark.parametrize("kind", ["sweep", "endless", "failed", "refused", "many-classes", "long"])
def test_axe_finds_nothing(page, html, kind, look):
    page.show(html(kind), **LOOKS[look])

    assert page.accessibility_faults == []


@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_the_browser_has_nothing_to_complain_of(page, html, kind):
    page.show(html(kind))

    assert page.complaints == []


@pytest.mark.parametrize("look", ["wide", "phone", "dark"])
def test_what_crossed_is_as_large_as_the_best_and_what_supports_no_verdict_is_not_bold(page, html, look):
    def figures(kind, of):
        page.show(html(kind), **LOOKS[look])
        found = page.driver.find_elements(By.CSS_SELECTOR, of)
        return [(one.text, one.value_of_css_property("font-size"), one.value_of_css_property("color")) for one in found]

    (best, best_px, ink), (crossing, crossing_px, colour) = figures("endless", ".cards .is-crossed .figure strong")
    doubted = figures("invalid", ".cards .is-invalid .figure strong")
    weights = {
        one.value_of_css_property("font-weight")
        for one in page.driver.find_elements(By.CSS_SELECTOR, ".cards .is-invalid .figure strong")
    }

    assert (best, crossing) == ("4.30", "∞")
    assert best_px == crossing_px
    assert ink != colour
    assert [text for text, _, _ in doubted] == ["243", "?", "5.97", "?"]
    assert weights == {"400"}
    assert ink not in {colour for _, _, colour in doubted}


@pytest.mark.parametrize("look", ["wide", "phone"])
def test_hundreds_of_misread_images_make_a_page_no_longer_until_they_are_asked_for(page, html, look):
    page.show(html("many-classes"), **LOOKS[look])

    def seen():
        return sum(one.is_displayed() for one in page.driver.find_elements(By.CSS_SELECTOR, ".images li"))

    def height_px():
        return page.driver.execute_script("return document.getElementById('misread').parentElement.offsetHeight")

    folded, folded_px = seen(), height_px()
    page.driver.find_element(By.CSS_SELECTOR, "[aria-labelledby=misread] details summary").click()

    assert (folded, seen()) == (12, 200)
    assert 5 * folded_px < height_px()
    assert page.too_wide == []


def test_thresholds_stand_beside_the_distribution_without_being_scrolled(page, html):
    page.show(html("unsettled"))
    tables = page.driver.find_elements(By.CSS_SELECTOR, "[aria-label='Table: Thresholds']")

    assert [one.get_property("scrollWidth") - one.get_property("clientWidth") for one in tables] == [0]


def test_what_matters_is_read_without_script_and_style(page, html):
    strict = re.sub(r"(style|script)-src '[^;]*?'", r"\1-src 'none'", html("sweep"))
    assert strict.count("-src 'none'") == 3
    page.show(strict)
    text = page.driver.find_element(By.TAG_NAME, "main").text

    for words in ("PASS", "Does the server run in parallel?", "474 requests/s", "2.11 %", "2 users", "fitted law"):
        assert words in text, words
    shown = page.driver.find_elements(By.CSS_SELECTOR, "#chart-throughput svg[role=img]")
    assert [one.is_displayed() for one in shown] == [True, False]


def test_an_option_of_a_command_is_not_broken_where_its_line_ends(page):
    asked = page_run("sweep").asked
    options = {"images_per_request": "64", "level_duration": "5", "warm_up": "6", "threshold": "p99 < 500ms"}
    asked = dataclasses.replace(asked, options={**asked.options, **options}, changed=(*asked.changed, *options))
    made = render(dataclasses.replace(page_run("sweep"), asked=asked))
    for width_px in range(320, 960, 40):
        page.show(made, width_px=width_px)
        n_lines = page.driver.execute_script("""
            return Array.from(document.querySelectorAll("pre .option"), (option) => {
              const range = document.createRange();
              range.selectNodeContents(option);
              return range.getClientRects().length;
            });
        """)

        assert n_lines == [1] * 6
        assert page.too_wide == []


def test_a_mark_that_is_pointed_at_says_what_it_is(page, html):
    page.show(html("sweep"))
    mark = page.driver.find_element(By.CSS_SELECTOR, "#chart-throughput .wide path[aria-label^='4 users']")
    ActionChains(page.driver).move_to_element(mark).perform()

    assert page.driver.find_element(By.CSS_SELECTOR, ".tip").text == mark.get_attribute("aria-label")


def test_a_page_is_small(html):
    assert len(html("endless").encode()) < 2_000_000  # five levels
    assert len(html("many").encode()) < 2_000_000
