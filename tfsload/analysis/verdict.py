"""Whether a run passed, and why not."""

from dataclasses import dataclass

from tfsload import exit_codes
from tfsload.analysis.summary import Summary

_WORDS = {
    exit_codes.PASS: "PASS",
    exit_codes.FAILED: "FAILED",
    exit_codes.INVALID: "INVALID",
}


@dataclass(frozen=True)
class Verdict:
    """How a run ends.

    Attributes:
        exit_code: one of `tfsload.exit_codes`.
        reasons: why it is no pass, and what to do, a sentence each; empty for a pass.
    """

    exit_code: int
    reasons: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The exit code in a word."""
        return _WORDS[self.exit_code]


def judge(summary: Summary, user_errors: int = 0, is_broken: bool = False) -> Verdict:
    """Judge a run.

    Requests without an answer fail it, whatever else there is; what is missing makes it invalid. Wrong
    answers alone do neither: a model is allowed its error rate.

    Args:
        summary: the run's figures.
        user_errors: exceptions raised in the users' own code.
        is_broken: whether an exception escaped elsewhere, from a listener, say.
    """
    failures = _failures(summary, user_errors, is_broken)
    if failures:
        return Verdict(exit_codes.FAILED, failures + _gaps(summary))
    gaps = _gaps(summary)
    return Verdict(exit_codes.INVALID, gaps) if gaps else Verdict(exit_codes.PASS)


def _failures(summary: Summary, user_errors: int, is_broken: bool) -> tuple[str, ...]:
    reasons = []
    if summary.failed_requests:
        codes = ", ".join(f"{code} {count:,}" for code, count in summary.failed.items())
        reasons.append(
            f"{summary.failed_requests:,} of {summary.requests:,} requests had no answer (images by code: {codes})"
        )
    if "RESOURCE_EXHAUSTED" in summary.failed:
        reasons.append(
            "RESOURCE_EXHAUSTED: the server rejects requests that it has no thread for, by default more than 4 a CPU; "
            "start it with a larger --grpc_max_threads, or send with fewer users"
        )
    if user_errors:
        reasons.append(f"{user_errors:,} exceptions in user code; Locust's error report shows them")
    if is_broken:
        reasons.append("an exception escaped from a listener or a greenlet; the log shows it")
    return tuple(reasons)


def _gaps(summary: Summary) -> tuple[str, ...]:
    reasons = [f"worker {worker} could not take part: {why}" for worker, why in summary.unfit_workers.items()]
    if not summary.requests:
        reasons.append("no request was made: let the run last longer, or start more users")
    if not summary.is_complete:
        reasons.append(
            f"only {summary.predictions:,} of {summary.n_asked:,} images were fired before the run was stopped"
        )
    if summary.n_unaccounted:
        reasons.append(f"{summary.n_unaccounted:,} requests that workers reported did not arrive: run again")
    if summary.lost_workers and summary.n_asked is None:
        reasons.append(
            f"{len(summary.lost_workers)} of {summary.n_workers} workers were lost with what they had not reported: "
            "run again with workers that stay"
        )
    return tuple(reasons)
