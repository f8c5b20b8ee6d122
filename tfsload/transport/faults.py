"""The one form of an error that names everything that is wrong at once."""

from collections.abc import Sequence


class FaultsError(ValueError):
    """What was given cannot be used, or what was found there.

    Attributes:
        faults: what was given or found, what was expected, what to do; a sentence each.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)
