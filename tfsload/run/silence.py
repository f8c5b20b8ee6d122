"""When to give up on a server that answers nobody (`--give-up-after`). Pure."""

from typing import Any

from tfsload.settings.settings import Settings

# What is given up after where `--give-up-after` does not say: so long, or so many deadlines, whichever is longer.
DEFAULT_S = 30.0
DEFAULT_DEADLINES = 2
# Pulses come once a second; what lies further apart is no stretch in which requests were seen to be sent.
_FARTHEST_S = 2.0


def limit_s(settings: Settings, has_run_time: bool) -> float | None:
    """Return after how many seconds without an answer a run is given up; None: never.

    A run without an end of its own may be there to wait for a server that comes back: it is given up only where that
    is asked for.

    Args:
        settings: the run's.
        has_run_time: whether `-t` ends it.
    """
    if settings.load.give_up_after_s is not None:
        return settings.load.give_up_after_s or None
    if not (has_run_time or settings.data.num_tests or settings.load.has_levels):
        return None
    return max(DEFAULT_S, DEFAULT_DEADLINES * settings.model.deadline_s)


class Silence:
    """Adds up the seconds in which requests are sent or wait, over all workers, and none is answered.

    Where nothing is sent, as between levels or in a long wait time, no time passes.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._forget()

    def _forget(self) -> None:
        self._seconds = 0.0
        self._last_s: float | None = None  # when requests were last seen to be sent
        self._probe: int | None = None  # the search's that it began in
        self._is_of_first_probe = False

    def take(self, pulse: dict[str, Any], now_s: float, probe: int | None = None) -> None:
        """Take a worker's pulse.

        Args:
            pulse: what a PULSE message holds.
            now_s: the time.
            probe: the number of the search's probe under way; None: there is none. A rate that is far too high may be
                answered by nothing, which is a finding: only what follows the first probe in silence counts.
        """
        if pulse["has_answered"]:
            self._forget()
        elif pulse["has_sent"]:
            if self._last_s is None:
                self._probe, self._is_of_first_probe = probe, probe is not None
            elif self._is_of_first_probe and probe not in (None, self._probe):
                self._seconds, self._is_of_first_probe = 0.0, False
            else:
                self._seconds += min(now_s - self._last_s, _FARTHEST_S)
            self._last_s = now_s

    @property
    def seconds(self) -> float:
        """How long nothing was answered."""
        return 0.0 if self._is_of_first_probe else self._seconds
