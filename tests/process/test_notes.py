"""`--note`, in each way in which options are given."""

import json

import pytest

from tests.support.runs import run_headless
from tfsload.analysis import exit_codes
from tfsload.analysis.result import RunResult

LOCUSTFILE = """\
import json, os
from locust import events
from locustfile import GrpcPredictionUser

@events.run.add_listener
def on_run(result, **_):
    with open(os.environ["RESULT"], "w") as file:
        json.dump(result.to_plain(), file)
"""
NOTES = {"commit": "1a2b3c4", "why": "half the <threads>"}


def given_by(source, directory):
    """Return arguments and environment that give the notes."""
    texts = [f"{key}={value}" for key, value in NOTES.items()]
    if source == "command-line":
        return [argument for text in texts for argument in ("--note", text)], {}
    if source == "environment":
        return [], {"TFSLOAD_NOTE": "; ".join(texts)}
    configuration = directory / ("run.conf" if source == "configuration" else "pyproject.toml")
    header = "" if source == "configuration" else "[tool.locust]\n"
    configuration.write_text(f"{header}note = {json.dumps(texts)}\n")
    return ["--config", str(configuration)], {}


@pytest.mark.parametrize("source", ["command-line", "environment", "configuration", "project"])
def test_notes_are_in_the_summary_and_in_the_result(tmp_path, model_server, source):
    arguments, environment = given_by(source, tmp_path)
    locustfile, written = tmp_path / "kept.py", tmp_path / "result.json"
    locustfile.write_text(LOCUSTFILE)

    ended = run_headless(
        tmp_path,
        *("--host", model_server.address, "--num-tests", "20", *arguments),
        locustfile=locustfile,
        RESULT=str(written),
        **environment,
    )

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert "note         commit=1a2b3c4\nnote         why=half the <threads>\n" in ended.stdout
    assert RunResult.from_plain(json.loads(written.read_text())).notes == NOTES


def test_notes_that_cannot_be_read_are_refused(tmp_path):
    ended = run_headless(tmp_path, "--note", "commit")

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert "--note 'commit': expected key=value, such as commit=1a2b3c4, several separated by ';'" in ended.stderr
