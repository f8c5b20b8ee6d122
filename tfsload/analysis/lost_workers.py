"""Workers that were lost, with what of a run went with them. Pure."""

from tfsload.analysis.result import RunResult
from tfsload.analysis.validity import WORKERS_STAY, Breach
from tfsload.analysis.workers import Workers

_CURE = "run again with workers that stay"


def are_all(workers: Workers) -> bool:
    """Whether none was left at the end: then Locust ends the run, and nobody has stopped it."""
    return bool(workers.lost) and workers.n_left == 0


def breaches(result: RunResult) -> list[Breach]:
    """Return what is missing with lost workers: one reason at most. Of images that are each fired once others are."""
    workers, course = result.workers, result.course
    n_lost = len(workers.lost)
    if not n_lost or course.n_images_asked is not None:
        return []
    who = f"{n_lost} of {workers.n} workers" if n_lost <= workers.n else f"{n_lost} workers"  # of as many at once
    were = f"{who} {'was' if n_lost == 1 else 'were'}"
    if are_all(workers) and n_lost == workers.n:
        were = _none_left(workers)
    what = f"{were} lost with what {'it' if n_lost == 1 else 'they'} had not reported"
    if are_all(workers) and result.is_stopped_early:
        what += f", and the run ended after {course.ran_s:,.1f} s of {course.run_time_s:,g}"
    return [Breach(WORKERS_STAY, what, _CURE)]


def of_images(fired: str, workers: Workers) -> Breach:
    """Return that nobody was left to fire the rest of some images; `fired` says how many were."""
    return Breach(WORKERS_STAY, f"{fired}, and {_none_left(workers)} lost", _CURE)


def _none_left(workers: Workers) -> str:
    """Name the workers of a run of which none was left; more may have been lost than there were at once."""
    if len(workers.lost) != workers.n:
        return "the last worker was"
    return "the only worker was" if workers.n == 1 else f"all {workers.n:,} workers were"
