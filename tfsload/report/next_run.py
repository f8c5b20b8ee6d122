"""The run that a sweep's answer says would tell more, as it differs from the one that was made. Pure."""

from collections.abc import Mapping

from tfsload.analysis.figures import whole_number
from tfsload.analysis.next_sweep import as_text
from tfsload.analysis.result import RunResult

# Requests of so many images are heavy for a model as small as the one that is shipped.
_HEAVY = 64
_TIMES = 2


def changes(result: RunResult) -> Mapping[str, str]:
    """Return the options that are to be others, as texts by name; empty: nothing is to be run, or no option says it."""
    answer = result.scaling.answer if result.scaling is not None else None
    wanted = answer.next if answer is not None else None
    if wanted is None:
        return {}
    options = result.asked.options
    found = {}
    if wanted.users:
        found["sweep"] = as_text(wanted.users)
    if wanted.is_heavier:
        found["images_per_request"] = _heavier(options.get("images_per_request", ""), len(result.images.fired))
    if wanted.is_longer:
        found["level_duration"] = _longer(options.get("level_duration", ""))
    return {name: text for name, text in found.items() if text and name in options and text != options[name]}


def _heavier(text: str, n_images: int) -> str:
    """Return more images a request, as many as there are at most; empty: it is no number, or there are no more."""
    asked = whole_number(text)
    if asked is None:
        return ""
    more = max(_HEAVY, _TIMES * asked)
    if n_images:
        more = min(more, n_images)
    return str(more) if more > asked else ""


def _longer(text: str) -> str:
    """Return more seconds; empty: it is no number."""
    return f"{_TIMES * float(text):g}" if whole_number(text.replace(".", "", 1)) is not None else ""
