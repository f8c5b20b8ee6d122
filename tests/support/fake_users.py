"""Users and their runner without a server."""

from types import SimpleNamespace

import numpy as np

from tfsload.prediction.prediction_user import PredictionUser
from tfsload.prediction.process_run import load_images
from tfsload.run import messages
from tfsload.settings.settings import Settings
from tfsload.transport.answer import Answer
from tfsload.transport.call_spec import MNIST_EXAMPLE
from tfsload.transport.grpc.transport import GrpcTransport


class ScriptedUser(PredictionUser):
    """Answers as the test says, instead of a server."""

    request_type = "scripted"
    transport_class = GrpcTransport
    answer = staticmethod(lambda n_images: Answer.of(np.eye(10)[[7] * n_images]))
    abstract = False

    def connect(self, run):  # noqa: ARG002  (as the user has it)
        self._call = self.call
        self._reader_of = lambda n_images: SimpleNamespace(read=lambda reply: self.read(reply, n_images))

    def call(self, _body):
        return b"a reply"

    def read(self, _reply, n_images):
        return type(self).answer(n_images)


class Runner:
    """Keeps what a participant sends."""

    worker_index = 0
    user_greenlets = ()

    def __init__(self):
        self.sent = []
        self.listeners = {}
        self.n_stops = 0

    def register_message(self, msg_type, listener, **_):
        self.listeners[msg_type] = listener

    def send_message(self, msg_type, data):
        self.sent.append((msg_type, data))

    def receive(self, msg_type, data):
        self.listeners[msg_type](environment=None, msg=SimpleNamespace(data=data))

    def stop(self):
        self.n_stops += 1


def run_options(**more):
    """Return the options of a run as a coordinator sets them, and more."""
    return {
        messages.RUN_NUMBER_OPTION: 1,
        messages.RUN_DATA_OPTION: load_images(Settings.parse({}, None)).fingerprint,
        messages.ADDRESS_OPTION: "127.0.0.1:1",
        messages.SPOKEN_OPTION: "grpc",
        messages.PROTOCOL_OPTION: messages.PROTOCOL,
        messages.CALL_SPEC_OPTION: MNIST_EXAMPLE.to_text(),
        **more,
    }


def fire(environment, **options):
    """Change the run's options, as a coordinator that has the same data."""
    vars(environment.parsed_options).update(options)
    images = load_images(Settings.parse(vars(environment.parsed_options), None))
    setattr(environment.parsed_options, messages.RUN_DATA_OPTION, images.fingerprint)
