"""Users that ran, over the whole of a run, against those that were asked for. Pure."""

from dataclasses import dataclass

# Users that are all there within so long after their ramp were only slow to start.
START_UP_S = 5.0
# Users are counted every half second, and one look stands for the time before it: of less time it says nothing.
LEAST_S = 1.0
# Where more of the users' time than this is missing, the run was another one than was asked for.
MISSING_SHARE_ALLOWED = 0.1


@dataclass(frozen=True)
class Attended:
    """Users' time, from when all users of a ramp are started.

    Attributes:
        asked_user_s: seconds, times the users that were to run.
        ran_user_s: seconds, times those of them that did run, in processes that take part.
        seconds: how long it was looked at.
    """

    asked_user_s: float
    ran_user_s: float
    seconds: float

    @property
    def missing_share(self) -> float:
        """The part of the users' time that is missing; 0 where none were asked for."""
        return 1 - self.ran_user_s / self.asked_user_s if self.asked_user_s else 0.0

    @property
    def is_considerable(self) -> bool:
        """Whether so much is missing that the run says little of what was asked for."""
        return self.seconds >= LEAST_S and self.missing_share > MISSING_SHARE_ALLOWED

    @property
    def sentence(self) -> str:
        """How many ran on average, of how many."""
        asked, ran = (user_s / self.seconds if self.seconds else 0.0 for user_s in (self.asked_user_s, self.ran_user_s))
        told = f"{asked:,.0f}" if round(asked, 1).is_integer() else f"{asked:,.1f}"
        return f"{ran:,.1f} of the {told} users asked for ran on average"


class Attendance:
    """Adds up users' time, from when all users of a ramp are started.

    Attributes:
        asked_user_s: seconds, times the users that were to run.
        ran_user_s: seconds, times those of them that did run, in processes that take part.
        seconds: how long it was looked at.
    """

    def __init__(self) -> None:
        """Add up nothing yet."""
        self.asked_user_s = self.ran_user_s = self.seconds = 0.0
        self._n_users_asked = 0  # as of the last time that was added
        self._start_up: Attendance | None = None  # since those are asked for, as long as not all of them have run

    def add(self, seconds: float, n_users_asked: int, n_running: int) -> None:
        """Add some time in which so many users were asked for and so many ran; more than asked for make up for none."""
        if n_users_asked != self._n_users_asked:
            self._take_start_up()
            self._n_users_asked, self._start_up = n_users_asked, Attendance()
        if self._start_up is not None and n_running >= n_users_asked:
            if self._start_up.seconds > START_UP_S:
                self._take_start_up()
            self._start_up = None
        into = self if self._start_up is None else self._start_up
        into._count(seconds, n_users_asked, n_running)

    def _count(self, seconds: float, n_users_asked: int, n_running: int) -> None:
        self.seconds += seconds
        self.asked_user_s += seconds * n_users_asked
        self.ran_user_s += seconds * min(n_running, n_users_asked)

    def _take_start_up(self) -> None:
        if self._start_up is not None:
            self.seconds += self._start_up.seconds
            self.asked_user_s += self._start_up.asked_user_s
            self.ran_user_s += self._start_up.ran_user_s
            self._start_up = None

    def end(self) -> None:
        """Know that no more is added: users that have not come by now never ran."""
        self._take_start_up()

    @property
    def attended(self) -> Attended:
        """What has been added up so far."""
        return Attended(self.asked_user_s, self.ran_user_s, self.seconds)
