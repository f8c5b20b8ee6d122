"""Users that did not run, or did not wait for their answers, where that makes the load another one. Pure."""

from tfsload.analysis.figures import requests
from tfsload.analysis.result import RunResult
from tfsload.analysis.validity import USERS_RUN, USERS_WAIT, Breach
from tfsload.analysis.verdict import Reason


def given_up(result: RunResult) -> list[Breach]:
    """Return that users did not wait for answers, so that figures are of the requests that were quick."""
    if not (n := result.n_given_up):
        return []
    were = "was" if n == 1 else "were"
    what = f"{requests(n)} {were} given up by user code before an answer came: what it would have been is not known"
    cure = "let predict() wait: --deadline says for how long, and what takes longer has failed"
    return [Breach(USERS_WAIT, what, cure)]


def breaches(result: RunResult) -> list[Breach]:
    """Return why the users of a run were not those that were asked for: one reason at most."""
    users = result.users
    if users.attended is not None and _misses_users(result):
        cure = "see in the log which workers or users ended"
        return [Breach(USERS_RUN, f"only {users.attended.sentence}", cure)]
    if _ends_in_its_ramp(result):
        what = f"only {_started(result)} before the run's time was over"
        return [Breach(USERS_RUN, what, "start more a second (-r), or let the run last longer (-t)")]
    return []


def are_of_the_ramp(result: RunResult) -> bool:
    """Whether what is told of them is that the run's time was over before all were started."""
    is_told_otherwise = result.users.attended is not None and _misses_users(result)
    return _ends_in_its_ramp(result) and not is_told_otherwise


def _misses_users(result: RunResult) -> bool:
    """Whether the load was not the one asked for. Levels have users of their own; who was lost or unfit is said."""
    users, course, workers = result.users, result.course, result.workers
    if users.attended is None or not users.attended.is_considerable or course.stalled:
        return False
    if result.levels or course.n_levels_left or workers.unfit or result.is_stopped_early:
        return False
    if course.n_images_asked is None:
        return not workers.lost
    # Each image was fired once, by however many: what it came to stands, but not how fast.
    return result.has_limits_on_speed


def _ends_in_its_ramp(result: RunResult) -> bool:
    """Whether a run that was to last for a time ended by that, and never had all of its users."""
    users, course, workers = result.users, result.course, result.workers
    if course.run_time_s is None or result.levels or course.n_levels_left or course.n_images_asked is not None:
        return False
    is_explained = course.stalled or course.gave_up_after_s is not None or workers.lost or workers.unfit
    if is_explained or result.is_stopped_early or result.aborted is not None:
        return False
    # Where none is left they have ended by themselves.
    return 0 < users.n < users.n_users_asked and not users.were_once_all_started


def notes(result: RunResult) -> tuple[Reason, ...]:
    """Return that each image was fired before all users were started, where limits were set on how fast that went."""
    users, course = result.users, result.course
    if course.n_images_asked is None or users.were_once_all_started or not 0 < users.n < users.n_users_asked:
        return ()
    if result.is_stopped_early or course.stalled or not result.has_limits_on_speed:
        return ()
    those = "that one" if users.n == 1 else "those"
    what = f"only {_started(result)} before the last image was fired: latencies and rates are of {those}"
    return (Reason(what, "start more a second (-r)"),)


def _started(result: RunResult) -> str:
    users = result.users
    return f"{users.n:,} of {users.n_users_asked:,} users {'was' if users.n == 1 else 'were'} started"
