"""Answers to replies that were there before, for when the same bytes come again. Pure."""

from typing import Generic, TypeVar

Kept = TypeVar("Kept")

MOST_KEPT_BYTES = 1_024
"""A longer reply hardly ever comes again, byte by byte."""
# It is looked whether this pays after so many times as many new replies as have room: images that are fired in rounds
# are all new in the first.
_PATIENCE = 8


class KeptAnswers(Generic[Kept]):
    """Answers by the whole reply, as long as it pays to look for them.

    What is kept stays while it comes again. Where it does not, as those of a version that is gone, all of it makes room
    for others; where those do not come again either, as with ever new replies, nothing is kept any more.
    To be rid of it: make it with room for none.

    Attributes:
        by_reply: the answers. The readers look here, and where a reply is known they add 1 to
        n_known: since the first that was new and found no room, or since it was last looked whether this pays;
        room: for so many, at most; 0: no more are kept.
        n_left: so many that are new and find no room until `look_whether_it_pays` is due.
    """

    __slots__ = ("_is_looking", "_is_second_try", "_worth_percent", "by_reply", "n_known", "n_left", "room")

    def __init__(self, room: int, worth_percent: int) -> None:
        """Keep so many answers at most, while of a hundred replies so many are known: fewer cost what they save."""
        self.by_reply: dict[bytes, Kept] = {}
        self.room = room
        self._worth_percent = worth_percent
        self.n_known, self.n_left = 0, 1
        self._is_looking = self._is_second_try = False

    def add(self, reply: bytes, answer: Kept) -> None:
        """Keep an answer to a reply that is not known, if there is room; the hot path has these lines itself."""
        if len(self.by_reply) < self.room:
            self.by_reply[reply] = answer
        elif self.room:
            self.n_left -= 1
            if not self.n_left:
                self.look_whether_it_pays()

    def look_whether_it_pays(self) -> None:
        """Begin to look, or go on as it is, make room for others, or keep none any more."""
        self._is_looking = not self._is_looking
        if self._is_looking:
            if self._pays(self.room):  # those that were kept last have been worth it, whatever comes now
                self._is_second_try = False
            self.n_known, self.n_left = 0, _PATIENCE * self.room
            return
        pays = self._pays(_PATIENCE * self.room)
        if not pays:
            self.by_reply.clear()
            if self._is_second_try:
                self.room = 0
        self._is_second_try = not pays
        self.n_known, self.n_left = 0, 1

    def _pays(self, n_new: int) -> bool:
        return 100 * self.n_known >= self._worth_percent * (self.n_known + n_new)
