"""A result in which a figure stands that no run can have come to is refused as it is read, not as it is drawn."""

import dataclasses
import json
import re

import numpy as np
import pytest

from tests.support.golden import result_of
from tests.support.page_runs import page_run
from tests.support.past_runs import PAST_RUNS, PastRun
from tfsload.analysis import exit_codes
from tfsload.analysis.damage import fault_of
from tfsload.analysis.result import RunResult, SchemaError
from tfsload.analysis.totals import MismatchExample
from tfsload.records.mismatch import Mismatch
from tfsload.report import json_file, program


def written(kind="demo"):
    if kind == "accuracy":  # a figure of accuracy that a threshold limits
        past = PastRun({"threshold": "error_rate < 5%", "sweep": "1"})
        past.close_level(1, 1, 4.0)
        return result_of(past.end()).to_plain()
    return page_run(kind).to_plain()


def set_at(plain, path, value):
    *way, last = path
    for step in way:
        plain = plain[step]
    plain[last] = value


DAMAGES = [
    pytest.param(
        ("verdict", "exit_code"), 2**63, "verdict.exit_code is 9223372036854775808: expected 0 to 4", id="exit-code"
    ),
    pytest.param(("verdict", "exit_code"), -1, "verdict.exit_code is -1: expected 0 to 4", id="exit-code-below"),
    pytest.param(("verdict", "code_without_failures"), 5, "verdict.code_without_failures is 5", id="other-exit-code"),
    pytest.param(("verdict", "rules", 0, "exit_code"), 7, "verdict.rules[0].exit_code is 7", id="a-rules-exit-code"),
    pytest.param(
        ("totals", "requests_per_s"), "inf", "totals.requests_per_s is inf: expected a finite number", id="endless"
    ),
    pytest.param(("seconds", 0, "rate_rps"), 1e308, "seconds[0].rate_rps is 1e+308: expected a number of", id="beyond"),
    pytest.param(("totals", "error_rate"), "nan", "totals.error_rate is nan: expected a finite number", id="no-number"),
    pytest.param(
        ("seconds", 0, "p99_ns"),
        10**400,
        "seconds[0].p99_ns is a number of more than 30 digits",
        id="hundreds-of-digits",
    ),
    pytest.param(
        ("totals", "latency", "buckets", 1, 1),
        2**63,
        "totals.latency.buckets[1][1] is 9223372036854775808: expected a whole number of 64 bits",
        id="one-bit-too-many",
    ),
    pytest.param(
        ("totals", "latency", "max_ns"),
        2**63,
        "totals.latency.max_ns is 9223372036854775808: expected a whole number of 64 bits",
        id="one-bit-too-many-of-a-time",
    ),
    pytest.param(
        ("course", "begun_unix_s"),
        1e15,
        "course.begun_unix_s is 1e+15: expected seconds since 1970, before the year 10000",
        id="a-date-beyond-all",
    ),
    pytest.param(("course", "ended_unix_s"), -1e15, "course.ended_unix_s is -1e+15", id="a-date-before-all"),
    pytest.param(("totals", "latency", "count"), 1, "totals.latency.count is 1: expected ", id="another-count"),
]


ENDLESS = [
    pytest.param(
        "sweep", ("scaling", "levels", 2, "noise"), 1e18, "number of at most 10", id="a-noise-beyond-all-words"
    ),
    pytest.param("sweep", ("scaling", "levels", 2, "noise"), -400, "number of at most 10", id="a-noise-below-all"),
    pytest.param("sweep", ("scaling", "levels", 2, "noise"), "inf", "finite number", id="an-endless-noise"),
    pytest.param("sweep", ("scaling", "levels", 1, "speed_up"), "inf", "finite number", id="a-speed-up"),
    pytest.param("sweep", ("scaling", "curve", 0, "high_rps"), "inf", "finite number", id="a-curve"),
    pytest.param("sweep", ("scaling", "interval", "high"), "inf", "finite number", id="a-parallelism"),
    pytest.param("sweep", ("scaling", "usl", "sigma", "high"), "inf", "finite number", id="an-estimate"),
    pytest.param("search", ("search", "rate_rps"), "inf", "finite number", id="a-rate-that-was-found"),
    pytest.param("accuracy", ("accuracy", 0, "change"), "inf", "finite number", id="what-images-see"),
    pytest.param("thresholds", ("thresholds", 0, "value"), "nan", "number", id="a-threshold-without-a-number"),
]


@pytest.mark.heavy
@pytest.mark.parametrize(("kind", "path", "value", "expected"), ENDLESS)
def test_a_figure_that_no_run_can_have_come_to_is_damage_wherever_it_stands(kind, path, value, expected):
    plain = written(kind)
    set_at(plain, path, value)

    told = value if isinstance(value, str) else f"{value:g}"
    with pytest.raises(SchemaError, match=rf"\.{path[-1]} is {re.escape(told)}: expected a {expected}$"):
        json_file.parse(json.dumps(plain).encode())


BELOW_0 = [
    pytest.param("demo", ("totals", "latency", "buckets", 1, 1), -1, id="a-count-in-a-bucket"),
    pytest.param("demo", ("totals", "latency", "min_ns"), -(2**63), id="a-time"),
    pytest.param("demo", ("seconds", 0, "p50_ns"), -1, id="a-percentile-of-a-second"),
    pytest.param("demo", ("images", "misread", 0, "image"), -(2**63), id="a-position"),
    pytest.param("demo", ("images", "misread", 0, "count"), -1, id="how-often"),
    pytest.param("demo", ("images", "fired", 0), -1, id="how-often-fired"),
    pytest.param("demo", ("images", "labels", "-1"), 1, id="a-position-as-a-key"),
    pytest.param("demo", ("confusion", 0, 2), -1, id="a-count-of-answers"),
    pytest.param("sweep", ("levels", 0, "users"), -1, id="users"),
    pytest.param("sweep", ("levels", 0, "latency", "buckets", 0, 0), -1, id="where-a-bucket-lies"),
    pytest.param("sweep", ("levels", 0, "seconds", 0, "p99_ns"), -1, id="a-percentile-of-a-levels-second"),
]


@pytest.mark.parametrize(("kind", "path", "value"), BELOW_0)
def test_a_count_a_time_and_a_position_are_never_below_0(kind, path, value):
    plain = written(kind)
    set_at(plain, path, value)
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    words = "images.labels, of -1, is -1" if path[-1] == "-1" else f"{place} is {value}"

    with pytest.raises(SchemaError, match=re.escape(f": {words}: expected a whole number of at least 0")):
        json_file.parse(json.dumps(plain).encode())


@pytest.mark.parametrize(
    ("kind", "name", "load"),
    [
        pytest.param("sweep", "users", 0, id="no-users"),
        pytest.param("rate", "rate_rps", 0.0, id="no-rate"),
        pytest.param("rate", "rate_rps", -5.0, id="a-rate-below-none"),
    ],
)
def test_a_level_without_load_is_damage(kind, name, load):
    plain = written(kind)
    set_at(plain, ("levels", 1, name), load)

    with pytest.raises(SchemaError, match=rf": levels\[1\]\.{name} is {re.escape(f'{load:g}')}: expected more than 0$"):
        json_file.parse(json.dumps(plain).encode())


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("kind", "path", "value", "words"),
    [
        pytest.param(
            "demo",
            ("totals", "failed_requests"),
            1001,
            "totals.failed_requests is 1001: expected at most its 1000 requests",
            id="more-failures-than-requests",
        ),
        pytest.param(
            "unmeasured",
            ("levels", 1, "failed_requests"),
            3,
            "levels[1].failed_requests is 3: expected at most its 0 requests",
            id="failures-of-no-request",
        ),
        pytest.param(
            "sweep",
            ("scaling", "levels", 2, "n_runs"),
            0,
            "scaling.levels[2].n_runs is 0: expected a whole number of at least 1",
            id="a-mean-of-no-level",
        ),
        pytest.param(
            "repeated",
            ("scaling", "best_users"),
            [7],
            "scaling.best_users[0] is 7: expected users of one of its levels",
            id="best-users-that-no-level-has",
        ),
        pytest.param(
            "demo", ("classes",), [], "confusion[0] is of 0 and 0: expected classes that have a row", id="no-classes"
        ),
    ],
)
def test_parts_that_do_not_go_together_are_damage(kind, path, value, words):
    plain = written(kind)
    set_at(plain, path, value)

    with pytest.raises(SchemaError, match=f"{re.escape(words)}$"):
        json_file.parse(json.dumps(plain).encode())


@pytest.mark.parametrize("kind", ["sweep", "search", "accuracy", "thresholds"])
def test_what_is_written_is_read(kind):
    plain = written(kind)

    assert json_file.parse(json.dumps(plain).encode()) == RunResult.from_plain(plain)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        *DAMAGES,
        pytest.param(
            ("totals", "duration_s"), 10**400, "it cannot be read: int too large", id="too-large-for-any-figure"
        ),
    ],
)
def test_what_no_run_can_have_come_to_is_damage(tmp_path, capsys, path, value, words):
    plain = written()
    set_at(plain, path, value)
    (tmp_path / json_file.NAME).write_text(json.dumps(plain))

    with pytest.raises(SchemaError, match="this result of a run is damaged") as refused:
        json_file.read(tmp_path / json_file.NAME)
    assert words in str(refused.value)
    assert program.main([str(tmp_path)]) == exit_codes.BAD_USAGE
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("kind", PAST_RUNS)
def test_what_runs_come_to_is_none(kind):
    assert fault_of(page_run(kind)) == ""


@pytest.mark.parametrize(
    "mismatch",
    [
        pytest.param(Mismatch.of_classes(0, 3, 7), id="classes"),
        pytest.param(Mismatch.of_classes(0, -1, 7), id="a-class-below-the-first-label"),
        pytest.param(Mismatch.of_forms(0, 2, 3), id="more-numbers"),
        pytest.param(Mismatch.of_forms(0, 2, 2), id="other-outputs"),
        pytest.param(Mismatch.of_values(0, np.array([1.0]), np.array([2.0]), is_text=True), id="texts"),
        pytest.param(Mismatch.of_values(0, np.array([1.0]), np.array([np.nan])), id="no-number"),
        pytest.param(Mismatch.of_values(0, np.array([-5]), np.array([2**63 - 1])), id="whole-numbers"),
        pytest.param(Mismatch.of_values(0, np.array([0], "u8"), np.array([2**64 - 1], "u8")), id="the-largest"),
    ],
)
def test_whatever_a_model_answers_is_no_damage(mismatch):
    result = page_run("demo")
    example = MismatchExample.of(mismatch)
    result = dataclasses.replace(result, verified=dataclasses.replace(result.verified, example=example))

    assert json_file.parse(json_file.write(result).encode()).verified.example.words == mismatch.words
