"""Locustfiles with a load shape of their own: it runs, and is not mixed with levels."""

import signal

import pytest
from locust.util.load_locustfile import is_shape_class

from tests.support.runs import forked, locust, run_headless, wait_until
from tests.support.web_ui import LEVEL, web_ui_of
from tfsload.analysis import exit_codes
from tfsload.suite.level_shape import LevelShape

# Three users, then five, then nobody is to be there any more.
STEPS = """
from locust import LoadTestShape
from tests.support.locustfiles.observed import GrpcPredictionUser

class Steps(LoadTestShape):
    steps = [(3, 100), (5, 100), {end}]

    def reset_time(self):
        super().reset_time()
        self.n_ticks = 0

    def tick(self):
        self.n_ticks += 1
        return self.steps[min(self.n_ticks, len(self.steps)) - 1]
"""
STEPS_THAT_END, STEPS_WITHOUT_END = STEPS.format(end="None"), STEPS.format(end="(5, 100)")


@pytest.fixture
def locustfile(tmp_path, request):
    """A locustfile with its own shape; the one whose text the test names."""
    path = tmp_path / "own_shape.py"
    path.write_text(getattr(request, "param", STEPS_THAT_END))
    return path


def steps_of(log):
    """Return the numbers of users that a shape has asked Locust for."""
    return [int(line.split("updating to ")[1].split()[0]) for line in log.splitlines() if "Shape test updating" in line]


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked")])
def test_it_runs_headless_and_ends_the_run(tmp_path, model_server, locustfile, n_workers):
    ended = run_headless(tmp_path, "--host", model_server.address, *forked(n_workers), locustfile=locustfile)

    assert ended.exit_code == exit_codes.PASS, ended.stdout
    assert steps_of(ended.stderr) == [3, 5]
    assert ended.outcome["predictions"] > 0


@pytest.mark.parametrize(
    ("locustfile", "n_images", "exit_code"),
    [
        pytest.param(STEPS_WITHOUT_END, 300, exit_codes.PASS, id="the-images-are-through-first"),
        pytest.param(
            STEPS_THAT_END.replace("(5, 100), ", ""),
            1000,
            exit_codes.INVALID,
            id="it-ends-first",
            marks=pytest.mark.long,
        ),
    ],
    indirect=["locustfile"],
)
def test_with_a_number_of_images_the_run_ends_with_either(tmp_path, model_server, locustfile, n_images, exit_code):
    arguments = ("--host", model_server.address, "--num-tests", str(n_images))
    ended = run_headless(tmp_path, *arguments, locustfile=locustfile, TFSLOAD_TEST_WAIT_S="0.02")

    assert ended.exit_code == exit_code, ended.stdout
    assert steps_of(ended.stderr)[0] == 3
    if exit_code == exit_codes.PASS:
        assert "300 of 300 images, each exactly once" in ended.stdout
    else:
        assert f"only {ended.outcome['predictions']} of 1,000 images were fired" in ended.stdout


@pytest.mark.parametrize(
    "arguments",
    [("--sweep", "1,2"), pytest.param(("--rate", "50"), marks=pytest.mark.long), ("--find-max-rate", "10:100")],
)
def test_with_levels_it_is_refused_headless_together_with_all_else(tmp_path, model_server, locustfile, arguments):
    ended = run_headless(tmp_path, "--host", model_server.address, *arguments, "--deadline", "x", locustfile=locustfile)

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert f"{arguments[0]}: the locustfile has a load shape of its own, Steps" in ended.stderr
    assert "--deadline 'x'" in ended.stderr


def test_in_the_web_ui_it_runs_is_refused_with_levels_and_runs_again(tmp_path, model_server, locustfile):
    with web_ui_of(tmp_path, "--host", model_server.address, locustfile=locustfile) as ui:
        for n_runs, form in ((1, {}), (2, {"sweep": ""})):
            assert ui.start(**form)["success"]
            wait_until(lambda n_runs=n_runs: ui.n_summaries() == n_runs, "the summary")
            ui.wait_for_end()
            refused = ui.start(sweep="1,2", **LEVEL)
            assert not refused["success"]
            assert "a load shape of its own, Steps" in refused["message"]

    assert steps_of(ui.process.log()) == [3, 5, 3, 5]


def test_while_it_runs_nobody_else_changes_the_users(tmp_path, model_server, locustfile):
    locustfile.write_text(STEPS_WITHOUT_END)
    with web_ui_of(tmp_path, "--host", model_server.address, locustfile=locustfile) as ui:
        assert ui.start()["success"]
        wait_until(lambda: ui.stats()["user_count"] == 5, "the second step")
        answer = ui.start(user_count=9)
        ui.stop()
        ui.wait_for_end()

    assert not answer["success"]
    assert "its load shape says how many users there are" in answer["message"]


@pytest.mark.parametrize("locustfile", [STEPS_WITHOUT_END], ids=["without-end"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_one_without_an_end_is_ended_by_a_signal(tmp_path, model_server, locustfile, number):
    with locust(tmp_path, "--headless", "--host", model_server.address, locustfile=locustfile) as process:
        wait_until(lambda: steps_of(process.log()) == [3, 5], "the second step")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert ended.outcome["predictions"] > 0
    assert "Traceback" not in ended.stderr


def test_the_suites_own_shape_is_none_of_a_locustfile_that_imports_it():
    assert not is_shape_class(LevelShape)
