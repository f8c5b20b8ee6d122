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
