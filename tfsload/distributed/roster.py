"""The workers of a run: who is there, who takes part, and who has handed over the rest."""

from typing import Any

from locust.runners import STATE_MISSING, MasterRunner


class Roster:
    """Keeps the workers of one run after another.

    Attributes:
        joined: all that took part in this run.
        drained: those that have handed over the rest.
    """

    def __init__(self, runner: Any) -> None:
        """Know nobody yet."""
        self._runner = runner
        self.joined: set[str] = set()
        self.drained: set[str] = set()
        self._at_begin: set[str] = set()  # all that were there, heard of since or not

    def begin(self) -> None:
        """Begin a run."""
        self.joined, self.drained, self._at_begin = set(), set(), self.live()

    def live(self) -> set[str]:
        """Return the workers that are heard of; a process without workers is its own."""
        if not isinstance(self._runner, MasterRunner):
            return {"local"}
        return {client.id for client in self._runner.clients.all if client.state != STATE_MISSING}

    def with_users(self) -> set[str]:
        """Return the workers that take part, are heard of and run at least one user."""
        taking_part = self.joined & self.live()
        if not isinstance(self._runner, MasterRunner):
            return taking_part
        return {client.id for client in self._runner.clients.all if client.id in taking_part and client.user_count}

    def gone(self) -> set[str]:
        """Return those that are not heard of any more and have not handed over the rest."""
        return (self.joined | self._at_begin) - self.live() - self.drained

    def to_hand_over(self) -> set[str]:
        """Return those that have yet to hand over the rest, heard of or not."""
        return (self.joined | self._at_begin | self.live()) - self.drained
