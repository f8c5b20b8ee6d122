"""Answers judged by a user class's own `is_right`, image by image."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfsload.load.request_book import RIGHT, WRONG, Judge
from tfsload.prediction.hooks import Hook, is_own, value_words
from tfsload.records.recorder import Recorder
from tfsload.records.window import UNCOUNTED
from tfsload.transport.contract import Transport
from tfsload.transport.failure import UNJUDGED, PredictionFailure
from tfsload.transport.kept_answers import MOST_KEPT_BYTES
from tfsload.transport.words import shown

logger = logging.getLogger(__name__)

# So many kinds of exception are told with their place; each failure is counted.
_MOST_TOLD = 5


class Judging:
    """Makes what judges the replies to each request."""

    def __init__(
        self, transport: Transport, is_right: Hook, recorder: Recorder | None = None, is_told: bool = True
    ) -> None:
        """Get ready.

        Args:
            transport: reads replies.
            is_right: the class's.
            recorder: is told how long it takes; None: nobody is.
            is_told: whether the log tells why an answer cannot be judged; else who asks does, and is told the image.
        """
        self._transport, self._is_right, self._is_told = transport, is_right, is_told
        self._recorder = recorder or Recorder()
        self._told: set[str] = set()

    def judge_of(self, first_image: int, labels: Sequence[Any]) -> Judge:
        """Return what reads and judges the replies to a request, by its first image and the labels."""
        reader = self._transport.reader_of(len(labels))
        return _RequestJudge(reader.read, self._verdict, self._recorder, first_image, labels).judge

    def _verdict(self, image: int, label: Any, answer: Any) -> int:
        """Return whether an image's answer is right.

        Raises:
            PredictionFailure: `is_right` cannot tell.
        """
        try:
            said = self._is_right.call(label, answer)
        except BaseException as error:
            if not is_own(error):
                raise
            kind = f"{type(error).__name__}{self._is_right.where(error)}"
            raise self._unjudged(image, self._is_right.said(error), kind, error) from None
        if isinstance(said, bool | np.bool_):
            return RIGHT if said else WRONG
        kind = f"returned {type(said).__name__}"
        expected = "expected True or False"
        raise self._unjudged(image, f"{kind} {value_words(said)}, {expected}", f"{kind}, {expected}", None)

    def _unjudged(self, image: int, said: str, kind: str, error: BaseException | None) -> PredictionFailure:
        """Return why an answer cannot be judged.

        Locust's table of errors has a row for each failure's words, so that under load they name neither image nor
        value: there would be as many rows as answers.
        """
        name = self._is_right.name
        told = f"{name}, image {image}: {said}"
        if not self._is_told:
            return PredictionFailure(UNJUDGED, told)
        if kind not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(kind)
            logger.error("%s; such answers count as failed (%s)", shown(told), UNJUDGED, exc_info=error)
        return PredictionFailure(UNJUDGED, f"{name}: {kind}")


class _RequestJudge:
    """Judges the replies to one request. An answer in the same bytes as the last has its verdicts, too."""

    __slots__ = ("_answer", "_first_image", "_labels", "_read", "_recorder", "_reply", "_verdict")

    def __init__(
        self,
        read: Callable[[bytes], Any],
        verdict: Callable[[int, Any, Any], int],
        recorder: Recorder,
        first_image: int,
        labels: Sequence[Any],
    ) -> None:
        self._read, self._verdict, self._recorder = read, verdict, recorder
        self._first_image, self._labels = first_image, labels
        self._reply: bytes | None = None
        self._answer: Any = None

    def judge(self, reply: bytes) -> Any:
        """Return the answer in a reply, with what is counted of it.

        Raises:
            ReplyError: as the reader's.
            PredictionFailure: `is_right` cannot tell of one of the images.
        """
        if reply == self._reply:
            return self._answer
        answer, first, verdict = self._read(reply), self._first_image, self._verdict
        begun_ns = time.perf_counter_ns()
        try:
            answer.counted = [
                verdict(first + place, label, image)
                for place, (label, image) in enumerate(zip(self._labels, answer.images, strict=True))
            ]
        finally:  # as a function of the recorder's it were a call more for every answer
            spent_ns, window = self._recorder.judging_ns, self._recorder.window
            level = window.level if window.begin_ns <= begun_ns < window.end_ns else UNCOUNTED
            spent_ns[level] = spent_ns.get(level, 0) + time.perf_counter_ns() - begun_ns
        if len(reply) <= MOST_KEPT_BYTES:
            self._reply, self._answer = reply, answer
        return answer
