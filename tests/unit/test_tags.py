"""What is said of tags before a run, held against what Locust then does."""

import copy
from types import SimpleNamespace

import pytest
from locust import SequentialTaskSet, TaskSet, User, tag, task
from locust.user.task import filter_tasks_by_tags

from tfsload.prediction.prediction_user import PredictionUser
from tfsload.suite.tags import Tags


class Plain(PredictionUser):
    abstract = False


class Tagged(PredictionUser):
    abstract = False

    @tag("slow", "big")
    @task
    def slow(self):
        pass


class Untagged(User):
    @task
    def look(self):
        pass


class Nested(PredictionUser):
    abstract = False
    predict_in_turn = None

    @task
    class Outer(TaskSet):
        @task
        class Inner(SequentialTaskSet):
            @tag("deep")
            @task
            def deep(self):
                pass


CLASSES = [Plain, Tagged, Untagged, Nested]


@pytest.mark.parametrize("only", [None, ["slow"], ["predict"], ["deep"], ["slow", "predict"], ["nobodys"]], ids=str)
@pytest.mark.parametrize("without", [None, ["slow"], ["predict"], ["deep"], ["big", "predict"]], ids=str)
@pytest.mark.parametrize("user_class", CLASSES)
def test_a_class_without_tasks_is_named_where_locust_leaves_it_none(user_class, only, without):
    faults = Tags(only, without).faults([user_class], ())
    filtered = _copied(user_class)
    filter_tasks_by_tags(filtered, only and set(only), without and set(without))

    assert bool(faults) == (not filtered.tasks)
    assert all(user_class.__name__ in fault for fault in faults)


def _copied(holder):
    """Return a user class, or a set of tasks, whose tasks may be changed."""
    tasks = [_copied(one) if hasattr(one, "tasks") else one for one in holder.tasks]
    copied = type(holder.__name__, (holder,), {})
    copied.tasks = copy.copy(tasks)
    return copied


@pytest.mark.parametrize(
    ("only", "without", "said"),
    [
        pytest.param(["slow"], None, "--tags slow and --sweep: levels are made of", id="others-alone"),
        pytest.param(None, ["predict"], "--exclude-tags predict and --sweep: levels", id="predictions-excluded"),
        pytest.param(["predict"], None, "", id="predictions-alone"),
        pytest.param(None, ["slow"], "", id="others-excluded"),
        pytest.param(["nobodys"], ["x"], "--tags nobodys --exclude-tags x: Tagged is left without", id="nothing-left"),
    ],
)
def test_levels_need_their_predictions(only, without, said):
    faults = Tags(only, without).faults([Tagged, Untagged], ["--sweep"])

    assert len(faults) == bool(said)
    assert said in "".join(faults)


@pytest.mark.parametrize(
    ("own", "given", "expected"),
    [
        pytest.param(None, None, None, id="none"),
        pytest.param(None, ["a"], ["a"], id="of-the-command-line"),
        pytest.param(None, [], None, id="an-empty-option"),
        pytest.param(["b"], ["a"], ["b"], id="the-environments-come-first"),
    ],
)
def test_whose_tags_count(own, given, expected):
    options = SimpleNamespace(tags=given, exclude_tags=given)
    environment = SimpleNamespace(tags=own, exclude_tags=own, parsed_options=options)

    assert Tags.of(environment) == Tags(expected, expected)


def test_without_a_command_line_there_are_none():
    assert Tags.of(SimpleNamespace(tags=None, exclude_tags=None, parsed_options=None)) == Tags()
