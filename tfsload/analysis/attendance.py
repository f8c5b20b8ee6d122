"""Users that ran, over the whole of a run, against those that were asked for. Pure."""

from dataclasses import dataclass

# Where more of the users' time than this is missing, the run was another one than was asked for.
MISSING_SHARE_ALLOWED = 0.1


@dataclass
class Attendance:
    """Adds up users' time, from when all users of a ramp were started.

    Attributes:
        asked_user_s: seconds, times the users that were to run.
        ran_user_s: seconds, times those of them that did run, in processes that take part.
        seconds: how long it was looked at.
    """

    asked_user_s: float = 0.0
    ran_user_s: float = 0.0
    seconds: float = 0.0

    def add(self, seconds: float, n_asked: int, n_running: int) -> None:
        """Add some time in which so many users were asked for and so many ran; more than asked for make up for none."""
        self.seconds += seconds
        self.asked_user_s += seconds * n_asked
        self.ran_user_s += seconds * min(n_running, n_asked)

    @property
    def missing_share(self) -> float:
        """The part of the users' time that is missing; 0 where none were asked for."""
        return 1 - self.ran_user_s / self.asked_user_s if self.asked_user_s else 0.0

    @property
    def is_considerable(self) -> bool:
        """Whether so much is missing that the run says little of what was asked for."""
        return self.missing_share > MISSING_SHARE_ALLOWED

    @property
    def sentence(self) -> str:
        """How many ran on average, of how many."""
        asked, ran = (user_s / self.seconds if self.seconds else 0.0 for user_s in (self.asked_user_s, self.ran_user_s))
        return f"{ran:,.1f} of the {asked:,.3g} users asked for ran on average"
