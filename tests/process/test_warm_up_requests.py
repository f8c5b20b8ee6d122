"""`--warm-up-requests N`: N requests, exactly, before the first one that counts; in no figure."""

import re
import signal
from collections import Counter

import pytest

from tests.support.own_locustfiles import HEAD, own_locustfiles
from tests.support.runs import locust, wait_until
from tests.support.truth import truth_server
from tfsload.analysis import exit_codes

LOCUSTFILE = """
from locustfile import GrpcPredictionUser

@events.prediction.add_listener
def on_prediction(level, image_index, failure, **_):
    say(level, image_index, failure is None)

@events.run.add_listener
def on_run(result, **_):
    say("result", result.uncounted.requests, result.uncounted.failed_requests, result.totals.requests)
"""
USERS = ("-u", "6", "-r", "6", "--only-summary")


def said_of(seen):
    """Return how often each image was fired, by level, and what the result says of requests."""
    fired, result = {-1: Counter(), 0: Counter()}, ()
    for words, n in seen.said.items():
        first, *rest = words.split()
        if first == "result":
            result = tuple(map(int, rest))
        else:
            fired[int(first)][int(rest[0])] += n
    return fired, result


def not_counted(text):
    """Return what the summary says of requests that do not count."""
    (line,) = re.findall(r"^not counted +(.*)$", text, re.MULTILINE)
    return line


@pytest.mark.parametrize("n_workers", [0, 3], ids=["alone", "on-workers"])
@pytest.mark.parametrize(
    ("n_warm_up", "n_images"),
    [pytest.param(37, 200, id="a-few"), pytest.param(130, 60, id="more-than-there-are-images")],
)
def test_so_many_come_first_and_then_each_image_once(tmp_path, n_workers, n_warm_up, n_images):
    with own_locustfiles(tmp_path) as own:
        load = ("--num-tests", str(n_images), "--warm-up-requests", str(n_warm_up))
        seen = own.run(LOCUSTFILE, *load, *USERS, n_workers=n_workers)

    assert seen.ended.exit_code == exit_codes.PASS, seen.ended.stdout + seen.ended.stderr
    fired, result = said_of(seen)
    assert fired[-1].total() == n_warm_up
    assert fired[0] == dict.fromkeys(range(n_images), 1)
    assert result == (n_warm_up, 0, n_images)
    assert not_counted(seen.ended.stdout) == f"{n_warm_up} requests of the warm-up"
    assert f"{n_images} of {n_images} images, each exactly once" in seen.ended.stdout
    # By the server's own log: the first that counts came when the last of the warm-up was answered.
    by_arrival = sorted(seen.served, key=lambda one: one.arrival_ns)
    assert len(by_arrival) == n_warm_up + n_images
    assert max(one.departure_ns for one in by_arrival[:n_warm_up]) <= by_arrival[n_warm_up].arrival_ns


def test_a_slow_first_answer_fails_none_of_those_that_count(tmp_path):
    load = ("--num-tests", "100", "--deadline", "0.5", *USERS)
    with own_locustfiles(tmp_path / "cold", freeze=[1, 1.2]) as own:
        cold = own.run(LOCUSTFILE, *load)
    with own_locustfiles(tmp_path / "warm", freeze=[1, 1.2]) as own:
        warm = own.run(LOCUSTFILE, *load, "--warm-up-requests", "20")

    assert cold.ended.exit_code == exit_codes.FAILED
    assert warm.ended.exit_code == exit_codes.PASS, warm.ended.stdout
    _, (n_warm_up, n_failed, n_counted) = said_of(warm)
    assert (n_warm_up, n_counted) == (20, 100)
    assert n_failed > 0
    assert not_counted(warm.ended.stdout) == f"20 requests of the warm-up, {n_failed} without an answer"
    assert f"every request that counts was answered ({n_failed} of the warm-up were not)" in warm.ended.stdout


@pytest.mark.timing
@pytest.mark.parametrize(
    ("number", "is_lost"),
    [pytest.param(signal.SIGKILL, True, id="killed"), pytest.param(signal.SIGTERM, False, id="told-to-leave")],
)
def test_a_worker_that_leaves_in_the_warm_up_leaves_it_as_long_as_it_was(tmp_path, cluster, number, is_lost):
    locustfile, said = tmp_path / "own.py", tmp_path / "said"
    locustfile.write_text(HEAD + LOCUSTFILE)
    with truth_server(tmp_path / "server", service_ms=10) as server:
        load = ("--host", server.address, "-u", "6", "-r", "6", "--num-tests", "300", "--warm-up-requests", "900")
        run = cluster(
            *("--expect-workers", "3", *load), locustfile=locustfile, of_master={"SAID": str(said)}, SAID=str(said)
        )
        for _ in range(3):
            run.join()
        wait_until(lambda: said.exists() and said.read_text().count("\n") > 200, "a part of the warm-up")
        run.workers[1].signal(number)
        ended = run.master.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stdout + ended.stderr
    assert ("1 lost" in ended.stdout) is is_lost
    assert not_counted(ended.stdout) == "900 requests of the warm-up"
    assert "300 of 300 images, each exactly once" in ended.stdout
    counted = Counter(line for line in said.read_text().splitlines() if line.startswith("0 "))
    assert counted == {f"0 {image} True": 1 for image in range(300)}


def test_a_run_that_is_stopped_in_its_warm_up_says_so(tmp_path):
    locustfile, said = tmp_path / "own.py", tmp_path / "said"
    locustfile.write_text(HEAD + LOCUSTFILE)
    with truth_server(tmp_path / "server", service_ms=10) as server:
        load = ("--host", server.address, "--headless", "--num-tests", "300", "--warm-up-requests", "100000", *USERS)
        with locust(tmp_path / "run", *load, locustfile=locustfile, SAID=str(said)) as process:
            wait_until(lambda: said.exists() and said.read_text().count("\n") > 20, "a part of the warm-up")
            process.signal(signal.SIGINT)
            ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID, ended.stdout + ended.stderr
    assert "no request was made after the warm-up" in ended.stdout
    assert "only 0 of 300 images were fired" in ended.stdout


def test_a_warm_up_that_nobody_answers_is_given_up(tmp_path):
    with own_locustfiles(tmp_path, freeze=[1, 3600]) as own:
        load = ("--num-tests", "100", "--warm-up-requests", "50", "--deadline", "0.5", "--give-up-after", "2")
        seen = own.run(LOCUSTFILE, *load, *USERS)

    assert seen.ended.exit_code == exit_codes.FAILED
    assert re.search(r"\d+ requests of the warm-up had no answer, and none came after it", seen.ended.stdout)
    assert "given up" in seen.ended.stdout
