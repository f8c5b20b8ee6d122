"""The life of one prediction, whatever the protocol."""

import logging
import time

import numpy as np
from gevent import GreenletExit
from locust import User, task
from locust.exception import StopUser

from tfsload import events
from tfsload.codec import ReplyError
from tfsload.failure import BAD_REPLY, CLIENT_ERROR, PredictionFailure
from tfsload.run import Run

logger = logging.getLogger(__name__)


class PredictionUser(User):
    """Draws a request, sends it, scores the answer and reports it; then the next.

    A protocol is a subclass with `connect`, `call` and `read`.

    Attributes:
        request_type, request_name: the row in Locust's statistics.
    """

    abstract = True
    request_type = ""
    request_name = "Predict"

    def on_start(self) -> None:
        """Join the run that this process takes part in."""
        run = self.environment.tfsload.participant.run
        if run is None:
            raise StopUser  # this process is unfit for the run; the coordinator has been told why
        self._run = run
        self.connect(run)

    def connect(self, run: Run) -> None:
        """Get ready to call the server."""
        raise NotImplementedError

    def call(self, body: bytes) -> bytes:
        """Send a request's body and return the reply's.

        Raises:
            PredictionFailure: there was no answer.
        """
        raise NotImplementedError

    def read(self, reply: bytes, n_images: int) -> np.ndarray:
        """Return the scores in a reply: float (n_images, classes).

        Raises:
            ReplyError: it cannot be read.
        """
        raise NotImplementedError

    @task
    def predict(self) -> None:
        """Fire the next request."""
        run = self._run
        number, lease = run.supply.next()
        request = run.book[number]
        level = run.level
        scores = failure = None
        reply = b""
        sent_ns = time.perf_counter_ns()
        try:
            reply = self.call(request.body)
        except PredictionFailure as without_answer:
            failure = without_answer
        except GreenletExit:
            run.recorder.count_cut_off(level, lease)
            raise
        except Exception as error:  # a fault of this side must be counted too, or the lease would never end
            logger.exception("A request failed in the client itself")
            failure = PredictionFailure(CLIENT_ERROR, repr(error))
        done_ns = time.perf_counter_ns()
        if failure is None:
            try:
                scores = self.read(reply, len(request.labels))
            except ReplyError as unreadable:
                failure = PredictionFailure(BAD_REPLY, str(unreadable))
        events.fire(
            self.environment.events,
            request_type=self.request_type,
            name=self.request_name,
            request=request,
            lease=lease,
            scores=scores,
            failure=failure,
            latency_ns=done_ns - sent_ns,
            done_unix_ns=done_ns + run.unix_offset_ns,
            reply_bytes=len(reply),
            level=level,
        )
        run.supply.done(lease)
