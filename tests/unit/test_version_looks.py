"""Which version a server says that it has between levels, where its replies do not name the model."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.support.page_runs import page_run
from tfsload.analysis import judge, validity
from tfsload.analysis.result import Server
from tfsload.run.version_looks import VersionLooks
from tfsload.settings.settings import Settings
from tfsload.transport.answer import ReplyError
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.signature import ModelDescribed
from tfsload.transport.spoken import GRPC, REST


class Told:
    """A way to a server that says one thing after the other."""

    def __init__(self, says, spoken):
        self.says, self.spoken = list(says), lambda: spoken

    def describe(self, timeout_s):
        assert timeout_s <= 2.5
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return ModelDescribed((), said, {})


def looks_over(*says, spoken=REST):
    checked = SimpleNamespace(
        transport=Told(says, spoken),
        settings=Settings.parse({"deadline": "60"}, "h:1"),
        preflight=SimpleNamespace(model_version=1),
    )
    looks = VersionLooks(checked)
    for number in range(len(says)):
        looks.look(f"{number + 1} users")
    return looks, checked.transport.says


ONE, TWO = Servable("mnist", 1), Servable("mnist", 2)


@pytest.mark.parametrize(
    ("says", "changed", "n_left"),
    [
        pytest.param((ONE, ONE), "", 0, id="the-same"),
        pytest.param(
            (ONE, TWO), "version 1 answered before, and version 2 answered after the level of 2 users", 0, id="another"
        ),
        pytest.param(
            (TWO, ONE),
            "version 1 answered before, and version 2 answered after the level of 1 users",
            1,
            id="another-for-a-while",
        ),
        pytest.param(
            (UNTOLD,), "version 1 answered before, and no version was ready after the level of 1 users", 0, id="none"
        ),
        pytest.param((PredictionFailure("UNAVAILABLE", "gone"), ONE), "", 0, id="no-answer"),
        pytest.param((ReplyError("no JSON"), TWO), "version 2 answered after the level of 2 users", 0, id="no-json"),
    ],
)
def test_what_has_changed(says, changed, n_left):
    looks, left = looks_over(*says)

    assert changed in looks.changed
    assert bool(looks.changed) is bool(changed)
    assert len(left) == n_left


def test_where_replies_name_the_model_nobody_is_asked():
    looks, left = looks_over(TWO, spoken=GRPC)

    assert (looks.changed, left) == ("", [TWO])


@pytest.mark.parametrize(
    ("names_model", "rule", "other"),
    [
        pytest.param(True, validity.ONE_MODEL, validity.ONE_MODEL_SAID, id="grpc"),
        pytest.param(False, validity.ONE_MODEL_SAID, validity.ONE_MODEL, id="rest"),
    ],
)
def test_the_rule_says_what_it_is_judged_by(names_model, rule, other):
    server = Server(changed="version 1 answered before, 2 after", names_model=names_model)
    verdict = judge.judge(replace(page_run("demo"), server=server))

    rules = {one.name: one.reasons for one in verdict.rules}
    assert "version 1 answered before, 2 after" in " ".join(rules[rule])
    assert other not in rules
