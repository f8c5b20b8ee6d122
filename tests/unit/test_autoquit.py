"""`--autoquit`: with which run the process ends, and with none that came after that one."""

from types import SimpleNamespace

import gevent
import gevent.event
import pytest

from tests.support.runs import wait_for
from tfsload.suite import autoquit
from tfsload.suite.autoquit import Autoquit


class Process:
    """One whose command line's run has ended, and which notes what ends it."""

    def __init__(self, after_s=0, autostart=True):
        self.is_last = self.is_idle = True
        self.n_looks = 0  # whether it is the last one
        self.done = []
        self.is_closed = gevent.event.Event()
        closing = gevent.spawn(self.is_closed.wait)
        web_ui = SimpleNamespace(stop=lambda: self.done.append("web_ui.stop"), greenlet=closing)
        options = SimpleNamespace(autostart=autostart, autoquit=after_s)
        runner = SimpleNamespace(quit=lambda: self.done.append("runner.quit"))
        environment = SimpleNamespace(parsed_options=options, web_ui=web_ui)
        self.autoquit = Autoquit(environment, runner, self._look, lambda: self.is_idle)

    def _look(self):
        self.n_looks += 1
        return self.is_last

    def locusts(self):
        """Sleep as Locust does before it quits."""
        self.autoquit.sleep(0)
        self.done.append("quit")


QUIT = ["runner.quit", "web_ui.stop"]


@pytest.mark.parametrize(
    ("autostart", "after_s", "expected"),
    [
        pytest.param(True, 0.01, 0.01, id="asked-for"),
        pytest.param(True, 0, 0, id="at-once"),
        pytest.param(True, -1, None, id="not-asked-for"),
        pytest.param(False, 5, None, id="not-begun-by-the-command-line"),
    ],
)
def test_when_the_process_ends(autostart, after_s, expected):
    process = Process(after_s, autostart)
    process.autoquit.quit()

    assert autoquit.after_s(SimpleNamespace(autostart=autostart, autoquit=after_s)) == expected
    assert process.done == ([] if expected is None else QUIT)


def begins_another(process):
    process.is_last = False


def starts_another(process):
    process.is_idle = False


@pytest.mark.heavy
@pytest.mark.parametrize("how", ["quit", "locusts"])
@pytest.mark.parametrize(
    ("meanwhile", "then", "ends"),
    [
        pytest.param(lambda _: None, lambda _: None, True, id="nothing"),
        pytest.param(begins_another, lambda _: None, False, id="another-run"),
        pytest.param(starts_another, begins_another, False, id="a-start-that-comes-to-a-run"),
        pytest.param(starts_another, lambda one: setattr(one, "is_idle", True), True, id="a-start-that-is-refused"),
    ],
)
def test_what_comes_in_the_time_that_is_slept(how, meanwhile, then, ends):
    process = Process()
    ending = gevent.spawn(process.autoquit.quit if how == "quit" else process.locusts)
    meanwhile(process)
    wait_for(lambda: process.n_looks)
    before = list(process.done)
    then(process)
    ending.join(10)

    assert ending.ready()
    assert ending.exception is None
    assert process.done == ([] if not ends else QUIT if how == "quit" else ["quit"])
    assert before == ([] if meanwhile is starts_another else process.done)


def test_locusts_main_greenlet_is_kept_until_the_web_ui_is_closed():
    """Nothing may be raised in it: it would end the process."""
    process = Process()
    process.is_last = False
    is_held = []

    def look():
        wait_for(lambda: process.n_looks)
        gevent.sleep(0)  # whoever is not held goes on
        is_held.append(not process.done)
        process.is_closed.set()

    gevent.spawn(look)
    process.locusts()  # the test's own greenlet is a main one

    assert is_held == [True]
