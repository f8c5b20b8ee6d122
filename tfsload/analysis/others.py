"""Requests in a run that are no predictions: other users', or those of tasks that a user class adds."""

from dataclasses import dataclass

from tfsload.analysis.figures import requests

# A run may have a row of failures for each address that it calls.
_MOST_ROWS = 5


@dataclass(frozen=True)
class OtherFailures:
    """Failed requests of one row of Locust's statistics.

    Attributes:
        row: the row's type and name, such as `GET /`.
        n_failed, n_requests: requests that failed, of those that were made.
        error: what one of them failed with, in its own words.
    """

    row: str
    n_failed: int
    n_requests: int
    error: str


@dataclass(frozen=True)
class Others:
    """What runs beside predictions.

    Attributes:
        names: user classes that are not the suite's, and tasks (`Class.task`) that a class of the suite adds.
        failures: their failed requests, a row each, most of them first.
    """

    names: tuple[str, ...] = ()
    failures: tuple[OtherFailures, ...] = ()


NO_OTHERS = Others()


def reasons(others: Others) -> tuple[str, ...]:
    """Say whose requests failed, a sentence each."""
    failures = others.failures
    whose = f"of {' or '.join(others.names)}" if others.names else "that are no predictions"
    told = [
        f"{requests(one.n_failed, one.n_requests)} {one.row!r} {whose} failed: {one.error}"
        for one in failures[:_MOST_ROWS]
    ]
    left = failures[_MOST_ROWS:]
    if left:
        n_failed = sum(one.n_failed for one in left)
        names = "another name" if len(left) == 1 else f"{len(left):,} other names"
        told.append(f"{requests(n_failed)} of {names} failed; Locust's error report shows them")
    return tuple(told)
