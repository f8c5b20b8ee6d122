"""The start page's fields with what they hold: each kind of field, sound, wrong and changed."""

import dataclasses
import sys
from types import SimpleNamespace

import pytest

from tests.support.html import by_id, parsed, text_of
from tests.support.protocol_fields import nothing_to_choose
from tfsload.webui.field_html import Filled
from tfsload.webui.load_kinds import KINDS
from tfsload.webui.site import Site
from tfsload.webui.start_extras import Extras
from tfsload.webui.start_layout import Layout

HOSTILE = "\"'><script>alert(1)</script>&amp; <gap> \u00e9"


@pytest.fixture
def layout(monkeypatch):
    monkeypatch.setattr("tfsload.webui.start_extras.marked_options", dict)
    environment = SimpleNamespace(available_user_classes={}, available_shape_classes=None)
    web_ui = SimpleNamespace(environment=environment, userclass_picker_is_active=False)
    return Layout.of(Extras(web_ui, nothing_to_choose()), Site(SimpleNamespace(), ""), None)


def names_of(layout):
    return [field.name for group in layout.groups for field in group.fields]


def filled(layout, text="", faulty=None, before=None, **values):
    return Filled({**dict.fromkeys(names_of(layout), text), **values}, faulty or {}, before or {})


def page_of(layout, what):
    made = "".join(layout.html.whole(group, what) for group in layout.groups if group.key != "load")
    load = next(group for group in layout.groups if group.key == "load")
    return parsed(f"<!DOCTYPE html><title>x</title><form>{layout.html.of(load.fields, what)}{made}</form>")


def held_by(field):
    if field.tag == "select":
        chosen = [one for one in field.iter("option") if one.get("selected") is not None]
        return [one.get("value") for one in chosen]
    if field.get("type") == "checkbox":
        return field.get("checked") is not None
    return field.get("value") if field.tag == "input" else text_of(field)


@pytest.mark.parametrize("text", ["", "12", HOSTILE], ids=["nothing", "a-number", "markup"])
def test_every_field_holds_what_was_typed_and_says_what_is_wrong_with_it(layout, text):
    names = names_of(layout)
    faulty = {name: [f"{name} {HOSTILE} is wrong", "and more"] for name in names}
    page = page_of(layout, filled(layout, text, faulty))

    for name in names:
        field = by_id(page, f"f-{name}")
        wanted = {"select": [text], "checkbox": False}.get(field.get("type") or field.tag, text)
        assert held_by(field) == wanted, name
        assert field.get("aria-invalid") == "true"
        assert text_of(by_id(page, f"f-{name}-fault")) == f"{name} {HOSTILE} is wrong and more"
    assert not list(page.iter("script"))


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        pytest.param("transport", "grpcio", ["grpcio"], id="a-choice"),
        pytest.param("transport", "pigeon", ["pigeon"], id="a-choice-that-nobody-offers"),
        pytest.param("tls", "true", True, id="a-switch-that-is-on"),
        pytest.param("tls", "false", False, id="a-switch-that-is-off"),
        pytest.param("threshold", "p99 < 5ms", "p99 < 5ms", id="lines"),
    ],
)
def test_a_sound_field_says_nothing_of_faults(layout, name, value, held):
    page = page_of(layout, filled(layout, **{name: value}))
    field = by_id(page, f"f-{name}")

    assert held_by(field) == held
    assert field.get("aria-invalid") is None
    assert not [one for one in page.iter() if (one.get("id") or "").endswith("-fault")]


def test_a_drop_down_offers_its_choices_once_and_what_was_sent_beside(layout):
    for value, offered in (("native", ["native", "grpcio"]), ("pigeon", ["native", "grpcio", "pigeon"])):
        field = by_id(page_of(layout, filled(layout, transport=value)), "f-transport")

        assert [one.get("value") for one in field.iter("option")] == offered


def test_a_field_that_has_a_fault_with_another_leads_there(layout):
    what = dataclasses.replace(
        filled(layout, faulty={"seed": ["not so"]}),
        see={"seed": [("sweep", HOSTILE)], "tls": [("sweep", "a"), ("host", "b")]},
    )
    page = page_of(layout, what)
    links = {name: [one.get("href") for one in by_id(page, f"f-{name}-fault").iter("a")] for name in ("seed", "tls")}

    assert text_of(by_id(page, "f-seed-fault")) == f"not so Concerned, too: see {HOSTILE}"
    assert text_of(by_id(page, "f-tls-fault")) == "Concerned, too: see a · b"
    assert links == {"seed": ["#f-sweep"], "tls": ["#f-sweep", "#f-host"]}
    assert [by_id(page, f"f-{name}").get("aria-invalid") for name in ("seed", "tls")] == ["true", "true"]


def test_a_changed_field_says_what_it_was_unless_it_is_wrong(layout):
    before, faulty = {"sweep": "1,2", "seed": HOSTILE}, {"seed": ["not so"]}
    page = page_of(layout, filled(layout, before=before, faulty=faulty))

    assert text_of(by_id(page, "f-sweep-was")) == "Changed; it was 1,2"
    assert text_of(by_id(page, "f-seed-fault")) == "not so"
    assert "f-seed-was" not in by_id(page, "f-seed").get("aria-describedby")


@pytest.mark.parametrize("why", ["faulty", "before", "see"])
def test_a_folded_group_stands_open_where_something_is_to_be_seen_in_it(layout, why):
    held = {"faulty": ["x"], "before": "1", "see": [("sweep", "Users in flight")]}[why]
    page = page_of(layout, dataclasses.replace(filled(layout), **{why: {"seed": held}}))
    folded = {text_of(next(one.iter("strong"))): one.get("open") is not None for one in page.iter("details")}

    assert folded.pop("Data")
    assert folded
    assert not any(folded.values())


def test_what_steers_a_terminal_is_kept_in_a_field_and_taken_from_what_is_said(layout):
    escape = "\x1b[31m"
    html = layout.html.whole(layout.groups[1], filled(layout, host=escape, faulty={"host": [escape]}))

    assert f'value="{escape}"' in html
    assert "<p>" in html
    assert html.count(escape) == 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_of_the_kinds_of_load_one_is_chosen_and_each_says_what_it_is_for(layout, kind):
    page = parsed(f"<!DOCTYPE html><title>x</title>{layout.kinds[kind.key]}")

    assert [one.get("value") for one in page.iter("input") if one.get("checked") is not None] == [kind.key]
    assert [one.get("data-load") for one in page.iter("p")] == [one.key for one in KINDS]


@pytest.mark.parametrize("has_faults", [False, True], ids=["sound", "wrong"])
def test_a_field_costs_a_few_calls(layout, has_faults):
    # In a process that also sends the load nothing else runs meanwhile.
    names = names_of(layout)
    what = filled(layout, "x", {name: ["wrong"] for name in names} if has_faults else {})
    for group in layout.groups:
        layout.html.whole(group, what) if group.holds is not None else layout.html.of(group.fields, what)
    n_calls = 0

    def count(_frame, event, _argument):
        nonlocal n_calls
        n_calls += event == "call"

    sys.setprofile(count)
    try:
        for group in layout.groups:
            layout.html.of(group.fields, what)
    finally:
        sys.setprofile(None)

    assert n_calls / len(names) < (15 if has_faults else 9)
