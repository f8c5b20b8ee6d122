"""A run, as a process that runs users sees it: what to fire, where, and where results go."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import tfsload.datasets.dataset
from tfsload.analysis.edges import limits_of, within_ns_of
from tfsload.load import arrivals
from tfsload.load.pacer import Pacer
from tfsload.load.request_book import RequestBook
from tfsload.load.supply import Supply
from tfsload.records.recorder import Recorder
from tfsload.settings.settings import Settings, SettingsError
from tfsload.target.references import References
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
    """

    dataset: tfsload.datasets.dataset.Dataset
    fingerprint: str

    @classmethod
    def of(cls, dataset: tfsload.datasets.dataset.Dataset) -> "RunImages":
        """Return a data set's, as `load_images` has loaded it."""
        return cls(dataset, dataset.fingerprint)

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


class Run:
    """One run in one process; made anew for each run, so that a second one starts clean.

    Attributes:
        number: which run of the coordinator's this is.
        settings: what was asked for.
        transport: the way to the server, which all users of this process share.
        book: the requests.
        recorder: what was measured and not yet handed over.
        pacer: tells users when to send, in open load; else None.
        references: the answers recorded without load, where they are to be compared; else None.
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
    ) -> None:
        """Get ready to fire.

        Args:
            number, settings, transport, references: as the attributes.
            images: what it fires, where this process has loaded it already; None: it is loaded.

        Raises:
            tfsload.datasets.dataset.DataError, SettingsError: as `load_images`.
        """
        dataset = images.dataset if images else load_images(settings)
        self.number = number
        self.settings = settings
        self.transport = transport
        hide(value for _, value in settings.connection.metadata)
        self.book = RequestBook(
            dataset.images,
            dataset.labels,
            settings.model.images_per_request,
            transport.encode,
        )
        self.recorder = Recorder(
            time.time_ns() - time.perf_counter_ns(),
            settings.load.counts_later,
            limits_of(settings.checks.thresholds),
            within_ns_of(settings.checks.thresholds),
            is_labelled=dataset.labels is not None,
        )
        self.pacer: Pacer | None = None
        if settings.load.is_open:
            self.pacer = Pacer(self.recorder, pacing=settings.load.pacing)
            arrivals.get_ready()
        self.references = references
        self.round_trip_ns: int | None = None
        self.supply: Supply
        self.sent_ns = self.answered_ns = 0

    @functools.cached_property
    def call(self) -> Callable[[bytes], bytes]:
        """What fires a request's body and returns the reply: one for all users, made when the first asks for it."""
        return self.transport.bound_call()

    def close(self) -> None:
        """Close the way to the server, and keep no requests: a result is made next, in the room of them."""
        self.transport.close()
        self.book.forget()
