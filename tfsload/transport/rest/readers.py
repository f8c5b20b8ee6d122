"""What reads the replies to one way of calling a model over REST."""

import math
import struct
from collections.abc import Callable

import numpy as np
import orjson

from tfsload.transport.answer import Answer
from tfsload.transport.call_spec import CLASSES, CLASSIFIED, LABELS, PREDICT, CallSpec, OutputSpec
from tfsload.transport.class_words import ClassWords
from tfsload.transport.contract import Reader
from tfsload.transport.image_answer import Outputs
from tfsload.transport.kept_answers import MOST_KEPT_BYTES, KeptAnswers
from tfsload.transport.readers import reader_of
from tfsload.transport.rest.answers import (
    decode_classes,
    decode_classified,
    decode_labels,
    decode_outputs,
    decode_pairs,
    decode_scores,
)
from tfsload.transport.servable import UNTOLD, Servable

_MOST_ANSWERS = 2_048
# To read JSON takes many times as long as to look for its bytes.
_WORTH_PERCENT = 5
_LOWEST = -math.inf
# Up to so many scores of one image are read faster without numpy.
_SHORT = 64
# Floats that `struct` knows.
_PACKED = "edf"
_NUMBERS = {int, float}


def reader_for(spec: CallSpec, n_images: int) -> Reader:
    """Return what reads the replies to requests of that many images."""
    return reader_of(spec, n_images, RestReplies())


class RestReplies:
    """How replies are taken apart, as `Replies` has it."""

    def scores(self, output: OutputSpec, n_images: int) -> Reader:
        """Return what reads the scores of so many images."""
        return ScoresReader(output, n_images)

    def classes(self, output: OutputSpec, n_images: int) -> Callable[[bytes], tuple[list[int], Servable]]:
        """Return what reads the label of each of so many images."""
        words = ClassWords(output.names)
        decoders: dict[str, Callable[[bytes], list[int]]] = {
            CLASSES: lambda reply: decode_classes(reply, output, n_images),
            LABELS: lambda reply: decode_labels(reply, output, n_images, words),
            CLASSIFIED: lambda reply: decode_classified(reply, output, n_images, words),
        }
        decode = decoders[output.kind]
        return lambda reply: (decode(reply), UNTOLD)

    def outputs(self, spec: CallSpec) -> Callable[[bytes], tuple[Outputs, Servable]]:
        """Return what reads all outputs, by name."""
        decode = decode_outputs if spec.method == PREDICT else decode_pairs
        return lambda reply: (decode(reply, spec), UNTOLD)


class ScoresReader:
    """Reads scores out of replies. One that came before, byte by byte, is known by sight, as long as that pays.

    The few scores of one image are read without numpy, once it is known how many they are; whatever is not as the
    replies before is read in full. To be rid of it: set _SHORT to 0.
    """

    def __init__(self, output: OutputSpec, n_images: int) -> None:
        """Read replies to requests of `n_images` images."""
        self._output, self._n_images = output, n_images
        self._kept: KeptAnswers[Answer] = KeptAnswers(_MOST_ANSWERS, _WORTH_PERCENT)
        self._packing: struct.Struct | None = None
        self._dtype = np.dtype(np.float32)

    def read(self, reply: bytes) -> Answer:
        """Return the answer in a reply.

        Raises:
            ReplyError: as `decode_scores`.
        """
        kept = self._kept
        known = kept.by_reply.get(reply) if kept.by_reply else None
        if known is not None:
            kept.n_known += 1
            return known
        answer = self._read_alike(reply) or self._read_any(reply)
        if len(reply) <= MOST_KEPT_BYTES:
            kept.add(reply, answer)
        return answer

    def _read_alike(self, reply: bytes) -> Answer | None:
        """Return the answer in a reply that is as those before it; None: it is otherwise."""
        packing = self._packing
        if packing is None:
            return None
        try:
            (row,) = orjson.loads(reply)["predictions"]
            scores = packing.pack(*row)
        except (ValueError, KeyError, TypeError, struct.error, OverflowError):
            return None
        values = packing.unpack(scores)  # as the model's own dtype has them
        total = sum(values)
        # Neither an infinity nor NaN is among them, which JSON has no word for, but a sum may become.
        if total - total != 0.0 or type(row) is not list or not set(map(type, row)) <= _NUMBERS:
            return None
        return Answer([values.index(max(values))], scores, 0, self._dtype, (1, len(values)))

    def _read_any(self, reply: bytes) -> Answer:
        scores = decode_scores(reply, self._output, self._n_images)
        if self._n_images == 1 and scores.size <= _SHORT and scores.dtype.char in _PACKED:
            self._packing, self._dtype = struct.Struct(f"<{scores.size}{scores.dtype.char}"), scores.dtype
        return Answer.of(scores)
