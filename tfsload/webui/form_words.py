"""What is wrong with a run, in the words of a form that has a line for each of several values. Pure."""

from collections.abc import Iterable, Mapping

from tfsload.transport.words import SEPARATED
from tfsload.webui.fault_places import FLAGS
from tfsload.webui.start_values import OF_LINES

_BY_LINES = "on lines of their own"
_NAMES = {FLAGS[name]: name for name in OF_LINES if name in FLAGS}


def in_form(faults: Iterable[str], values: Mapping[str, str]) -> list[str]:
    r"""Return faults as whoever has typed into the form understands them.

    >>> in_form(["--note 'b': expected key=value, several separated by ';'"], {"note": "a=1\nb"})
    ["--note 'b': expected key=value, several on lines of their own"]

    Args:
        faults: a sentence each.
        values: what the fields hold, by name; whoever has typed a semicolon is told what that does.
    """
    return [_in_form(fault, values) for fault in faults]


def _in_form(fault: str, values: Mapping[str, str]) -> str:
    typed = values.get(_NAMES.get(fault.partition(" ")[0], ""), "")
    by = f"{_BY_LINES} or {SEPARATED}" if ";" in typed else _BY_LINES
    return by.join(fault.rsplit(SEPARATED, 1))  # the last: one that stands before it is somebody's own
