"""`--autoquit`: the process ends so many seconds after the run that `--autostart` began, if no other one came after."""

import logging
from collections.abc import Callable
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import Runner

logger = logging.getLogger("tfsload")  # a name for people: this line is in the web UI's log tab

# How often it is looked whether a start that is under way when the time is over has come to a run.
_POLL_S = 0.2
_GOES_ON = "--autoquit: another run was started after the command line's, so the web UI goes on"


def after_s(options: Any) -> float | None:
    """Return how long after the run that `--autostart` began the process ends; None: it does not."""
    return options.autoquit if options.autostart and options.autoquit != -1 else None


class Autoquit:
    """Ends the process after the command line's run, whoever has ended that: Locust's timer, or the suite."""

    def __init__(
        self, environment: Environment, runner: Runner, is_last: Callable[[], bool], is_idle: Callable[[], bool]
    ) -> None:
        """Wait for nothing yet.

        Args:
            environment, runner: Locust's.
            is_last: whether no run has begun after the command line's.
            is_idle: whether none is under way, and none is being started.
        """
        self._environment = environment
        self._runner = runner
        self._is_last = is_last
        self._is_idle = is_idle

    def quit(self) -> None:
        """End the process when the time is over that it is to go on for, after a run that the suite has ended."""
        seconds, web_ui = after_s(self._environment.parsed_options), self._environment.web_ui
        if seconds is not None and self._wait(seconds):
            self._runner.quit()
            if web_ui is not None:
                web_ui.stop()

    def sleep(self, seconds: float) -> None:
        """Return when Locust, which ends the process then, may do so; a greenlet that may not comes no further."""
        if self._wait(seconds):
            return
        logger.info("%s", _GOES_ON)
        if isinstance(gevent.getcurrent(), gevent.Greenlet):  # Locust's timer
            raise gevent.GreenletExit
        web_ui: Any = self._environment.web_ui  # in Locust's main greenlet, after a load shape: it waits for this next
        web_ui.greenlet.join()

    def _wait(self, seconds: float) -> bool:
        """Let the time pass; return whether the process may end. A start that is under way may come to no run."""
        gevent.sleep(seconds)
        while self._is_last():
            if self._is_idle():
                return True
            gevent.sleep(_POLL_S)
        return False
