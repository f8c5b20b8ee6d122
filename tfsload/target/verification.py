"""Records answers one at a time before any load, so that answers under load can be compared with them."""

import logging
from collections import Counter
from typing import Any

from numpy.typing import NDArray

from tfsload.analysis.judge import ONE_MODEL_CURE
from tfsload.datasets.dataset import Dataset
from tfsload.load.request_book import PreparedRequest, RequestBook
from tfsload.settings.settings import ChecksAsked
from tfsload.target.references import References
from tfsload.target.waiting import StoppedError, Wait
from tfsload.transport import servable as servables
from tfsload.transport.answer import Answer, Layout, ReplyError
from tfsload.transport.contract import Transport
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.words import shown

logger = logging.getLogger(__name__)


class VerificationError(Exception):
    """An image has no answer even without load; the message says which, and why."""


class OtherModelError(Exception):
    """The answers without load are not all of the model that was found before; the message says whose they are."""


def record_references(
    checks: ChecksAsked,
    transport: Transport,
    dataset: Dataset,
    expected: Servable = UNTOLD,
    wait: Wait | None = None,
) -> References:
    """Ask for the answers to the first `checks.verify` images, one request at a time.

    Args:
        checks: how many images, and how far off scores may be.
        transport: to the server; closed afterwards.
        dataset: the images that the run fires.
        expected: the model that is to answer, as far as it is known.
        wait: with which somebody else may end it; None: nobody may.

    Raises:
        StoppedError: somebody has.
        VerificationError: a request had no answer, or one that cannot be read.
        OtherModelError: another model answered, or several did.
    """
    per_request = transport.model.images_per_request
    book = RequestBook(dataset.examples, dataset.labels, per_request, transport.encode)
    n_requests = -(-checks.verify // per_request)
    logger.info("Recording the answers to %d images without load", min(n_requests * per_request, len(dataset)))
    references = References(*checks.compared_by)
    answered_by: Counter[Servable] = Counter()
    try:
        for number in range(n_requests):
            if wait is not None and wait.is_stopped:
                raise StoppedError(f"--verify asked for answers: {number:,} of {n_requests:,} requests were answered")
            answer, values, layout = _answer_to(book[number], transport)
            references.keep(number, values, layout)
            answered_by[answer.servable] += 1
    finally:
        transport.close()
    if fault := servables.fault(answered_by, expected):
        raise OtherModelError(f"--verify: {fault}, without any load: {ONE_MODEL_CURE}")
    return references


def _answer_to(request: PreparedRequest, transport: Transport) -> tuple[Answer, NDArray[Any], Layout]:
    """Return the answer to a request, its values and their layout.

    Raises:
        VerificationError: there is none, or one that cannot be read.
    """
    try:
        answer = transport.reader_of(len(request.labels)).read(transport.call(request.body))
        return answer, answer.values, answer.layout  # what an own is_right has not looked at is read here
    except PredictionFailure as failure:
        raise VerificationError(
            f"--verify: image {request.first_image} has no answer even without load ({failure}): mend the server first"
        ) from None
    except ReplyError as error:
        raise VerificationError(f"--verify: the answer to image {request.first_image}: {shown(str(error))}") from None
