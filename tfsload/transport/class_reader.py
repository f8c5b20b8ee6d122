"""Reads replies that say the class of each image instead of scores, whatever the protocol."""

from collections.abc import Callable

from tfsload.transport.answer import ClassAnswer
from tfsload.transport.kept_answers import MOST_KEPT_BYTES, KeptAnswers
from tfsload.transport.servable import FURTHER, MOST_TOLD_APART, Servable

# Most answers are one of few, and read by sight; those to requests of many images hardly ever come again.
_MOST_KNOWN = 256
# To take a reply apart takes many times as long as to look for it.
_WORTH_PERCENT = 5


class ClassReader:
    """Reads classes out of replies. One that came before, byte by byte, is known by sight."""

    def __init__(self, decode: Callable[[bytes], tuple[list[int], Servable]]) -> None:
        """Read replies as `decode` does: it returns the label of each image, and which model answered."""
        self._kept: KeptAnswers[ClassAnswer] = KeptAnswers(_MOST_KNOWN, _WORTH_PERCENT)
        self._servables: set[Servable] = set()
        self._decode = decode

    def read(self, reply: bytes) -> ClassAnswer:
        """Return the answer in a reply.

        Raises:
            ReplyError: unparsable bytes, no such output, another dtype, shape or length, or what is no class.
        """
        kept = self._kept
        known = kept.by_reply.get(reply) if kept.by_reply else None
        if known is not None:
            kept.n_known += 1
            return known
        classes, servable = self._decode(reply)
        if servable not in self._servables:
            if len(self._servables) == MOST_TOLD_APART:
                servable = FURTHER
            else:
                self._servables.add(servable)
        answer = ClassAnswer(classes, servable)
        if len(reply) <= MOST_KEPT_BYTES:
            kept.add(reply, answer)
        return answer
