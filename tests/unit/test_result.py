"""A run's result is one plain datum: written down and read back it is the same, and so is what is printed of it."""

import dataclasses
import enum
import json
import types
import typing
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import scaled
from tests.support.golden import path_of
from tests.support.page_runs import page_run
from tests.support.past_runs import PAST_RUNS
from tests.support.summaries import summarise
from tfsload.analysis import plain
from tfsload.analysis.result import SCHEMA, RunResult, SchemaError
from tfsload.records.record import Record
from tfsload.report import terminal


def written(result):
    return json.dumps(result.to_plain(), allow_nan=False)


def read_back(result):
    return RunResult.from_plain(json.loads(written(result)))


def values_of(kind):
    """Return a strategy for values of a type, as `tfsload.analysis.plain` knows them."""
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{field.name: values_of(hints[field.name]) for field in dataclasses.fields(kind)})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return st.one_of([st.none() if one is types.NoneType else values_of(one) for one in arguments])
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[1:] == (Ellipsis,):
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, arguments))
    if origin is Mapping:
        return st.dictionaries(*map(values_of, arguments), max_size=2)
    if issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    return {
        float: st.floats(allow_nan=False),
        int: st.integers(),
        bool: st.booleans(),
        str: st.text(max_size=4),
    }[kind]


PARTS = [field.name for field in dataclasses.fields(RunResult) if field.name != "schema"]


@pytest.mark.parametrize("part", PARTS)
@settings(max_examples=scaled(15), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_result_is_the_same_when_it_is_read_back(part, data):
    value = data.draw(values_of(typing.get_type_hints(RunResult)[part]))
    result = dataclasses.replace(summarise(Record()), **{part: value})

    assert read_back(result) == result


@pytest.mark.heavy
@pytest.mark.parametrize("kind", PAST_RUNS)
def test_the_text_of_a_run_comes_out_of_a_result_that_was_written_and_read_back(kind):
    result = page_run(kind)
    read = read_back(result)

    assert read == result
    assert terminal.render(read) + "\n" == path_of(kind).read_text()


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        pytest.param(float, float("inf"), "inf", id="infinite"),
        pytest.param(float, float("-inf"), "-inf", id="less-than-all"),
        pytest.param(float | None, None, None, id="none"),
        pytest.param(int | float, 2**53 + 1, 2**53 + 1, id="a-whole-number-beyond-floats"),
        pytest.param(int | float, float("inf"), "inf", id="no-whole-number"),
        pytest.param(Mapping[float, float | None], {99.9: None, 50.0: 1.5}, {"99.9": None, "50.0": 1.5}, id="keys"),
        pytest.param(tuple[tuple[int, str], ...], ((1, "a"),), [[1, "a"]], id="tuples"),
    ],
)
def test_what_json_has_no_word_for(kind, value, text):
    assert plain.to_plain(value) == text
    assert plain.from_plain(kind, json.loads(json.dumps(text, allow_nan=False))) == value


def test_a_score_that_is_no_number_survives_too():
    assert str(plain.from_plain(float, plain.to_plain(float("nan")))) == "nan"


def changed(**changes):
    return {**summarise(Record()).to_plain(), **changes}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param([], "it is no result of a run", id="a-list"),
        pytest.param({}, "it is no result of a run", id="an-empty-object"),
        pytest.param(changed(schema=SCHEMA + 1), f"its schema is {SCHEMA + 1}", id="another-schema"),
        pytest.param(changed(colour="red"), "RunResult has no colour", id="a-field-too-many"),
        pytest.param(changed(totals={"requests": 1}), "Totals lacks failed_requests and", id="fields-that-are-missing"),
        pytest.param(changed(levels=7), "cannot be read", id="another-type"),
        pytest.param(changed(course={"n_images_asked": 1.5}), "1.5 is no whole number", id="half-an-image"),
    ],
)
def test_what_is_no_result_is_refused_in_a_sentence(given, words):
    with pytest.raises(SchemaError, match=words):
        RunResult.from_plain(given)


def test_a_result_says_where_and_of_what_it_was_made():
    result = page_run("demo")

    assert result.made_by.suite
    assert result.made_by.locust
    assert set(result.made_by.libraries) >= {"numpy", "gevent", "grpcio"}
    assert result.machine.n_cpus >= 1
    assert (result.server.address, result.server.model_version) == ("127.0.0.1:8500", 1)
    assert result.asked.options["num_tests"] == "1000"
    assert result.asked.options["model_name"] == "mnist"  # defaults stand there, too


def test_levels_keep_their_histograms_and_a_sweep_its_curve():
    result = page_run("sweep")

    for level in result.levels:
        assert sum(count for _, count in level.latency.buckets) == level.latency.count == level.answered
    assert [point.users for point in result.scaling.curve] == list(range(1, 9))
    for point in result.scaling.curve:
        assert point.low_rps <= point.throughput_rps <= point.high_rps
    lone, *_ = result.scaling.curve
    assert lone.throughput_rps == pytest.approx(result.levels[0].achieved_rps, rel=0.05)


def test_a_threshold_says_how_far_from_its_limit_it_is():
    held = {one.threshold.text: one for one in page_run("thresholds").thresholds}

    assert held["error_rate < 1%"].margin == pytest.approx(-1.1)
    assert held["p99 < 50ms"].margin == pytest.approx(1 - held["p99 < 50ms"].value / 50e6)
    assert held["rate > 100"].margin == pytest.approx(4, rel=0.01)
    assert [one.holds for one in held.values()] == [True, False, True]
