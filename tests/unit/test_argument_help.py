"""Help texts of arguments: argparse formats each, and from Python 3.14 on as soon as an argument is added."""

import pytest
from locust.argument_parser import get_empty_argument_parser

from tfsload.settings.options import OPTIONS
from tfsload.suite import arguments
from tfsload.webui import start_extras


def help_of_arguments():
    """Return how argparse would show the help of each of the suite's options, as a function, by flag."""
    parser = get_empty_argument_parser(add_help=False, default_config_files=[])
    arguments.add_arguments(parser)
    return {
        flag: lambda action=action: action.help % {**vars(action), "prog": parser.prog}
        for action in parser._actions
        for flag in action.option_strings
    }


@pytest.mark.parametrize("option", OPTIONS, ids=[option.flag for option in OPTIONS])
def test_argparse_makes_of_an_options_help_what_it_says(option):
    assert help_of_arguments()[option.flag]() == option.help


def test_one_of_them_has_a_sign_that_argparse_would_stumble_over():
    (help_text,) = (option.help for option in OPTIONS if option.flag == "--threshold")

    with pytest.raises(ValueError, match="unsupported format character"):
        _ = help_text % {}


@pytest.mark.parametrize(
    ("help_text", "shown"),
    [
        pytest.param("At most 5%% of them.", "At most 5% of them.", id="as-argparse-wants-it"),
        pytest.param("At most 5% of them.", "At most 5% of them.", id="as-it-took-it-before"),
        pytest.param(None, "", id="none"),
    ],
)
def test_a_page_shows_help_as_a_terminal_does(help_text, shown):
    option = {"is_secret": False, "help_text": help_text, "choices": None, "default_value": "x"}
    (words,) = start_extras._field("own_one", option).words

    assert words.help == start_extras.help_shown(help_text) == shown
