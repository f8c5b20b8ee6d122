"""Fewer users at a run's end than were to be started: how many, and why. Pure."""

from tfsload.analysis.result import RunResult

_LATE_USERS = "the run ended before all were started (-r: more a second)"
_GONE_OR_LATE = "others ended by themselves, or the run ended before they were started (-r: more a second)"
_USERS_GONE = "they ended by themselves before the run did"


def why_fewer(result: RunResult) -> str:
    """Return why fewer users run at the end than were to be started; empty: not so, or each level has its own users."""
    users, workers = result.users, result.workers
    if users.n >= users.n_users_asked or result.levels or result.course.n_levels_left:
        return ""
    if workers.lost:
        return "others were with workers that are lost"
    if workers.unfit:
        return "others were with workers that could not take part"
    if result.totals.requests and not users.n:
        return _USERS_GONE  # without a user no request is made
    return _GONE_OR_LATE if users.were_once_all_started else _LATE_USERS
