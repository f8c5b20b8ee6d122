"""What a form holds otherwise than the run that it is filled from. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from tfsload.analysis.switch import is_on
from tfsload.transport.words import cut
from tfsload.webui.load_kinds import FIELDS, LoadKind
from tfsload.webui.start_values import LOAD

# What a field holds is seen whole in it.
_LONGEST = 80
EMPTY = "empty"


@dataclass(frozen=True)
class Held:
    """What a form holds.

    Attributes:
        texts: of each field, by name.
        kind: of load.
    """

    texts: Mapping[str, str]
    kind: LoadKind


@dataclass(frozen=True)
class Change:
    """A field that holds something else.

    Attributes:
        name: of the field.
        place: of the element that it is, in the page.
        label: what it is called there.
        was: what the run had, in short.
        now: what the form holds, in short.
    """

    name: str
    place: str
    label: str
    was: str
    now: str


def changes(
    was: Held, now: Held, seen: Collection[str], switches: Collection[str], label: Callable[[str], str]
) -> tuple[Change, ...]:
    """Return what a form holds otherwise, in the fields' order.

    Args:
        was: what the run had.
        now: what the form holds.
        seen: names of the fields that a person sees, in their order, but for those that show nothing.
        switches: names of those that are boxes to tick.
        label: returns what the field of a name is called.
    """
    found = []
    if now.kind is not was.kind:
        found.append(Change(LOAD, f"load-{now.kind.key}", "Load", was.kind.title, now.kind.title))
    # Of a load that the run did not have it had no such fields: what stands there was suggested.
    new = set(FIELDS) - set(was.kind.fields)
    for name in seen:
        before, after = was.texts.get(name, "").strip(), now.texts.get(name, "").strip()
        is_same = is_on(before) == is_on(after) if name in switches else before == after
        if name not in new and not is_same:
            texts = [_in_short(text, name in switches) for text in (before, after)]
            found.append(Change(name, f"f-{name}", label(name), *texts))
    return tuple(found)


def _in_short(text: str, is_switch: bool) -> str:
    if is_switch:
        return "on" if is_on(text) else "off"
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return cut("; ".join(lines), _LONGEST) if lines else EMPTY
