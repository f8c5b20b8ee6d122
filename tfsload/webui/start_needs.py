"""What the start form needs of others: of Locust, and of the runs that it starts."""

from collections.abc import Callable
from typing import Any, Protocol

from locust.web import WebUI

# What was sent, as Flask has it: texts by name, and with `getlist` all of one name.
Form = Any


class LocustsForm(Protocol):
    """Locust's own page and form, as far as the suite has a hold on them."""

    def wrap_start(self, web_ui: WebUI, start: Callable[[Callable[[], Any]], Any]) -> None:
        """Let `start` answer the form, with Locust's own answer at hand."""

    def wrap_stop(self, web_ui: WebUI, before: Callable[[], None]) -> None:
        """Call `before` when the stop button is pressed."""

    def wrap_picked_shape(self, web_ui: WebUI, then: Callable[[], None]) -> None:
        """Call `then` when Locust has taken the shape that was picked."""

    def has_run_time(self, web_ui: WebUI) -> bool:
        """Whether the form's run has a length."""

    def set_run_time(self, web_ui: WebUI, left_s: float | None) -> None:
        """Give the run a length in seconds; None: no end."""

    def forget_command_lines_run_time(self) -> None:
        """Take back the end of the run of the command line: another one is being started."""


class Coming(Protocol):
    """The run that was checked, and is about to begin."""

    @property
    def is_started(self) -> bool:
        """Whether its start goes on."""

    @property
    def n_images(self) -> int:
        """Images that it fires; 0: none was checked."""

    @property
    def told_before(self) -> tuple[str, ...]:
        """What the one that was checked is warned of before it begins, a sentence each."""

    def check(self, options: dict[str, Any], host: str | None, user_classes: list[type], *, faults: list[str]) -> None:
        """Check a run, and keep it for a start.

        Args:
            options: Locust's and the suite's, by name.
            host: as the form has it.
            user_classes: those of the run.
            faults: what is wrong with it that the caller knows of, a sentence each.

        Raises:
            RunRefused: with all faults.
        """

    def refuse_a_second(self) -> None:
        """Let none be checked beside another.

        Raises:
            RunRefused: another is being checked, or about to begin.
        """

    def refuse_beside_a_run(self) -> None:
        """Let none be checked while one is under way.

        Raises:
            RunRefused: one is, or is being ended.
        """

    def wait_for_last_run(self) -> bool:
        """Wait for the end of a run that is being stopped; return whether none is under way."""

    def take_back(self) -> None:
        """Forget what was checked."""


class Shapes(Protocol):
    """The load shape of the run that starts, or is under way."""

    @property
    def are_levels(self) -> bool:
        """Whether a run goes through levels of the suite's."""

    @property
    def how_long(self) -> str:
        """How many levels the checked run has, and how long they take; empty: it has none."""

    def keep_levels(self) -> None:
        """Leave the levels in place, whatever is picked."""

    def pick(self, shape: Any) -> None:
        """Take the shape that was picked."""

    def put_back(self) -> None:
        """Forget the shape that was picked last: its run does not start."""


class Protocols(Protocol):
    """What runs that a page starts may speak."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the protocols to choose among; none: there is nothing to choose."""

    @property
    def now(self) -> str:
        """The one of the run under way, or of the last; empty: there is nothing to choose."""

    def classes(self, name: str) -> list[type]:
        """Return the user classes of a run that speaks one of `names`."""

    def named(self, name: str) -> list[str]:
        """Return the classes that a command has to name for such a run."""


class TimeLeft(Protocol):
    """How long a run was to last, and still has; None: it has no such end."""

    @property
    def limit_s(self) -> float | None:
        """Seconds that it was to last."""

    @property
    def left_s(self) -> float | None:
        """Seconds that are left of them."""


class Wait(Protocol):
    """The wait for a server that is starting."""

    @property
    def where(self) -> str:
        """The server that is waited for; empty: none is."""

    @property
    def is_stopped(self) -> bool:
        """Whether it was ended, since `begin`."""

    def begin(self) -> None:
        """Forget that an earlier one was ended."""

    def stop(self) -> None:
        """End it."""
