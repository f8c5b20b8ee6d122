"""A run that is not started, and why."""

from tfsload.transport.words import sentence

# A list that is one fault a word is no help.
_MOST_FAULTS = 20
# How a page is told of it.
CANNOT_START = "The run cannot start: "


class RunRefused(Exception):  # noqa: N818  (it says what happened)
    """A run cannot start as asked.

    Attributes:
        exit_code: how a headless run ends.
        faults: what was given, what was expected, what to do; a sentence each.
    """

    def __init__(self, exit_code: int, faults: list[str]) -> None:
        self.exit_code = exit_code
        self.faults = [sentence(fault) for fault in faults[:_MOST_FAULTS]]
        if len(faults) > _MOST_FAULTS:
            self.faults.append(f"and {len(faults) - _MOST_FAULTS:,} more")
        super().__init__("; ".join(self.faults))

    def sentence(self) -> str:
        """All faults in a line, for a page."""
        return CANNOT_START + "; ".join(self.faults)

    def text(self) -> str:
        """All faults, a line each, for a terminal."""
        return "\n".join(["tfsload: the run cannot start:", *(f"  - {fault}" for fault in self.faults)])
