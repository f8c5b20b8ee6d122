"""How long to wait before connecting again, as gRPC has it (doc/connection-backoff.md). Pure."""

import random

INITIAL_S = 1.0
MULTIPLIER = 1.6
JITTER = 0.2
MAX_S = 120.0
# For load tests: a server that was restarted is to be noticed within the run.
PROMPT_INITIAL_S = 0.1
PROMPT_MAX_S = 2.0


class Backoff:
    """Delays that grow from one failure to the next."""

    def __init__(self, initial_s: float = INITIAL_S, max_s: float = MAX_S, seed: int | None = None) -> None:
        self._initial_s = initial_s
        self._max_s = max_s
        self._next_s = initial_s
        self._random = random.Random(seed)

    def next_s(self) -> float:
        """Return the delay after one more failure."""
        delay_s, self._next_s = self._next_s, min(self._next_s * MULTIPLIER, self._max_s)
        return delay_s * self._random.uniform(1 - JITTER, 1 + JITTER)

    def reset(self) -> None:
        """Begin anew: a connection was made."""
        self._next_s = self._initial_s
