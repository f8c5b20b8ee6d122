"""What is said of options that have no effect."""

import logging

import pytest

from tfsload.settings.settings import Settings
from tfsload.suite.run_warnings import warn_of_ignored


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({}, [], id="nothing-given"),
        pytest.param({"tolerance": "0.0001"}, [], id="the-default"),
        pytest.param({"tolerance": "1%", "verify": "10"}, [], id="where-answers-are-compared"),
        pytest.param(
            {"tolerance": "1%"},
            ["--tolerance: no effect, since nothing is compared without --verify N"],
            id="where-nothing-is-compared",
        ),
        pytest.param(
            {"tolerance": "1%", "sweep": "1,2", "run_time": 20},
            [
                "-t: no effect, since levels say how many users there are, and for how long",
                "--tolerance: no effect, since nothing is compared without --verify N",
            ],
            id="one-of-several",
        ),
    ],
)
def test_options_without_an_effect_are_named(options, said, caplog):
    with caplog.at_level(logging.WARNING):
        warn_of_ignored(options, Settings.parse(options, None))

    assert caplog.messages == said
