"""Runs started from the web UI's form, over HTTP."""

import concurrent.futures
import json
import re
import signal
import urllib.parse
import urllib.request

import pytest

from tests.support.runs import wait_until
from tests.support.web_ui import LEVEL, WITH_LOGIN, web_ui_of
from tfsload.analysis import exit_codes
from tfsload.settings.options import OPTIONS


@pytest.fixture
def web_ui(tmp_path, model_server, request):
    with web_ui_of(tmp_path, "--host", model_server.address, *getattr(request, "param", ())) as ui:
        yield ui


def test_the_form_offers_the_suites_options(web_ui):
    page = web_ui.get("/?locust=1")
    offered = json.loads(re.search(r"window\.templateArgs\s*=\s*(\{.*\})", page)[1])["extra_options"]

    assert {option.dest for option in OPTIONS if option.is_in_form} == set(offered)
    assert offered["num_tests"]["default_value"] == "0"
    assert {option.help for option in OPTIONS if option.is_in_form} == {one["help_text"] for one in offered.values()}


def test_a_run_from_the_form_scores_like_a_headless_one_and_a_second_starts_clean(web_ui, reference):
    for n_images in (1000, 300):
        before = web_ui.n_summaries()
        assert web_ui.start(num_tests=n_images)["success"]
        web_ui.wait_for_end()
        wait_until(lambda before=before: web_ui.n_summaries() > before, "the summary")

        # Locust keeps an answer for two seconds.
        counts = (n_images, 0)
        wait_until(lambda counts=counts: web_ui.counts() == counts, f"Locust's own table to say {counts}")
        summary = web_ui.summaries().split("Model mnist")[-1]
        assert f"{n_images:,} of {n_images:,} images, each exactly once" in summary
        rate = 100 * reference("mnist5k").error_rate(n_images)
        assert f"Inference error rate: {rate:.2f}%" in summary


@pytest.mark.parametrize(
    ("form", "rows"),
    [
        pytest.param({"sweep": "1,2"}, ["1 user ", "2 users "], id="sweep"),
        pytest.param({"rate": "100", "user_count": 50}, ["100/s "], id="open-load"),
    ],
)
@pytest.mark.parametrize(
    "web_ui",
    [pytest.param((), id="one-process"), pytest.param(("--processes", "2"), id="two-processes")],
    indirect=True,
)
def test_levels_are_run_from_the_form_and_end_by_themselves(web_ui, form, rows):
    assert web_ui.start(**LEVEL, **form)["success"]
    wait_until(web_ui.n_summaries, "the summary")
    web_ui.wait_for_end()
    lines = [line.strip() for line in web_ui.summaries().splitlines()]

    assert any(line.startswith("level ") for line in lines)
    assert [row for row in rows if not any(line.startswith(row) for line in lines)] == []
    if "sweep" in form:
        # Without a lone user, where the machine had no time for it, nothing is compared.
        speed_up = r"1 user .* 1\.00× |Cannot tell: the level with 1 user cannot be trusted"
        assert any(re.match(speed_up, line) for line in lines)


def test_the_forms_number_of_users_is_the_most_in_flight(web_ui):
    for n_users in (7, 3):
        assert web_ui.start(**LEVEL, rate="50", user_count=n_users)["success"]
        wait_until(lambda n_users=n_users: f"Ramping to {n_users} users" in web_ui.summaries(), "the form's users")
        web_ui.wait_for_end()


@pytest.mark.parametrize("n_users", [pytest.param("0", id="none"), pytest.param("-5", id="fewer"), "1e3", "100000000"])
def test_a_senseless_number_of_users_is_refused_and_not_remembered(web_ui, n_users):
    answer = web_ui.start(num_tests=10, user_count=n_users)

    assert not answer["success"]
    assert n_users in answer["message"]
    assert web_ui.start(num_tests=10, user_count=2)["success"]
    web_ui.wait_for_end()


def test_a_run_under_way_keeps_what_it_was_started_with(web_ui):
    assert web_ui.start(deadline="4")["success"]
    wait_until(lambda: web_ui.stats()["state"] == "running", "the run")
    other = web_ui.start(deadline="3")
    more_users = web_ui.start(user_count=6, deadline="4")
    wait_until(lambda: web_ui.stats()["user_count"] == 6, "more users")
    web_ui.stop()
    web_ui.wait_for_end()

    assert more_users["success"]
    assert not other["success"]
    assert "--deadline: a run is under way" in other["message"]


def test_levels_under_way_are_left_alone(web_ui):
    assert web_ui.start(sweep="2", level_duration="30")["success"]
    wait_until(lambda: web_ui.stats()["state"] == "running", "the run")
    answer = web_ui.start(sweep="2", level_duration="30", user_count=9)
    web_ui.stop()
    web_ui.wait_for_end()

    assert not answer["success"]
    assert "its levels say how many users there are" in answer["message"]


def test_of_several_starts_at_once_one_is_taken(web_ui):
    forms = [{"sweep": "1,2", **LEVEL}, {"num_tests": 200}] * 2
    with concurrent.futures.ThreadPoolExecutor(len(forms)) as pool:
        answers = list(pool.map(lambda form: web_ui.start(**form), forms))
    web_ui.wait_for_end()
    wait_until(web_ui.n_summaries, "the summary")

    assert sum(answer["success"] for answer in answers) == 1
    assert web_ui.n_summaries() == 1
    assert "Traceback" not in web_ui.summaries()
    assert web_ui.start(num_tests=10, sweep="")["success"]
    web_ui.wait_for_end()


def test_a_run_that_is_started_while_the_last_one_is_stopped_gets_its_own_results(web_ui):
    assert web_ui.start(sweep="2", level_duration="30")["success"]
    wait_until(lambda: web_ui.stats()["state"] == "running", "the run")
    web_ui.stop()
    assert web_ui.start(num_tests=50, sweep="")["success"]
    wait_until(lambda: web_ui.n_summaries() == 2, "two summaries")
    web_ui.wait_for_end()
    first, second = web_ui.summaries().split("Model mnist")[1:]

    assert "the run was stopped with 1 level to go" in first
    assert "50 of 50 images, each exactly once" in second


def test_locusts_charts_follow_the_run(web_ui):
    assert web_ui.start()["success"]
    wait_until(lambda: web_ui.stats()["total_rps"] > 0, "a rate")
    stats = web_ui.stats()
    web_ui.stop()
    web_ui.wait_for_end()

    assert stats["user_count"] == 4
    assert stats["fail_ratio"] == 0
    assert [row["name"] for row in stats["stats"]] == ["Predict", "Aggregated"]
    summary = wait_until(web_ui.summaries, "the summary")
    assert "PASS" in summary


@pytest.mark.parametrize(
    ("form", "message"),
    [
        pytest.param({"num_tests": "x"}, "--num-tests 'x': expected a whole number", id="unreadable"),
        pytest.param({"num_tests": "5000"}, "holds 1000 images", id="too-many"),
        pytest.param({"signature_name": "foo"}, "one of predict_images", id="signature"),
        pytest.param({"host": "127.0.0.1:9"}, "no model server answers at 127.0.0.1:9", id="host"),
        pytest.param({"deadline": "<b>1</b>"}, "--deadline '<b>1</b>'", id="markup-comes-back-as-json"),
    ],
)
def test_a_form_that_cannot_run_is_refused_with_the_reason(web_ui, form, message):
    answer = web_ui.start(**form)

    assert not answer["success"]
    assert message in answer["message"]
    assert web_ui.stats()["state"] == "ready"
    assert web_ui.start(num_tests=10)["success"]  # and the next try is not held against it
    web_ui.wait_for_end()


@pytest.mark.parametrize("web_ui", [["--processes", "2"]], ids=["two-processes"], indirect=True)
def test_two_processes_from_the_form(web_ui, reference):
    wait_until(lambda: len(web_ui.stats().get("workers", [])) == 2, "two workers")
    for _ in range(2):
        before = web_ui.n_summaries()
        assert web_ui.start(num_tests=400)["success"]
        wait_until(lambda before=before: web_ui.n_summaries() > before, "the summary")
        summary = web_ui.summaries().split("Model mnist")[-1]
        assert "400 of 400 images, each exactly once" in summary
        assert f"wrong      {100 * reference('mnist5k').error_rate(400):.2f}%" in summary
        wait_until(lambda: web_ui.log() and web_ui.stats()["state"] in ("stopped", "ready"), "the end")
        wait_until(
            lambda: [worker["state"] for worker in web_ui.stats()["workers"]] == ["ready", "ready"], "workers at rest"
        )


def test_the_check_stands_behind_the_login(tmp_path, model_server):
    # A check connects to the host that the form names: nobody from outside may make it do so.
    with web_ui_of(tmp_path, "--web-login", "--host", model_server.address, locustfile=WITH_LOGIN) as ui:
        form = urllib.parse.urlencode({"user_count": 1, "spawn_rate": 1, "host": "127.0.0.1:9"}).encode()
        with urllib.request.urlopen(ui.url + "/swarm", form, timeout=30) as reply:
            where, answer = reply.geturl(), reply.read().decode()

    assert "/login" in where
    assert "no model server answers" not in answer


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, id="ctrl-c"), pytest.param(signal.SIGTERM, id="sigterm")]
)
def test_a_web_ui_that_was_only_looked_at_ends_well(web_ui, number):
    web_ui.process.signal(number)

    assert web_ui.process.wait().exit_code == exit_codes.PASS


def test_the_exit_code_is_the_last_runs(web_ui):
    # 100 images take longer than a microsecond, even one that grpcio rounds up.
    web_ui.start(deadline="0.000001", num_tests=1000, images_per_request=100)
    web_ui.wait_for_end()
    web_ui.process.signal(signal.SIGINT)
    ended = web_ui.process.wait()

    assert ended.exit_code == exit_codes.FAILED
    assert ended.outcome["failed"] == {"DEADLINE_EXCEEDED": 1000}
