"""What is wrong with values that have a line each in the form, and are one text on the command line."""

import pytest

from tfsload.settings.settings import Settings, SettingsError
from tfsload.webui import start_values
from tfsload.webui.form_words import in_form

ON_LINES = "several on lines of their own"
A_PAIR = f"expected NAME=VALUE, such as keep_prob=1.0, {ON_LINES}"
A_NOTE = f"expected key=value, such as commit=1a2b3c4, {ON_LINES}"
SPARE = {"user_count": "1", "spawn_rate": "1", "run_time": "", "host": ""}


def faults_of(**lines):
    """Return what a form says of what was typed into its fields."""
    values = {**SPARE, **lines}
    try:
        Settings.parse(start_values.for_locust({}, values, start_values.load_kinds.PLAIN), None)
    except SettingsError as error:
        return in_form(error.faults, values)
    return []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param({"note": "a=1\nb=2"}, [], id="nothing"),
        pytest.param({"note": "a=1\nb\nc"}, [f"--note 'b': {A_NOTE}", f"--note 'c': {A_NOTE}"], id="notes"),
        pytest.param({"input": "k\n=1\nx=[1]"}, [f"--input 'k': {A_PAIR}", f"--input '=1': {A_PAIR}"], id="inputs"),
        pytest.param(
            {"note": "a=1\nb=2\na=3"}, ["--note 'a' is there more often: expected each key once"], id="a-key-twice"
        ),
        pytest.param(
            {"note": "why=a;b", "input": "k"},
            [f"--input 'k': {A_PAIR}", f"--note 'b': {A_NOTE} or separated by ';'"],
            id="a-semicolon-in-one-of-them",
        ),
        pytest.param(
            {"threshold": "p99 < 5ms, max < 9ms"},
            [
                "--threshold 'p99 < 5ms, max < 9ms': value '5ms, max < 9ms': expected a number and its unit, ns, us, "
                "µs, ms or s, for example 20ms; several thresholds are on lines of their own"
            ],
            id="two-thresholds-in-a-line",
        ),
        pytest.param(
            {"threshold": "p99 < 5ms\nabort"},
            [
                "--threshold 'abort': abort is a threshold's last word: write it behind the value, as in "
                "p99 < 50ms abort"
            ],
            id="abort-in-a-line-of-its-own",
        ),
    ],
)
def test_each_line_is_quoted_by_itself_and_nothing_is_said_that_nobody_typed(lines, told):
    assert faults_of(**lines) == told


def test_what_somebody_typed_is_not_put_in_other_words():
    (fault,) = faults_of(note="several separated by ';'\n".replace(";", ","))

    assert fault.startswith("""--note "several separated by ','": expected key=value""")
    assert in_form(["--note 'x'"], {}) == ["--note 'x'"]
