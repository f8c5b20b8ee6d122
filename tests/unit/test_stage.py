"""Where runs stand: which moves there are, and what each stage means."""

import gevent
import pytest

from tfsload.suite.stage import Stage, Stages

WHOLE = [Stage.CHECKED, Stage.RUNNING, Stage.ENDING, Stage.CONCLUDING, Stage.IDLE]


def at(*moves):
    stages = Stages()
    for stage in moves:
        stages.move(stage)
    return stages


@pytest.mark.parametrize(
    "moves",
    [
        pytest.param(WHOLE, id="a-run"),
        pytest.param([*WHOLE, *WHOLE], id="two-runs"),
        pytest.param([Stage.CHECKED, Stage.CHECKED, Stage.IDLE], id="a-form-that-is-corrected"),
        pytest.param([Stage.CHECKED, Stage.RUNNING, Stage.CONCLUDING, Stage.IDLE], id="an-end-that-nobody-told-of"),
    ],
)
def test_the_moves_there_are(moves):
    assert at(*moves).now is moves[-1]


@pytest.mark.parametrize(
    ("moves", "to"),
    [
        pytest.param([], Stage.RUNNING, id="unchecked"),
        pytest.param(WHOLE[:2], Stage.CHECKED, id="another-one-meanwhile"),
        pytest.param(WHOLE[:3], Stage.RUNNING, id="back"),
        pytest.param(WHOLE[:3], Stage.IDLE, id="without-an-outcome"),
        pytest.param(WHOLE[:4], Stage.CONCLUDING, id="twice"),
    ],
)
def test_there_are_no_others(moves, to):
    with pytest.raises(RuntimeError, match=f"cannot become {to.value}"):
        at(*moves).move(to)


@pytest.mark.parametrize(
    ("moves", "is_under_way", "is_ending"),
    [
        pytest.param([], False, False, id="idle"),
        pytest.param(WHOLE[:1], False, False, id="checked"),
        pytest.param(WHOLE[:2], True, False, id="running"),
        pytest.param(WHOLE[:3], True, True, id="ending"),
        pytest.param(WHOLE[:4], True, True, id="concluding"),
        pytest.param(WHOLE, False, False, id="over"),
    ],
)
def test_what_a_stage_means(moves, is_under_way, is_ending):
    stages = at(*moves)

    assert stages.is_ending is is_ending
    assert stages.wait_until_over(0) is not is_under_way


def test_whoever_waits_is_told_of_the_end():
    stages = at(*WHOLE[:4])
    waiting = gevent.spawn(stages.wait_until_over, 10)
    gevent.sleep(0)
    assert not waiting.ready()

    stages.move(Stage.IDLE)

    assert waiting.get(timeout=10) is True
