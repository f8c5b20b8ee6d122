"""What is said before a run: of options that have no effect, and of what is perhaps not meant so."""

import logging
import math

import pytest
from locust import constant

from tfsload.prediction.prediction_user import PredictionUser
from tfsload.settings.settings import Settings
from tfsload.suite.run_warnings import (
    COMMAND_LINE,
    FORM,
    PROGRAM,
    rates_without_percent,
    told_before,
    warn_of_ignored,
    warn_of_waits,
)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({}, [], id="nothing-given"),
        pytest.param({"tolerance": "0.0001"}, [], id="the-default"),
        pytest.param({"tolerance": "1%", "verify": "10"}, [], id="where-answers-are-compared"),
        pytest.param(
            {"tolerance": "1%"},
            ["--tolerance: no effect, since nothing is compared without --verify N"],
            id="where-nothing-is-compared",
        ),
        pytest.param(
            {"tolerance": "1%", "sweep": "1,2", "run_time": 20},
            [
                "-t: no effect, since levels say how many users there are, and for how long",
                "--tolerance: no effect, since nothing is compared without --verify N",
            ],
            id="one-of-several",
        ),
        pytest.param(
            {"pacing": "spin", "num_tests": "9"},
            ["--pacing: no effect, since a run without --sweep, --rate or --find-max-rate has no levels"],
            id="pacing-without-levels",
        ),
        pytest.param(
            {"pacing": "spin", "arrivals": "constant", "sweep": "1,2"},
            ["--arrivals and --pacing: no effect, since the users of a sweep wait for their answers alone"],
            id="of-open-load-in-a-sweep",
        ),
        pytest.param({"pacing": "spin", "arrivals": "constant", "rate": "9"}, [], id="of-open-load-at-a-rate"),
        pytest.param(
            {"pacing": "spin", "find_max_rate": "1:9", "threshold": "p90 < 9ms", "level_duration": "99"},
            [],
            id="of-open-load-in-a-search",
        ),
        pytest.param(
            {"hgrm": "true"},
            ["--hgrm: no effect, since its files belong to a report, and there is none without --report DIR"],
            id="files-of-no-report",
        ),
        pytest.param({"hgrm": "true", "report": "o"}, [], id="files-of-a-report"),
    ],
)
def test_options_without_an_effect_are_named(options, said, caplog):
    with caplog.at_level(logging.WARNING):
        warn_of_ignored(options, Settings.parse(options, None))

    assert caplog.messages == said


@pytest.mark.parametrize(
    ("options", "is_said"),
    [
        pytest.param({"num_users": 500, "spawn_rate": 1.0, "run_time": 4}, True, id="far-too-slow"),
        pytest.param({"num_users": 5, "run_time": 4}, True, id="by-one-at-locusts-own-rate"),
        pytest.param({"num_users": 4, "run_time": 4}, False, id="just-in-time"),
        pytest.param({"num_users": 500, "spawn_rate": 500.0, "run_time": 4}, False, id="at-once"),
        pytest.param({"num_users": 50, "spawn_rate": 50, "run_time": 0.5}, False, id="at-once-and-not-for-a-second"),
        pytest.param({"num_users": 51, "spawn_rate": 50, "run_time": 0.5}, True, id="one-a-second-later"),
        pytest.param({"num_users": 3, "spawn_rate": 0.5, "run_time": 4}, True, id="less-than-one-a-second"),
        pytest.param({"num_users": 500, "spawn_rate": 1.0}, False, id="without-an-end"),
        pytest.param({"num_users": 500, "spawn_rate": math.inf, "run_time": 4}, False, id="all-at-once"),
        pytest.param({"num_users": 500, "spawn_rate": math.nan, "run_time": 4}, False, id="a-rate-that-is-none"),
        pytest.param({"spawn_rate": 1.0, "run_time": 4}, False, id="one-user"),
        pytest.param({"num_users": 500, "run_time": 4, "num_tests": "9"}, False, id="each-image-once"),
        pytest.param({"num_users": 500, "run_time": 4, "sweep": "1"}, False, id="levels-have-users-of-their-own"),
    ],
)
@pytest.mark.parametrize(
    ("asker", "has_shape", "is_known"),
    [
        pytest.param(COMMAND_LINE, False, True, id="the-command-line"),
        pytest.param(FORM, False, True, id="the-form"),
        pytest.param(PROGRAM, False, True, id="a-program"),
        pytest.param(COMMAND_LINE, True, False, id="a-load-shape-says-how-many"),
        pytest.param(None, False, False, id="code-says-how-many"),
    ],
)
def test_a_run_that_ends_before_its_users_are_started_is_warned_of(options, is_said, asker, has_shape, is_known):
    told = told_before(options, Settings.parse(options, None), asker, has_shape)

    assert len(told) == (is_said and is_known)


@pytest.mark.parametrize(
    ("asker", "ramp", "slow", "images", "few"),
    [
        pytest.param(COMMAND_LINE, "-r 2 ", "pass a higher -r, or a longer -t", "--num-tests 9 ", "(-t)", id="-r"),
        pytest.param(FORM, "A ramp-up of 2 ", "raise the ramp-up", "A run of 9 images ", "for a time", id="form"),
        pytest.param(
            PROGRAM, "spawn_rate=2 ", "or none, or a longer run_time_s", "num_tests=9 ", "run_time_s", id="code"
        ),
    ],
)
def test_what_is_warned_of_is_worded_for_who_asks(asker, ramp, slow, images, few):
    options = {"num_users": 500, "spawn_rate": 2.0, "run_time": 4}
    (told,) = told_before(options, Settings.parse(options, None), asker, False)
    options = {"num_tests": "9", "threshold": "p99 < 1s"}
    (of_images,) = told_before(options, Settings.parse(options, None), asker, False)

    assert told.startswith(f"{ramp}starts the last of 500 users after 249 s, and the run ends after 4 s: ")
    assert slow in told
    assert of_images.startswith(f"{images}makes 9 requests")
    assert few in of_images.partition("; ")[2]


class Waiting(PredictionUser):
    abstract = False
    wait_time = constant(1)


class WaitingBelow(Waiting):
    pass


class Restless(PredictionUser):
    abstract = False


@pytest.mark.parametrize(
    ("options", "classes", "said"),
    [
        pytest.param({"sweep": "1,2"}, [Restless], [], id="nobody-waits"),
        pytest.param({}, [Waiting], [], id="no-levels"),
        pytest.param({"sweep": "1,2"}, [Waiting], ["Waiting", "nothing but their answers"], id="a-sweep"),
        pytest.param({"rate": "10"}, [Waiting, Restless], ["Waiting", "nothing but arrivals"], id="open-load"),
        pytest.param({"sweep": "1"}, [WaitingBelow, Waiting], ["WaitingBelow and Waiting"], id="two-of-them"),
    ],
)
def test_wait_times_that_levels_do_without_are_named(options, classes, said, caplog):
    with caplog.at_level(logging.WARNING):
        warn_of_waits(classes, Settings.parse(options, None))

    assert len(caplog.messages) == bool(said)
    assert all(words in caplog.text for words in said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"num_tests": "1000", "threshold": "p99 < 50ms; error_rate < 5%"}, "", id="enough"),
        pytest.param({"threshold": "p99.9 < 50ms"}, "", id="no-limit"),
        pytest.param(
            {"num_tests": "1000", "threshold": "p99.9 < 50ms"},
            "--num-tests 1000 makes 1,000 requests, and p99.9 < 50 ms wants 6,636",
            id="too-few",
        ),
        pytest.param(
            {"num_tests": "1000", "images_per_request": "10", "threshold": "p50 < 9ms; p95 < 20ms; p99 < 50ms"},
            "--num-tests 1000 makes 100 requests, and p95 < 20 ms and p99 < 50 ms wants 662",
            id="several-images-a-request",
        ),
    ],
)
def test_a_threshold_that_the_images_cannot_judge_is_warned_of(options, said):
    told = "".join(told_before(options, Settings.parse(options, None), COMMAND_LINE, False))

    assert told.partition(":")[0] == said
    assert ("(-t)" in told) is bool(said)


@pytest.mark.parametrize(
    ("threshold", "told"),
    [
        pytest.param("error_rate < 0.5%; p99 < 50ms; rate > 0.5", "", id="none"),
        pytest.param("error_rate <= 0", "", id="none-at-all-is-the-same-in-both"),
        pytest.param("recall[7] > 0.95", "", id="a-share-of-what-is-right-is-no-error-rate"),
        pytest.param("error_rate < 0.05; failed_rate < 5e-2; wrong_rate < 0.01 abort", "", id="fractions-as-meant"),
        pytest.param(
            "error_rate < 0.5",
            "error_rate < 0.5 means 50%: write 50%, or 0.5% if that is meant",
            id="a-fraction",
        ),
        pytest.param(
            "failed_rate[users=8] <= .2; wrong_rate < 1",
            "failed_rate[users=8] <= 0.2 means 20%: write 20%, or 0.2% if that is meant; "
            "wrong_rate < 1 means 100%: write 100%, or 1% if that is meant",
            id="the-least-and-the-most",
        ),
        pytest.param(
            "error_rate < 5e-1 abort=10s",
            "error_rate < 0.5 means 50%: write 50%, or 0.5% if that is meant",
            id="its-other-words-mean-nothing-here",
        ),
    ],
)
def test_a_limit_on_a_share_without_its_sign_is_warned_of(threshold, told):
    settings = Settings.parse({"threshold": threshold, "sweep": "8"}, None)

    assert rates_without_percent(settings) == told
    assert told_before({}, settings, COMMAND_LINE, False) == ((told,) if told else ())
