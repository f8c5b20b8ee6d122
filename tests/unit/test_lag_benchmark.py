"""How pacings are compared, without running any."""

import json

import pytest

from benchmarks.lag import Level, Setting, level_in, render
from benchmarks.measurement import MeasurementError

FIGURES = {"lag_us": [40.5, 150], "service_us": [100, 260.5], "busy": 0.2, "waited": 0.01}
TOLD = json.dumps({"n_kept": 5_990, "n_requests": 5_990} | FIGURES)
LEVEL = Level((40.5, 150), (100, 260.5), 0.2, 0.01)


def test_a_level_is_read_from_what_the_run_printed():
    assert level_in(f"Model mnist …\n{TOLD}\n{{\n") == LEVEL


@pytest.mark.parametrize("text", [pytest.param("", id="none"), pytest.param(f"{TOLD}\n{TOLD}", id="two")])
def test_not_one_level_is_no_measurement(text):
    with pytest.raises(MeasurementError, match="levels where one was run"):
        level_in(text)


def test_a_part_of_the_requests_is_no_measurement():
    with pytest.raises(MeasurementError, match="has seen 112 of 39665 requests"):
        level_in(json.dumps({"n_kept": 112, "n_requests": 39_665} | FIGURES))


@pytest.mark.parametrize(
    ("n_repeats", "said"),
    [pytest.param(1, "1 repeat of 3 s", id="one"), pytest.param(3, "3 interleaved repeats of 3 s", id="three")],
)
def test_a_row_has_the_medians_with_the_lowest_and_the_highest(n_repeats, said):
    others = [Level((30, 140), (100, 250), 0.1, 0.01), Level((50, 900), (100, 270), 0.3, 0.01)]
    text = render({Setting(2_000, "sleep"): [LEVEL, *others][:n_repeats]}).splitlines()

    assert text[0] == "| at | pacing | lag p50 | lag p99 | service p50 | service p99 | CPU busy | waited for a CPU |"
    assert (
        text[2]
        == {
            1: "| 2,000/s | sleep | 40 µs | 150 µs | 100 µs | 260 µs | 20.0 % | 1.0 % |",
            3: "| 2,000/s | sleep | 40 µs (30–50) | 150 µs (140–900) | 100 µs | 260 µs (250–270) | 20.0 % (10.0–30.0) "
            "| 1.0 % |",
        }[n_repeats]
    )
    assert text[-1].startswith(said)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        pytest.param(
            Setting(2_000, "spin"), "- 2,000/s, spin: lag p50 ≤ 15 µs: **no**, lag p99 ≤ 110 µs: yes", id="spin"
        ),
        pytest.param(Setting(500, "spin"), "", id="at-a-low-rate"),
        pytest.param(Setting(10_000, "sleep"), "", id="sleep"),
    ],
)
def test_spinning_is_held_against_its_bounds(setting, said):
    text = render({setting: [Level((16, 110), (100, 250), 0.1, 0.01)]})

    assert [line for line in text.splitlines() if line.startswith("- ")] == ([said] if said else [])
