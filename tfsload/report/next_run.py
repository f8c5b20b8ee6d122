"""The run that a sweep's answer says would tell more, as it differs from the one that was made. Pure."""

from collections.abc import Mapping

from tfsload.analysis.next_sweep import as_options
from tfsload.analysis.result import RunResult


def changes(result: RunResult) -> Mapping[str, str]:
    """Return the options that are to be others, as texts by name; empty: nothing is to be run, or no option says it."""
    answer = result.scaling.answer if result.scaling is not None else None
    wanted = answer.next if answer is not None else None
    if wanted is None:
        return {}
    options = result.asked.options
    return {name: text for name, text in as_options(wanted).items() if name in options and text != options[name]}
