"""Which version a server says that it has, between levels: where replies do not name the model that gave them."""

from tfsload.run.checks import Checked
from tfsload.target import preflight
from tfsload.transport.answer import ReplyError
from tfsload.transport.failure import PredictionFailure

# Users of a level go on meanwhile, and the next one waits.
_LONGEST_S = 2.5


class VersionLooks:
    """Asks the server, where its replies tell nothing of it.

    Attributes:
        changed: which version it has since, and since when; empty: the one that was found before.
    """

    def __init__(self, checked: Checked) -> None:
        """Know what was found before the load."""
        self._checked = checked
        self.changed = ""

    def look(self, after: str) -> None:
        """Ask it once more; one that does not answer has not changed: requests without an answer tell of it.

        Args:
            after: the level that has ended, by its name.
        """
        if self.changed or self._checked.transport.spoken().names_model:
            return
        settings = self._checked.settings
        try:
            found = self._checked.transport.describe(min(preflight.patience_s(settings.model), _LONGEST_S))
        except (PredictionFailure, ReplyError):
            return
        before, now = self._checked.preflight.model_version, found.servable.version or 0
        if now != before:
            has = f"version {now} answered" if now else "no version was ready"
            self.changed = f"version {before} answered before, and {has} after the level of {after}"
