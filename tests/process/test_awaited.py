"""What a master says that waits for its workers."""

import re
import signal
from types import SimpleNamespace

import pytest

from tests.support.runs import PROJECT, free_port, locust, wait_until
from tests.support.web_ui import UNSET, web_ui_of
from tfsload.run.awaited import AwaitedWorkers


class Waiting:
    """A master that waits for three workers, at an instant that the test sets."""

    def __init__(self, n_there=0):
        self.now_s, self.has_begun = 1000.0, False
        options = SimpleNamespace(expect_workers=3, master_bind_port=5557)
        self.events = SimpleNamespace()
        self.clients = SimpleNamespace(ready=["there"] * n_there)
        self.runner = SimpleNamespace(clients=_Clients(n_there))
        environment = SimpleNamespace(parsed_options=options, events=self.events)
        self.awaited = AwaitedWorkers(environment, self.runner, lambda: self.has_begun, lambda: self.now_s)

    def after(self, seconds):
        self.now_s += seconds
        return self.awaited.words()

    def hear_of(self, worker):
        self.events.heartbeat_of_unknown_worker.fire(client_id=worker)


class _Clients(dict):
    def __init__(self, n_there):
        super().__init__({f"there{number}": None for number in range(n_there)})

    @property
    def ready(self):
        return list(self)


@pytest.mark.parametrize(
    ("n_there", "said"),
    [
        pytest.param(0, "3 of 3 workers are missing, for 20 s now", id="all"),
        pytest.param(2, "1 of 3 workers is missing, for 20 s now", id="one"),
        pytest.param(3, "", id="none"),
        pytest.param(4, "", id="one-too-many"),
    ],
)
def test_how_many_are_missing_and_since_when(n_there, said):
    words = Waiting(n_there).after(20)

    assert words.startswith(said) if said else words == ""


def test_the_cure_is_to_start_them():
    words = Waiting(n_there=1).after(10)

    assert "start each with 'locust -f LOCUSTFILE --worker --master-host HOST --master-port 5557'" in words
    assert "earlier master" not in words
    assert "--expect-workers-max-wait" in words


def test_workers_of_an_earlier_master_are_named():
    waiting = Waiting()
    waiting.hear_of("old1")
    assert "a worker of an earlier master calls at this port, and cannot join this one" in waiting.after(1)
    waiting.hear_of("old2")
    assert "2 workers of an earlier master call" in waiting.after(1)
    assert "earlier master" not in waiting.after(60)  # they have ended since


def test_a_worker_that_has_joined_since_is_none_of_an_earlier_master():
    waiting = Waiting()
    waiting.hear_of("new")
    waiting.runner.clients["new"] = None

    assert "2 of 3" in waiting.after(1)
    assert "earlier master" not in waiting.awaited.words()


def test_a_worker_that_goes_again_is_missing_from_then_on():
    waiting = Waiting(n_there=3)
    assert waiting.after(100) == ""
    waiting.runner.clients.popitem()

    assert "for 10 s now" in waiting.after(10)


def test_once_the_run_has_begun_nothing_is_said():
    waiting = Waiting()
    waiting.has_begun = True

    assert waiting.after(100) == ""


def test_a_master_that_is_started_anew_tells_of_its_old_workers(cluster, model_server, tmp_path):
    load = ("--host", model_server.address, "-u", "2", "-r", "2", "-t", "60s", "--expect-workers", "1")
    run = cluster(*load, TFSLOAD_TEST_IN_FLIGHT_S="0.02")
    run.join()
    wait_until(lambda: "1 workers connected" in run.master.log(), "a worker")
    # All that its spawning makes it say has reached the old master: the new one would answer that with "quit".
    wait_until(lambda: run.master.n_done() > 0, "answers of the worker's users")
    run.master.signal(signal.SIGKILL)
    run.master.process.wait(20)
    master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", run.port)
    with locust(tmp_path / "anew", *master, "--headless", *load, cwd=PROJECT) as anew:
        # For how long is held on a clock above.
        said = r"1 of 1 worker is missing, for \d+ s now: a worker of an earlier master calls at this port"
        wait_until(lambda: re.search(said, anew.log()), "a word on it")
        anew.signal(signal.SIGINT)
        ended = anew.wait()

    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("load", [("-u", "2"), ("--sweep", "2")], ids=["users", "levels"])
def test_a_run_from_the_form_does_not_take_the_place_of_the_one_that_waits(tmp_path, model_server, load):
    port = str(free_port())
    master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", "2")
    asked = ("--autostart", "--num-tests", "50") if load[0] == "-u" else ("--autostart", "--level-duration", "1")
    worker = ("--worker", "--master-port", port)
    with web_ui_of(tmp_path / "master", *master, *asked, *load, "--host", model_server.address) as ui:
        with locust(tmp_path / "first", *worker):
            wait_until(lambda: len(ui.stats()["workers"]) == 1, "a worker")
            form = ui.start(**UNSET)
            ui.stop()  # there is nothing to be stopped yet
            with locust(tmp_path / "second", *worker):
                wait_until(ui.n_summaries, "the command line's run")
                after = ui.start(**UNSET | {"num_tests": "20"})
                wait_until(lambda: ui.n_summaries() == 2, "the form's run")
        summary = ui.summaries()

    assert "the run that the command line asks for begins when 2 workers are there" in form["message"]
    assert after["success"], after
    assert ("of 50 images" in summary or "50 images" in summary) if load[0] == "-u" else "2 users" in summary
