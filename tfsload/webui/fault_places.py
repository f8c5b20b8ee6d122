"""At which field of the start page a fault stands: the one that it is about, before any that it advises. Pure.

Of several options that a fault is about, a person most likely changes the one that the cure names first; where it names
none of them, the one that the fault begins with.
"""

import os.path
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from tfsload.settings.options import OPTIONS
from tfsload.webui.load_kinds import HOST, N_USERS, PROTOCOL, RUN_TIME, SHAPE, SPAWN_RATE

FLAGS: Mapping[str, str] = {option.dest: option.flag for option in OPTIONS if option.is_in_form} | {
    HOST: "--host",
    N_USERS: "-u",
    SPAWN_RATE: "-r",
    RUN_TIME: "-t",
}
# What somebody has typed, as `repr` shows it: no apostrophe of a word, and whatever it says, it names no field.
_QUOTED = re.compile(r"""(?<!\w)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(?!\w)""")
_FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
# What is advised in the place of an option's value: that one has to do with it, too.
_ANOTHER = re.compile(r"(?:another|larger|longer|higher|smaller) (--?[A-Za-z][\w-]*)")
# How faults begin that name no option: Locust's own among them.
_WORDS = (
    ("number of users", (N_USERS,)),
    ("Invalid user_count", (N_USERS,)),
    ("Missing or invalid user_count or spawn_rate", (N_USERS, SPAWN_RATE)),
    ("ramp up", (SPAWN_RATE,)),
    ("Invalid spawn_rate", (SPAWN_RATE,)),
    ("run time", (RUN_TIME,)),
    ("Valid run_time formats", (RUN_TIME,)),
    ("load shape", (SHAPE,)),
    ("dataset", ("dataset",)),
    ("host", (HOST,)),
    ("protocol", (PROTOCOL,)),
)


@dataclass
class Placed:
    """Faults, where they are to be seen.

    Attributes:
        at: those of each field, by its name, in the fields' order; one of several stands where it is most likely cured.
        see: of the others of these, by name, at which fields it stands.
        elsewhere: those of no field that is there.
    """

    at: dict[str, list[str]] = field(default_factory=dict)
    see: dict[str, list[str]] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)

    @property
    def marked(self) -> list[str]:
        """The names of all fields that faults are about."""
        return [*self.at, *(name for name in self.see if name not in self.at)]


def place(faults: Iterable[str], shown: Collection[str], flags: Mapping[str, str] = FLAGS, dataset: str = "") -> Placed:
    """Return faults at those fields that they are about.

    Args:
        faults: a sentence each.
        shown: names of the fields that a person sees, in their order.
        flags: what each field is called on the command line, by its name.
        dataset: what was typed for it: a fault of a file in it begins with its path.
    """
    placed = Placed()
    found: dict[str, list[str]] = {}
    see: dict[str, list[str]] = {}
    for fault in faults:
        names = [name for name in fields_of(fault, flags, dataset) if name in shown]
        if not names:
            placed.elsewhere.append(fault)
            continue
        first, *others = names
        found.setdefault(first, []).append(fault if others else _short(fault, flags.get(first, "")))
        for name in others:
            if first not in see.setdefault(name, []):
                see[name].append(first)
    placed.at = {name: found[name] for name in shown if name in found}
    placed.see = {name: see[name] for name in shown if name in see}
    return placed


def fields_of(fault: str, flags: Mapping[str, str] = FLAGS, dataset: str = "") -> tuple[str, ...]:
    """Return the names of the fields that a fault is about, the one first that a person most likely changes.

    >>> fields_of("--rate and --num-tests exclude each other: leave out --num-tests")
    ('num_tests', 'rate')
    >>> fields_of("--num-tests 9: the data set holds 5 images; pass at most 5, or another --dataset")
    ('num_tests', 'dataset')
    >>> fields_of("no model server answers at 127.0.0.1:9: start one there, or pass another --host")
    ('host',)
    """
    said = _QUOTED.sub("''", fault)
    about, _, advice = said.partition(": ")
    names = _named(about, flags)
    if len(names) > 1 and (cured := [name for name in _named(advice, flags) if name in names]):
        names = (cured[0], *(name for name in names if name != cured[0]))
    names = names or _without_flags(fault, said, advice, flags, dataset)
    return tuple(dict.fromkeys([*names, *_named(" ".join(_ANOTHER.findall(advice)), flags)])) if names else ()


def _without_flags(fault: str, said: str, advice: str, flags: Mapping[str, str], dataset: str) -> tuple[str, ...]:
    """Return the names of the fields of a fault that begins with no option."""
    for begin, named in _WORDS:
        if re.match(rf"{begin}\b", said):
            return named
    if (path := dataset.strip()) and fault.startswith((path, os.path.normpath(os.path.expanduser(path)))):
        return ("dataset",)
    advised = _FLAG.search(advice)
    if names := _named(advised[0] if advised else "", flags):
        return names
    return (HOST,) if said.startswith("the server at ") else ()


def _named(text: str, flags: Mapping[str, str]) -> tuple[str, ...]:
    by_flag = {flag: name for name, flag in flags.items()}
    found = (by_flag.get(flag) for flag in _FLAG.findall(text))
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _short(fault: str, flag: str) -> str:
    """Return a fault that stands at its field, which need not be named once more."""
    short = fault.removeprefix(f"{flag} ") if flag else fault
    return short if short != fault and short[:1] in "'\"" else fault
