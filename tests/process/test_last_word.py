"""Runs whose standard streams or files cannot be written: the summary is said, and the exit code is the verdict's."""

import pytest

from tests.support.runs import free_port
from tests.support.shell import run_in_shell
from tfsload.analysis import exit_codes

SUMMARY = "Inference error rate: "


@pytest.mark.parametrize(
    ("redirection", "where"),
    [
        pytest.param(">/dev/full", "stderr", id="stdout-full"),
        pytest.param("2>/dev/full", "stdout", id="stderr-full"),
        pytest.param(">/dev/full 2>&1", None, id="both-full"),
        pytest.param(">&-", "stderr", id="stdout-closed"),
        pytest.param("2>&-", "stdout", id="stderr-closed"),
        pytest.param("<&-", "stdout", id="stdin-closed"),
        pytest.param("<&- >&- 2>&-", None, id="all-closed"),
        pytest.param("| true; exit ${PIPESTATUS[0]}", "stderr", id="reader-of-stdout-gone"),
        pytest.param("2> >(true)", "stdout", id="reader-of-stderr-gone"),
    ],
)
def test_the_summary_is_said_where_it_can_be_and_the_code_is_the_verdicts(model_server, redirection, where):
    ended = run_in_shell(redirection, "--host", model_server.address, "--num-tests", "200")

    assert ended.returncode == exit_codes.PASS, ended.stderr
    if where is not None:
        said = getattr(ended, where).decode()
        assert "\nPASS (exit code 0): " in said
        assert said.splitlines()[-1].startswith(SUMMARY)
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "redirection",
    [pytest.param(">/dev/full", id="stdout-full"), pytest.param("<&- >&- 2>&-", id="all-closed")],
)
def test_a_failed_run_ends_so_wherever_its_summary_goes(model_server, redirection):
    unreachable = ("--host", f"127.0.0.1:{free_port()}", "--num-tests", "20")
    crossed = ("--host", model_server.address, "--num-tests", "300", "--threshold", "error_rate < 0.1%")

    assert run_in_shell(redirection, *unreachable).returncode == exit_codes.FAILED
    assert run_in_shell(redirection, *crossed).returncode == exit_codes.THRESHOLD


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"PYTHONIOENCODING": "ascii"}, id="ascii-streams"),
        pytest.param({"PYTHONIOENCODING": "ascii:strict"}, id="ascii-strict"),
        pytest.param({"PYTHONIOENCODING": "latin-1"}, id="latin-1"),
        pytest.param({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, id="c-locale"),
    ],
)
def test_an_encoding_without_the_suites_signs_shows_others(tmp_path, model_server, environment):
    # Of 300 images some are taken for another digit, "4 (1×)".
    load = ("--host", model_server.address, "--num-tests", "300", "--csv", "c", "--logfile", "log")

    ended = run_in_shell("", *load, cwd=tmp_path, **environment)

    said = ended.stdout.decode(environment.get("PYTHONIOENCODING", "ascii").partition(":")[0])
    assert ended.returncode == exit_codes.PASS, ended.stderr
    assert said.splitlines()[-1].startswith(SUMMARY)
    assert "(1×)" in said or "(1x)" in said
    assert b"Traceback" not in ended.stderr
