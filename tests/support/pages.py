"""Pages of the documentation as programs: files, and commands with what they print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# "`name.py`:" at the end of a paragraph, and then its text; or a terminal.
_BLOCK = re.compile(r"(?:`(?P<name>[\w.]+)`:\n\n)?```(?P<kind>python|text)\n(?P<text>.*?)```", re.DOTALL)
# What stands for anything, also for nothing.
ELLIPSIS = "…"


@dataclass(frozen=True)
class Command:
    """A command that a page shows, and what it prints."""

    line: str
    output: str

    def assert_is_printed(self, printed: str) -> None:
        """Hold what the page shows against what was printed, up to what the page leaves out."""
        parts = [re.escape(part) for part in re.split(rf"{ELLIPSIS}\n?", self.output.strip("\n"))]
        assert re.search("(?s)^" + ".*?".join(parts) + r"\s*$", printed), (
            f"{self.output}\n--- but printed was:\n{printed}"
        )


@dataclass
class Section:
    """A part of a page: what it has one save, and run."""

    title: str
    files: dict[str, str] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)


def sections(page: str) -> Iterator[Section]:
    """Return the parts of a page that show something to run."""
    for part in page.split("\n## ")[1:]:
        section = Section(part.partition("\n")[0])
        for block in _BLOCK.finditer(part):
            if block["kind"] == "python":
                assert block["name"], f"a snippet without a name in {section.title!r}"
                section.files[block["name"]] = block["text"]
            else:
                shown = re.split(r"(?m)^\$ ", block["text"])[1:]
                section.commands += [Command(*re.match(r"(.*)\n((?s:.*))", one).groups()) for one in shown]
        if section.files:
            yield section
