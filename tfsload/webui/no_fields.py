"""What somebody sends that is no field of the form: Locust takes every option over that has the name of one it knows.

Its own say where files are written, among others, which is for whoever starts Locust to say.
"""

from collections.abc import Mapping
from typing import Any

from tfsload.analysis import exit_codes
from tfsload.settings.options import OPTIONS, OWN_PREFIX
from tfsload.settings.refusal import RunRefused
from tfsload.transport.words import quoted
from tfsload.webui.load_kinds import HOST, N_USERS, RUN_TIME, SHAPE, SPAWN_RATE, USER_CLASSES
from tfsload.webui.start_extras import marked_options

_OF_CLASS_PICKER = (USER_CLASSES, SHAPE)
_OF_LOCUSTS_FORM = {N_USERS, SPAWN_RATE, RUN_TIME, HOST, *_OF_CLASS_PICKER, "profile"}
_BY_NAME = {option.dest: option for option in OPTIONS}


def refuse_what_is_no_field(form: Mapping[str, str], options: Mapping[str, Any], has_class_picker: bool) -> None:
    """Let nobody set from outside what is not in the form, nor what the suite tells its workers among the options.

    Args:
        form: what was sent.
        options: all that there are, Locust's and a locustfile's among them, by name.
        has_class_picker: whether the form says which user classes run, and by which load shape.

    Raises:
        RunRefused: such options were sent, with all of them.
    """
    sent = [option.flag for option in OPTIONS if not option.is_in_form and option.dest in form]
    sent += [quoted(name) for name in _others(form, options)]
    faults = [f"{name} is not a field of the form: give it to Locust when you start it" for name in sent]
    if not has_class_picker:  # Locust would run all classes, and say from then on that these were asked for
        picked = [quoted(name) for name in _OF_CLASS_PICKER if name in form]
        faults += [
            f"{name} is a field of the form only where Locust was started with --class-picker" for name in picked
        ]
    own = [name for name in form if name.startswith(OWN_PREFIX)]
    faults += [f"{quoted(name)} is not a field of the form: the suite sets it itself" for name in own]
    if faults:
        raise RunRefused(exit_codes.BAD_USAGE, faults)


def _others(form: Mapping[str, str], options: Mapping[str, Any]) -> list[str]:
    """Return the names of options that were sent, and are neither the suite's nor a field of the form."""
    sent = [name for name in form if name in options and name not in _OF_LOCUSTS_FORM and name not in _BY_NAME]
    sent = [name for name in sent if not name.startswith(OWN_PREFIX)]
    # Only a locustfile knows which of its own are for the form, and asking it takes a while.
    marked = marked_options() if sent else {}
    return [name for name in sent if name not in marked]
