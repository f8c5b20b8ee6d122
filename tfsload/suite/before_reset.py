"""What Locust's statistics held of a run before they were reset: it is judged, too.

Locust empties them at a button of the web UI and, with `--reset-stats`, whenever all users are there.
"""

import re
from typing import Any

from locust.env import Environment
from locust.runners import Runner
from locust.stats import RequestStats, StatsError

from tfsload.run import messages
from tfsload.suite import locust_wraps
from tfsload.transport.words import shown

# A frame of a traceback: file, line, function.
_PLACE = re.compile(r'File "(?:[^"]*/)?([^"/]+)", line (\d+), in (\S+)')


class BeforeReset:
    """Keeps what is taken out of the statistics in mid-run; a worker's is handed to its master."""

    def __init__(self, environment: Environment, runner: Runner) -> None:
        """Keep from now on; once in a process.

        Args:
            environment, runner: Locust's.
        """
        self._environment = environment
        self._runner = runner
        self._stats = RequestStats(use_response_times_cache=False)
        self._n_exceptions = 0
        locust_wraps.wrap_reset(environment.stats, self._keep_statistics)
        environment.events.reset_stats.add_listener(self._keep_exceptions)
        environment.events.report_to_master.add_listener(self._on_report_to_master)
        environment.events.worker_report.add_listener(self._on_worker_report)

    def begin(self) -> None:
        """Forget all of an earlier run (on `test_start`)."""
        self._stats.clear_all()
        self._n_exceptions = 0

    @property
    def stats(self) -> RequestStats:
        """How many requests the whole run made by name, and how they failed; no times."""
        whole = RequestStats(use_response_times_cache=False)
        for part in (self._stats, self._environment.stats):
            _add(whole, part)
        return whole

    @property
    def n_exceptions(self) -> int:
        """Exceptions raised in the users' own code in the whole run."""
        return self._n_exceptions + sum(row["count"] for row in self._runner.exceptions.values())

    @property
    def commonest_exception(self) -> str:
        """One of the commonest exceptions of users since the last reset: what it says, and where it was raised."""
        rows = self._runner.exceptions.values()
        row = max(rows, key=lambda one: one["count"], default=None)
        if row is None:
            return ""
        places = _PLACE.findall(row["traceback"])
        where = "{}, line {}, in {}".format(*places[-1]) if places else "its place is not known"
        return shown(f"{row['msg'] or 'one without words'} ({where})")

    @property
    def _run_number(self) -> int | None:
        return getattr(self._environment.parsed_options, messages.RUN_NUMBER_OPTION, None)

    def _keep_statistics(self) -> None:
        _add(self._stats, self._environment.stats)

    def _keep_exceptions(self, **_: Any) -> None:
        self._n_exceptions = self.n_exceptions

    def _on_report_to_master(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002  (Locust's names)
        requests = [[*key, entry.num_requests] for key, entry in self._stats.entries.items() if entry.num_requests]
        errors = [[one.method, one.name, one.parse_error(one.error), one.occurrences] for one in _errors(self._stats)]
        if requests or errors:
            data[messages.BEFORE_RESET_KEY] = {"run": self._run_number, "requests": requests, "errors": errors}
            self._stats.clear_all()

    def _on_worker_report(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002  (Locust's names)
        kept = data.get(messages.BEFORE_RESET_KEY)
        if kept is None or kept["run"] != self._run_number:
            return
        for name, method, n_requests in kept["requests"]:
            self._stats.get(name, method).num_requests += n_requests
        for method, name, error, n_failed in kept["errors"]:
            _add_error(self._stats, StatsError(method, name, error, n_failed))


def _errors(stats: RequestStats) -> list[StatsError]:
    return list(stats.errors.values())


def _add(stats: RequestStats, other: RequestStats) -> None:
    for (name, method), entry in list(other.entries.items()):
        stats.get(name, method).num_requests += entry.num_requests
    for error in _errors(other):
        _add_error(stats, error)


def _add_error(stats: RequestStats, error: StatsError) -> None:
    key = StatsError.create_key(error.method, error.name, error.error)
    known = stats.errors.setdefault(key, StatsError(error.method, error.name, error.error))
    known.occurrences += error.occurrences
