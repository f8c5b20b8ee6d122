"""Options that are given, and empty."""

import pytest
from locust.argument_parser import get_empty_argument_parser, setup_parser_arguments

from tfsload.settings.options import OPTIONS
from tfsload.suite import arguments, empty_texts

CURE = "given, and empty, as where a variable is not set; give it a value, or leave it out"


@pytest.fixture
def parser():
    """Locust's parser, with the suite's options and one of a locustfile's own."""
    made = get_empty_argument_parser(add_help=False, default_config_files=[])
    setup_parser_arguments(made)
    arguments.add_arguments(made)
    made.add_argument("--key", default="unset")
    empty_texts.listen(made)
    return made


@pytest.fixture
def refusal(parser, capsys):
    """Return a function that returns with what a command line is refused; None: it is not."""

    def parse(*texts):
        try:
            parser.parse_args([*texts])
        except SystemExit as refused:
            assert refused.code == 2
            return capsys.readouterr().err.partition("error: ")[2].strip()
        return None

    return parse


LOCUSTS_OWN = [
    *("--host", "--locustfile", "--config", "--web-host", "--web-port", "--master-host", "--master-bind-host", "--csv"),
    *("--html", "--json-file", "--logfile", "--users", "--run-time", "--tags", "--exclude-tags", "--config-users"),
]


@pytest.mark.parametrize("flag", [*(one.flag for one in OPTIONS), *LOCUSTS_OWN])
@pytest.mark.parametrize("text", ["", " "], ids=["empty", "blank"])
def test_each_option_that_is_given_empty_is_refused(refusal, flag, text):
    assert refusal("--headless", flag, text) == f"{flag}: {CURE}"
    assert refusal(f"{flag}={text}", "--headless") == f"{flag}: {CURE}"


@pytest.mark.parametrize(
    ("texts", "flags"),
    [
        pytest.param(["-H", ""], ["-H"], id="a-short-one"),
        pytest.param(["--thresh", ""], ["--threshold"], id="the-beginning-of-one"),
        pytest.param(["--threshold", "p99 < 5ms", "--threshold", ""], ["--threshold"], id="one-of-several"),
        pytest.param(["--seed", "", "--host", "", "--seed="], ["--seed", "--host"], id="all-at-once"),
        pytest.param(["--tls", ""], ["--tls"], id="a-switch"),
    ],
)
def test_what_is_empty_is_named(refusal, texts, flags):
    assert [line.partition(":")[0] for line in refusal(*texts).splitlines()] == flags


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param([], id="nothing"),
        pytest.param(["--host", "a:1", "--threshold", "p99 < 5ms", "--tls", "--headless"], id="with-values"),
        pytest.param(["--key", "", "--key="], id="a-locustfiles-own"),
        pytest.param(["--note", "x=", "--note=x="], id="a-value-that-ends-with-a-sign"),
        pytest.param(["--headless", "--", ""], id="behind-all-options"),
        pytest.param(["--headless", ""], id="beside-an-option-that-takes-none"),
    ],
)
def test_what_is_not_empty_is_taken(refusal, texts):
    assert refusal(*texts) is None


def test_variables_and_keys_that_are_empty_are_none(refusal, monkeypatch, tmp_path):
    (tmp_path / "own.conf").write_text("sweep =\nnote =\n")
    for option in OPTIONS:
        if option.flag not in ("--sweep", "--note"):
            monkeypatch.setenv(option.env_var, "")

    assert refusal("--config", str(tmp_path / "own.conf")) is None


def test_a_server_that_is_empty_is_none_that_anybody_means(refusal, monkeypatch, tmp_path):
    (tmp_path / "own.conf").write_text("host =\n")
    in_file = refusal("--config", str(tmp_path / "own.conf"))
    monkeypatch.setenv("LOCUST_HOST", " ")

    leave_out = f"{CURE}; to be tested with the embedded server, leave it out"
    assert in_file == f"host, in a configuration file: {leave_out}"
    assert refusal() == f"LOCUST_HOST: {leave_out}"
    assert refusal("--host", "a:1") is None
