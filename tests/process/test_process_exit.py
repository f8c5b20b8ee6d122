"""With what the process ends: the verdict, `--exit-code-on-error`, and listeners of the user's own."""

import json
import signal
from types import SimpleNamespace

import pytest

from tests.support.runs import run_headless, wait_until
from tests.support.summaries import judge, record_of, summarise
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes
from tfsload.analysis.others import OtherFailures, Others
from tfsload.analysis.thresholds import parse
from tfsload.analysis.verdict import Verdict
from tfsload.settings.rules import exit_code_faults
from tfsload.suite.process_exit import ExitCode, code_of, remark, seen_by_shell

PASS, FAILED, THRESHOLD, INVALID = exit_codes.PASS, exit_codes.FAILED, exit_codes.THRESHOLD, exit_codes.INVALID
BY_LISTENER = "set by a listener of the locustfile's own"
OTHERS = Others(("Website",), (OtherFailures("GET /", 2, 3, "refused"),))


@pytest.mark.parametrize(
    ("given", "is_broken", "code", "without_failures"),
    [
        pytest.param({}, False, PASS, None, id="pass"),
        pytest.param({"others": OTHERS}, False, FAILED, PASS, id="others-failed"),
        pytest.param({"others": OTHERS, "n_unaccounted": 3}, False, FAILED, INVALID, id="and-requests-are-missing"),
        pytest.param({"others": OTHERS, "thresholds": parse("mean < 1us")}, False, FAILED, THRESHOLD, id="and-crossed"),
        pytest.param({"others": OTHERS}, True, FAILED, FAILED, id="and-something-is-broken"),
        pytest.param({}, True, FAILED, FAILED, id="broken"),
        pytest.param({"n_failed": 1}, False, FAILED, PASS, id="a-prediction-without-an-answer"),
        pytest.param({"user_errors": 1}, False, FAILED, PASS, id="an-exception-of-a-user"),
        pytest.param({"n_failed": 1, "gave_up_after_s": 30.0}, False, FAILED, INVALID, id="given-up"),
    ],
)
def test_what_is_left_of_a_verdict_without_its_failures(given, is_broken, code, without_failures):
    given = dict(given)
    n_failed, user_errors = given.pop("n_failed", 0), given.pop("user_errors", 0)
    verdict = judge(summarise(record_of([(1, 1)] * 20, ["UNAVAILABLE"] * n_failed), **given), user_errors, is_broken)

    assert verdict.exit_code == code
    if without_failures is not None:
        assert verdict.code_without_failures == without_failures


@pytest.mark.parametrize(
    ("code", "without_failures", "on_error", "expected"),
    [
        pytest.param(FAILED, PASS, 1, FAILED, id="the-default"),
        pytest.param(FAILED, PASS, 9, 9, id="another"),
        pytest.param(FAILED, PASS, 0, PASS, id="off"),
        pytest.param(FAILED, INVALID, 0, INVALID, id="off-and-invalid-all-the-same"),
        pytest.param(FAILED, THRESHOLD, 9, 9, id="another-comes-before-a-threshold"),
        pytest.param(FAILED, FAILED, 0, FAILED, id="what-is-broken-stays"),
        pytest.param(FAILED, FAILED, 9, FAILED, id="what-is-broken-is-no-failed-request"),
        pytest.param(INVALID, FAILED, 9, INVALID, id="an-invalid-run-did-not-fail"),
        pytest.param(THRESHOLD, FAILED, 0, THRESHOLD, id="nor-did-one-over-a-threshold"),
        pytest.param(PASS, FAILED, 9, PASS, id="pass"),
    ],
)
def test_the_option_replaces_the_code_for_failures_alone(code, without_failures, on_error, expected):
    assert code_of(Verdict(code, code_without_failures=without_failures), on_error) == expected


@pytest.mark.parametrize(
    ("code", "without_failures", "on_error", "ends_with", "said"),
    [
        pytest.param(PASS, FAILED, 1, 0, "", id="the-verdicts-own"),
        pytest.param(FAILED, PASS, 0, 0, "exit code 0, by --exit-code-on-error 0", id="off"),
        pytest.param(FAILED, INVALID, 0, 4, "exit code 4, by --exit-code-on-error 0", id="off-and-invalid"),
        pytest.param(FAILED, PASS, 9, 9, "exit code 9, by --exit-code-on-error 9", id="another"),
        pytest.param(FAILED, PASS, 0, 1, "", id="a-listener-puts-it-right"),
        pytest.param(PASS, FAILED, 1, 7, f"exit code 7, {BY_LISTENER}", id="a-listener"),
        pytest.param(FAILED, FAILED, 1, 256, f"exit code 0, {BY_LISTENER}", id="cut-to-a-byte"),
        pytest.param(PASS, FAILED, 1, "bad", f"exit code 1, {BY_LISTENER}", id="words"),
    ],
)
def test_a_code_that_is_not_the_verdicts_own_is_named_with_who_set_it(
    code, without_failures, on_error, ends_with, said
):
    assert remark(Verdict(code, code_without_failures=without_failures), on_error, ends_with) == said


@pytest.mark.parametrize(("code", "seen"), [(None, 0), (0, 0), (3, 3), (-1, 255), (256, 0), ("words", 1), (True, 1)])
def test_what_a_shell_sees(code, seen):
    assert seen_by_shell(code) == seen


@pytest.mark.parametrize(("on_error", "n_faults"), [(0, 0), (1, 0), (255, 0), (256, 1), (-1, 1)])
def test_a_code_that_no_shell_would_see_is_a_fault(on_error, n_faults):
    assert len(exit_code_faults(on_error)) == n_faults


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        pytest.param([("suite", 3)], 3, id="the-suite"),
        pytest.param([("suite", 0), ("suite", 3)], 3, id="its-later-word"),
        pytest.param([("user", 7), ("suite", 3)], 7, id="set-before"),
        pytest.param([("suite", 3), ("user", 7)], 7, id="set-after"),
        pytest.param([("suite", 3), ("user", 7), ("suite", 4)], 7, id="and-kept-when-quitting-comes-twice"),
        pytest.param([("user", 0), ("suite", 1)], 0, id="zero-is-a-code-too"),
    ],
)
def test_what_a_user_has_set_stays(steps, left):
    environment = SimpleNamespace(process_exit_code=None)
    own = ExitCode(environment)
    for who, code in steps:
        if who == "suite":
            own.set(code)
        else:
            environment.process_exit_code = code

    assert environment.process_exit_code == left


SETS_A_CODE = """
from locust import events
{before}
from tests.support.locustfiles.observed import GrpcPredictionUser
{after}
"""
LISTENER = """
@events.{event}.add_listener
def set_code(environment, **_):
    environment.process_exit_code = {code}
"""
FAILING = ("--deadline", "0.000001", "--num-tests", "1000", "--images-per-request", "100")


@pytest.mark.parametrize(
    ("where", "event", "arguments", "code"),
    [
        pytest.param("before", "quitting", (), 7, id="registered-before-the-suite"),
        pytest.param("after", "quitting", (), 7, id="registered-after-it"),
        pytest.param("after", "test_stop", (), 7, id="at-the-runs-end"),
        pytest.param("after", "quitting", FAILING, 0, id="a-failed-run-is-let-off"),
    ],
)
def test_the_code_of_a_listener_stays_and_the_verdict_says_so(tmp_path, model_server, where, event, arguments, code):
    locustfile = tmp_path / "own.py"
    listener = LISTENER.format(event=event, code=code)
    locustfile.write_text(SETS_A_CODE.format(**{"before": "", "after": "", where: listener}))
    arguments = arguments or ("--num-tests", "20")
    ended = run_headless(tmp_path, "--host", model_server.address, *arguments, locustfile=locustfile)

    assert ended.exit_code == code
    word = "FAILED" if code == 0 else "PASS"
    assert f"\n{word} (exit code {code}, set by a listener of the locustfile's own): " in ended.stdout


@pytest.mark.parametrize("on_error", [0, 9])
def test_the_code_on_error_replaces_that_of_failures_and_the_verdict_says_so(tmp_path, model_server, on_error):
    arguments = ("--host", model_server.address, *FAILING, "--exit-code-on-error", str(on_error))
    ended = run_headless(tmp_path, *arguments)

    assert ended.exit_code == on_error
    assert f"\nFAILED (exit code {on_error}, by --exit-code-on-error {on_error}): " in ended.stdout


def test_a_code_on_error_that_would_read_as_a_pass_is_refused(tmp_path, model_server):
    ended = run_headless(tmp_path, "--host", model_server.address, *FAILING, "--exit-code-on-error", "256")

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert "--exit-code-on-error 256: expected a whole number from 0 to 255" in ended.stderr


def test_a_web_ui_that_was_only_looked_at_ends_as_a_listener_says(tmp_path, model_server):
    locustfile = tmp_path / "own.py"
    locustfile.write_text(SETS_A_CODE.format(before=LISTENER.format(event="quitting", code=5), after=""))
    with web_ui_of(tmp_path, "--host", model_server.address, locustfile=locustfile) as ui:
        ui.process.signal(signal.SIGINT)
        ended = ui.process.wait()

    assert ended.exit_code == 5
    assert "The process ends with exit code 5, set by a listener" in ended.stderr


WITHOUT_WORDS = """
from tfsload.report import terminal
from tests.support.locustfiles.observed import GrpcPredictionUser

def render(*_):
    raise OverflowError("cannot convert float infinity to integer")

terminal.render = render
"""
NO_WORDS = "its summary could not be put into words: OverflowError: cannot convert float infinity to integer"


def test_a_summary_that_cannot_be_put_into_words_is_no_pass(tmp_path, model_server):
    locustfile = tmp_path / "own.py"
    locustfile.write_text(WITHOUT_WORDS)
    report = tmp_path / "report"
    arguments = ("--num-tests", "20", "--report", str(report))
    ended = run_headless(tmp_path, "--host", model_server.address, *arguments, locustfile=locustfile)

    assert ended.exit_code == exit_codes.FAILED
    assert ended.stdout.splitlines()[-1] == f"FAILED (exit code 1): {NO_WORDS}"
    assert json.loads((report / "result.json").read_text())["verdict"]["exit_code"] == exit_codes.FAILED


def test_a_summary_that_cannot_be_put_into_words_is_said_in_the_web_ui_too(tmp_path, model_server):
    locustfile = tmp_path / "own.py"
    locustfile.write_text(WITHOUT_WORDS)
    with web_ui_of(tmp_path / "ui", "--host", model_server.address, locustfile=locustfile) as ui:
        ui.start(num_tests=20)
        wait_until(lambda: f"FAILED (exit code 1): {NO_WORDS}" in ui.process.log(), "the last line")
        ui.process.signal(signal.SIGINT)
        ended = ui.process.wait()

    assert ended.exit_code == exit_codes.FAILED
    assert ended.stderr.count(NO_WORDS) == 1
