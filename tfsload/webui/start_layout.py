"""What all start pages of a process have alike, made once: the fields in their groups, but for what they hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tfsload.webui import start_fields
from tfsload.webui.fault_places import FLAGS
from tfsload.webui.field_html import Around, FieldHtml
from tfsload.webui.load_kinds import KINDS, SHAPE, USER_CLASSES, WITH_SHAPE, LoadKind
from tfsload.webui.site import Site
from tfsload.webui.start_extras import Extras
from tfsload.webui.start_fields import SECRET, SWITCH, Group

_PICKERS = {SHAPE: "Load shape", USER_CLASSES: "User classes"}
# Stands in the macro's text where a page puts something of its own; in words of a field it would be escaped.
_GAP = "<gap>"


@dataclass(frozen=True)
class Layout:
    """The page's fields, but for what they hold.

    Attributes:
        groups: of them, in their order.
        kinds: what stands above the fields of the load, for each kind that may be chosen, by its key; HTML.
        has_shapes: whether a load shape can be picked, behind the fields of the load.
        flags: what each is called on the command line, by its name.
        html: makes the fields' HTML.
    """

    groups: tuple[Group, ...]
    kinds: Mapping[str, str]
    has_shapes: bool
    flags: Mapping[str, str]
    html: FieldHtml

    @classmethod
    def of(cls, extras: Extras, site: Site, named_host: str | None) -> "Layout":
        """Lay out the suite's own fields, and a locustfile's.

        Args:
            extras: the locustfile's.
            site: has the templates that fields are made of.
            named_host: where a run goes that names no server; None: to the embedded one.
        """
        groups, flags = _groups(extras), {**FLAGS, **extras.flags}
        macros, cross = site.macros("start_field.html"), site.macros("parts.html").icon("failed", 14).strip()

        def around(mark: str) -> dict[str, Around]:
            return {
                one.name: Around(*str(macros.field(one, flags.get(one.name), named_host, mark)).split(_GAP))
                for group in groups
                for one in group.fields
            }

        of_groups = {one.key: str(macros.group(one)).split(_GAP) for one in groups}
        html = FieldHtml(of_groups, around(""), around("fault"), around("was"), str(cross), site.escapes)
        kinds = {one.key: str(macros.loads(KINDS, one)) for one in KINDS}
        return cls(groups, kinds, bool(extras.shapes), flags, html)

    def seen(self, kind: LoadKind) -> list[str]:
        """Return the names of the fields that a person sees who has chosen this kind of load, in their order."""
        names = []
        for group in self.groups:
            names += [one.name for one in group.fields if not one.loads or kind.key in one.loads.split()]
            if group.key == "load" and self.has_shapes and kind in WITH_SHAPE:
                names.append(SHAPE)
        return names

    def readable(self, kind: LoadKind) -> list[str]:
        """Return the names of those of them that show what they hold."""
        secret = self._of_kind(SECRET)
        return [name for name in self.seen(kind) if name not in secret]

    @cached_property
    def switches(self) -> set[str]:
        """The names of the fields that are boxes to tick."""
        return self._of_kind(SWITCH)

    def _of_kind(self, kind: str) -> set[str]:
        return {one.name for group in self.groups for one in group.fields if one.kind == kind}

    def label(self, name: str, kind: LoadKind) -> str:
        """Return what the field of this name is called with this kind of load."""
        if name in _PICKERS:
            return _PICKERS[name]
        one = next(one for group in self.groups for one in group.fields if one.name == name)
        said = [words.label for words in one.words if not words.loads or kind.key in words.loads.split()]
        return said[0] if said else one.words[0].label


def _groups(extras: Extras) -> tuple[Group, ...]:
    groups, more = start_fields.groups(), extras.fields
    if first := extras.protocol.fields:
        groups = tuple(replace(one, fields=(*first, *one.fields)) if one.key == "server" else one for one in groups)
    if not more:
        return groups
    names = ", ".join(one.words[0].label.lower() for one in more)
    return (*groups, Group("more", "More of this locustfile", more, lambda _: names))
