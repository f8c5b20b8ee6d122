"""How many of the suite's users run, and how many were asked for: other users may come and go as they like."""

from typing import Any

from locust.env import Environment
from locust.runners import MasterRunner, Runner

from tfsload.run.user_hosts import other_classes


class Headcount:
    """Counts users by what Locust knows of them, without those that make no predictions."""

    def __init__(self, environment: Environment, runner: Runner) -> None:
        """Count nobody yet.

        Args:
            environment, runner: Locust's.
        """
        self._environment = environment
        self._runner = runner

    def running(self, workers: set[str]) -> int:
        """Return how many run now.

        Args:
            workers: those that count; in a process without workers its own users do, unless it is empty.
        """
        if not isinstance(self._runner, MasterRunner):
            return self._own(self._runner.user_count, self._runner, "user_classes_count") if workers else 0
        clients = [client for client in self._runner.clients.all if client.id in workers]
        return sum(self._own(client.user_count, client, "user_classes_count") for client in clients)

    def asked_for(self) -> int:
        """Return how many there should be now: all that Locust has dispatched."""
        asked = min(self._runner.target_user_count, sum(self._runner.target_user_classes_count.values()))
        return self._own(asked, self._runner, "target_user_classes_count")

    def at_the_end(self) -> tuple[int, int]:
        """Return how many run, of how many that were to be started in the end; of an unfinished ramp, of all users."""
        runner = self._runner
        n_running, n_users_asked = runner.user_count, runner.target_user_count
        others = self._other_names()
        if not others or sum(runner.target_user_classes_count.values()) != n_users_asked:
            return n_running, n_users_asked
        counts = "reported_user_classes_count" if isinstance(runner, MasterRunner) else "user_classes_count"
        return self._own(n_running, runner, counts), self._own(n_users_asked, runner, "target_user_classes_count")

    def _other_names(self) -> list[str]:
        return [one.__name__ for one in other_classes(self._environment.user_classes)]

    def _own(self, n_users: int, whose: Any, counts_by_class: str) -> int:
        """Take other users off a number; Locust counts by class anew each time that it is asked."""
        names = self._other_names()
        if not names:
            return n_users
        counts: dict[str, int] = getattr(whose, counts_by_class)
        return n_users - sum(counts.get(name, 0) for name in names)
