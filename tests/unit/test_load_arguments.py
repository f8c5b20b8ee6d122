"""What a program says of a run's load: what can be gone by, and what is refused, by name."""

import math

import numpy as np
import pytest

from tfsload.suite.load_arguments import LoadArguments


@pytest.mark.parametrize(
    ("given", "read"),
    [
        pytest.param((None, None, None), (None, None, None), id="nothing"),
        pytest.param((2, 0.5, 1.5), (2, 0.5, 1.5), id="numbers"),
        pytest.param((100_000, 10**9, 1), (100_000, 10**9, 1), id="whole-ones"),
        pytest.param((np.int64(3), np.float32(0.5), np.int32(2)), (3, 0.5, 2), id="numpys"),
    ],
)
def test_numbers_are_read(given, read):
    asked = LoadArguments.read(*given)

    assert asked.faults == ()
    assert (asked.users, asked.spawn_rate, asked.run_time_s) == read
    assert {type(one) for one in (asked.users, asked.spawn_rate, asked.run_time_s)} <= {int, float, type(None)}
    assert asked.is_time_given == (given[2] is not None)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param(0, "0", id="none"),
        pytest.param(-1, "-1", id="below-none"),
        pytest.param("2", "'2'", id="a-text"),
        pytest.param(True, "True", id="a-truth-value"),
        pytest.param(math.nan, "nan", id="no-number"),
        pytest.param(math.inf, "inf", id="no-end"),
        pytest.param([1], "[1]", id="a-list"),
        pytest.param(1j, "1j", id="a-complex-one"),
    ],
)
def test_what_cannot_be_gone_by_is_named_with_what_was_given_and_expected(given, shown):
    asked = LoadArguments.read(given, given, given)

    assert asked.faults == (
        f"users={shown}: expected an int from 1 to 100,000, or None",
        f"spawn_rate={shown}: expected users started a second, a finite number above 0, or None",
        f"run_time_s={shown}: expected seconds, a finite number above 0, or None",
    )
    assert (asked.users, asked.spawn_rate, asked.run_time_s, asked.is_time_given) == (None, None, None, True)


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        pytest.param((1.5, None, None), "users=1.5: ", id="a-part-of-a-user"),
        pytest.param((2.0, None, None), "users=2.0: ", id="a-float"),
        pytest.param((100_001, None, None), "users=100001: ", id="too-many-users"),
        pytest.param((None, None, 10**400), "run_time_s=1000", id="beyond-every-float"),
        pytest.param((None, None, "a\nb"), "run_time_s='a\\nb': ", id="steering"),
    ],
)
def test_one_is_named_alone(given, begins):
    (fault,) = LoadArguments.read(*given).faults

    assert fault.startswith(begins)
    assert len(fault) < 200
