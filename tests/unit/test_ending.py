"""How a run ends by itself."""

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


@pytest.mark.parametrize(
    ("is_headless", "called"),
    [
        pytest.param(True, ["runner.quit"], id="headless"),
        pytest.param(False, ["stop_starting", "runner.stop"], id="with-a-web-ui"),
    ],
)
def test_what_ends_with_a_run(calls, is_headless, called):
    ending.end_run(Noted(calls, "runner"), Noted(calls, "web_ui"), is_headless)

    assert calls == called
