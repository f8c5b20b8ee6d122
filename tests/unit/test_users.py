"""The life of one prediction, and the part of a process that runs users, without a server."""

import time
from dataclasses import replace
from types import SimpleNamespace

import gevent
import gevent.event
import numpy as np
import pytest
from gevent.pool import Group
from locust import TaskSet, task
from locust.env import Environment
from locust.exception import InterruptTaskSet, RescheduleTask, RPCError, StopTest, StopUser

from tests.support.data_files import images, write_pictures
from tests.support.fake_users import Runner, ScriptedUser, fire, run_options
from tests.support.runs import wait_for
from tfsload.load.leases import Lease
from tfsload.prediction import prediction_user, slot
from tfsload.prediction.prediction_user import PredictionUser
from tfsload.records.recorder import Record, merge_plain, n_ended
from tfsload.run import messages
from tfsload.run import participant as participating
from tfsload.run.participant import Participant
from tfsload.target.references import References
from tfsload.transport.answer import ReplyError
from tfsload.transport.call_spec import MNIST_EXAMPLE
from tfsload.transport.failure import CLIENT_ERROR, UNJUDGED, PredictionFailure


@pytest.fixture
def environment():
    options = SimpleNamespace(**run_options(dataset="mnist5k", num_tests="0"))
    return Environment(user_classes=[ScriptedUser], parsed_options=options, host="127.0.0.1:1")


@pytest.fixture
def runner():
    return Runner()


@pytest.fixture
def participant(environment, runner):
    participant = Participant(environment, runner)
    slot.fill(environment, participant.join)
    return participant


def user_of(environment, **attributes):
    user = type("User", (ScriptedUser,), attributes)(environment)
    user.on_start()
    return user


def recorded(participant):
    merged: dict[int, Record] = {}
    merge_plain(merged, participant.run.recorder.take_all())
    return merged.get(0, Record())


def raising(error):
    def raise_it(*_):
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("attributes", "failed"),
    [
        pytest.param({}, {}, id="answered"),
        pytest.param({"call": raising(PredictionFailure("UNAVAILABLE", "gone"))}, {"UNAVAILABLE": 1}, id="no-answer"),
        pytest.param({"read": raising(ReplyError("no scores"))}, {"BAD_REPLY": 1}, id="unreadable"),
        pytest.param({"read": raising(KeyError("mine"))}, {"CLIENT_ERROR": 1}, id="fault-while-reading"),
        pytest.param({"call": raising(TypeError("mine"))}, {"CLIENT_ERROR": 1}, id="fault-while-calling"),
    ],
)
def test_every_end_of_a_request_is_counted(environment, participant, attributes, failed):
    participant.begin()
    user_of(environment, **attributes).predict()

    record = recorded(participant)
    assert (record.requests, record.predictions, dict(record.failed)) == (1, 1, failed)
    assert record.latency.count == (0 if failed else 1)
    assert record.confusion.total == record.latency.count


@pytest.mark.parametrize(
    ("attributes", "is_answered"),
    [
        pytest.param({}, True, id="answered"),
        pytest.param({"read": raising(PredictionFailure(UNJUDGED, "who knows"))}, True, id="a-class-cannot-judge-it"),
        pytest.param({"read": raising(ReplyError("no scores"))}, False, id="unreadable"),
        pytest.param({"call": raising(PredictionFailure("UNAVAILABLE", "gone"))}, False, id="no-answer"),
        pytest.param({"call": raising(PredictionFailure("INVALID_ARGUMENT", "no"))}, False, id="refused"),
    ],
)
def test_a_server_has_answered_where_its_answer_could_be_read(environment, participant, attributes, is_answered):
    participant.begin()
    user_of(environment, **attributes).predict()
    run = participant.run

    assert (run.answered_ns >= run.sent_ns) == is_answered


def test_a_request_that_is_cut_off_is_counted_as_that(environment, participant):
    participant.begin()
    begun = gevent.event.Event()

    def wait_for_ever(*_):
        begun.set()
        gevent.event.Event().wait()

    user = user_of(environment, call=wait_for_ever)
    greenlet = gevent.spawn(user.predict)
    begun.wait(10)
    greenlet.kill()

    record = recorded(participant)
    assert (record.requests, record.cut_off) == (0, 1)


@pytest.mark.parametrize(
    "error", [pytest.param(RescheduleTask(), id="reschedule"), pytest.param(StopUser(), id="stop-user")]
)
def test_a_listener_that_breaks_off_loses_nothing(environment, participant, runner, error):
    fire(environment, num_tests="1")
    participant.begin()
    environment.events.prediction.add_listener(raising_keywords(error))
    user = user_of(environment)
    runner.sent.clear()
    greenlet = gevent.spawn(user.predict)
    wait_for(lambda: runner.sent)
    runner.receive(messages.LEASE, {"run": 1, "lease": [0, 0, 1], "is_warming_up": False})
    greenlet.join(10)

    message, data = runner.sent[-1]
    assert (message, data["lease"]) == (messages.LEASE_DONE, 0)
    assert data["rows"][0]["record"]["predictions"] == 1


def waits_for_ever(event):
    def wait(*_, **__):
        event.set()
        gevent.event.Event().wait()

    return wait


@pytest.mark.parametrize(
    ("way", "n_cut_off", "n_given_up"),
    [
        pytest.param("killed-in-call", 1, 0, id="killed-in-call"),
        pytest.param("killed-in-read", 1, 0, id="killed-in-read"),
        pytest.param("killed-in-listener", 0, 0, id="killed-in-a-listener-after-it-was-booked"),
        pytest.param("killed-in-pause", 0, 0, id="killed-in-the-pause-after-a-failure"),
        pytest.param("killed-while-it-waits", 0, 0, id="killed-while-it-waits-for-a-request"),
        pytest.param(StopUser(), 0, 1, id="stops-itself-in-call"),
        pytest.param(StopTest(), 0, 1, id="stops-the-test-in-call"),
        pytest.param(InterruptTaskSet(), 0, 1, id="interrupts-its-tasks-in-call"),
        pytest.param(RescheduleTask(), 0, 1, id="reschedules-in-call"),
        pytest.param(gevent.Timeout(1), 0, 1, id="a-timeout-of-its-own-in-call"),
        pytest.param(SystemExit(1), 1, 0, id="sys-exit-in-call"),
    ],
)
def test_however_a_user_ends_each_request_is_made_once(
    environment, participant, runner, monkeypatch, way, n_cut_off, n_given_up
):
    """With `--num-tests`: one user ends in the middle, another makes what is left."""
    fire(environment, num_tests="3")
    participant.begin()
    reached, attributes = gevent.event.Event(), {}
    match way:
        case "killed-in-call":
            attributes = {"call": waits_for_ever(reached)}
        case "killed-in-read":
            attributes = {"read": waits_for_ever(reached)}
        case "killed-in-listener":
            environment.events.prediction.add_listener(waits_for_ever(reached))
        case "killed-in-pause":
            attributes = {"call": raising(PredictionFailure("UNAVAILABLE", "gone"))}
            monkeypatch.setattr(prediction_user, "_PAUSE_S", 60)
            environment.events.prediction.add_listener(lambda **_: reached.set())  # nobody else's turn until the pause
        case "killed-while-it-waits":
            pass
        case error:
            attributes = {"call": raising(error)}
    supply = participant.run.supply
    ends = gevent.spawn(in_own_words, user_of(environment, **attributes).predict)
    wait_for(lambda: supply.is_awaited_by(ends))
    if way == "killed-while-it-waits":
        ends.kill()
        supply.grant(Lease(0, 0, 3))
    else:
        supply.grant(Lease(0, 0, 3))
        wait_for(lambda: ends.ready() or reached.is_set())
        ends.kill()
    environment.events.prediction._handlers.clear()
    other = user_of(environment)
    others = gevent.spawn(lambda: [other.predict() for _ in range(3)])
    wait_for(lambda: any(message == messages.LEASE_DONE for message, _ in runner.sent))
    others.kill()

    [done] = [data for message, data in runner.sent if message == messages.LEASE_DONE]
    [row] = done["rows"]
    assert (row["record"]["requests"], row["record"]["cut_off"]) == (3, n_cut_off)
    assert row["record"]["given_up"] == n_given_up
    assert supply.held().leases == ()


def in_own_words(predict):
    """Let a user end by whatever it raises, without the hub's own comment."""
    try:
        predict()
    except BaseException as error:
        return error


def test_each_user_that_is_killed_in_flight_gives_back_its_own_request(environment, participant, runner):
    fire(environment, num_tests="40")
    participant.begin()
    supply = participant.run.supply
    fired = []

    def call(user, body):
        fired.append(body)
        gevent.sleep(0 if user.is_patient else 60)
        return b"a reply"

    impatient = [user_of(environment, call=call, is_patient=False) for _ in range(8)]
    greenlets = [gevent.spawn(user.predict) for user in impatient]
    wait_for(lambda: all(map(supply.is_awaited_by, greenlets)))
    supply.grant(Lease(0, 0, 40))
    wait_for(lambda: len(fired) == 8)
    gevent.killall(greenlets)
    lost = fired[:]
    fired.clear()
    patient = user_of(environment, call=call, is_patient=True)
    gevent.spawn(lambda: [patient.predict() for _ in range(40)]).join(10)

    assert len(fired) == len(set(fired)) == 40
    assert set(lost) <= set(fired)
    [done] = [data for message, data in runner.sent if message == messages.LEASE_DONE]
    assert (done["rows"][0]["record"]["requests"], done["rows"][0]["record"]["cut_off"]) == (40, 8)


def raising_keywords(error):
    def listener(**_):
        raise error

    return listener


def test_a_listener_that_raises_is_no_failure_of_the_request(environment, participant):
    participant.begin()
    environment.events.prediction.add_listener(raising_keywords(ValueError("mine")))
    user_of(environment).predict()

    assert recorded(participant).failed == {}


def test_listeners_are_told_what_was_answered(environment, participant):
    environment.parsed_options.images_per_request = "3"
    told = []
    participant.begin()
    environment.events.prediction.add_listener(lambda **prediction: told.append(prediction))
    user_of(environment).predict()

    assert [prediction["position"] for prediction in told] == [0, 1, 2]
    assert {prediction["predicted"] for prediction in told} == {7}
    assert all(prediction["scores"].shape == (10,) and prediction["failure"] is None for prediction in told)
    first = told[0]["image_index"]
    assert [prediction["image_index"] for prediction in told] == [first, first + 1, first + 2]


def test_a_participant_hands_everything_over_once(environment, participant, runner):
    participant.begin()
    user = user_of(environment)
    for _ in range(3):
        user.predict()
    data = {}
    environment.events.report_to_master.fire(client_id="me", data=data)
    for _ in range(2):
        user.predict()
    participant.end()
    participant.end()

    reported = data[messages.REPORT_KEY]["rows"][0]["record"]["requests"]
    assert [message for message, _ in runner.sent] == [messages.JOINED, messages.DRAINED]
    drained = runner.sent[-1][1]
    assert (reported, drained["rows"][0]["record"]["requests"], drained["n_reported"]) == (3, 2, 5)
    assert participant.report() is None


def test_users_that_are_started_after_the_end_make_no_request(environment, participant):
    participant.begin()
    participant.end()
    user = user_of(environment)

    for fire_one in (user.predict, user.predict_in_turn):
        with pytest.raises(StopUser):
            fire_one()


@pytest.mark.parametrize(
    ("options", "code", "n_pauses"),
    [
        pytest.param({}, "UNAVAILABLE", 1, id="unreachable"),
        pytest.param({}, "RESOURCE_EXHAUSTED", 0, id="rejected"),
        pytest.param({"rate": "100000"}, "UNAVAILABLE", 0, id="unreachable-in-open-load"),
        pytest.param({}, CLIENT_ERROR, 1, id="a-fault-of-its-own"),
        pytest.param({"rate": "100000"}, CLIENT_ERROR, 1, id="a-fault-of-its-own-in-open-load"),
    ],
)
def test_a_user_that_fails_leaves_others_their_turn_and_an_outage_its_time(
    environment, participant, monkeypatch, options, code, n_pauses
):
    fire(environment, **options)
    participant.begin()
    pauses_s = []
    monkeypatch.setattr(prediction_user.gevent, "sleep", pauses_s.append)
    run = participant.open_run
    if run.pacer is not None:
        monkeypatch.setattr(run.pacer, "next", time.perf_counter_ns)
    user_of(environment, call=raising(PredictionFailure(code, "gone"))).predict()

    assert n_ended(run.recorder.take_all()) == 1
    assert sum(pause_s > 0 for pause_s in pauses_s) == n_pauses
    assert len(pauses_s) == 1  # at least the others have their turn
    assert all(0 <= pause_s <= 1 for pause_s in pauses_s)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param({"dataset": "nowhere"}, "'nowhere'", id="no-data"),
        pytest.param({"num_tests": "5000"}, "holds 1000 images", id="too-little-data"),
        pytest.param({messages.RUN_DATA_OPTION: "another"}, "are not those of the master", id="other-data"),
        pytest.param({messages.PROTOCOL_OPTION: 1}, "another version", id="another-version-of-the-suite"),
        pytest.param({"tls": "true", "tls_ca_file": "not-here.pem"}, "cannot be read", id="no-certificate"),
    ],
)
def test_an_unfit_worker_says_why(environment, participant, runner, options, reason):
    vars(environment.parsed_options).update(options)
    participant.begin()

    message, data = runner.sent[-1]
    assert message == messages.UNFIT
    assert reason in data["reason"]
    assert participant.open_run is None


def _of_classes(directory, *names):
    return write_pictures(directory, {f"{name}/a.png": image for name, image in zip(names, images(2), strict=True)})


def test_a_worker_takes_class_names_from_its_own_data_set(environment, participant, tmp_path):
    output = replace(MNIST_EXAMPLE.output, kind="labels", names=("cat", "dog"))
    fire(environment, dataset=str(_of_classes(tmp_path, "cat", "dog")))
    vars(environment.parsed_options)[messages.CALL_SPEC_OPTION] = replace(MNIST_EXAMPLE, output=output).to_text()
    participant.begin()

    assert participant.run.transport.spec.output == output


def test_a_worker_whose_classes_have_other_names_takes_no_part(environment, participant, runner, tmp_path):
    fire(environment, dataset=str(_of_classes(tmp_path / "master", "cat", "dog")))
    vars(environment.parsed_options)["dataset"] = str(_of_classes(tmp_path / "worker", "cow", "dog"))
    participant.begin()

    message, data = runner.sent[-1]
    assert message == messages.UNFIT
    assert "its images, labels or class names are not those of the master" in data["reason"]


def predict_in_own_turn(user):
    user.done.append("own")
    user.predict()


def look(user):
    user.done.append("look")


class Looking(TaskSet):
    @task
    def look(self):
        self.user.done.append("look")


class LogsIn:
    """A mixin that does not know of the users that it stands before."""

    def on_start(self):
        self.is_logged_in = True


class MixedIn(LogsIn, ScriptedUser):
    pass


class Below(MixedIn):
    pass


@pytest.mark.parametrize("user_class", [MixedIn, Below])
def test_a_user_joins_before_the_on_start_of_a_mixin(environment, participant, user_class):
    participant.begin()
    user = user_class(environment)
    user.on_start()
    user.predict()

    assert user.is_logged_in
    assert recorded(participant).requests == 1


def in_own_way(user):
    user.predict()


@task
def once(user):
    user.predict()


@task(2)
def twice(user):
    user.predict()


WithoutTurns = type("WithoutTurns", (ScriptedUser,), {"predict_in_turn": None, "tasks": [look]})


@pytest.mark.parametrize(
    ("base", "attributes", "tasks"),
    [
        pytest.param(ScriptedUser, {}, [PredictionUser.predict_in_turn], id="none-of-its-own"),
        pytest.param(ScriptedUser, {"tasks": [look]}, [PredictionUser.predict_in_turn, look], id="another-task"),
        pytest.param(ScriptedUser, {"predict_in_turn": in_own_way}, [in_own_way], id="a-method"),
        pytest.param(ScriptedUser, {"predict_in_turn": twice}, [twice] * 2, id="a-task"),
        pytest.param(ScriptedUser, {"predict_in_turn": None, "tasks": [look]}, [look], id="none-at-all"),
        pytest.param(WithoutTurns, {}, [look], id="below-one-without"),
        pytest.param(WithoutTurns, {"predict_in_turn": in_own_way}, [look], id="a-method-below-one-without"),
        pytest.param(WithoutTurns, {"predict_in_turn": once}, [look, once], id="a-task-below-it"),
    ],
)
def test_a_classs_own_turn_takes_the_place_of_the_suites(base, attributes, tasks):
    kind = type("User", (base,), dict(attributes))

    assert sorted(map(id, kind.tasks)) == sorted(map(id, tasks))


def start_by_predicting(user):
    ScriptedUser.on_start(user)
    user.predict()


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({}, id="the-suites-task"),
        pytest.param({"tasks": [predict_in_own_turn]}, id="a-task-that-predicts"),
        pytest.param({"tasks": [look]}, id="a-task-that-does-something-else"),
        pytest.param({"tasks": [PredictionUser.predict_in_turn, look]}, id="both"),
        pytest.param({"tasks": [Looking]}, id="a-set-of-tasks"),
        pytest.param({"on_start": start_by_predicting}, id="a-prediction-as-it-starts"),
        pytest.param({"tasks": [look], "wait_time": lambda _: 60}, id="a-wait-between-tasks"),
    ],
)
@pytest.mark.parametrize("is_over", [False, True], ids=["unfit", "the-run-has-ended"])
def test_a_user_without_a_run_ends_before_it_does_anything(environment, participant, attributes, is_over):
    if not is_over:
        environment.parsed_options.dataset = "nowhere"
    participant.begin()
    participant.end()
    errors = []
    environment.events.user_error.add_listener(lambda exception, **_: errors.append(exception))
    kind = type("User", (ScriptedUser,), {"done": [], **attributes})
    kind.tasks = attributes.get("tasks", kind.tasks)  # without those of its base, which Locust adds
    user = kind(environment)
    greenlet = user.start(Group())
    greenlet.join(5)
    is_ended = greenlet.ready()
    greenlet.kill()

    assert is_ended
    assert user.done == []
    assert errors == []


def test_a_worker_whose_master_lacks_the_suite_says_so(environment, participant, runner, caplog):
    delattr(environment.parsed_options, messages.RUN_NUMBER_OPTION)
    participant.begin()

    assert "The master does not run this suite" in caplog.text
    assert runner.sent == []
    assert participant.join() is None


def test_a_drain_stops_the_users_of_its_run_only(participant, runner):
    participant.begin()
    runner.receive(messages.DRAIN, {"run": 2})
    message, data = runner.sent[-1]
    assert (message, data["run"], data["rows"]) == (messages.DRAINED, 2, [])
    assert runner.n_stops == 0

    runner.receive(messages.DRAIN, {"run": 1})
    assert runner.n_stops == 1


def test_a_user_that_waits_for_an_arrival_ends_at_once(environment, participant):
    fire(environment, rate="0.1")
    participant.begin()
    user = ScriptedUser(environment)
    user.start(Group())
    wait_for(lambda: participant.run.pacer.n_free == 1)

    assert user.stop()  # Locust would otherwise wait for it as long as `--stop-timeout` says
    assert participant.run.pacer.n_free == 0


def test_a_user_that_waits_for_a_lease_ends_at_once(environment, participant):
    fire(environment, num_tests="10")
    participant.begin()
    user = ScriptedUser(environment)
    user.start(Group())
    wait_for(lambda: participant.run.supply.is_awaited_by(user.greenlet))

    assert user.stop()
    assert not participant.run.supply.is_awaited_by(user.greenlet)


def test_a_user_with_a_request_in_flight_may_finish_it(environment, participant):
    participant.begin()
    is_called, answer = gevent.event.Event(), gevent.event.Event()

    def call(*_):
        is_called.set()
        answer.wait()
        return b"a reply"

    user = type("User", (ScriptedUser,), {"call": call})(environment)
    greenlet = user.start(Group())
    assert is_called.wait(10)

    assert not user.stop()
    answer.set()
    greenlet.join(20)
    assert greenlet.ready()
    assert recorded(participant).requests == 1


def test_no_user_fires_before_the_answers_without_load_are_there(environment, participant, runner):
    fire(environment, verify="1")
    participant.begin()
    starting = gevent.spawn(user_of, environment)
    gevent.sleep(0.01)
    assert not starting.ready()
    assert runner.sent[-1] == (messages.REFERENCES_WANTED, {"run": 1})

    references = References()
    references.keep(0, np.eye(10, dtype="<f4")[[7]])
    runner.receive(messages.REFERENCES, {"run": 1, "rows": references.to_plain()})
    user = starting.get(timeout=10)

    assert len(user._references) == 1


def test_a_worker_that_gets_no_answers_without_load_is_unfit(environment, participant, runner, monkeypatch):
    monkeypatch.setattr("tfsload.run.participant.REFERENCES_LIMIT_S", 0.01)
    fire(environment, verify="1")
    participant.begin()

    with pytest.raises(StopUser):
        user_of(environment).predict()

    assert runner.sent[-1][0] == messages.UNFIT
    assert "recorded without load did not come" in runner.sent[-1][1]["reason"]
    assert participant.open_run is None


@pytest.mark.parametrize(
    ("options", "unsent"),
    [
        pytest.param({}, {messages.JOINED}, id="joined"),
        pytest.param({messages.PROTOCOL_OPTION: -1}, {messages.UNFIT}, id="unfit"),
        pytest.param({"verify": "1"}, {messages.REFERENCES_WANTED, messages.UNFIT}, id="references-that-never-come"),
        pytest.param({"num_tests": "1"}, {messages.LEASE_WANTED}, id="a-lease"),
        pytest.param({}, {messages.DRAINED}, id="the-rest"),
    ],
)
def test_a_connection_that_is_closed_harms_no_user(
    environment, participant, runner, monkeypatch, caplog, options, unsent
):
    monkeypatch.setattr(participating, "REFERENCES_LIMIT_S", 0.01)
    send = runner.send_message

    def send_or_fail(message, data):
        if message in unsent:
            raise RPCError("closed")
        send(message, data)

    runner.send_message = send_or_fail
    fire(environment, **options)
    participant.begin()
    user = type("User", (ScriptedUser,), {})(environment)
    user.on_start()
    firing = gevent.spawn(user.predict) if participant.open_run is not None else None
    gevent.sleep(0)
    participant.end()
    runner.receive(messages.DRAIN, {"run": 2})  # of a run that it never joined

    assert {
        message for message in unsent if f"{message} could not be sent to the master: closed" in caplog.text
    } == unsent
    assert firing is None or firing.exception is None
    gevent.killall([firing] if firing else [])
