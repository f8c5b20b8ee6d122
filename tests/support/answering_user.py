"""A user of a run under way, over the native channel, whose connection answers at once."""

import contextlib
from types import SimpleNamespace
from typing import Any

from locust.env import Environment

from benchmarks import canned
from tests.support.fake_users import Runner, run_options
from tfsload.prediction import slot
from tfsload.run import messages
from tfsload.run.participant import Participant
from tfsload.transport.grpc.call import PREFIX_SIZE, Call
from users import GrpcPredictionUser

REPLY = canned.replies()[canned.PREDICT_PATH]


class AnsweringConnection:
    """Stands in for a connection: a call that is started has ended."""

    def start(self, call: Call) -> bool:
        """End a call."""
        call.reply, call.is_over, call.waiter = REPLY[PREFIX_SIZE:], True, None
        return True


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
        user_classes=[user_class], parsed_options=SimpleNamespace(**run_options(**options)), host="127.0.0.1:1"
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
    connections = participant.run.transport.channel.pool._connections
    connections.append(connection)
    yield user
    connections.clear()
    participant.end()
