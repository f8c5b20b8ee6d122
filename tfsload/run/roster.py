"""The workers of a run: who is there, who takes part, and who has handed over the rest."""

from locust.runners import STATE_MISSING, MasterRunner, Runner

# A worker joins before it starts its users: whoever runs some for so long and has not joined never will.
STRANGE_AFTER_S = 5.0
# What is wrong with a worker that runs users and has not joined the run, or speaks otherwise.
STRANGER = "it runs users and has not joined the run: start it with the master's locustfile and version of this suite"
OTHER_VERSION = "it runs another version of this suite than the master: install the same on both"


class Roster:
    """Keeps the workers of one run after another.

    Attributes:
        joined: all that took part in this run.
        drained: those that have handed over the rest.
    """

    def __init__(self, runner: Runner) -> None:
        """Know nobody yet."""
        self._runner = runner
        self.joined: set[str] = set()
        self.drained: set[str] = set()
        self._at_begin: set[str] = set()  # all that were there, heard of since or not
        self._at_end: set[str] = set()  # all that were there when it began to end
        self._strange_s: dict[str, float] = {}  # for how long workers have run users without having joined

    def begin(self) -> None:
        """Begin a run."""
        self.joined, self.drained, self._at_begin = set(), set(), self.live()
        self._at_end = set()
        self._strange_s = {}

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

    def strangers(self, seconds: float) -> set[str]:
        """Return workers that have run users for long and have not joined, `seconds` after the last question."""
        if isinstance(self._runner, MasterRunner):
            with_users = {client.id for client in self._runner.clients.all if client.user_count}
            strange = (with_users & self.live()) - self.joined - self.drained
            self._strange_s = {worker: self._strange_s.get(worker, 0.0) + seconds for worker in strange}
        return {worker for worker, strange_s in self._strange_s.items() if strange_s >= STRANGE_AFTER_S}

    def gone(self) -> set[str]:
        """Return those that are not heard of any more and have not handed over the rest."""
        return (self.joined | self._at_begin) - self.live() - self.drained

    def end(self) -> None:
        """Know that the run ends: whoever comes from now on has nothing to hand over."""
        self._at_end = self.live()

    @property
    def until_the_end(self) -> set[str]:
        """Those that took part and were there when the run began to end, whatever has become of them since."""
        return self.joined & self._at_end

    def to_hand_over(self) -> set[str]:
        """Return those that have yet to hand over the rest, heard of or not."""
        return (self.joined | self._at_begin | self._at_end) - self.drained
