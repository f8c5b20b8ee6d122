"""The command that a report says repeats the run: read again by Locust's own parser, it asks for the same."""

import dataclasses
import html
import re
import shlex

import pytest
from locust.argument_parser import get_parser

from tests.support.page_runs import page_run
from tfsload.datasets.shipped import shipped
from tfsload.report.command import command
from tfsload.report.page.page import render
from tfsload.run.asked import as_asked
from tfsload.suite.arguments import add_arguments
from tfsload.transport.words import HIDDEN

GIVEN = {
    "nothing": [],
    "a-sweep": ["--sweep", "1,2,4,8", "--threshold", "p99 < 20ms; error_rate < 1%"],
    "two-thresholds": ["--threshold", "p99 < 20ms", "--threshold", "p50 < 5 ms"],
    "users": ["-u", "8", "-r", "4", "-t", "20", "--num-tests", "1000"],
    "a-place": ["-f", "my files/mine.py", "--host", "model.example:8500", "--tls"],
    "quotes": ["--model-name", 'it\'s "mine"; rm -rf /', "--note", "a=$(reboot)`x`"],
    "a-dash": ["--model-label=-rf", "--seed", "7"],
    "tags": ["--tags", "one", "two", "--exclude-tags", "three"],
    "user-classes": ["GrpcPredictionUser", "Mine", "--tags", "one"],
    "of-the-default": ["--seed", "1", "--deadline", "5"],
}


def parsed(arguments):
    parser = get_parser(default_config_files=[])
    if "--model-name" not in parser._option_string_actions:  # where no other test has installed the suite by now
        add_arguments(parser)
    return vars(parser.parse_args(arguments))


def asked(arguments):
    options = parsed(arguments)
    return as_asked(options, options["host"])


def repeated(arguments):
    result = dataclasses.replace(page_run("demo"), asked=asked(arguments))
    return shlex.split(command(result))


@pytest.mark.parametrize("arguments", GIVEN.values(), ids=GIVEN)
def test_the_same_is_asked_for_again(arguments):
    program, *again = repeated(["-f", "locustfile.py", *arguments])

    assert program == "locust"
    assert asked(again) == asked(["-f", "locustfile.py", *arguments])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param([], ["--headless"], id="nothing"),
        pytest.param(["--seed", "1", "--sweep", "1,2"], ["--headless", "--sweep", "1,2"], id="what-is-so-by-itself"),
        pytest.param(["-u", "4"], ["--headless", "-u", "4"], id="locusts-own"),
        pytest.param(["--host", "h:1"], ["--headless", "--host", "h:1"], id="a-host"),
        pytest.param(["--report", "out", "--hgrm", "-u", "4"], ["--headless", "-u", "4"], id="no-report-in-its-place"),
    ],
)
def test_only_what_was_changed_is_named(arguments, words):
    assert repeated(["-f", "a.py", *arguments]) == ["locust", "-f", "a.py", *words]


@pytest.mark.parametrize(
    ("run_time", "told"),
    [
        pytest.param("20", "20", id="whole"),
        pytest.param("2.5", "3", id="a-programs-own"),
        pytest.param("1m30s", "1m30s", id="with-its-unit"),
        pytest.param("inf", "inf", id="none-that-locust-takes"),
    ],
)
def test_a_run_time_is_told_in_whole_seconds_as_locust_reads_it(run_time, told):
    given = asked(["-f", "a.py", "-t", "20"])
    options = {**given.options, "run_time": run_time}
    words = shlex.split(
        command(dataclasses.replace(page_run("demo"), asked=dataclasses.replace(given, options=options)))
    )

    assert words[words.index("-t") + 1] == told


def test_the_suites_own_locustfile_has_a_program():
    assert repeated(["-f", str(shipped("locustfile.py"))]) == ["tfsload", "run", "--headless"]


def test_what_is_secret_is_masked():
    words = repeated(["-f", "a.py", "--metadata", "authorization=secret", "--host", "me:secret@h:1"])

    assert words == ["locust", "-f", "a.py", "--headless", "--host", f"{HIDDEN}@h:1", "--metadata", HIDDEN]


@pytest.mark.parametrize("arguments", [*GIVEN.values(), ["--note", "a=two  blanks\nand --a <line>"]])
def test_what_is_copied_from_the_page_is_the_command(arguments):
    result = dataclasses.replace(page_run("demo"), asked=asked(arguments))
    (shown,) = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", render(result), re.DOTALL)

    assert html.unescape(re.sub(r"<[^>]*>", "", shown)) == command(result)
    assert shown.count('<span class="option">') == len(re.findall(r"(?:^| )--", command(result)))
