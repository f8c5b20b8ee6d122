"""A process that looks at what it has in hand, at instants that a test sets."""

from types import SimpleNamespace

from tfsload.load.supply import LeasedSupply
from tfsload.records.recorder import Recorder
from tfsload.run import pulse
from tfsload.run.pulse import Pulse

DEADLINE_S = 5
LIMIT_NS = int((DEADLINE_S + pulse.STUCK_AFTER_DEADLINE_S) * 1e9)


class Process:
    """A process that runs users, at an instant that the test sets."""

    def __init__(self, n_users=1):
        self.now_ns = 10**12
        self.users = [SimpleNamespace(sent_ns=0, in_hand_ns=0) for _ in range(n_users)]
        self.told = []
        self.run = SimpleNamespace(
            recorder=Recorder(),
            settings=SimpleNamespace(model=SimpleNamespace(deadline_s=DEADLINE_S), data=SimpleNamespace(num_tests=100)),
            supply=LeasedSupply(lambda _: None, lambda _: None),
            sent_ns=0,
            answered_ns=0,
        )
        self.pulse = Pulse(self.run, lambda: self.users, self.told.append, lambda: self.now_ns)

    def look(self):
        return self.pulse.look()
