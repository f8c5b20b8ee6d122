"""What the start form, or the dialog that edits a run, was last refused: Locust's dialog closes on it, unread."""

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from locust.runners import STATE_RUNNING, STATE_SPAWNING
from locust.web import WebUI

from tfsload.settings.refusal import CANNOT_START
from tfsload.transport.words import redacted, sentence

logger = logging.getLogger("tfsload")  # a name for people: the log tab shows it

# Long enough to be read; the run goes on as if nothing had been asked.
EDIT_SHOWN_S = 20.0


class LocustsStart(Protocol):
    """Locust's own form, as far as its answers can be seen."""

    def wrap_start(self, web_ui: WebUI, start: Callable[[Callable[[], Any]], Any]) -> None:
        """Let `start` answer the form, with what answered it until then at hand."""


class RefusedStarts:
    """Remembers the last refusal, until a start is taken; that of an edit for a while only."""

    def __init__(self, web_ui: WebUI, locusts: LocustsStart, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Look at all answers to the form.

        Args:
            web_ui: Locust's; whatever else checks starts stands before it by now.
            locusts: has a hold on its form.
            clock_s: seconds that only grow.
        """
        self._environment = web_ui.environment
        self._clock_s = clock_s
        self._told = ""
        self._until_s = float("inf")
        locusts.wrap_start(web_ui, self._watch)

    def _watch(self, start: Callable[[], Any]) -> Any:
        runner = self._environment.runner
        is_edit = runner is not None and runner.state in (STATE_RUNNING, STATE_SPAWNING)
        reply = start()
        answer = reply.get_json(silent=True) if getattr(reply, "is_json", False) else None
        if isinstance(answer, dict):
            if answer.get("success"):
                self.forget()
            else:
                self._refused(str(answer.get("message") or ""), is_edit)
        return reply

    def _refused(self, message: str, is_edit: bool) -> None:
        why = sentence(redacted(message.removeprefix(CANNOT_START))) or "no reason was given"
        self._told = f"{'Not changed' if is_edit else 'Not started'}: {why}"
        self._until_s = self._clock_s() + EDIT_SHOWN_S if is_edit else float("inf")
        # The form tells of a start itself; whoever reads the log has nothing else of either.
        logger.log(logging.WARNING if is_edit else logging.INFO, "%s", self._told)

    @property
    def told(self) -> str:
        """The last refusal, in words; empty: there is none to be shown."""
        return self._told if self._clock_s() < self._until_s else ""

    def forget(self) -> None:
        """Know that a start was taken, or that a run has begun."""
        self._told, self._until_s = "", float("inf")
