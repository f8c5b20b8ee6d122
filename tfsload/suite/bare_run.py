"""The user classes of a run for which none was named, and what is refused of those that were, before any page."""

from typing import Any

from locust.env import Environment

from tfsload.analysis import exit_codes
from tfsload.run import one_protocol
from tfsload.settings.refusal import RunRefused
from tfsload.suite import beginning


def is_bare(environment: Environment) -> bool:
    """Whether nobody has named a class: on the command line of Locust's own program, and no page lets pick one."""
    options: Any = environment.parsed_options
    is_named = getattr(options, "user_classes", None) or getattr(options, "class_picker", False)
    return beginning.is_locusts_program() and not is_named


def leave_out(environment: Environment) -> None:
    """Leave the suite's own class for REST out of a bare run, in the process that leads runs.

    Not in a worker: that one looks classes up by the names that its master sends, which may have been told of REST.
    """
    if is_bare(environment):
        environment.user_classes = one_protocol.of_a_bare_run(environment.user_classes)


def refuse_several(environment: Environment) -> None:
    """Refuse classes of several protocols where no page lets anybody choose among them.

    Raises:
        RunRefused: with the cure.
    """
    options: Any = environment.parsed_options
    if getattr(options, "class_picker", False):
        return
    if faults := one_protocol.faults(environment.user_classes):
        raise RunRefused(exit_codes.BAD_USAGE, faults)
