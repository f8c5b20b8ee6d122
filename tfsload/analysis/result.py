"""A run as one plain datum: all that is known of it, which outlives it and can be written down.

Whatever is shown of a run, on a terminal, in a file or on a page, stands in here: who reads it computes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfsload.analysis import plain
from tfsload.analysis.abort import Aborted
from tfsload.analysis.accuracy import SeenBy
from tfsload.analysis.attendance import Attended
from tfsload.analysis.class_rows import ClassRow
from tfsload.analysis.figures import percent
from tfsload.analysis.held import Held
from tfsload.analysis.image_counts import NO_IMAGES, ImageCounts
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.limit import SearchResult
from tfsload.analysis.limit_counts import LimitCounts
from tfsload.analysis.others import NO_OTHERS, Others
from tfsload.analysis.scaling import Scaling
from tfsload.analysis.series import Second
from tfsload.analysis.totals import NONE_UNCOUNTED, MismatchExample, Totals, Uncounted
from tfsload.analysis.verdict import Verdict
from tfsload.analysis.workers import ONE_WORKER, Workers

# Of what is written. A field more leaves it as it is; one that is gone, or means something else, makes it another.
SCHEMA = 1


class SchemaError(ValueError):
    """What was read is no result of a run, or one of another version of this suite; the message says what to do."""


@dataclass(frozen=True)
class MadeBy:
    """What made a result.

    Attributes:
        suite: this suite's version.
        python, locust: theirs.
        python_build: how that Python was built, which makes a fifth of its speed.
        libraries: versions of what else takes part, by name.
    """

    suite: str = ""
    python: str = ""
    python_build: str = ""
    locust: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Machine:
    """Where the process ran that led the run.

    Attributes:
        host: its name.
        n_cpus: CPUs that the process may use.
        kernel: the system and its release.
    """

    host: str = ""
    n_cpus: int = 0
    kernel: str = ""


@dataclass(frozen=True)
class Asked:
    """What was asked for, as it was asked.

    Attributes:
        options: texts by name, defaults as well; what is secret is masked.
        changed: names of those that are not as they are by themselves, in the order in which they are listed.
        host: the address that was given with `--host`; empty: none was, the embedded server's or a user class's own.
        locustfile: as it was given; empty: the suite's own, or there was none.
        program: how Locust, or `tfsload run`, was called, word by word; empty: by that name, or it is not known.
        digest: of all these, but for what says only when it begins and where it is shown: equal runs have the same.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    changed: tuple[str, ...] = ()
    host: str = ""
    locustfile: str = ""
    program: tuple[str, ...] = ()


NOTHING_ASKED = Asked()


@dataclass(frozen=True)
class Server:
    """What answered.

    Attributes:
        address, protocol: where, and how it was spoken to.
        model_name, model_version: which model, as it was found before the load.
        signature_name, input_name, output_name: what of it was called.
        called: what images became on their way there, and what was made of the answers; empty: not noted.
        wrong_model: what speaks against one model having given all answers, warm-ups included; empty: nothing.
        changed: what it says otherwise after the run than before; empty: nothing.
        names_model: whether its answers name the model that gave them; False: it was asked before, between levels and
            after.
        is_embedded: whether nobody named one, so that the suite's own was started; False: also where it is not known.
    """

    address: str = ""
    protocol: str = ""
    model_name: str = ""
    model_version: int = 0
    signature_name: str = ""
    input_name: str = ""
    output_name: str = ""
    called: str = ""
    wrong_model: str = ""
    changed: str = ""
    is_embedded: bool = False
    names_model: bool = True


@dataclass(frozen=True)
class Course:
    """How a run went.

    Attributes:
        begun_unix_s, ended_unix_s: when it began, and when it began to end, in seconds since 1970; 0: not known.
        n_images_asked: with `--num-tests`: images to fire; else None.
        n_levels_left: levels that were planned and not measured.
        ran_s, run_time_s: of a run that was to last for a time: for how long it ran, and was to; else None.
        stalled: why the run was ended although requests were left; empty: it was not.
        gave_up_after_s: seconds without an answer after which the run was given up; None: it was not.
        user_errors, user_error: exceptions in the users' own code; one of the commonest, with its place (empty: none).
        is_broken: whether an exception escaped elsewhere, from a listener, say.
        deadline_s: seconds until a request without an answer fails; None: not known.
    """

    begun_unix_s: float = 0.0
    ended_unix_s: float = 0.0
    n_images_asked: int | None = None
    n_levels_left: int = 0
    ran_s: float | None = None
    run_time_s: float | None = None
    stalled: str = ""
    gave_up_after_s: float | None = None
    user_errors: int = 0
    user_error: str = ""
    is_broken: bool = False
    deadline_s: float | None = None


@dataclass(frozen=True)
class Users:
    """Users that ran.

    Attributes:
        n, n_users_asked: when the run began to end, and those that were asked for.
        attended: over the whole run; None: not known.
    """

    n: int = 0
    n_users_asked: int = 0
    attended: Attended | None = None

    @property
    def were_once_all_started(self) -> bool:
        """Whether a ramp came to its end; their time is counted from then on. It may have been an earlier one."""
        return self.attended is not None and self.attended.asked_user_s > 0


@dataclass(frozen=True)
class Verified:
    """Answers recorded without load, with which others were compared; how many differ stands in `Totals`.

    Attributes:
        n_images: images whose answers were recorded; 0: nothing was to be compared.
        tolerance: how far a score may be off, as it was given.
        example: one of those that differ, wherever they are; None: none does.
    """

    n_images: int = 0
    tolerance: str = ""
    example: MismatchExample | None = None


@dataclass(frozen=True)
class ProcessExit:
    """With what the process ended that led a run, where that is known.

    Attributes:
        code: its exit code, as a shell sees it.
        remark: who set it, where it is not the verdict's own; else empty.
        excuses_failures: whether that was `--exit-code-on-error 0`, so that failures do not count.
    """

    code: int
    remark: str = ""
    excuses_failures: bool = False


@dataclass(frozen=True, kw_only=True, repr=False)
class RunResult:
    """What a run came to.

    Attributes:
        schema: the version of this datum.
        made_by, machine, asked, server, course, workers, users, verified: as their classes say.
        totals: all that counts; of levels, all together.
        uncounted: what lies outside all levels.
        classes: one row a class.
        confusion: of the answered images: label, answer, how often, in order.
        images: how often each image was fired, and for what it was taken.
        seconds: of a run without levels: what went on second by second, from its first request to its end.
        limit_counts: likewise, for each threshold on a percentile or a mean: when requests lay beyond its limit.
        levels: in the order in which they were run; empty: a run without levels.
        scaling: of a closed sweep: whether the server works in parallel.
        search: of a limit search: what it found.
        thresholds: each with what it was held against; empty of a search, which has held them against each probe.
        aborted: by which threshold the run was ended; None: by none.
        accuracy: of each figure of accuracy that a threshold limits: what the images that were fired can see.
        judged_metrics: what thresholds are about, those of a search too.
        judged_whole: levels (empty: the run) judged with all half-seconds, since so little was measured.
        others: what ran beside predictions; in a run of levels: what was not run.
        notes: what the run is to be remembered by, key and value as they were given; what is secret in them is masked.
        warnings: why the model looks broken, whatever the verdict; empty: it does not.
        verdict: how the run ends; None: it is not judged yet.
        process_exit: how the process ended with it; None: it went on, or that is not known.
    """

    schema: int = SCHEMA
    made_by: MadeBy = MadeBy()
    machine: Machine = Machine()
    asked: Asked = NOTHING_ASKED
    server: Server = Server()
    course: Course = Course()
    workers: Workers = ONE_WORKER
    users: Users = Users()
    totals: Totals
    uncounted: Uncounted = NONE_UNCOUNTED
    verified: Verified = Verified()
    classes: tuple[ClassRow, ...] = ()
    confusion: tuple[tuple[int, int, int], ...] = ()
    images: ImageCounts = NO_IMAGES
    seconds: tuple[Second, ...] = ()
    limit_counts: tuple[LimitCounts, ...] = ()
    levels: tuple[LevelResult, ...] = ()
    scaling: Scaling | None = None
    search: SearchResult | None = None
    thresholds: tuple[Held, ...] = ()
    aborted: Aborted | None = None
    accuracy: tuple[SeenBy, ...] = ()
    judged_metrics: tuple[str, ...] = ()
    judged_whole: tuple[str, ...] = ()
    others: Others = NO_OTHERS
    notes: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    verdict: Verdict | None = None
    process_exit: ProcessExit | None = None

    def __repr__(self) -> str:
        """Return its verdict and first figures: all of it, with its images, would bury what a test has to say."""
        word = self.verdict.word if self.verdict else "not judged"
        return f"<RunResult: {word}, {self.totals.requests:,} requests, {percent(self.totals.error_rate)} errors>"

    @property
    def judged(self) -> Verdict:
        """Its verdict.

        Raises:
            ValueError: it is not judged yet.
        """
        if self.verdict is None:
            raise ValueError("the result of a run that is not judged yet")
        return self.verdict

    @property
    def exit_code(self) -> int:
        """The process's exit code, or else its verdict's."""
        return self.judged.exit_code if self.process_exit is None else self.process_exit.code

    @property
    def of_uncounted(self) -> str:
        """What those requests are of that do not count, in words."""
        return "of warm-ups and between levels" if self.course.n_images_asked is None else "of the warm-up"

    @property
    def n_given_up(self) -> int:
        """Requests that user code left before their answer came, wherever they were."""
        return self.totals.given_up + self.uncounted.given_up

    @property
    def is_complete(self) -> bool:
        """Whether every image that was asked for was fired; True where there was no limit."""
        return self.course.n_images_asked is None or self.totals.predictions == self.course.n_images_asked

    @property
    def noise_cure(self) -> str:
        """What to do about others that took the CPU in one of its levels; empty: none did."""
        return next((level.noise_cure for level in self.levels if level.noise_cure), "")

    @property
    def has_limits_on_speed(self) -> bool:
        """Whether a threshold is on how fast it went, and not on what answers came to alone."""
        return any(held.threshold.unit_kind != "share" for held in self.thresholds)

    @property
    def is_stopped_early(self) -> bool:
        """Whether it was to last for a time, and was stopped before; never where a number of images was its end."""
        course = self.course
        if course.gave_up_after_s is not None or self.aborted is not None:
            return False  # it ended itself, and says so
        if course.run_time_s is None or course.ran_s is None:
            return False
        return course.n_images_asked is None and course.ran_s < course.run_time_s

    def is_left_open(self, held: Held) -> bool:
        """Whether one of its thresholds was not judged since another had ended the run, which is no fault of it."""
        is_measured = held.where in {level.name for level in self.levels}
        return held.holds is None and self.aborted is not None and not is_measured

    @property
    def probes_hold(self) -> tuple[bool | None, ...]:
        """Of a limit search: whether the rate holds, by level; None: one stall decides it. Else empty."""
        found = [level.finding for level in self.levels if level.finding is not None]
        return tuple(None if one.is_undecided else one.holds for one in found)

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        written: dict[str, Any] = plain.to_plain(self)
        return written

    @classmethod
    def from_plain(cls, written: Mapping[str, Any]) -> "RunResult":
        """Read what `to_plain` wrote.

        Raises:
            SchemaError: it is none, or of a version of this suite that writes otherwise.
        """
        schema = written.get("schema") if isinstance(written, Mapping) else None
        if schema != SCHEMA:
            found = "it is no result of a run" if schema is None else f"its schema is {schema}"
            raise SchemaError(f"{found}: expected one of schema {SCHEMA}; read it with the version that wrote it")
        try:
            read: RunResult = plain.from_plain(cls, written)
        except ValueError as error:
            raise SchemaError(f"this result of a run is damaged, or of a later version: {error}") from None
        return read
