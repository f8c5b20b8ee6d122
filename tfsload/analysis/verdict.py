"""How a run ends: its exit code, in a word and with its reasons."""

from dataclasses import dataclass, replace

from tfsload.analysis import exit_codes

REPORTS_WRITTEN = "reports that were asked for are written"

_WORDS = {
    exit_codes.PASS: "PASS",
    exit_codes.FAILED: "FAILED",
    exit_codes.BAD_USAGE: "REFUSED",
    exit_codes.THRESHOLD: "THRESHOLD CROSSED",
    exit_codes.INVALID: "INVALID",
}


def word_of(exit_code: int) -> str:
    """Return an exit code in a word."""
    return _WORDS[exit_code]


@dataclass(frozen=True)
class Reason:
    """Why a run is no pass, or what else a reader has to know of it.

    Attributes:
        what: what was found.
        cure: what to do about it; empty: nothing can be said.
    """

    what: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.what}; {self.cure}" if self.cure else self.what


@dataclass(frozen=True)
class Rule:
    """One thing that a run is held to, beside its thresholds.

    Attributes:
        name: what is right, in words.
        exit_code: what becomes of a run for which it does not hold.
        reasons: why it does not hold, a sentence each; empty: it does.
    """

    name: str
    exit_code: int
    reasons: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return not self.reasons


@dataclass(frozen=True)
class Verdict:
    """How a run ends.

    Attributes:
        exit_code: one of `tfsload.analysis.exit_codes`.
        reasons: why it is no pass, and what to do; empty for a pass.
        judged: of a pass: what it rests on, beside thresholds.
        notes: what helps with what was found and is no reason.
        code_without_failures: of a failed run: the exit code if its failures are not to count; what is broken always
            does.
        doubted_levels: the numbers of levels that support no verdict; the reasons say why.
        rules: all that the run was held to beside its thresholds, what holds as well.
    """

    exit_code: int
    reasons: tuple[Reason, ...] = ()
    judged: str = ""
    notes: tuple[Reason, ...] = ()
    code_without_failures: int = exit_codes.FAILED
    doubted_levels: tuple[int, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def word(self) -> str:
        """The exit code in a word."""
        return word_of(self.exit_code)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The reasons, a sentence each, with what to do, which is said once."""
        cures = [reason.cure for reason in self.reasons]
        return tuple(
            reason.what if reason.cure in cures[:number] else str(reason) for number, reason in enumerate(self.reasons)
        )

    def failed_by(self, sentences: tuple[str, ...]) -> "Verdict":
        """Return this verdict where the run failed for these reasons, too."""
        failed, further = exit_codes.FAILED, tuple(map(Reason, sentences))
        return replace(
            self,
            exit_code=failed,
            reasons=(*further, *self.reasons),
            judged="",
            code_without_failures=failed,
            rules=self._rules_with(sentences),
        )

    def _rules_with(self, sentences: tuple[str, ...]) -> tuple[Rule, ...]:
        """Return its rules where reports could not be written, for these reasons, too."""
        told = next((rule.reasons for rule in self.rules if rule.name == REPORTS_WRITTEN), ())
        others = tuple(rule for rule in self.rules if rule.name != REPORTS_WRITTEN)
        return (*others, Rule(REPORTS_WRITTEN, exit_codes.FAILED, (*told, *sentences)))
