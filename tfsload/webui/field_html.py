"""The start page's fields with what they hold, by plain Python: for so many, a template takes several times as long."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tfsload.analysis.switch import is_on
from tfsload.webui.start_fields import CHOICE, SECRET, SWITCH, Field, Group


@dataclass(frozen=True)
class Around:
    """A field's HTML around what is of one page alone.

    Attributes:
        before: stands before what the field holds.
        after: stands after it; of a field that is marked, up to what is said of that.
        end: stands after what is said.
    """

    before: str
    after: str
    end: str = ""


@dataclass(frozen=True)
class Escapes:
    """How texts get into HTML.

    Attributes:
        kept: what goes back to the server: escaped, and as it was typed.
        shown: what is only read: also without what steers a terminal or turns the reading direction.
    """

    kept: Callable[[str], str]
    shown: Callable[[str], str]


@dataclass(frozen=True)
class Filled:
    """What is of one page alone.

    Attributes:
        values: the text of each field, by name.
        faulty: what is wrong with those that have faults, a sentence each, by name.
        before: of fields that hold something else than the run that the rest is of, what they held there, by name.
        see: of fields that faults of others are about, too, by name: the others' names, and what they are called.
    """

    values: Mapping[str, str]
    faulty: Mapping[str, Sequence[str]]
    before: Mapping[str, str]
    see: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)

    @property
    def marked(self) -> set[str]:
        """The names of the fields that are to be looked at."""
        return {*self.faulty, *self.before, *self.see}


@dataclass(frozen=True)
class FieldHtml:
    """Makes the HTML of fields, and of whole groups of them.

    Attributes:
        groups: what stands around the fields of each, in parts, by its key; of one that is folded first whether it is
            open, then what it says, and its fields last.
        sound: what stands around each that has no fault, by its name.
        faulty: what stands around each that has some.
        changed: what stands around each that holds something else than in the run that the page is filled from.
        cross: stands before each fault; HTML.
        escapes: how texts get into it.
    """

    groups: Mapping[str, Sequence[str]]
    sound: Mapping[str, Around]
    faulty: Mapping[str, Around]
    changed: Mapping[str, Around]
    cross: str
    escapes: Escapes

    def whole(self, group: Group, filled: Filled) -> str:
        """Return the HTML of a group; one that is folded stands open where a field has a fault, or was changed."""
        *before, after = self.groups[group.key]
        fields = self.of(group.fields, filled)
        if group.holds is None:
            return f"{before[0]}{fields}{after}"
        is_open = group.is_open(filled.marked)
        summary = self.escapes.shown(group.summary(filled.values))
        return f"{before[0]}{' open' if is_open else ''}{before[1]}{summary}{before[2]}{fields}{after}"

    def of(self, fields: Sequence[Field], filled: Filled) -> str:
        """Return the HTML of fields, in their order."""
        return "".join([self._one(one, filled) for one in fields])

    def _one(self, one: Field, filled: Filled) -> str:
        name, shown = one.name, self.escapes.shown
        held = self._held(one, filled.values[name])
        faults, see = filled.faulty.get(name), filled.see.get(name)
        if faults or see:
            around = self.faulty[name]
            said = "".join([f"<p>{self.cross} {shown(fault)}</p>" for fault in faults or ()])
            said += self._see(see) if see else ""
        elif name in filled.before:
            around, said = self.changed[name], f"Changed; it was {shown(filled.before[name])}"
        else:
            around = self.sound[name]
            return f"{around.before}{held}{around.after}\n"
        return f"{around.before}{held}{around.after}{said}{around.end}\n"

    def _see(self, others: Sequence[tuple[str, str]]) -> str:
        """Return where the faults stand that a field has together with others."""
        links = [f'<a href="#f-{name}">{self.escapes.shown(label)}</a>' for name, label in others]
        return f"<p>{self.cross} Concerned, too: see {' · '.join(links)}</p>"

    def _held(self, one: Field, value: str) -> str:
        if one.kind == CHOICE:
            return self._choices(one.choices, value)
        if one.kind == SWITCH:
            return " checked" if is_on(value) else ""
        return "" if one.kind == SECRET else self.escapes.kept(value)

    def _choices(self, choices: Sequence[str], value: str) -> str:
        """Return what a drop-down offers: what was sent, too, where nobody has offered it."""
        kept, shown = self.escapes.kept, self.escapes.shown
        offered = choices if value in choices else (*choices, value)
        return "\n".join(
            f'<option value="{kept(one)}"{" selected" if one == value else ""}>{shown(one)}</option>' for one in offered
        )
