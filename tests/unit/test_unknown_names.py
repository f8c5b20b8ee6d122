"""What a parser says of environment variables that name no option, when and to whom."""

import locust.argument_parser
import pytest

from tfsload.suite import arguments, beginning


@pytest.fixture
def parse(monkeypatch):
    """Return what parses as Locust does, anew each time: for a run, and for each page."""
    monkeypatch.setattr(arguments, "_unknown", None)

    def parse(*texts):
        parser = locust.argument_parser.get_empty_argument_parser()
        locust.argument_parser.setup_parser_arguments(parser)
        arguments.add_arguments(parser)
        arguments.refuse_unknown_names(parser)
        return vars(parser.parse_args([*texts]))

    return parse


@pytest.mark.parametrize(
    ("is_locusts_program", "texts", "is_refused", "n_kept"),
    [
        pytest.param(True, [], True, None, id="the-web-ui"),
        pytest.param(True, ["--headless"], False, 1, id="a-run-that-is-checked-and-refused-then"),
        pytest.param(True, ["--worker"], False, 0, id="a-worker-whose-master-has-the-options"),
        pytest.param(False, [], False, 1, id="a-program-of-ones-own-that-shows-a-page"),
    ],
)
def test_a_mistyped_variable(monkeypatch, parse, is_locusts_program, texts, is_refused, n_kept):
    monkeypatch.setattr(beginning, "is_locusts_program", lambda: is_locusts_program)
    monkeypatch.setenv("TFSLOAD_TRESHOLD", "p99 < 50ms")
    if is_refused:
        with pytest.raises(SystemExit):
            parse(*texts)
    else:
        assert len(arguments.mistyped_variables(parse(*texts))) == n_kept


@pytest.mark.parametrize("texts", [pytest.param([], id="the-web-ui"), pytest.param(["--headless"], id="headless")])
def test_variables_that_come_later_refuse_no_page(monkeypatch, parse, texts):
    monkeypatch.setattr(beginning, "is_locusts_program", lambda: True)
    monkeypatch.setenv("TFSLOAD_VERSION", "0.1.0")
    parse(*texts)
    monkeypatch.setenv("TFSLOAD_TRESHOLD", "p99 < 50ms")
    options = parse(*texts)

    assert arguments.mistyped_variables(options) == []
    assert [one.split()[0] for one in arguments.other_variables(options)] == ["TFSLOAD_VERSION"]
    assert arguments.other_variables({**options, "worker": True}) == []


@pytest.mark.parametrize(
    ("texts", "name", "value"),
    [
        pytest.param(["--pixel-scale", "-1..1"], "pixel_scale", "-1..1", id="a-range"),
        pytest.param(["--pixel-scale", "-0.5,0.25"], "pixel_scale", "-0.5,0.25", id="moments"),
        pytest.param(["--pixel-scale=-1..1"], "pixel_scale", "-1..1", id="joined"),
        pytest.param(["--label-offset", "-1"], "label_offset", "-1", id="a-number"),
        pytest.param(["--tolerance", "-5%"], "tolerance", "-5%", id="one-that-is-refused-later"),
        pytest.param(["--sweep", "-1,2"], "sweep", "-1,2", id="a-list-that-is-refused-later"),
        pytest.param(["--pixel-scale", "-1..1", "-u", "2"], "num_users", 2, id="with-an-option-behind-it"),
    ],
)
def test_a_value_that_begins_as_a_number_below_0_is_no_option(parse, texts, name, value):
    assert parse(*texts)[name] == value


def test_a_configuration_file_takes_such_a_value_too(parse, tmp_path):
    (tmp_path / "c.conf").write_text("pixel-scale = -1..1\n")

    assert parse("--config", str(tmp_path / "c.conf"))["pixel_scale"] == "-1..1"


@pytest.mark.parametrize(
    "texts", [pytest.param(["--note", "-x=1"], id="like-an-option"), pytest.param(["--note"], id="nothing")]
)
def test_an_option_without_a_value_says_how_one_is_written_that_looks_like_an_option(parse, capsys, texts):
    with pytest.raises(SystemExit):
        parse(*texts)

    assert (
        "--note: expected one argument; one that begins with '-' is joined to it: --note=-…" in capsys.readouterr().err
    )
