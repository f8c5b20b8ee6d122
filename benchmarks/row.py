"""One line of a table: a client at a load."""

from dataclasses import dataclass

from benchmarks.clients import Client


@dataclass(frozen=True)
class Row:
    """What is run once in each repeat. Equal rows of two sections are run once for both.

    Attributes:
        load: in words.
        client: what is run.
        n: requests in flight, or users: each waits for its answer.
        is_counted: against a server that logs every request, to be counted there.
    """

    load: str
    client: Client
    n: int
    is_counted: bool = False
