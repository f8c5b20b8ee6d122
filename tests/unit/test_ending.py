"""How a run ends by itself, and which run `--autoquit` ends the process with."""

from types import SimpleNamespace

import gevent
import pytest

from tfsload.suite import ending, locust_wraps


class Noted:
    """Notes what is called of it."""

    def __init__(self, calls, name):
        self._calls, self._name = calls, name

    def __getattr__(self, what):
        return lambda *_: self._calls.append(f"{self._name}.{what}")


@pytest.fixture
def calls(monkeypatch):
    noted = []
    monkeypatch.setattr(locust_wraps, "stop_starting", lambda _: noted.append("stop_starting"))
    return noted


STOPPED = ["stop_starting", "runner.stop"]
QUIT = [*STOPPED, "runner.quit", "web_ui.stop"]


@pytest.mark.parametrize(
    ("is_headless", "quits_after_s", "is_last", "called"),
    [
        pytest.param(True, None, True, ["runner.quit"], id="headless"),
        pytest.param(False, None, True, STOPPED, id="the-process-goes-on"),
        pytest.param(False, 0, True, QUIT, id="the-process-ends-with-it"),
        pytest.param(False, 0, False, STOPPED, id="another-run-has-begun-meanwhile"),
    ],
)
def test_what_ends_with_a_run(calls, is_headless, quits_after_s, is_last, called):
    runner, web_ui = Noted(calls, "runner"), Noted(calls, "web_ui")
    ending.end_run(runner, web_ui, is_headless, quits_after_s, lambda: is_last)

    assert calls == called


def test_a_run_that_begins_before_the_time_is_over_goes_on(calls):
    runs = ["first"]
    web_ui = Noted(calls, "web_ui")
    quitting = gevent.spawn(ending.end_run, Noted(calls, "runner"), web_ui, False, 0.01, lambda: runs[-1] == "first")
    gevent.sleep(0)
    runs.append("second")
    quitting.join(10)

    assert (quitting.ready(), calls) == (True, STOPPED)


@pytest.mark.parametrize(
    ("autostart", "autoquit", "quits_after_s"),
    [
        pytest.param(True, 5, 5, id="asked-for"),
        pytest.param(True, 0, 0, id="at-once"),
        pytest.param(True, -1, None, id="not-asked-for"),
        pytest.param(False, 5, None, id="not-begun-by-the-command-line"),
    ],
)
def test_when_autoquit_ends_the_process(autostart, autoquit, quits_after_s):
    assert ending.quits_after_s(SimpleNamespace(autostart=autostart, autoquit=autoquit)) == quits_after_s
