"""A run, as a process that runs users sees it: what to fire, where, and where results go."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import tfsload.datasets.dataset
from tfsload.analysis.edges import limits_of, within_ns_of
from tfsload.load import arrivals
from tfsload.load.pacer import Pacer
from tfsload.load.request_book import RequestBook
from tfsload.load.supply import Supply
from tfsload.prediction.hooks import NO_HOOKS, Hooks
from tfsload.prediction.judging import Judging
from tfsload.records.recorder import Recorder
from tfsload.settings.settings import Settings, SettingsError
from tfsload.target.references import References
from tfsload.transport.call_spec import CallSpec
from tfsload.transport.contract import Transport
from tfsload.transport.words import hide, quoted


def load_images(settings: Settings) -> tfsload.datasets.dataset.Dataset:
    """Load the images that a run fires: the data set, or its first `num_tests` images.

    Raises:
        tfsload.datasets.dataset.DataError: the data set cannot be read.
        SettingsError: more images are asked for than it holds.
    """
    dataset = tfsload.datasets.dataset.load(settings.data.dataset)
    n_images = len(dataset)
    if settings.data.num_tests > n_images:
        raise SettingsError(
            [
                f"--num-tests {settings.data.num_tests}: the data set {settings.data.dataset} holds {n_images} images "
                f"and each is fired once; pass at most {n_images}, or {larger_set(settings)}"
            ]
        )
    return dataset.first(settings.data.num_tests or n_images)


def larger_set(settings: Settings) -> str:
    """Return what else to pass where a data set has too few images: MNIST in place of what is shipped of it."""
    is_shipped = settings.data.dataset == tfsload.datasets.dataset.SHIPPED
    return "another --dataset" + (" (mnist has 10,000)" if is_shipped else "")


@dataclass(frozen=True)
class RunImages:
    """The images that a run fires.

    Attributes:
        dataset: the images, and their labels.
        fingerprint: what tells them from others, wherever they were loaded.
        encoded: what user classes have made of them, by these classes' names; empty: nothing.
    """

    dataset: tfsload.datasets.dataset.Dataset
    fingerprint: str
    encoded: Mapping[tuple[str, ...], tfsload.datasets.dataset.Dataset] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        dataset: tfsload.datasets.dataset.Dataset,
        encoded: Mapping[tuple[str, ...], tfsload.datasets.dataset.Dataset] | None = None,
    ) -> "RunImages":
        """Return a data set's, as `load_images` has loaded it, and what was made of it."""
        return cls(dataset, dataset.fingerprint, encoded or {})

    def require(self, fingerprint: str) -> None:
        """Raise tfsload.datasets.dataset.DataError unless the master's have the same fingerprint."""
        if self.fingerprint != fingerprint:
            where = quoted(self.dataset.name)
            raise tfsload.datasets.dataset.DataError(
                f"data set {where}: its images, labels or class names are not those of the master"
            )


def requests_for(settings: Settings, n_images: int) -> int:
    """Return how many requests hold that many images."""
    return -(-n_images // settings.model.images_per_request)


@dataclass(frozen=True)
class KindAsked:
    """Requests that the users of some classes make.

    Attributes:
        class_names: of these classes; empty: all.
        hooks: what they do in their own way.
        dataset: the images, or what was made of them.
        spec: how the model is called.
    """

    class_names: tuple[str, ...]
    hooks: Hooks
    dataset: tfsload.datasets.dataset.Dataset
    spec: CallSpec


class RequestKind:
    """The requests of one kind, and the way to the server and back.

    Attributes:
        class_names: of the classes whose users make them; empty: all.
        hooks: what these do in their own way.
        transport: the way to the server; all kinds share its channel.
        book: the requests.
        references: the answers recorded without load, where they are to be compared; else None.
    """

    def __init__(self, asked: KindAsked, transport: Transport, images_per_request: int, recorder: Recorder) -> None:
        """Encode nothing yet, but what a class has made in its own way; the recorder is told how long judging takes."""
        self.class_names, self.hooks, self.transport = asked.class_names, asked.hooks, transport
        dataset, is_right = asked.dataset, asked.hooks.is_right
        if is_right is None:
            self.book = RequestBook(dataset.examples, dataset.labels, images_per_request, transport.encode)
        else:
            judge_of = Judging(transport, is_right, recorder).judge_of
            self.book = RequestBook(
                dataset.examples, dataset.targets_or_labels, images_per_request, transport.encode, judge_of
            )
        self.references: References | None = None

    @functools.cached_property
    def call(self) -> Callable[[bytes], bytes]:
        """What fires a request's body and returns the reply: one for all users, made when the first asks for it."""
        return self.transport.bound_call()


class Run:
    """One run in one process; made anew for each run, so that a second one starts clean.

    Attributes:
        number: which run of the coordinator's this is.
        settings: what was asked for.
        transport: the way to the server, which all users of this process share.
        kinds: what requests there are, by the user classes that make them.
        book: the requests of the first kind; there are as many of each.
        recorder: what was measured and not yet handed over.
        pacer: tells users when to send, in open load; else None.
        round_trip_ns: how long a call takes that asks the model for nothing; None: not measured.
        supply: which request comes next; set by the participant.
        sent_ns, answered_ns: when a request was last sent, and when one last had an answer that could be read, on
            `time.perf_counter_ns`'s clock; 0: never.
    """

    def __init__(
        self,
        number: int,
        settings: Settings,
        transport: Transport,
        references: References | None = None,
        images: RunImages | None = None,
        kinds: Sequence[KindAsked] = (),
    ) -> None:
        """Get ready to fire.

        Args:
            number, settings, transport: as the attributes.
            references: the answers recorded without load, of all kinds; None: they are not to be compared.
            images: what it fires, where this process has loaded it already; None: it is loaded.
            kinds: what requests there are; none: one, for all user classes, of the images as they are.

        Raises:
            tfsload.datasets.dataset.DataError, SettingsError: as `load_images`.
        """
        dataset = images.dataset if images else load_images(settings)
        self.number = number
        self.settings = settings
        self.transport = transport
        hide(value for _, value in settings.connection.metadata)
        kinds = kinds or [KindAsked((), NO_HOOKS, dataset, transport.spec)]
        self.recorder = Recorder(
            time.time_ns() - time.perf_counter_ns(),
            settings.load.counts_later,
            limits_of(settings.checks.thresholds),
            within_ns_of(settings.checks.thresholds),
            is_labelled=dataset.labels is not None or all(one.hooks.is_right for one in kinds),
        )
        per_request = settings.model.images_per_request
        self.kinds = [
            RequestKind(one, transport.beside(one.spec) if place else transport, per_request, self.recorder)
            for place, one in enumerate(kinds)
        ]
        self.book = self.kinds[0].book
        self.pacer: Pacer | None = None
        if settings.load.is_open:
            self.pacer = Pacer(self.recorder, pacing=settings.load.pacing, chores=self.recorder)
            arrivals.get_ready()
        if references is not None:
            self.compare_with(references)
        self.round_trip_ns: int | None = None
        self.supply: Supply
        self.sent_ns = self.answered_ns = 0

    def compare_with(self, references: References) -> None:
        """Compare answers with those recorded without load; of the second kind they follow those of the first."""
        for kind, part in zip(self.kinds, references.parts(len(self.kinds), len(self.book)), strict=True):
            kind.references = part

    def kind_of(self, user_class: type) -> RequestKind:
        """Return the requests that the users of a class make.

        Raises:
            SettingsError: the class was not among those that the run was checked with.
        """
        for one in self.kinds:
            if not one.class_names or user_class.__name__ in one.class_names:
                return one
        raise SettingsError([f"user class {user_class.__name__}: the run was checked without it"])

    def close(self) -> None:
        """Close the way to the server, and keep no requests: a result is made next, in the room of them."""
        for kind in reversed(self.kinds):
            kind.transport.close()
            kind.book.forget()
