"""The report's page: well-formed, whole, and whatever is in a result stands on it as text."""

import dataclasses
import functools

import pytest

from tests.support.hostile import HOSTILE, MARKUP, hostile
from tests.support.html import by_class, by_id, parsed, text_of
from tests.support.page_runs import PAGE_RUNS, page_run
from tfsload.report.page.page import render

# What may be on a page: nothing that fetches, sends or embeds.
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "script",
        "header",
        "main",
        "nav",
        "section",
        "div",
        "span",
        "a",
    ),
    *(
        "h1",
        "h2",
        "h3",
        "p",
        "strong",
        "small",
        "code",
        "pre",
        "ul",
        "li",
        "img",
        "dl",
        "dt",
        "dd",
        "details",
        "summary",
    ),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("svg", "g", "path", "circle", "rect", "line", "text", "tspan", "defs", "clipPath"),
}


@functools.cache
def page_of(kind):
    return parsed(render(page_run(kind)))


@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_the_page_of_each_kind_of_run_is_well_formed_and_fetches_nothing(kind):
    page = page_of(kind)

    assert {one.tag for one in page.iter() if isinstance(one.tag, str)} <= TAGS
    assert not [one for one in page.iter() if any(name.startswith("on") or name == "style" for name in one.attrib)]
    for one in page.iter():
        for name in ("src", "href", "action", "data"):
            assert (one.get(name) or "#").startswith(("data:image/png;base64,", "#")), one.attrib


@pytest.mark.parametrize("kind", ["rate", "search", "failed", "stopped", "endless", "many-classes", "refused"])
def test_hostile_texts_are_texts(kind):
    text = render(hostile(page_run(kind)))
    page = parsed(text)

    assert MARKUP not in text
    assert {one.tag for one in page.iter() if isinstance(one.tag, str)} <= TAGS
    assert len([one for one in page.iter() if one.tag == "script"]) == 2
    assert HOSTILE.split("\u2028")[0] in "".join(page.itertext())


@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_ids_are_there_once_and_links_lead_to_them(kind):
    page = page_of(kind)
    ids = [one.get("id") for one in page.iter() if one.get("id")]

    assert len(ids) == len(set(ids))
    links = {one.get("href")[1:] for one in page.iter() if one.tag == "a"}
    labels = {name for one in page.iter() for name in (one.get("aria-labelledby") or "").split()}
    assert links | labels <= set(ids)


WORDS = {
    "demo": "PASS",
    "thresholds": "THRESHOLD CROSSED",
    "sweep": "PASS",
    "rate": "THRESHOLD CROSSED",
    "search": "PASS",
    "invalid": "INVALID",
    "stopped": "INVALID",
    "failed": "FAILED",
    "all-failed": "FAILED",
    "endless": "THRESHOLD CROSSED",
    "repeated": "INVALID",
    "refused": "REFUSED",
}


@pytest.mark.parametrize(("kind", "word"), WORDS.items())
def test_the_verdict_is_the_first_that_is_said(kind, word):
    page = page_of(kind)

    assert text_of(by_id(page, "verdict")).startswith(word)
    title = next(text_of(one) for one in page.iter() if one.tag == "title")
    assert title[2:].startswith(word)


def test_a_refused_run_shows_its_faults_and_what_was_asked_for():
    page = page_of("refused")

    assert text_of(by_id(page, "verdict")).startswith("REFUSED")
    said = text_of(by_class(page, "verdict")[0])
    assert all(reason in said for reason in page_run("refused").judged.sentences)
    assert by_class(page, "cards") == []
    assert "num_tests" in text_of(by_id(page, "content"))


def test_a_run_that_is_not_judged_has_no_page():
    with pytest.raises(ValueError, match="not judged"):
        render(dataclasses.replace(page_run("demo"), verdict=None))
