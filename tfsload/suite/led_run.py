"""One run, as its leader has it."""

from dataclasses import dataclass, field

from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.limit import SearchResult
from tfsload.load.plan import FixedPlan, SearchPlan
from tfsload.records.level import Level, LevelRun
from tfsload.report.standing import LevelPlace
from tfsload.run.abort_watch import AbortWatch
from tfsload.run.checks import Checked
from tfsload.run.version_looks import VersionLooks
from tfsload.suite.outcome import Outcome
from tfsload.suite.run_progress import RunProgress
from tfsload.suite.run_time import RunTime


@dataclass
class LedRun:
    """One run: about to start, under way, or the last that ended.

    Attributes:
        checked: what it was asked to do.
        plan: its levels; None: it has none.
        told_before: what is warned of before it: that it will support no verdict, or may be meant otherwise.
        lasts_s: for how long a program of one's own has it run; None: Locust's options say.
        is_command_lines: whether the command line asks for it, and nobody else.
        has_begun: whether all that its beginning has to do is done, and users may fire.
        run_time: how long it was to last, and did; set when it begins.
        progress: shows how far it is, where somebody looks at a terminal.
        abort_watch: ends it by a threshold; set when it begins.
        looks: which version the server has between levels, where replies do not say it.
        outcome: what it came to; None before its end, or where that broke off.
    """

    checked: Checked
    plan: FixedPlan | SearchPlan | None
    told_before: tuple[str, ...] = ()
    lasts_s: float | None = None
    is_command_lines: bool = False
    has_begun: bool = False
    run_time: RunTime | None = None
    progress: RunProgress | None = None
    abort_watch: AbortWatch | None = None
    outcome: Outcome | None = None
    looks: VersionLooks = field(init=False)
    _places: dict[int, LevelPlace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.looks = VersionLooks(self.checked)

    def place_of(self, level: Level) -> LevelPlace:
        """Return where a level stands among its levels, which are as many as they seem when it begins."""
        assert self.plan is not None  # it has levels
        place = self._places.get(level.number)
        if place is None:  # a search has to be rehearsed for it
            place = LevelPlace(level.number, self.plan.n_levels, level.is_probe, level.name)
            self._places[level.number] = place
        return place

    @property
    def is_open_load(self) -> bool:
        """Whether its requests are sent at a given rate."""
        asked = self.checked.settings.load
        return bool(asked.rates or asked.find_max_rate)

    @property
    def level_names(self) -> tuple[str, ...]:
        """Those of its levels; none: it has none, or they are not known before."""
        return self.plan.names if isinstance(self.plan, FixedPlan) else ()

    def after_s(self, level: Level) -> float | None:
        """Return how long its levels take that come after one, in seconds; None: it is not known before."""
        return self.plan.after_s(level) if isinstance(self.plan, FixedPlan) else None

    @property
    def longest_names(self) -> tuple[str, ...]:
        """Names of levels, none of which is longer than the longest of these."""
        return self.plan.names if self.plan is not None else ()

    @property
    def search(self) -> SearchResult | None:
        """What a limit search has found so far; None: it is none."""
        return self.plan.search.result if isinstance(self.plan, SearchPlan) else None

    @property
    def n_levels_left(self) -> int:
        """Levels that were not measured."""
        return self.plan.n_left if self.plan else 0

    def level_ended(self, run: LevelRun, level: LevelResult) -> None:
        """Show what a level came to, and end the run where that says so."""
        if self.abort_watch is not None:
            self.abort_watch.level_ended(run, is_last=self.n_levels_left == 1)
        if self.progress is not None:
            self.progress.level_ended(level)

    def stop_watching(self) -> None:
        """Show no more how far it is, and end it by no threshold."""
        if self.progress is not None:
            self.progress.stop()
        if self.abort_watch is not None:
            self.abort_watch.stop()
