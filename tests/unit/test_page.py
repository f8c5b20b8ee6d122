"""The report's page: well-formed, whole, and whatever is in a result stands on it as text."""

import base64
import dataclasses
import functools
import hashlib
import json

import pytest

from tests.support.hostile import HOSTILE, MARKUP, TAIL, hostile
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


@pytest.mark.heavy
@pytest.mark.parametrize("kind", PAGE_RUNS)
def test_the_page_of_each_kind_of_run_is_well_formed_and_fetches_nothing(kind):
    page = page_of(kind)

    assert {one.tag for one in page.iter() if isinstance(one.tag, str)} <= TAGS
    assert not [one for one in page.iter() if any(name.startswith("on") or name == "style" for name in one.attrib)]
    for one in page.iter():
        for name in ("src", "href", "action", "data"):
            assert (one.get(name) or "#").startswith(("data:image/png;base64,", "#")), one.attrib


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["rate", "search", "failed", "stopped", "endless", "many-classes", "refused"])
def test_hostile_texts_are_texts(kind):
    text = render(hostile(page_run(kind)))
    page = parsed(text)

    assert MARKUP not in text
    assert {one.tag for one in page.iter() if isinstance(one.tag, str)} <= TAGS
    assert len([one for one in page.iter() if one.tag == "script"]) == 2
    assert TAIL.split("\u2028")[0] in "".join(page.itertext())


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["rate", "search", "failed", "aborted", "refused"])
def test_nothing_on_a_page_steers_a_terminal_or_turns_the_reading_direction_round(kind):
    for text in [one for one in HOSTILE if not one.isprintable()]:
        page = render(hostile(page_run(kind), text))

        assert [letter for letter in page if not letter.isprintable() and letter not in "\n\t"] == []
        page.encode()


def test_what_is_drawn_holds_no_such_letter_in_its_figures_either():
    named = hostile(page_run("sweep"), "a\x00b\x1b[31m\u202ec")
    data = json.loads(next(one.text for one in parsed(render(named)).iter() if one.get("id") == "data"))

    assert all(text.isprintable() for text in texts_in(data))
    assert any("a?b?[31m?c" in text for text in texts_in(data))


def texts_in(data):
    if isinstance(data, str):
        return [data]
    inner = [*data, *data.values()] if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [text for one in inner for text in texts_in(one)]


def test_what_a_page_is_made_of_is_not_changed_where_nobody_is_hostile():
    page = render(page_run("sweep"))

    assert "script-src" in page
    assert "?" not in page.partition("<style>")[2].partition("</style>")[0]
    style, script = page.split("<style>")[1].split("</style>")[0], page.rsplit("<script>", 1)[1].split("</script>")[0]
    for source in (style, script):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert digest.replace("+", "&#43;") in page or digest in page


def test_what_an_abort_left_open_is_no_call_to_let_the_run_end():
    text = text_of(by_id(page_of("aborted"), "content"))

    assert "p90[users=16] < 1 s at 16 users was not judged, since the run had been ended" in text
    assert "let it end by itself" not in text


@pytest.mark.parametrize("kind", ["failed"])
def test_what_is_not_told_first_is_linked(kind):
    page = page_of(kind)
    (link,) = [one for one in page.iter() if one.tag == "a" and text_of(one).endswith(" more")]

    assert link.get("href") == "#checks"


@pytest.mark.heavy
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
    "unsettled": "INVALID",
    "refused": "REFUSED",
}


@pytest.mark.heavy
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
