"""A few predictions, scored: whether a run that is about to be made would have answers at all."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from tfsload.analysis.figures import latency
from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.suspicion import suspicions
from tfsload.datasets.dataset import Dataset
from tfsload.load.request_book import UNLABELLED, Judge, PreparedRequest, RequestBook
from tfsload.records.confusion import ConfusionMatrix
from tfsload.transport import servable as servables
from tfsload.transport.answer import Answer, ReplyError
from tfsload.transport.contract import Transport
from tfsload.transport.failure import UNJUDGED, PredictionFailure
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.words import shown

# No further request is begun after that.
_LONGEST_NS = 2_000_000_000
_OF_EACH = ("labels", "predicted")


class TrialError(Exception):
    """The prediction had no answer, or one that cannot be used; the message says why."""


class UnjudgedError(TrialError):
    """The user class's own `is_right` could not say whether the answer is right."""


@dataclass(frozen=True)
class Trial:
    """What came of it.

    Attributes:
        labels, predicted: the true class (`UNLABELLED`: not known) and the one that was answered (None: the answer
            names none), of each image of the request; where somebody judges by himself, `RIGHT`, and that or `WRONG`.
        latency_ns: from sending the first request to having its answer, with the making of the connection.
        judged_by: who does; empty: labels do.
        reply: the answer's bytes.
        told: then, the labels as the data set has them.
        is_of_several: whether more requests than one were made; the reply, and what is told, are the first one's.
    """

    labels: tuple[int, ...]
    predicted: tuple[int | None, ...]
    latency_ns: int
    judged_by: str = ""
    reply: bytes = b""
    told: Sequence[Any] = ()
    is_of_several: bool = False

    @property
    def suspicions(self) -> tuple[str, ...]:
        """Why the model looks broken by these answers, as a run warns of it; empty: it does not, or none can tell."""
        known = [(one, other) for one, other in zip(self.labels, self.predicted, strict=True) if other is not None]
        if self.judged_by or UNLABELLED in self.labels or not known:
            return ()
        confusion = ConfusionMatrix()
        confusion.add_all([label for label, _ in known], [answer for _, answer in known])
        return suspicions(confusion, len(known))

    @property
    def words(self) -> str:
        """All of it for people.

        >>> Trial((7,), (7,), 12_300_000).words
        'image 0, a 7: answered 7, right, in 12.3 ms with connecting'
        >>> Trial((7, 2, 1), (7, 2, 7), 12_300_000).words
        'images 0 to 2: 2 right, 1 wrong, in 12.3 ms with connecting'
        >>> Trial((UNLABELLED, UNLABELLED), (7, 2), 12_300_000).words
        'images 0 to 1: answered, rightly or not (the data set has no labels), in 12.3 ms with connecting'
        >>> Trial((1,), (0,), 12_300_000, "Mine.is_right").words
        'image 0: wrong by Mine.is_right, in 12.3 ms with connecting'
        >>> Trial((7, 2), (7, 2), 12_300_000, is_of_several=True).words
        'images 0 to 1: 2 right, 0 wrong, the first request in 12.3 ms with connecting'
        """
        which = "the first request " if self.is_of_several else ""
        took = f"{which}in {latency(self.latency_ns)} with connecting"
        which = "image 0" if len(self.labels) == 1 else f"images 0 to {len(self.labels) - 1:,}"
        if UNLABELLED in self.labels:
            is_one = len(self.labels) == 1 and self.predicted[0] is not None
            what = f"answered {self.predicted[0]}" if is_one else "answered"
            return f"{which}: {what}, rightly or not ({NO_LABELS}), {took}"
        n_right = sum(one == other for one, other in zip(self.labels, self.predicted, strict=True))
        if self.judged_by:
            said = f"{n_right:,} right, {len(self.labels) - n_right:,} wrong"
            if len(self.labels) == 1:
                said = "right" if n_right else "wrong"
            return f"{which}: {said} by {self.judged_by}, {took}"
        if len(self.labels) == 1:
            what = f"{which}, a {self.labels[0]}: answered {self.predicted[0]}, {'right' if n_right else 'wrong'}"
        else:
            n_wrong = len(self.labels) - n_right
            what = f"{which}: {n_right:,} right, {n_wrong:,} wrong"
        return f"{what}, {took}"


def try_some(
    transport: Transport,
    dataset: Dataset,
    expected: Servable = UNTOLD,
    judge_of: Callable[[int, list[Any]], Judge] | None = None,
    n_images: int = 1,
) -> Trial:
    """Make the first requests of a run, one after the other.

    Args:
        transport: to the server; closed afterwards.
        dataset: the images that the run fires.
        expected: the model that is to answer, as far as it is known.
        judge_of: as of `RequestBook`.
        n_images: as many requests as hold so many images; fewer, where there are none, or a server is slow.

    Raises:
        TrialError: there was no answer, one that cannot be read, or another model's.
        UnjudgedError: there was one, of which it cannot be told whether it is right.
    """
    per_request, labels = transport.model.images_per_request, dataset.targets_or_labels if judge_of else dataset.labels
    book = RequestBook(dataset.examples, labels, per_request, transport.encode, judge_of)
    begun_ns = time.perf_counter_ns()
    try:
        trials = [_tried(transport, book[0], expected)]
        for number in range(1, min(len(book), -(-n_images // per_request))):
            if time.perf_counter_ns() - begun_ns > _LONGEST_NS:
                break
            trials.append(_tried(transport, book[number], expected))
    finally:
        transport.close()
    first, *others = trials
    all_labels, all_predicted = (tuple(chain.from_iterable(getattr(one, name) for one in trials)) for name in _OF_EACH)
    return replace(first, labels=all_labels, predicted=all_predicted, is_of_several=bool(others))


def _tried(transport: Transport, request: PreparedRequest, expected: Servable) -> Trial:
    """Make one request; raise as `try_some`."""
    begun_ns = time.perf_counter_ns()
    try:
        reply = transport.call(request.body)
        latency_ns = time.perf_counter_ns() - begun_ns
        read = request.judge or transport.reader_of(len(request.labels)).read
        answer: Answer = read(reply)
    except PredictionFailure as failure:
        if failure.code == UNJUDGED:
            raise UnjudgedError(failure.message) from None
        raise TrialError(f"the prediction that was tried had no answer ({failure}): mend the server first") from None
    except ReplyError as error:
        raise TrialError(f"the answer to the prediction that was tried: {shown(str(error))}") from None
    if fault := servables.fault(Counter({answer.servable: 1}), expected):
        raise TrialError(f"the prediction that was tried: {fault}")
    predicted = tuple(answer.counted if request.judge else answer.predicted)
    return Trial(tuple(request.labels), predicted, latency_ns, reply=reply, told=request.told or ())
