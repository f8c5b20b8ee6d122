"""What is shown is cut, steers no terminal and holds no secret."""

import logging
import os
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.settings.options import OPTIONS
from tfsload.settings.refusal import RunRefused
from tfsload.settings.settings import Settings, SettingsError
from tfsload.suite.log_guard import Guard
from tfsload.transport import words
from tfsload.transport.failure import PredictionFailure

ESCAPE = "\x1b[2J\x1b]0;title\x07"
NASTY = ["\x1b[31m", "\x9b2J", "\r", "\b", "\u202e", "\u2066", "\x00", "\ud800", "\u2028", "\x7f"]


@pytest.fixture
def secrets():
    words.hide(["Bearer open-sesame-4711", "k3y", "a.b*c-1234"])
    yield
    words.hide([])


@pytest.mark.parametrize("letters", [pytest.param(text, id=ascii(text)) for text in NASTY])
def test_nothing_steers_a_terminal(letters):
    text = f"before{letters}after"

    assert words.shown(text).isprintable()
    assert words.quoted(text).isprintable()
    assert words.sentence(text).isprintable()
    assert words.lines(text).replace("\n", "").isprintable()
    assert all("before" in way(text) for way in (words.shown, words.quoted, words.sentence, words.lines))


@given(st.text(alphabet=st.characters(), max_size=2000))
def test_any_text_becomes_printable_and_short_and_stays_so(text):
    shown, quoted, sentence = words.shown(text), words.quoted(text), words.sentence(text)

    assert (shown + quoted + sentence).isprintable()
    assert len(shown) <= words.LONGEST_WORDS
    assert len(sentence) <= words.LONGEST_SENTENCE
    assert words.shown(shown) == shown
    assert words.sentence(sentence) == sentence
    assert words.lines(text).count("\n") == text.count("\n")


def test_a_long_sentence_keeps_its_beginning_and_its_cure():
    text = words.sentence("--dataset " + "x" * 100_000 + ": expected mnist5k")

    assert text.startswith("--dataset xxx")
    assert text.endswith("x: expected mnist5k")
    assert len(text) == words.LONGEST_SENTENCE


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("text", "without"),
    [
        pytest.param("no Bearer open-sesame-4711 here", "no (hidden) here", id="the-whole-value"),
        pytest.param("token open-sesame-4711?", "token (hidden)?", id="the-token-alone"),
        pytest.param("Bearer is not Basic", "Bearer is not Basic", id="the-scheme-alone-is-none"),
        pytest.param("a k3y", "a k3y", id="too-short-to-be-told-from-words"),
        pytest.param("a.b*c-1234 axbxc-1234", "(hidden) axbxc-1234", id="no-pattern"),
    ],
)
def test_a_secret_is_left_out(text, without):
    assert words.redacted(text) == words.shown(text) == without


@pytest.mark.usefixtures("secrets")
def test_a_failure_holds_none():
    failure = PredictionFailure("UNKNOWN", f"{ESCAPE}open-sesame-4711")

    assert str(failure) == failure.code + ": " + failure.message == "UNKNOWN: ?[2J?]0;title?(hidden)"


def record(name, message, *arguments, exc_info=None):
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, message, arguments, exc_info)
    assert Guard().filter(made)
    return logging.Formatter("%(message)s").format(made)


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(
    ("name", "logged"),
    [
        pytest.param("tfsload.distributed", "Worker ?[2J?]0;title? said (hidden)", id="the-suites"),
        pytest.param("locust.runners", "Worker ?[2J?]0;title? said (hidden)", id="locusts"),
        pytest.param("mine", f"Worker {ESCAPE} said (hidden)", id="a-locustfiles-with-colours"),
        pytest.param("hpack.hpack", f"Worker {ESCAPE} said (hidden)", id="a-librarys"),
    ],
)
def test_what_is_logged_is_guarded(name, logged):
    assert record(name, "Worker %s said %s", ESCAPE, "open-sesame-4711") == logged


@pytest.mark.usefixtures("secrets")
def test_a_traceback_is_guarded():
    try:
        raise ValueError(f"metadata was invalid: {ESCAPE} open-sesame-4711")
    except ValueError as error:
        text = record("mine", "failed", exc_info=(ValueError, error, error.__traceback__))

    assert "ValueError: metadata was invalid: ?[2J?]0;title? (hidden)" in text
    assert text.count("\n") >= 3


def test_a_record_that_cannot_be_put_together_is_left_to_logging():
    made = logging.LogRecord("tfsload", logging.ERROR, __file__, 1, "%d", ("x",), None)

    assert Guard().filter(made)


def test_a_refusal_is_short_whatever_it_is_about():
    refused = RunRefused(2, [f"fault {number}\n{ESCAPE}{'x' * 100_000}" for number in range(1000)])

    assert len(refused.text()) < 25_000
    assert refused.text().splitlines()[-1] == "  - and 980 more"
    assert refused.text().replace("\n", "").isprintable()
    assert refused.sentence().isprintable()


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.flag)
def test_no_option_is_repeated_in_full_or_raw(option):
    for text in (ESCAPE + "x" * 100_000, ";".join(["x"] * 50_000), ",".join(["1"] * 50_000) + ESCAPE):
        try:
            Settings.parse({option.dest: text}, "127.0.0.1:8500")
        except SettingsError as error:
            refused = RunRefused(2, error.faults)
            assert len(refused.text()) < 25_000
            assert refused.text().replace("\n", "").isprintable()
            assert option.flag in refused.text()


PATHS = [
    pytest.param("/tmp/out", "/tmp/out", id="plain"),
    pytest.param("/tmp/my report", "/tmp/my report", id="with-a-space"),
    pytest.param("/tmp/x\ny", "$'/tmp/x\\ny'", id="on-two-lines"),
    pytest.param("it's\r\x1b[2J", "$'it\\'s\\r\\x1b[2J'", id="steering"),
    pytest.param("a\\nb\t", "$'a\\\\nb\\t'", id="with-a-backslash"),
    pytest.param("a\u2028b\x85é", "$'a\\U00002028b\\U00000085é'", id="other-ends-of-lines"),
    pytest.param("/tmp/a\udcffb\udc80", "$'/tmp/a\\xffb\\x80'", id="bytes-that-are-no-utf-8"),
]


@pytest.mark.parametrize(("path", "shown"), PATHS)
def test_a_path_stands_on_one_line_and_a_shell_reads_it(path, shown):
    assert words.path_shown(path) == shown
    assert words.lines(shown) == shown
    said = [shutil.which("bash") or "bash", "-c", f"printf %s {words.shell_word(path)}"]
    assert subprocess.run(said, stdout=subprocess.PIPE, check=True, env={"LC_ALL": "C.UTF-8"}).stdout == os.fsencode(
        path
    )
