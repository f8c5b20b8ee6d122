"""How a program was called, as the command says that repeats a run."""

import dataclasses
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.page_runs import page_run
from tests.support.runs import PROJECT
from tfsload.report.command import command
from tfsload.run import called_as
from tfsload.run.called_as import program, tell_locust, words_of


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    """A directory with programs in an environment of its own, and one that is on the PATH."""
    for directory in ("venv", "path"):
        (tmp_path / directory).mkdir()
        for name in ("locust", "tfsload"):
            (tmp_path / directory / name).write_text("#!/bin/sh\n")
            (tmp_path / directory / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))


@pytest.mark.parametrize(
    ("script", "original", "words"),
    [
        pytest.param("venv/locust", ["/venv/python", "venv/locust"], ["venv/locust"], id="of-a-clone"),
        pytest.param("path/locust", ["/venv/python", "path/locust"], [], id="on-the-path"),
        pytest.param("/site/locust/__main__.py", ["py", "-m", "locust"], ["py", "-m", "locust"], id="as-a-module"),
        pytest.param(
            "/site/locust/__main__.py", ["py", "-P", "-m", "locust"], ["py", "-m", "locust"], id="with-a-flag"
        ),
        pytest.param("mine.py", ["py", "mine.py"], [], id="a-program-of-ones-own"),
        pytest.param("mine.py", ["py", "-m", "mine"], [], id="a-module-of-ones-own"),
        pytest.param("gone/locust", ["py", "gone/locust"], [], id="a-program-that-is-gone"),
        pytest.param("-c", ["py", "-c", "1", "-m"], [], id="neither"),
    ],
)
def test_words_of_a_program(script, original, words):
    assert list(words_of("locust", script, original)) == words


def test_where_none_is_on_the_path_it_is_named_as_it_was_called(monkeypatch):
    monkeypatch.setenv("PATH", "")

    assert words_of("locust", "path/locust", ["py", "path/locust"]) == ("path/locust",)


@pytest.mark.parametrize(
    ("original", "told"),
    [
        pytest.param([".venv/bin/python", "-m", "tfsload", "run"], ".venv/bin/python -m tfsload run", id="as-a-module"),
        pytest.param(["my py", "-m", "tfsload", "run"], "'my py' -m tfsload run", id="a-blank-in-it"),
        pytest.param(["python", "path/tfsload", "run"], "tfsload run", id="on-the-path"),
    ],
)
def test_tfsload_run_tells_locust_how_it_was_called(monkeypatch, original, told):
    monkeypatch.setattr(sys, "argv", [original[1] if "/" in original[1] else "tfsload/__main__.py"])
    monkeypatch.setattr(sys, "orig_argv", original)
    environment = {}
    tell_locust(environment)
    monkeypatch.setattr(sys, "argv", ["/site/locust/__main__.py"])

    assert program(False, environment) == program(True, environment) == tuple(shlex.split(told))


@pytest.mark.parametrize(
    ("has_own_locustfile", "words"),
    [
        pytest.param(True, ("py", "-m", "locust"), id="as-it-was-called-itself"),
        pytest.param(False, (), id="by-its-name-alone"),
    ],
)
def test_a_process_that_a_locustfile_starts_is_not_called_so(monkeypatch, has_own_locustfile, words):
    environment = {}
    tell_locust(environment)
    monkeypatch.setattr(sys, "argv", ["/site/locust/__main__.py"])
    monkeypatch.setattr(sys, "orig_argv", ["py", "-m", "locust", "-f", "mine.py"])
    monkeypatch.setattr(os, "getpid", lambda: 1)

    assert program(has_own_locustfile, environment) == words


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        pytest.param(
            {"program": (".venv/bin/locust",), "locustfile": "a.py"}, [".venv/bin/locust", "-f", "a.py"], id="a"
        ),
        pytest.param({"program": (), "locustfile": "a.py"}, ["locust", "-f", "a.py"], id="locust"),
        pytest.param({"program": ("my py", "-m", "tfsload", "run")}, ["my py", "-m", "tfsload", "run"], id="a-module"),
        pytest.param({}, ["tfsload", "run"], id="tfsload"),
    ],
)
def test_the_command_that_repeats_a_run_begins_as_it_was_called(asked, words):
    result = page_run("demo")
    again = dataclasses.replace(result, asked=dataclasses.replace(result.asked, **{"locustfile": "", **asked}))

    assert shlex.split(command(again))[: len(words)] == words


def test_a_clones_own_program_is_seen_from_within_locust(tmp_path):
    """By Locust's console script and by `python -m tfsload run`, as they are typed in a clone."""
    said_by = "import sys\nfrom tfsload.run.called_as import program\nprint('program:', program(True))\nsys.exit(0)\n"
    (tmp_path / "said.py").write_text(said_by)
    bin_of = Path(sys.executable).parent
    relative = os.path.relpath(bin_of, tmp_path)
    environment = {**os.environ, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT)}

    def said(*arguments):
        run = subprocess.run(arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        return run.stdout + run.stderr

    assert f"program: {(f'{relative}/locust',)}\n" in said(f"{relative}/locust", "-f", "said.py", "--headless")
    called = (f"{relative}/python", "-m", "tfsload", "run")
    assert f"program: {called}\n" in said(*called, "-f", "said.py", "--headless")


def test_messages_name_the_program():
    environment = {}
    assert called_as.name(environment) == "locust"
    tell_locust(environment)
    assert called_as.name(environment) == "tfsload run"
    [variable] = environment
    assert called_as.name({variable: environment[variable].replace(str(os.getpid()), "1", 1)}) == "locust"
