"""Records answers one at a time before any load, so that answers under load can be compared with them."""

import functools
import logging
from collections import Counter

import grpc

from tfsload.datasets.dataset import Dataset
from tfsload.load.request_book import RequestBook
from tfsload.settings.settings import Settings
from tfsload.target.references import References
from tfsload.transport import servable as servables
from tfsload.transport.grpc import codec
from tfsload.transport.grpc.connect import connect
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.words import shown

logger = logging.getLogger(__name__)


class VerificationError(Exception):
    """An image has no answer even without load; the message says which, and why."""


class OtherModelError(Exception):
    """The answers without load are not all of the model that was found before; the message says whose they are."""


def record_references(settings: Settings, dataset: Dataset, expected: Servable = UNTOLD) -> References:
    """Ask for the answers to the first `settings.checks.verify` images, one request at a time.

    Args:
        settings: what the run is going to send; `settings.connection.target` is set.
        dataset: the images that the run fires.
        expected: the model that is to answer, as far as it is known.

    Raises:
        VerificationError: a request had no answer, or one that cannot be read.
        OtherModelError: another model answered, or several did.
    """
    per_request = settings.model.images_per_request
    book = RequestBook(
        dataset.images, dataset.labels, per_request, functools.partial(codec.encode_request, settings.model)
    )
    n_requests = -(-settings.checks.verify // per_request)
    logger.info("Recording the answers to %d images without load", min(n_requests * per_request, len(dataset.labels)))
    references = References(settings.checks.tolerance)
    answered_by: Counter[Servable] = Counter()
    channel = connect(settings.connection)
    try:
        predict = channel.unary_unary(codec.PREDICT_METHOD)
        for number in range(n_requests):
            request = book[number]
            try:
                reply = predict(request.body, timeout=settings.model.deadline_s)
                scores, servable = codec.decode_answer(reply, settings.model.output_name, len(request.labels))
            except grpc.RpcError as error:
                raise VerificationError(
                    f"--verify: image {request.first_image} has no answer even without load "
                    f"({error.code().name}: {shown(error.details())}): mend the server first"
                ) from None
            except codec.ReplyError as error:
                raise VerificationError(
                    f"--verify: the answer to image {request.first_image}: {shown(str(error))}"
                ) from None
            references.keep(number, scores)
            answered_by[servable] += 1
    finally:
        channel.close()
    if fault := servables.fault(answered_by, expected):
        raise OtherModelError(f"--verify: {fault}, without any load: {servables.CURE}")
    return references
