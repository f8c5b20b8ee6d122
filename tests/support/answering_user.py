"""A user of a run under way, over the suite's own clients, whose connection answers at once."""

import contextlib
import json
from types import SimpleNamespace
from typing import Any

from locust.env import Environment

from benchmarks import canned
from tests.support.fake_users import Runner, run_options
from tfsload.prediction import slot
from tfsload.run import messages
from tfsload.run.participant import Participant
from tfsload.transport.grpc.call import PREFIX_SIZE, Call
from tfsload.transport.rest.exchange import Exchange
from tfsload.transport.rest.reply import HttpReply
from tfsload.transport.rest.transport import RestTransport
from users import GrpcPredictionUser

REPLY = canned.replies()[canned.PREDICT_PATH]


class AnsweringConnection:
    """Stands in for a connection: a call that is started has ended."""

    def start(self, call: Call) -> bool:
        """End a call."""
        call.reply, call.is_over, call.waiter = REPLY[PREFIX_SIZE:], True, None
        return True


class AnsweringHttpConnection:
    """The same of REST's: a request that is started has its reply, and the connection is there for the next."""

    def __init__(self) -> None:
        scores = [0.01] * 9 + [0.91]
        self.reply = HttpReply(200, "OK", (), json.dumps({"predictions": [scores]}).encode(), True, True)
        self.idle: dict[Any, None] = {}

    def start(self, exchange: Exchange) -> None:
        """End an exchange."""
        exchange.reply, exchange.is_over, exchange.waiter = self.reply, True, None
        self.idle[self] = None


@contextlib.contextmanager
def answered_by(
    connection: Any, references: list[Any] | None = None, user_class: type = GrpcPredictionUser, **options: Any
):
    """Yield a user that has joined a run, whose calls the connection ends.

    Args:
        connection: stands in for the channel's.
        references: the answers recorded without load, as a master sends them; None: the run compares none.
        user_class: the user's.
        options: of the run.
    """
    environment = Environment(
        user_classes=[user_class],
        parsed_options=SimpleNamespace(
            **run_options(**{messages.SPOKEN_OPTION: user_class.transport_class.protocol, **options})
        ),
        host="127.0.0.1:1",
    )
    environment.create_local_runner()  # with it come the listeners of Locust's own statistics
    runner = Runner()
    participant = Participant(environment, runner)
    slot.fill(environment, participant.join)
    participant.begin()
    if references is not None:
        runner.receive(messages.REFERENCES, {"run": 1, "rows": references})
    user = user_class(environment)
    user.on_start()
    transport = participant.run.transport
    if isinstance(transport, RestTransport):
        connection.idle = transport.pool._idle
        connection.idle[connection] = None
        yield user
        connection.idle.clear()
    else:
        connections = transport.channel.pool._connections
        connections.append(connection)
        yield user
        connections.clear()
    participant.end()
