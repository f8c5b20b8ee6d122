"""What is said of a run beside which other programs took the CPU: they hide what a server can, and make none of it."""

import dataclasses

import pytest

from tests.support.cured_runs import judged, search, undecided
from tests.support.noisy_runs import noisy_sweep
from tfsload.analysis import exit_codes
from tfsload.analysis.doubts import Doubt
from tfsload.analysis.first_cure import first_cure
from tfsload.analysis.held_parallelism import HIDDEN
from tfsload.analysis.limit import Ending
from tfsload.analysis.result import RunResult
from tfsload.analysis.taken_by_others import NOISE_CURE
from tfsload.report import junit, markdown, terminal
from tfsload.report.next_run import next_run
from tfsload.report.page.first_screen import first_screen
from tfsload.report.page.level_tables import generator_table
from tfsload.report.sweep_answer import in_short, sweep_answer

SERIAL, PARALLEL = 1, 4
TAKEN = "other programs took 38% of 2 CPUs (limit 10%) with 1% idle, most of it make (pid 812) 0.76"


@pytest.mark.parametrize(
    ("noisy", "at_once", "users", "kind", "begins"),
    [
        pytest.param((), SERIAL, (1, 2, 4, 8), "no", "No: ", id="serial-on-a-quiet-machine"),
        pytest.param((), PARALLEL, (1, 2, 4, 8), "yes", "Yes: about", id="parallel-on-a-quiet-machine"),
        pytest.param((3,), SERIAL, (1, 2, 4, 8), "cannot tell", "Cannot tell: ", id="serial-with-a-level-of-noise"),
        pytest.param((2, 3, 4), PARALLEL, (1, 2, 4, 8), "cannot tell", "Cannot tell: ", id="parallel-and-hidden"),
        pytest.param((4,), PARALLEL, (1, 2, 4, 8), "yes", "Yes: at least about", id="parallel-where-it-was-quiet"),
        pytest.param((1,), PARALLEL, (1, 2, 4, 8), "cannot tell", "Cannot tell: ", id="a-lone-user-beside-others"),
        pytest.param((1, 2), SERIAL, (1, 2), "cannot tell", "Cannot tell: ", id="every-level"),
        pytest.param((1,), SERIAL, (1, 2, 4, 1), "cannot tell", "Cannot tell: ", id="a-level-that-was-held-again"),
        pytest.param((2,), SERIAL, (2, 4), "cannot tell", "Cannot tell: ", id="without-a-lone-user"),
    ],
)
def test_noise_hides_parallelism_and_makes_none(noisy, at_once, users, kind, begins):
    result = noisy_sweep(noisy, at_once, users)
    scaling = result.scaling

    assert result.judged.exit_code == (exit_codes.INVALID if noisy else exit_codes.PASS)
    assert (scaling.answer.kind, sweep_answer(result).startswith(begins)) == (kind, True)
    if noisy:
        assert (scaling.usl, scaling.curve, scaling.stops_growing_at, scaling.falls_beyond) == (None, (), None, None)
        assert "falls beyond" not in scaling.answer.sentence
        assert "at most" not in scaling.answer.sentence
    if kind == "cannot tell":
        assert scaling.interval is None
        assert scaling.answer.sentence.endswith(f"To tell: {NOISE_CURE}.")
        assert in_short(result) == "cannot tell"


@pytest.mark.parametrize(
    ("threshold", "noisy", "at_once", "holds"),
    [
        pytest.param("parallelism > 1.5", (), SERIAL, False, id="a-serial-server"),
        pytest.param("parallelism > 1.5", (3,), SERIAL, None, id="what-may-be-hidden"),
        pytest.param("parallelism > 1.5", (4,), PARALLEL, True, id="what-is-seen-all-the-same"),
        pytest.param("parallelism > 6", (4,), PARALLEL, None, id="more-may-be-hidden"),
        pytest.param("parallelism < 1.5", (), SERIAL, True, id="no-more-on-a-quiet-machine"),
        pytest.param("parallelism < 1.5", (3,), SERIAL, None, id="no-more-cannot-be-told"),
        pytest.param("parallelism < 1.5", (4,), PARALLEL, False, id="more-can"),
    ],
)
def test_a_threshold_on_parallelism_is_held_against_what_can_be_told(threshold, noisy, at_once, holds):
    result = noisy_sweep(noisy, at_once, threshold=threshold)
    (held,) = result.thresholds

    assert held.holds is holds
    assert (held.why_unknown, held.cure) == ((HIDDEN, NOISE_CURE) if holds is None else ("", ""))
    assert not (noisy and holds is None and any("was crossed" in one.what for one in result.judged.reasons))


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(terminal.render, id="terminal"),
        pytest.param(lambda result: markdown.write(result).replace("\\", ""), id="markdown"),
        pytest.param(junit.write, id="junit"),
    ],
)
def test_every_summary_names_who_took_the_cpu(output):
    text = " ".join(output(noisy_sweep((3, 4))).split())

    assert f"4 users: {TAKEN}" in text
    assert "Cannot tell: others took the CPU at 4 and 8 users, which hides what a server does in parallel." in text
    assert "requests are served at once" not in text


def test_the_first_screen_says_no_no():
    seen = first_screen(noisy_sweep((3,)))
    told = "".join(piece.text for piece in seen.answer.answer)

    assert told.startswith("Cannot tell: others took the CPU at 4 users")


@pytest.mark.parametrize("grows", [0, 2, 3], ids=["none", "before-others-came", "beside-them"])
def test_what_others_did_is_cured_first_and_no_level_made_longer_for_it(grows):
    result = noisy_sweep((3,), grows=grows, threshold="parallelism > 1.5")
    coming = next_run(result)

    assert result.judged.reasons[0].what == f"4 users: {TAKEN}"
    assert (first_cure(result).options, first_cure(result).words) == ({}, NOISE_CURE)
    assert {reason.cure for reason in result.judged.reasons} == {NOISE_CURE}
    assert (coming.outside, coming.changes) == (NOISE_CURE, {})


@pytest.mark.parametrize("level", [2, 3], ids=["before-others-came", "beside-them"])
def test_one_stall_may_be_the_doing_of_others(level):
    noisy = undecided(noisy_sweep((3,)), "p99 < 1s", f"{2 ** (level - 1)} users", level, value=1e9)
    quiet = undecided(noisy_sweep(()), "p99 < 1s", f"{2 ** (level - 1)} users", level, value=1e9)

    assert (next_run(noisy).outside, next_run(noisy).changes) == (NOISE_CURE, {})
    assert next_run(quiet).changes == {"level_duration": "20"}


def test_a_search_beside_others_is_not_made_longer():
    found = search(Ending.NONE_HOLDS, holds=False, is_undecided=True, is_unknown=True)
    *others, last = found.levels
    noise = Doubt("other programs took 38% of 2 CPUs", NOISE_CURE, is_noise=True)
    noisy = dataclasses.replace(found, levels=(*others, dataclasses.replace(last, generator_doubts=(noise,))))

    assert "level_duration" in next_run(found).changes
    assert "level_duration" not in next_run(judged(noisy)).changes


def test_on_a_quiet_machine_a_level_that_had_not_settled_is_made_longer():
    coming = next_run(noisy_sweep((), grows=2))

    assert (coming.outside, "warm_up" in coming.changes) == ("", True)


def test_the_load_generators_table_tells_what_others_took():
    table = generator_table(noisy_sweep((3,)))
    column = [heading.text for heading in table.headings].index("CPUs taken by other programs")

    assert [row.cells[column].text for row in table.rows] == ["2.0%", "2.0%", "38.0%", "2.0%"]
    assert any("from 10% on" in note for note in table.notes)


def test_where_it_is_not_known_nothing_is_told():
    result = noisy_sweep(())
    untold = dataclasses.replace(
        result, levels=tuple(dataclasses.replace(level, others=None) for level in result.levels)
    )

    assert "CPUs taken by other programs" not in [heading.text for heading in generator_table(untold).headings]


def test_a_result_is_read_back_and_one_of_before_has_none_of_it():
    result = noisy_sweep((3,))
    written = result.to_plain()

    assert RunResult.from_plain(written) == result
    for level in written["levels"]:
        del level["others"]
        for doubt in level["generator_doubts"] + level["sample_doubts"]:
            del doubt["is_noise"]
    for level in written["scaling"]["levels"]:
        del level["noise_cure"]
    read = RunResult.from_plain(written)
    assert ({level.others for level in read.levels}, read.noise_cure) == ({None}, "")
