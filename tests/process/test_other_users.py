"""Users and tasks beside the suite's predictions: their failures count, and levels do without them."""

import pytest
from locust import HttpUser, task
from locust.stats import RequestStats

from tests.support.runs import forked, run_headless
from tests.support.website import website as website
from tests.support.website import with_website
from tfsload.analysis import exit_codes
from tfsload.analysis.others import OtherFailures, Others, reasons
from tfsload.suite.other_users import seen_beside
from tfsload.transport.failure import PredictionFailure
from users import PredictionUser


class Predicting(PredictionUser):
    abstract = False
    request_type = "grpc"


class Adding(Predicting):
    @task
    def look(self):
        pass


class Website(HttpUser):
    @task
    def load(self):
        pass


def stats_of(*rows):
    """Return Locust's statistics of requests: (type, name, how many, how many of them failed, with what)."""
    stats = RequestStats()
    for method, name, n, n_failed, error in rows:
        for number in range(n):
            stats.log_request(method, name, 1, 1)
            if number < n_failed:
                stats.log_error(method, name, error)
    return stats


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        pytest.param([Predicting], (), id="the-suite-alone"),
        pytest.param([Predicting, Website], ("Website",), id="another-class"),
        pytest.param([Adding], ("Adding.look",), id="a-task-of-ones-own"),
        pytest.param([Website, Adding], ("Website", "Adding.look"), id="both"),
    ],
)
def test_what_runs_beside_predictions(classes, names):
    assert seen_beside(stats_of(), classes).names == names


def test_failures_of_predictions_are_not_others():
    stats = stats_of(("grpc", "Predict", 5, 5, "UNAVAILABLE"), ("GET", "/", 3, 2, "refused"), ("GET", "/ok", 4, 0, ""))

    assert seen_beside(stats, [Predicting, Website]).failures == (OtherFailures("GET /", 2, 3, "refused"),)


def test_a_name_that_a_user_gives_its_requests_as_it_goes_makes_them_no_others():
    stats = stats_of(("grpc", "Predict eights", 3, 2, PredictionFailure("UNAVAILABLE", "gone")))

    assert seen_beside(stats, [Predicting, Website]).failures == ()


def test_a_row_that_fails_in_several_ways_is_one_with_the_commonest():
    stats = stats_of(("GET", "/", 3, 2, "refused"), ("GET", "/", 9, 5, ValueError("bad")))

    assert seen_beside(stats, [Predicting, Website]).failures == (OtherFailures("GET /", 7, 12, "ValueError('bad')"),)


def test_what_others_say_is_cut_and_steers_no_terminal():
    (failures,) = seen_beside(stats_of(("GET", "/\x1b[2J", 1, 1, "x" * 10_000)), [Website]).failures

    assert failures.row == "GET /?[2J"
    assert len(failures.error) < 400


def test_of_many_rows_the_worst_are_named_and_the_rest_counted():
    stats = stats_of(*(("GET", f"/{number}", 20, number, "refused") for number in range(1, 9)))
    told = reasons(seen_beside(stats, [Website]))

    assert told[0] == "8 of 20 requests 'GET /8' of Website failed: refused"
    assert len(told) == 6
    assert told[-1].startswith("6 requests of 3 other names failed")


def test_nobody_is_blamed_who_is_not_there():
    assert reasons(Others((), (OtherFailures("GET /", 1, 1, "refused"),))) == (
        "1 of 1 request 'GET /' that are no predictions failed: refused",
    )


BAD, GOOD = 'self.client.get("/bad")', 'self.client.get("/good")'


@pytest.mark.parametrize(
    ("load", "code", "said"),
    [
        pytest.param(BAD, exit_codes.FAILED, "requests 'GET /bad' of Website failed: HTTPError", id="requests-fail"),
        pytest.param(GOOD, exit_codes.PASS, None, id="requests-succeed"),
        pytest.param('raise KeyError("theirs")', exit_codes.FAILED, "exceptions in user code", id="their-code-fails"),
    ],
)
@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(1, id="forked")])
def test_failures_of_other_users_fail_the_run(tmp_path, model_server, website, load, code, said, n_workers):
    locustfile = with_website(tmp_path, website, model_server, load)
    # Shorter than the three seconds after which a worker reports to its master by itself.
    ended = run_headless(tmp_path, "-u", "2", "-r", "2", "-t", "3s", *forked(n_workers), locustfile=locustfile)

    assert ended.exit_code == code, ended.stdout
    assert ended.outcome["failed"] == {}
    if said:
        assert said in ended.stdout
    else:
        assert "\nPASS (exit code 0): " in ended.stdout


def test_failures_of_predictions_that_a_threshold_allows_are_no_others(tmp_path, model_server, website):
    locustfile = with_website(tmp_path, website, model_server, GOOD)
    arguments = ("-u", "2", "-r", "2", "-t", "2s", "--deadline", "0.0005", "--threshold", "failed_rate < 100%")
    ended = run_headless(tmp_path, *arguments, locustfile=locustfile)

    assert ended.outcome, ended.stderr
    assert ended.outcome["failed"]
    assert "of Website" not in ended.stdout


@pytest.mark.parametrize("n_workers", [pytest.param(0, id="alone"), pytest.param(1, id="forked")])
def test_other_users_that_end_by_themselves_are_not_missing(tmp_path, model_server, website, n_workers):
    locustfile = with_website(tmp_path, website, model_server, "raise StopUser")
    # Long enough for the users to be counted, which is done every half second.
    ended = run_headless(tmp_path, "-u", "2", "-r", "2", "-t", "3s", *forked(n_workers), locustfile=locustfile)

    assert ended.exit_code == exit_codes.PASS, ended.stdout
    assert "\nusers  " not in ended.stdout


LEVELS = ("--sweep", "1,2", "--level-duration", "1", "--warm-up", "0")


@pytest.mark.parametrize(
    "n_workers", [pytest.param(0, id="alone"), pytest.param(2, id="forked", marks=pytest.mark.long)]
)
def test_levels_run_the_suites_users_alone_and_say_who_is_missing(tmp_path, model_server, website, n_workers):
    locustfile = with_website(tmp_path, website, model_server, BAD)
    ended = run_headless(tmp_path, *LEVELS, *forked(n_workers), locustfile=locustfile)

    assert "not run      Website: levels are made of the suite's predictions alone" in ended.stdout
    assert "GET /bad" not in ended.stdout + ended.stderr
    assert '"GrpcPredictionUser": 2' in ended.stderr
    assert ended.outcome["predictions"] > 0


WITH_A_TASK = """
from locust import task
from tests.support.locustfiles.observed import GrpcPredictionUser

class Adding(GrpcPredictionUser):
    @task(3)
    def look(self):
        self.environment.events.request.fire(
            request_type="look", name="around", response_time=1, response_length=0, exception={exception}, context={{}}
        )

del GrpcPredictionUser
"""


@pytest.mark.parametrize(
    ("exception", "code"),
    [
        pytest.param("None", exit_codes.PASS, id="succeeds"),
        pytest.param("ValueError('mine')", exit_codes.FAILED, id="fails"),
    ],
)
def test_a_task_that_a_class_adds_has_its_turn(tmp_path, model_server, exception, code):
    locustfile = tmp_path / "own.py"
    locustfile.write_text(WITH_A_TASK.format(exception=exception))
    ended = run_headless(tmp_path, "--host", model_server.address, "--num-tests", "400", locustfile=locustfile)
    (row,) = [line.split() for line in ended.stderr.splitlines() if line.startswith("look")][:1] or [[]]

    assert ended.exit_code == code, ended.stdout
    # Three of four turns are its own: of 400 predictions each is followed by three on average.
    assert int(row[2]) == pytest.approx(1200, rel=0.5)
    assert ("requests 'look around' of Adding.look failed: ValueError('mine')" in ended.stdout) == (code != 0)


def test_levels_are_made_of_predictions_alone(tmp_path, model_server):
    locustfile = tmp_path / "own.py"
    locustfile.write_text(WITH_A_TASK.format(exception="ValueError('mine')"))
    ended = run_headless(tmp_path, "--host", model_server.address, *LEVELS, locustfile=locustfile)

    assert "not run      Adding.look: levels are made of the suite's predictions alone" in ended.stdout
    assert "look" not in ended.stderr


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        pytest.param("GrpcPredictionUser.fixed_count = 2", "fixed_count of GrpcPredictionUser", id="a-fixed-count"),
        pytest.param(
            "from locust import User\nclass Other(User):\n    pass\ndel GrpcPredictionUser",
            "no user class of the suite is to be run",
            id="nobody-who-predicts",
        ),
    ],
)
def test_levels_that_nobody_could_fill_are_refused(tmp_path, model_server, classes, message):
    locustfile = tmp_path / "own.py"
    locustfile.write_text(f"from tests.support.locustfiles.observed import GrpcPredictionUser\n{classes}\n")
    ended = run_headless(tmp_path, "--host", model_server.address, *LEVELS, locustfile=locustfile)

    assert ended.exit_code == exit_codes.BAD_USAGE, ended.stdout
    assert message in ended.stderr
