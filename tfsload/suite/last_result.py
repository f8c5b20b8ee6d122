"""What the last run came to, for whoever has Locust's environment."""

from locust.env import Environment

from tfsload.analysis.result import RunResult


def result(environment: Environment) -> RunResult | None:
    """Return what the last run of this process came to.

    Args:
        environment: Locust's.

    Returns:
        The result; None before the first run has ended, while another one is under way, and on a worker.
    """
    suite = getattr(environment, "tfsload", None)
    outcome = getattr(suite, "outcome", None)
    return None if outcome is None else outcome.result
