"""What is promised of a run whose workers come and go, or whose users are edited: each case, each time, each kind.

Two workers run; what happens befalls the second of them, or a third one joins.
"""

import itertools
from dataclasses import dataclass

from tfsload.analysis import exit_codes

KINDS = ("num-tests", "run-time", "sweep", "rate", "search")
WHENS = ("before-start", "ramp", "warm-up", "level", "between-levels", "drain")
WHATS = ("joins", "leaves-in-peace", "is-killed", "comes-back", "master-killed", "users-edited")


@dataclass(frozen=True)
class Outcome:
    """What is promised.

    Attributes:
        exit_code: the run's.
        reason: what stands in a reason of the verdict; empty: there is none.
        further: what may stand in others.
        loses: whether requests that were answered may be in no figure.
    """

    exit_code: int
    reason: str = ""
    further: tuple[str, ...] = ()
    loses: bool = False


EXACT = Outcome(exit_codes.PASS)
# Each image counts once, but what the lost worker had made and not handed over was made again.
EXACT_WITHOUT_IT = Outcome(exit_codes.PASS, loses=True)
DISTURBED = Outcome(exit_codes.INVALID, "while it was measured")
SHORT_OF_USERS = Outcome(exit_codes.INVALID, "users ran; see the log")
UNREPORTED = Outcome(exit_codes.INVALID, "1 of 2 workers did not report it", (SHORT_OF_USERS.reason,))
# Nor did it begin the next level: it is back in the middle of that.
MISSING_TWICE = Outcome(exit_codes.INVALID, UNREPORTED.reason, (SHORT_OF_USERS.reason, DISTURBED.reason))
LOST = Outcome(
    exit_codes.INVALID,
    "1 of 2 workers was lost with what it had not reported",
    (UNREPORTED.reason, SHORT_OF_USERS.reason),
    loses=True,
)


def assert_is_named(promised, said):
    """Hold the reasons of this table that stand in a text against what is promised: nothing else is blamed."""
    reasons = {outcome.reason for outcome in (DISTURBED, UNREPORTED, SHORT_OF_USERS, LOST)}
    named = {reason for reason in reasons if reason in said} - set(promised.further)
    assert named == ({promised.reason} if promised.reason else set()), said


@dataclass(frozen=True)
class Alone:
    """What is promised of workers whose master is gone, and with it whoever could say how the run went.

    Attributes:
        says: what each logs; empty: nothing.
    """

    says: str = ""


STOPS_BY_ITSELF = Alone("Nothing was heard of the master for 15 s: the load stops")
IDLE = Alone()

PLAIN = ("num-tests", "run-time")
NO_SENSE = {
    **{("warm-up", kind): "a run without levels has no warm-up" for kind in PLAIN},
    **{("between-levels", kind): "a run without levels has nothing between them" for kind in PLAIN},
}


def by_kind(plain, sweep_and_rate, search=None):
    """Return outcomes by kind; what the loss of a worker costs a run of which each image counts once is made again."""
    return {
        "num-tests": EXACT_WITHOUT_IT if plain is LOST else plain,
        "run-time": plain,
        "sweep": sweep_and_rate,
        "rate": sweep_and_rate,
        "search": search or sweep_and_rate,
    }


ALWAYS_EXACT, ALWAYS_LOST = by_kind(EXACT, EXACT), by_kind(LOST, LOST)
DISTURBS_A_LEVEL = {
    "before-start": ALWAYS_EXACT,
    "ramp": ALWAYS_EXACT,
    "warm-up": by_kind(None, DISTURBED),
    "level": by_kind(EXACT, DISTURBED),
    "between-levels": ALWAYS_EXACT,
    "drain": ALWAYS_EXACT,
}
TABLE = {
    "joins": DISTURBS_A_LEVEL,
    "leaves-in-peace": {
        "before-start": ALWAYS_EXACT,
        # Locust gives nobody its users while it starts others. The search's result does not rest on its first probe.
        "ramp": by_kind(EXACT, SHORT_OF_USERS, EXACT),
        "warm-up": by_kind(None, UNREPORTED),
        "level": by_kind(EXACT, UNREPORTED),
        "between-levels": by_kind(None, SHORT_OF_USERS, EXACT),
        "drain": ALWAYS_EXACT,
    },
    "is-killed": dict.fromkeys(WHENS, ALWAYS_LOST),
    "comes-back": {
        # It was thought to be there, and given users, which it starts in the middle of the first level.
        "before-start": by_kind(EXACT, DISTURBED, EXACT),
        "ramp": ALWAYS_EXACT,
        # It went on measuring, and its report came when it was back.
        "warm-up": ALWAYS_EXACT,
        "level": {**by_kind(EXACT, MISSING_TWICE, LOST), "num-tests": EXACT_WITHOUT_IT},
        "between-levels": ALWAYS_EXACT,
        "drain": ALWAYS_LOST,
    },
    "master-killed": {
        **dict.fromkeys(WHENS, dict.fromkeys(KINDS, STOPS_BY_ITSELF)),
        "before-start": dict.fromkeys(KINDS, IDLE),
        "drain": dict.fromkeys(KINDS, IDLE),  # they were told to stop while it lived
    },
    "users-edited": DISTURBS_A_LEVEL,
}
CELLS = [cell for cell in itertools.product(WHATS, WHENS, KINDS) if cell[1:] not in NO_SENSE]
