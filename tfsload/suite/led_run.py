"""One run, as the process that leads it knows it."""

from dataclasses import dataclass

from tfsload.load.plan import FixedPlan, SearchPlan
from tfsload.run.checks import Checked
from tfsload.suite.run_progress import RunProgress
from tfsload.suite.run_time import RunTime


@dataclass
class LedRun:
    """One run: about to start, under way, or the last that ended.

    Attributes:
        checked: what it was asked to do.
        plan: its levels; None: it has none.
        lasts_s: for how long a program of one's own has it run; None: Locust's options say.
        run_time: how long it was to last, and did; set when it begins.
        progress: shows how far it is, where somebody looks at a terminal.
    """

    checked: Checked
    plan: FixedPlan | SearchPlan | None
    lasts_s: float | None = None
    run_time: RunTime | None = None
    progress: RunProgress | None = None

    @property
    def n_levels_left(self) -> int:
        """Levels that were not measured."""
        return self.plan.n_left if self.plan else 0
