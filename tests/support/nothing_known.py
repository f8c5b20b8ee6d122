"""The parser alone, to hold against it what replies are that are read in place."""

from tfsload.transport.grpc.call import Call
from tfsload.transport.grpc.known_replies import KnownReplies


class NothingKnown(KnownReplies):
    """Learns nothing, so that the parser has every byte."""

    def learn(self, call: Call) -> None:
        """Do nothing."""
