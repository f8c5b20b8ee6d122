"""One run, one protocol: which classes run where none was named, and what is refused."""

from types import SimpleNamespace

import pytest
from locust import User

import tfsload
from tfsload.run import one_protocol
from tfsload.settings.refusal import RunRefused
from tfsload.settings.settings import SettingsError
from tfsload.suite import bare_run, beginning
from tfsload.suite.protocol_choice import ProtocolChoice
from tfsload.transport.spoken import GRPC, REST
from users import GrpcPredictionUser, RestPredictionUser


class OfRest(RestPredictionUser):
    """Somebody's own, made of the suite's."""


class OfGrpc(GrpcPredictionUser):
    """The same for gRPC."""


class Copied(tfsload.RestUser):
    """Made of the abstract one, as the suite's own are."""


# Of its name, and not it.
NAMESAKE = type("RestPredictionUser", (tfsload.RestUser,), {"__module__": "my_users"})


class Website(User):
    """Sends something else."""


@pytest.mark.parametrize(
    ("classes", "left"),
    [
        pytest.param([GrpcPredictionUser, RestPredictionUser], [GrpcPredictionUser], id="the-suites-own"),
        pytest.param([RestPredictionUser], [RestPredictionUser], id="rest-alone"),
        pytest.param([RestPredictionUser, Website], [RestPredictionUser, Website], id="rest-and-another"),
        pytest.param(
            [Website, RestPredictionUser, GrpcPredictionUser], [Website, GrpcPredictionUser], id="another-stays"
        ),
        pytest.param([OfGrpc, RestPredictionUser], [OfGrpc, RestPredictionUser], id="without-the-suites-grpc"),
        pytest.param([GrpcPredictionUser, OfRest], [GrpcPredictionUser, OfRest], id="a-subclass-stays"),
        pytest.param([GrpcPredictionUser, NAMESAKE], [GrpcPredictionUser, NAMESAKE], id="a-namesake-stays"),
        pytest.param([], [], id="none"),
    ],
)
def test_which_classes_run_where_none_was_named(classes, left):
    assert one_protocol.of_a_bare_run(classes) == left


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        pytest.param([GrpcPredictionUser, OfGrpc, Website], "", id="grpc"),
        pytest.param([RestPredictionUser, Copied], "", id="rest"),
        pytest.param([Website], "", id="none-of-the-suites"),
        pytest.param(
            [RestPredictionUser, GrpcPredictionUser, Website, OfRest],
            "GrpcPredictionUser (gRPC) and OfRest and RestPredictionUser (REST); a run has one: name the classes of "
            "one, such as GrpcPredictionUser,",
            id="both",
        ),
    ],
)
def test_classes_of_several_protocols_are_no_run(classes, told):
    faults = one_protocol.faults(classes)

    assert len(faults) == bool(told)
    assert told in "".join(faults)


@pytest.mark.parametrize(
    ("classes", "key", "found"),
    [
        pytest.param(
            [GrpcPredictionUser, RestPredictionUser, Website], "rest", [RestPredictionUser, Website], id="rest"
        ),
        pytest.param([GrpcPredictionUser, RestPredictionUser], "grpc", [GrpcPredictionUser], id="grpc"),
        pytest.param([Website], "rest", [Website], id="none-of-the-suites"),
    ],
)
def test_a_worker_takes_part_with_the_classes_of_its_masters_protocol(classes, key, found):
    assert one_protocol.of_protocol(classes, key) == found


def test_a_worker_without_such_a_class_says_so():
    with pytest.raises(SettingsError, match="no user class that sends REST"):
        one_protocol.of_protocol([GrpcPredictionUser], "rest")


def environment_of(classes, **options):
    parsed = SimpleNamespace(**{"user_classes": [], "class_picker": False, **options})
    available = {one.__name__: one for one in [GrpcPredictionUser, RestPredictionUser, Website]}
    return SimpleNamespace(user_classes=list(classes), available_user_classes=available, parsed_options=parsed)


BOTH = [GrpcPredictionUser, RestPredictionUser, Website]


@pytest.mark.parametrize(
    ("options", "is_locusts", "left", "names"),
    [
        pytest.param({}, True, [GrpcPredictionUser, Website], ("gRPC", "REST"), id="bare"),
        pytest.param({"user_classes": ["RestPredictionUser"]}, True, BOTH, (), id="named"),
        pytest.param({"class_picker": True}, True, BOTH, (), id="class-picker"),
        pytest.param({}, False, BOTH, (), id="a-program-of-ones-own"),
    ],
)
def test_what_is_left_out_and_what_a_page_offers(monkeypatch, options, is_locusts, left, names):
    monkeypatch.setattr(beginning, "is_locusts_program", lambda: is_locusts)
    environment = environment_of(BOTH, **options)
    bare_run.leave_out(environment)

    assert environment.user_classes == left
    assert ProtocolChoice(environment).names == names


def test_what_is_chosen_is_what_runs_and_what_a_command_names(monkeypatch):
    monkeypatch.setattr(beginning, "is_locusts_program", lambda: True)
    environment = environment_of(BOTH)
    bare_run.leave_out(environment)
    choice = ProtocolChoice(environment)

    assert choice.now == "gRPC"
    assert choice.classes("REST") == [RestPredictionUser, Website]
    assert choice.named("REST") == ["RestPredictionUser", "Website"]
    environment.user_classes = choice.classes("REST")
    assert choice.now == "REST"
    assert choice.classes("gRPC") == [GrpcPredictionUser, Website]
    assert choice.named("gRPC") == []


@pytest.mark.parametrize(
    ("classes", "has_picker", "is_refused"),
    [
        pytest.param(BOTH, False, True, id="both"),
        pytest.param(BOTH, True, False, id="a-page-may-choose"),
        pytest.param([RestPredictionUser], False, False, id="one"),
    ],
)
def test_before_any_page_is_shown(classes, has_picker, is_refused):
    environment = environment_of(classes, class_picker=has_picker)
    if is_refused:
        with pytest.raises(RunRefused) as caught:
            bare_run.refuse_several(environment)
        assert caught.value.exit_code == 2
    else:
        bare_run.refuse_several(environment)


def test_the_suites_own_classes_are_known_by_what_they_are():
    assert one_protocol.is_own(GrpcPredictionUser, GRPC)
    assert one_protocol.is_own(RestPredictionUser, REST)
