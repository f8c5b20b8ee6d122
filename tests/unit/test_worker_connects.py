"""What a worker hears before Locust has told of its beginning: the users to start, and messages of the suite's."""

from types import SimpleNamespace

import gevent
import gevent.event
import pytest
from locust.env import Environment
from locust.event import Events
from locust.rpc.protocol import Message

from tests.support.fake_rpc import Network
from tests.support.fake_users import ScriptedUser, run_options
from tests.support.runs import wait_for
from tfsload.prediction import prediction_user, slot
from tfsload.run import messages
from tfsload.settings.settings import Settings
from tfsload.suite import lifecycle
from tfsload.transport.grpc.transport import GrpcTransport


class UnhurriedUser(ScriptedUser):
    """Leaves others their turn."""

    def call(self, _body):
        gevent.sleep(0.001)
        return b"a reply"


class PromptMaster:
    """Answers a worker's first word with all it has to say."""

    def __init__(self, network):
        self.network = network
        self.heard = []
        self.greenlet = gevent.spawn(self._listen)

    def _listen(self):
        while True:
            worker, message = self.network.to_master.get()
            self.heard.append((message.type, message.data))
            if message.type == "client_ready":
                self.greet(worker)

    def greet(self, worker):
        options = run_options(sweep="2")
        spawn = {"timestamp": 1.0, "user_classes_count": {"UnhurriedUser": 2}, "host": "127.0.0.1:1"}
        level = {"run": 1, "level": 7, "rate_rps": None, "warm_up_s": 0.0, "duration_s": 0.6}
        for kind, data in (
            ("ack", {"index": 0}),
            ("spawn", {**spawn, "stop_timeout": 0, "parsed_options": options}),
            (messages.LEVEL, {**level, "share": 0, "n_shares": 1}),
        ):
            self.network.to_worker[worker].put(Message(kind, data, worker))

    def told(self, kind):
        return [data for message, data in self.heard if message == kind]


@pytest.fixture
def connecting(monkeypatch):
    """Return a worker whose master has sent everything before `init` is fired, the master, and what fires `init`."""
    monkeypatch.setattr(lifecycle.interrupt, "deliver_to_main_greenlet", lambda *_: None)
    monkeypatch.setattr("tfsload.run.getting_ready.measure_round_trip_ns", lambda *_: 1)
    master = PromptMaster(Network(monkeypatch))
    events = Events()
    lifecycle.install(events)
    options = SimpleNamespace(headless=True, autostart=False, processes=None, web_base_path="")
    environment = Environment(user_classes=[UnhurriedUser], events=events, parsed_options=options)
    runner = environment.create_worker_runner("127.0.0.1", 1)
    yield environment, master, lambda: events.init.fire(environment=environment, runner=runner, web_ui=None)
    runner.quit()
    master.greenlet.kill()


def test_a_worker_begins_before_its_own_beginning_is_told(connecting):
    environment, master, _ = connecting
    wait_for(lambda: master.told(messages.LEVEL_DONE))

    assert environment.tfsload.participant.open_run is not None
    assert master.told(messages.JOINED) == [{"run": 1, "protocol": messages.PROTOCOL}]
    [done] = master.told(messages.LEVEL_DONE)
    assert (done["level"], done["n_users"]) == (7, 2)
    assert sum(row["record"]["requests"] for row in done["rows"] if row["level"] == 7) > 0


def test_its_beginning_then_changes_nothing(connecting):
    environment, master, init = connecting
    wait_for(lambda: master.told(messages.JOINED))
    suite, run = environment.tfsload, environment.tfsload.participant.open_run
    init()

    assert environment.tfsload is suite
    assert suite.participant.open_run is run
    assert len(master.told(messages.JOINED)) == 1


def test_users_that_start_before_there_is_a_suite_wait_for_it():
    """An own program may make its runner before it hangs the suite on its events."""
    environment = Environment(user_classes=[UnhurriedUser], parsed_options=SimpleNamespace(), host="127.0.0.1:1")
    user = UnhurriedUser(environment)
    starting = gevent.spawn(user.on_start)
    gevent.sleep(0.01)
    assert not starting.ready()
    kind = SimpleNamespace(book=None, references=None)
    run = SimpleNamespace(settings=Settings.parse({}, None), kind_of=lambda _: kind)
    slot.fill(environment, lambda: run)
    starting.get(timeout=10)

    assert user._run is run


def test_users_without_a_suite_say_so(monkeypatch):
    monkeypatch.setattr(prediction_user, "_SUITE_LIMIT_S", 0.0)
    environment = Environment(user_classes=[UnhurriedUser], parsed_options=SimpleNamespace(), host="127.0.0.1:1")

    with pytest.raises(RuntimeError, match=r"UnhurriedUser was started without the suite: call `tfsload\.install"):
        UnhurriedUser(environment).on_start()


def next_run(environment):
    """End the run under way, tell of the next, and return the participant, which has not begun it."""
    participant = environment.tfsload.participant
    vars(environment.parsed_options)[messages.RUN_NUMBER_OPTION] = 2
    participant.end()
    return participant


def test_all_users_that_come_while_the_run_begins_here_take_part(connecting, monkeypatch):
    environment, master, _ = connecting
    wait_for(lambda: master.told(messages.JOINED))
    participant = next_run(environment)
    is_parsing, go_on = gevent.event.Event(), gevent.event.Event()

    def files_are_checked_slowly(_):
        is_parsing.set()
        go_on.wait(10)

    monkeypatch.setattr(GrpcTransport, "check_files", files_are_checked_slowly)
    first, second, killed = (gevent.spawn(participant.join) for _ in range(3))
    assert is_parsing.wait(10)
    killed.kill()
    go_on.set()

    assert [joining.get(timeout=10).number for joining in (first, second)] == [2, 2]


def test_a_beginning_that_is_broken_off_is_made_anew(connecting, monkeypatch):
    environment, master, _ = connecting
    wait_for(lambda: master.told(messages.JOINED))
    participant = next_run(environment)
    with monkeypatch.context() as patch:
        is_parsing = gevent.event.Event()
        patch.setattr(GrpcTransport, "check_files", lambda _: (is_parsing.set(), gevent.sleep(10)))
        first = gevent.spawn(participant.join)
        assert is_parsing.wait(10)
        first.kill()

    assert participant.join().number == 2


def raising(error):
    def raise_it(*_, **__):
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("place", "error"),
    [
        pytest.param("tfsload.run.getting_ready.Run", OSError("no room"), id="no-room-for-its-images"),
        pytest.param("tfsload.run.getting_ready.kinds_asked", KeyError("a"), id="a-fault-of-this-suite"),
        pytest.param("tfsload.run.participant.Participant._supply", ValueError("b"), id="once-all-is-read"),
        pytest.param("tfsload.run.getting_ready.measure_round_trip_ns", RuntimeError("c"), id="no-round-trip"),
    ],
)
def test_a_beginning_that_fails_is_told_so_that_nobody_waits_for_it(connecting, monkeypatch, place, error):
    environment, master, _ = connecting
    wait_for(lambda: master.told(messages.JOINED))
    participant = next_run(environment)
    vars(environment.parsed_options)["sweep"] = "1,2"
    monkeypatch.setattr(place, raising(error))
    with pytest.raises(type(error)):
        participant.join()
    wait_for(lambda: master.told(messages.UNFIT))

    [unfit] = master.told(messages.UNFIT)
    assert (unfit["run"], type(error).__name__ in unfit["reason"]) == (2, True)
    assert participant.join() is None


def test_users_that_start_before_the_run_has_begun_here_begin_it(connecting):
    """Whoever comes first: an own program may have missed `test_start`."""
    environment, master, _ = connecting
    wait_for(lambda: master.told(messages.JOINED))
    participant = next_run(environment)

    assert participant.join().number == 2
    assert participant.join() is participant.open_run
    participant.end()
    assert participant.join() is None  # not again
