"""What all start pages of a process have alike, and the gaps in it for what is of one page alone."""

import argparse
from types import SimpleNamespace

import pytest

from tests.support.html import by_id, parsed, text_of
from tests.support.protocol_fields import nothing_to_choose
from tfsload.webui import start_extras
from tfsload.webui.fault_places import place
from tfsload.webui.load_kinds import FIELDS, IMAGES, KINDS, PLAIN, RATES, SWEEP
from tfsload.webui.site import Site
from tfsload.webui.start_layout import Layout

OWN_OPTION = {"is_secret": False, "help_text": "", "choices": None, "default_value": "x"}
GAP = "a <gap> of < two"


def layout_of(monkeypatch, named_host=None, shapes=None, **options):
    own = {name: {**OWN_OPTION, **one} for name, one in options.items()}
    monkeypatch.setattr(start_extras, "ui_extra_args_dict", lambda: own)
    monkeypatch.setattr(start_extras, "get_parser", lambda: parser_of(*({"dest": name} for name in own)))
    environment = SimpleNamespace(available_user_classes={"Users": object}, available_shape_classes=shapes)
    web_ui = SimpleNamespace(environment=environment, userclass_picker_is_active=shapes is not None)
    return Layout.of(start_extras.Extras(web_ui, nothing_to_choose()), Site(SimpleNamespace(), ""), named_host)


def parser_of(*actions):
    """Return what parses options, each called after its `dest` unless `flags` says otherwise."""
    parser = argparse.ArgumentParser()
    for one in actions:
        parser.add_argument(*one.get("flags", [f"--{one['dest'].replace('_', '-')}"]), dest=one["dest"])
    return parser


@pytest.mark.parametrize(
    ("flags", "flag"),
    [
        pytest.param(["--own-one"], "--own-one", id="as-its-name"),
        pytest.param(["--own_one"], "--own_one", id="with-an-underscore"),
        pytest.param(["-o", "--colour", "--color"], "--colour", id="another-name"),
        pytest.param(["-o"], "-o", id="a-short-one"),
    ],
)
def test_a_locustfiles_own_option_is_called_what_its_command_line_calls_it(monkeypatch, flags, flag):
    one = {**OWN_OPTION, "default_value": 3}
    monkeypatch.setattr(start_extras, "ui_extra_args_dict", lambda: {"own_one": one})
    monkeypatch.setattr(start_extras, "get_parser", lambda: parser_of({"dest": "own_one", "flags": flags}))
    options = SimpleNamespace(own_one=3)
    extras = start_extras.Extras(
        SimpleNamespace(environment=SimpleNamespace(parsed_options=options)), nothing_to_choose()
    )
    faults = extras.faults({"own_one": "x"})

    assert extras.flags == {"own_one": flag}
    assert faults == [f"{flag} 'x': expected a whole number"]
    assert place(faults, ["own_one"], extras.flags).at == {"own_one": ["'x': expected a whole number"]}


def page_of(around, held="", faults=""):
    """Return a page of one field alone."""
    return parsed(f"<!DOCTYPE html><title>x</title>{around.before}{held}{around.after}{faults}{around.end}")


@pytest.mark.parametrize(
    ("name", "held", "shown"),
    [
        pytest.param("sweep", "1,2", {"value": "1,2"}, id="a-text"),
        pytest.param("tls", " checked", {"checked": "", "value": "true"}, id="a-switch"),
        pytest.param("threshold", "p99 &lt; 5ms", {"text": "p99 < 5ms"}, id="lines"),
        pytest.param("transport", "<option>native</option>", {"text": "native"}, id="a-drop-down"),
    ],
)
def test_a_field_shows_what_is_put_into_its_gaps(monkeypatch, name, held, shown):
    layout = layout_of(monkeypatch)
    sound = page_of(layout.html.sound[name], held)
    faulty = page_of(layout.html.faulty[name], held, "<p>Too many</p>")
    changed = page_of(layout.html.changed[name], held, "it was 1")

    for page, is_faulty, said in ((sound, False, []), (faulty, True, ["Too many"]), (changed, False, ["it was 1"])):
        field = by_id(page, f"f-{name}")
        assert shown.items() <= {**field.attrib, "text": text_of(field)}.items()
        assert (field.get("aria-invalid") == "true") is is_faulty
        told = [text_of(by_id(page, each)) for each in field.get("aria-describedby").split()]
        assert told[1:] == said
        assert told[0]


def test_words_that_look_like_a_gap_are_words(monkeypatch):
    layout = layout_of(monkeypatch, named_host=GAP, own={"help_text": GAP})
    host, own = page_of(layout.html.sound["host"], "x"), page_of(layout.html.faulty["own"])

    assert by_id(host, "f-host").get("placeholder") == GAP
    assert f"Empty: {GAP}, as" in text_of(by_id(host, "f-host-help"))
    assert text_of(by_id(own, "f-own-help")) == GAP


def test_fields_of_a_locustfile_stand_last_and_have_flags(monkeypatch):
    plain, layout = layout_of(monkeypatch), layout_of(monkeypatch, own_one={}, other={})

    assert [group.key for group in layout.groups] == [*(group.key for group in plain.groups), "more"]
    assert layout.groups[-1].summary({}) == "own one, other"
    assert layout.flags == {**plain.flags, "own_one": "--own-one", "other": "--other"}
    assert "--own-one" in text_of(page_of(layout.html.sound["own_one"]))


def test_a_field_of_an_option_without_a_flag_shows_none(monkeypatch):
    monkeypatch.setattr(start_extras, "get_parser", argparse.ArgumentParser)
    extras = start_extras.Extras(SimpleNamespace(), nothing_to_choose())
    extras._found = {"own_one": OWN_OPTION}

    assert extras.flags == {}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_fields_are_seen_that_are_of_a_kind_of_load_or_of_all(monkeypatch, kind):
    layout = layout_of(monkeypatch)

    assert [name for name in FIELDS if name in layout.seen(kind)] == [name for name in FIELDS if name in kind.fields]
    assert set(layout.html.sound) - set(FIELDS) < set(layout.seen(kind))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_a_load_shape_is_seen_where_it_says_how_many_users_there_are(monkeypatch, kind):
    without, layout = layout_of(monkeypatch), layout_of(monkeypatch, shapes={"Stairs": object})

    assert ("shape_class" in layout.seen(kind)) is (kind in (IMAGES, PLAIN))
    assert [name for name in layout.seen(kind) if name != "shape_class"] == without.seen(kind)
    assert layout.label("shape_class", kind) == "Load shape"


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        pytest.param(RATES, "Most in flight", id="rates"),
        pytest.param(IMAGES, "Users", id="images"),
        pytest.param(PLAIN, "Users", id="plain-users"),
        pytest.param(SWEEP, "Most in flight", id="a-sweep-which-has-no-such-field"),
    ],
)
def test_a_field_is_called_what_its_kind_of_load_calls_it(monkeypatch, kind, label):
    assert layout_of(monkeypatch).label("user_count", kind) == label
