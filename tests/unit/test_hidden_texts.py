"""What pages hide of a form's texts, and what stands behind it when it comes back."""

import pytest
from werkzeug.datastructures import ImmutableMultiDict

from tfsload.transport import words
from tfsload.webui.hidden_texts import HiddenTexts, all_hidden

SECRET = "open-sesame-4711"
AT_FIRST = {"note": f"a=1; auth={SECRET}", "host": "me:secret@a:1", "model_label": SECRET, "seed": "1"}


@pytest.fixture(autouse=True)
def secret():
    words.hide([f"Bearer {SECRET}"])
    yield
    words.hide([])


def whole(name, text, now=None):
    """Return what a form that holds this means."""
    said = [AT_FIRST, now or AT_FIRST]
    texts = HiddenTexts(lambda: said.pop(0) if len(said) > 1 else said[0])
    return texts.whole(ImmutableMultiDict([("x", "1"), (name, text)]))[name]


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        pytest.param("note", f"a=1; auth={SECRET}", "a=1; auth=(hidden)", id="a-note"),
        pytest.param("host", "me:secret@a:1", "(hidden)@a:1", id="a-host"),
        pytest.param("host", "a:1", "a:1", id="a-host-without-a-pass-word"),
        pytest.param("note", "mail=a:b@c", "mail=a:b@c", id="a-note-that-looks-like-a-host"),
        pytest.param("dataset", "mnist5k", "mnist5k", id="no-secret"),
    ],
)
def test_a_page_holds_no_secret_and_all_else_to_the_letter(name, text, shown):
    assert all_hidden({name: text}) == {name: shown}


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        pytest.param("note", "a=1; auth=(hidden)", AT_FIRST["note"], id="as-it-was"),
        pytest.param("note", "a=1;auth=(hidden)", f"a=1;auth={SECRET}", id="by-line"),
        pytest.param("note", "b=2;auth=(hidden)", f"b=2;auth={SECRET}", id="another-line-changed"),
        pytest.param("note", "auth=not (hidden)", "auth=not (hidden)", id="changed-itself"),
        pytest.param("host", "(hidden)@a:1", "me:secret@a:1", id="a-host"),
        pytest.param("host", "(hidden)@b:1", "(hidden)@b:1", id="another-host"),
        pytest.param("model_label", "(hidden)", SECRET, id="all-of-it"),
        pytest.param("model_name", "(hidden)", "(hidden)", id="a-field-that-hid-nothing"),
        pytest.param("new", "(hidden)", "(hidden)", id="no-field"),
        pytest.param("seed", "5", "5", id="nothing-hidden"),
    ],
)
def test_what_comes_back_hidden_means_what_its_own_field_held(name, text, meant):
    assert whole(name, text) == meant


def test_what_the_last_run_was_asked_for_is_known_too():
    assert whole("note", "why=(hidden)", {**AT_FIRST, "note": f"why={SECRET}"}) == f"why={SECRET}"
