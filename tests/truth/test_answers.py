"""Answers that are not what they should be, from outside: whole runs against a server that knows what it does."""

import re

import pytest

from tests.support.runs import FULL_SPEED, forked, run_headless
from tests.support.truth import truth_server
from tfsload.analysis import exit_codes

# One of a kind each time is in every run, the others in `make long`.
LONG = pytest.mark.long

N = 600
IMAGES = ("--num-tests", str(N), "--verify", str(N))
# From the n-th request in flight on, an answer is another's: not without load, and in a crowd.
SWAP = {"service_ms": 1, "workers": 2, "swap": [4, "class"]}
CROWD = ("-u", "16", "-r", "16")


def run(tmp_path, script, *arguments):
    """Run against a truthful server; return what it left, and what the server had served."""
    with truth_server(tmp_path / "server", **script) as server:
        ended = run_headless(tmp_path / "run", "--host", server.address, *arguments, **FULL_SPEED)
        return ended, server.end()


def n_swapped(ended, served):
    """Return the swapped answers of a run in which none was made twice."""
    assert ended.outcome["requests"] == N
    return sum(one.is_swapped for one in served)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(("--transport", "native"), id="native"),
        pytest.param(("--transport", "grpcio"), id="grpcio", marks=LONG),
        pytest.param("forked", id="two-processes"),
    ],
)
def test_swapped_answers_fail_a_run_with_their_number_and_an_example(tmp_path, more):
    ended, served = run(tmp_path, SWAP, *IMAGES, *CROWD, *(forked(2) if more == "forked" else more))
    count = n_swapped(ended, served)
    reason = re.search(
        r": ([\d,]+) answers differ from those without load by more than 0\.0001 \((.*)\)\n", ended.stdout
    )

    assert ended.exit_code == exit_codes.FAILED, ended.stdout
    assert count > 0
    assert int(reason[1].replace(",", "")) == count
    example = re.match(
        r"for example image (\d+): class (\d) without load, class (\d) under it; "
        r"the score of class (\d) was (\S+) and became (\S+)$",
        reason[2],
    )
    image, expected, answered, place = map(int, example.groups()[:4])
    assert image < N
    assert answered == (expected + 1) % 10  # as truth_server swaps
    # The right class's score falls from 0.8 to hardly anything.
    assert place == expected
    assert float(example[5]) == pytest.approx(0.8)
    assert float(example[6]) < 0.02


@pytest.mark.parametrize(
    ("limits", "exit_code", "said"),
    [
        pytest.param(
            "mismatched_rate < 100%", exit_codes.PASS, "answers compared .* mismatched, as judged", id="holds"
        ),
        pytest.param(
            "mismatched_rate <= 0.1%",
            exit_codes.THRESHOLD,
            "mismatched_rate <= 0.1% was crossed",
            id="crossed",
            marks=LONG,
        ),
        pytest.param(
            "error_rate <= 99.99%",
            exit_codes.FAILED,
            "answers differ from those without load",
            id="another",
            marks=LONG,
        ),
    ],
)
def test_a_threshold_on_mismatches_judges_them(tmp_path, limits, exit_code, said):
    ended, served = run(tmp_path, SWAP, *IMAGES, *CROWD, "--threshold", limits)

    assert n_swapped(ended, served) > 0
    assert ended.exit_code == exit_code, ended.stdout
    assert re.search(said, ended.stdout)


@pytest.mark.parametrize(
    ("tolerance", "exit_code"),
    [
        pytest.param("0.0999", exit_codes.FAILED, id="absolute-too-small", marks=LONG),
        pytest.param("0.1001", exit_codes.PASS, id="absolute", marks=LONG),
        pytest.param("12%", exit_codes.FAILED, id="relative-too-small", marks=LONG),
        pytest.param("13%", exit_codes.PASS, id="relative"),
    ],
)
def test_scores_may_be_off_by_the_tolerance(tmp_path, tolerance, exit_code):
    # Swapped so, an answer is of the same class with 0.7 instead of 0.8.
    swap = {**SWAP, "swap": [4, "values"]}
    ended, served = run(tmp_path, swap, *IMAGES, *CROWD, "--tolerance", tolerance)

    assert n_swapped(ended, served) > 0
    assert ended.exit_code == exit_code, ended.stdout


@LONG
def test_without_a_crowd_nothing_is_swapped(tmp_path):
    ended, served = run(tmp_path, SWAP, *IMAGES, "-u", "1")

    assert n_swapped(ended, served) == 0
    assert ended.exit_code == exit_codes.PASS
    assert f"{N} answers compared with those without load: none differs" in ended.stdout


@LONG
def test_a_search_is_failed_by_mismatches_too(tmp_path):
    search = (
        "--find-max-rate",
        "100:110",
        "--threshold",
        "p50 < 2s",
        "--level-duration",
        "1",
        "--warm-up",
        "0.2",
        "-u",
        "50",
    )
    ended, served = run(tmp_path, {"service_ms": 50, "swap": [4, "class"]}, "--verify", "50", *search)

    assert any(one.is_swapped for one in served)
    assert ended.exit_code == exit_codes.FAILED, ended.stdout
    assert "answers differ from those without load" in ended.stdout


@LONG
def test_a_run_that_compares_nothing_does_not_pass(tmp_path):
    ended, _ = run(tmp_path, {"service_ms": 1500}, "--verify", "1", "-u", "1", "-t", "4s", "--seed", "3")

    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert "nothing was compared: none of the first 1 images had its turn" in ended.stdout


# Several models behind one address

V1, V2 = ["mnist", 1], ["mnist", 2]
PLAIN = ("--num-tests", "200", "-u", "4", "-r", "4")


def answers_by(text):
    """Return how many answers each model is said to have given."""
    line = re.search(r"not all answers are of one model: (.*?)\n  cure: name one with --model-version", text)[1]
    return {who: int(count.replace(",", "")) for count, who in re.findall(r"([\d,]+) by (.+?)(?=, \d+ by|$)", line)}


@pytest.mark.parametrize(
    ("script", "counts"),
    [
        pytest.param({"models": [V1, V2]}, {"mnist, version 1": 100, "mnist, version 2": 100}, id="in-turn"),
        pytest.param(
            {"models": [["mnist", 9], ["mnist", 10], ["mnist", 300], V1]},
            {f"mnist, version {version}": 50 for version in (1, 9, 10, 300)},
            id="four-of-several-lengths",
            marks=LONG,
        ),
        pytest.param(
            {"models": [V1, ["other", 1]]},
            {"mnist, version 1": 100, "other, version 1": 100},
            id="other-name",
            marks=LONG,
        ),
        pytest.param(
            {"models": [V1, None]}, {"mnist, version 1": 100, "a model that is not named": 100}, id="one-tells-nothing"
        ),
        pytest.param(
            {"models": [V1, V2], "switch": 151}, {"mnist, version 1": 150, "mnist, version 2": 50}, id="a-roll-out"
        ),
        pytest.param(
            {"models": [V1, V2], "switch": 200},
            {"mnist, version 1": 199, "mnist, version 2": 1},
            id="the-last-answer",
            marks=LONG,
        ),
    ],
)
@pytest.mark.parametrize("transport", ["native", pytest.param("grpcio", marks=LONG)])
def test_answers_that_are_not_all_of_one_model_make_a_run_invalid(tmp_path, script, counts, transport):
    users = ("-u", "1") if "switch" in script else PLAIN[2:]
    ended, _ = run(tmp_path, script, *PLAIN[:2], *users, "--transport", transport)

    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert answers_by(ended.stdout) == counts


def test_two_processes_tell_together_who_answered(tmp_path):
    ended, _ = run(tmp_path, {"models": [V1, V2]}, *PLAIN, *forked(2))

    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert answers_by(ended.stdout) == {"mnist, version 1": 100, "mnist, version 2": 100}


@pytest.mark.parametrize(
    ("models", "arguments", "exit_code", "said"),
    [
        pytest.param([V2], (), exit_codes.INVALID, "all 200 answers are by mnist, version 2", id="other", marks=LONG),
        pytest.param(
            [V2],
            ("--model-version", "1"),
            exit_codes.INVALID,
            "all 200 answers are by mnist, version 2",
            id="than-asked",
        ),
        pytest.param([["b", 1]], (), exit_codes.INVALID, "all 200 answers are by b, version 1", id="alien", marks=LONG),
        pytest.param([V1], ("--model-version", "1"), exit_codes.PASS, "every request was", id="as-asked", marks=LONG),
        pytest.param([None], (), exit_codes.PASS, "every request was answered", id="nothing-is-told"),
        pytest.param(
            [V1, V2],
            ("--verify", "100"),
            exit_codes.INVALID,
            "--verify: not all answers are of one model: 50 by mnist, version 1, 50 by mnist, version 2, without",
            id="of-two-without-load",
        ),
        pytest.param(
            [V2],
            ("--verify", "100"),
            exit_codes.INVALID,
            "--verify: all 100 answers are by mnist, version 2",
            id="recorded",
            marks=LONG,
        ),
    ],
)
def test_the_model_that_answers_is_the_one_that_was_found(tmp_path, models, arguments, exit_code, said):
    ended, _ = run(tmp_path, {"models": models}, *PLAIN, *arguments)

    assert ended.exit_code == exit_code, ended.stdout
    assert said in ended.stdout + ended.stderr


def test_a_model_that_answers_in_a_warm_up_alone_is_told(tmp_path):
    # The first 30 answers are of another version, and the level begins after them.
    script = {"models": [V2, V1], "switch": 31, "service_ms": 2}
    level = ("--sweep", "2", "--warm-up", "1", "--level-duration", "1")
    ended, _ = run(tmp_path, script, *level)

    assert ended.exit_code == exit_codes.INVALID, ended.stdout
    assert 0 < answers_by(ended.stdout)["mnist, version 2"] <= 30


# Models that look broken


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param({"class": 3}, "100% of all answers are class 3, and 90.00% of all are wrong", id="one-class"),
        # The truth server knows nothing of digits: its answers are a function of the bytes.
        pytest.param({}, "of all answers are right, and answers that ignore the images would be right in", id="chance"),
    ],
)
def test_a_model_that_looks_broken_is_warned_of_and_passes(tmp_path, script, said):
    ended, _ = run(tmp_path, script, "--num-tests", "1000", "-u", "4", "-r", "4")
    (warning,) = re.findall("^Warning: the model looks broken: .*$", ended.stdout, re.MULTILINE)

    assert ended.exit_code == exit_codes.PASS, ended.stdout
    assert said in warning
    assert [word for word in ("scale", "labels", "--model-name") if word not in warning] == []


def test_a_model_that_works_is_not_warned_of(tmp_path, model_server):
    ended = run_headless(tmp_path, "--host", model_server.address, "--num-tests", "100", "-u", "2", "-r", "2")

    assert ended.exit_code == exit_codes.PASS
    assert "Warning" not in ended.stdout
