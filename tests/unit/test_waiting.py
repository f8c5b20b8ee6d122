"""Waiting for a server that is starting, on a clock that the test sets."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import gevent
import gevent.event
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.runs import wait_for
from tfsload.settings.settings import Settings
from tfsload.target import waiting
from tfsload.target.fired import Fired
from tfsload.target.preflight import LEAST_PATIENCE_S, MisfitError, NoServerError, PreflightError, patience_s
from tfsload.target.waiting import POLL_S, StoppedError, Wait, ask_when_ready
from tfsload.transport.answer import ReplyError
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.servable import UNTOLD, Servable
from tfsload.transport.signature import ModelDescribed, SignatureDescribed, TensorDescribed, VersionDescribed
from tfsload.transport.spoken import GRPC, Spoken

SIGNATURES = {
    "predict_images": SignatureDescribed(
        "tensorflow/serving/predict",
        {"images": TensorDescribed("DT_FLOAT", (-1, 784))},
        {"scores": TensorDescribed("DT_FLOAT", (-1, 10))},
    )
}
READY = ModelDescribed((VersionDescribed(1, "AVAILABLE"),), Servable("mnist", 1), SIGNATURES)


def versions(*states: tuple[int, str] | tuple[int, str, str]) -> ModelDescribed:
    return ModelDescribed(tuple(VersionDescribed(*state) for state in states), UNTOLD, {})


LOADING = versions((1, "LOADING"))
REFUSED = PredictionFailure("UNAVAILABLE", "Connection refused")
UNKNOWN_MODEL = PredictionFailure("NOT_FOUND", "Could not find any versions of model mnist")


@dataclass
class Server:
    """A transport to a server that says one thing after the other, the last again and again, and its clock.

    Attributes:
        says: what is raised or returned.
        lasts_s: how long each answer takes, where the timeout is no shorter.
        now_s, n_asked: the time, and how often it was asked.
    """

    says: Sequence[ModelDescribed | Exception]
    wait_s: float = 60
    lasts_s: float = 0.0
    options: dict[str, str] = field(default_factory=dict)
    now_s: float = 1000.0
    n_asked: int = 0

    def __post_init__(self) -> None:
        settings = Settings.parse({"wait": f"{self.wait_s}", **self.options}, "127.0.0.1:8500")
        self.model, self.connection = settings.model, settings.connection

    def spoken(self) -> Spoken:
        return GRPC

    def describe(self, timeout_s: float) -> ModelDescribed:
        said = self.says[min(self.n_asked, len(self.says) - 1)]
        self.n_asked += 1
        self.now_s += min(self.lasts_s, timeout_s)
        if isinstance(said, Exception):
            raise said
        return said

    def close(self) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now_s += seconds

    def ask(self):
        return ask_when_ready(self, Fired(), clock_s=lambda: self.now_s, sleep=self.sleep)


def test_a_server_that_is_ready_is_not_waited_for(caplog):
    caplog.set_level(logging.INFO)
    server = Server([READY])

    assert server.ask().model_version == 1
    assert (server.now_s, server.n_asked, caplog.text) == (1000.0, 1, "")


def test_it_is_waited_for_stage_by_stage_and_each_is_said(caplog):
    caplog.set_level(logging.INFO)
    server = Server([REFUSED, REFUSED, UNKNOWN_MODEL, LOADING, LOADING, READY])

    assert server.ask().servable == Servable("mnist", 1)

    assert server.now_s == 1000 + 5 * POLL_S
    assert [record.getMessage() for record in caplog.records] == [
        "Waiting for the server at 127.0.0.1:8500, 60 s at most: no model server answers (Connection refused)",
        "Still waiting (1 of 60 s): it has no model 'mnist' (Could not find any versions of model mnist)",
        "Still waiting (2 of 60 s): model 'mnist' is LOADING (version 1)",
        "The server at 127.0.0.1:8500 is ready, after 2.5 s",
    ]


def test_that_it_goes_on_is_said_every_ten_seconds(caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(NoServerError):
        Server([LOADING], wait_s=25).ask()

    said = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert said[1:] == ["Still waiting (10 of 25 s)", "Still waiting (20 of 25 s)"]


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        pytest.param(REFUSED, NoServerError, "no model server answers at 127.0.0.1:8500 (Connection", id="nobody"),
        pytest.param(PredictionFailure("UNAVAILABLE", "HTTP status 503"), NoServerError, "no model server", id="proxy"),
        pytest.param(PredictionFailure("DEADLINE_EXCEEDED", ""), NoServerError, "no answer from", id="silence"),
        pytest.param(UNKNOWN_MODEL, MisfitError, "no model 'mnist' (Could not", id="no-such-model"),
        pytest.param(PredictionFailure("INTERNAL", "reset"), NoServerError, "INTERNAL: reset", id="reset"),
        pytest.param(LOADING, NoServerError, "model 'mnist' is LOADING (version 1): pass --wait", id="loading"),
        pytest.param(versions((3, "START")), NoServerError, "is START (version 3)", id="about-to-load"),
        pytest.param(
            versions((1, "END"), (2, "LOADING")), NoServerError, "LOADING (version 2)", id="one-after-another"
        ),
        pytest.param(versions((1, "END")), NoServerError, "has no version that is ready (1: END)", id="unloaded"),
        pytest.param(versions(), NoServerError, "(none at all)", id="without-versions"),
    ],
)
@pytest.mark.parametrize("wait_s", [0, 0.2, 60])
def test_what_may_pass_is_waited_for_to_the_end_and_then_told(said, kind, words, wait_s):
    server = Server([said], wait_s=wait_s)

    with pytest.raises(PreflightError) as caught:
        server.ask()

    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert server.now_s == 1000 + wait_s
    assert ("--wait 60" if not wait_s else f"{wait_s:g} s") in str(caught.value)


@pytest.mark.parametrize(
    ("said", "options", "kind", "words"),
    [
        pytest.param(
            PredictionFailure("UNAVAILABLE", "the server's certificate does not verify: self-signed certificate"),
            {},
            NoServerError,
            "not to be trusted",
            id="certificate",
        ),
        pytest.param(
            PredictionFailure("UNAVAILABLE", "Tls handshake failed (TSI): CERTIFICATE_VERIFY_FAILED"),
            {},
            NoServerError,
            "no model server",
            id="certificate-of-grpcio",
        ),
        pytest.param(
            PredictionFailure("UNAVAILABLE", "the server does not speak TLS: leave --tls out"),
            {},
            NoServerError,
            "does not speak TLS",
            id="no-tls",
        ),
        pytest.param(
            PredictionFailure("UNAVAILABLE", "missing selected ALPN property"), {}, NoServerError, "ALPN", id="no-alpn"
        ),
        pytest.param(
            PredictionFailure("UNAVAILABLE", "it speaks HTTP/1, as a REST port does"),
            {},
            NoServerError,
            "is this the REST port?",
            id="the-rest-port",
        ),
        pytest.param(PredictionFailure("UNAUTHENTICATED", "who"), {}, NoServerError, "let us in", id="no-token"),
        pytest.param(PredictionFailure("PERMISSION_DENIED", "no"), {}, NoServerError, "let us in", id="denied"),
        pytest.param(PredictionFailure("UNIMPLEMENTED", "what"), {}, MisfitError, "no TensorFlow", id="another-server"),
        pytest.param(PredictionFailure("INVALID_ARGUMENT", "no"), {}, NoServerError, "INVALID", id="a-bad-question"),
        pytest.param(ReplyError("cannot be read"), {}, MisfitError, "cannot be read", id="no-reply-of-serving"),
        pytest.param(READY, {"signature_name": "foo"}, MisfitError, "one of predict_images", id="signature"),
        pytest.param(READY, {"input_name": "foo"}, MisfitError, "one of images", id="input"),
        pytest.param(versions((1, "END", "out of memory")), {}, NoServerError, "out of memory", id="failed-to-load"),
        pytest.param(
            versions((1, "END"), (2, "AVAILABLE")), {"model_version": "1"}, MisfitError, "with one of 2", id="unloaded"
        ),
    ],
)
def test_what_does_not_pass_is_told_at_once(said, options, kind, words):
    server = Server([said], options=options)

    with pytest.raises(PreflightError) as caught:
        server.ask()

    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert "--wait" not in str(caught.value)
    assert (server.now_s, server.n_asked) == (1000, 1)


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        pytest.param({"model_version": "2"}, versions((1, "AVAILABLE")), id="a-version-that-comes-later"),
        pytest.param(
            {"model_version": "2"}, versions((1, "AVAILABLE"), (2, "LOADING")), id="a-version-that-is-loading"
        ),
        pytest.param(
            {"model_label": "canary"},
            PredictionFailure("INVALID_ARGUMENT", "Unrecognized servable version label: canary"),
            id="a-label-that-comes-later",
        ),
    ],
)
def test_a_version_or_label_that_comes_later_is_waited_for(asked, there):
    ready = ModelDescribed((VersionDescribed(2, "AVAILABLE"),), Servable("mnist", 2), SIGNATURES)

    assert Server([there, ready], options=asked).ask().model_version == 2


def test_what_stays_is_told_at_once_also_after_a_wait():
    server = Server([REFUSED, LOADING, READY], options={"signature_name": "foo"})

    with pytest.raises(MisfitError, match="no signature 'foo'"):
        server.ask()

    assert server.now_s == 1000 + 2 * POLL_S


@pytest.mark.parametrize(
    ("deadline", "patience"),
    [
        pytest.param("5", 5, id="as-long-as-a-request"),
        pytest.param("30", 30, id="a-slow-model"),
        pytest.param("0.05", LEAST_PATIENCE_S, id="a-fast-one-has-a-slow-first-call"),
    ],
)
def test_a_description_may_take_as_long_as_a_request(deadline, patience):
    silent = Server([PredictionFailure("DEADLINE_EXCEEDED", "")], wait_s=0, lasts_s=1e9, options={"deadline": deadline})

    assert patience_s(silent.model) == patience
    with pytest.raises(NoServerError, match=rf"no answer from 127\.0\.0\.1:8500 within {patience:g} s"):
        silent.ask()
    assert silent.now_s == 1000 + patience


OUTCOMES = st.sampled_from([REFUSED, UNKNOWN_MODEL, LOADING, PredictionFailure("DEADLINE_EXCEEDED", ""), READY])


@given(
    says=st.lists(OUTCOMES, min_size=1, max_size=30),
    wait_s=st.just(0) | st.floats(0, 100),
    lasts_s=st.floats(0, 50),
    deadline_s=st.floats(0.1, 40),
)
def test_no_wait_is_longer_than_asked_for_by_more_than_a_call(says, wait_s, lasts_s, deadline_s):
    server = Server(says, wait_s, lasts_s, {"deadline": f"{deadline_s:f}"})
    n_before = next((n for n, said in enumerate(says) if said is READY), None)

    try:
        server.ask()
        is_ready = True
    except PreflightError:
        is_ready = False

    # Without a wait one call is all, and as long as any.
    first_s = 0 if server.connection.wait_s else min(lasts_s, patience_s(server.model))
    assert server.now_s - 1000 <= max(first_s, server.connection.wait_s + 0.01 + LEAST_PATIENCE_S) + 1e-6
    if is_ready:
        assert server.n_asked == n_before + 1
    else:
        assert server.now_s - 1000 >= server.connection.wait_s - 1e-6


class Silent(Server):
    """A server that answers to nothing until it is let."""

    def __post_init__(self):
        super().__post_init__()
        self.is_let = gevent.event.Event()

    def spoken(self) -> Spoken:
        return GRPC

    def describe(self, timeout_s):
        self.is_let.wait()
        return super().describe(timeout_s)


def test_that_it_is_waited_for_is_said_before_the_first_answer(caplog, monkeypatch):
    monkeypatch.setattr(waiting, "SAY_FIRST_S", 0.01)
    caplog.set_level(logging.INFO)
    server = Silent([LOADING, READY])
    asking = gevent.spawn(server.ask)
    wait_for(lambda: "Waiting for the server at 127.0.0.1:8500, 60 s at most: it has not answered yet" in caplog.text)
    server.is_let.set()

    assert asking.get().model_version == 1
    assert "Still waiting (0 of 60 s): model 'mnist' is LOADING" in caplog.text
    assert "is ready" in caplog.text


def test_without_a_wait_nothing_is_said(caplog, monkeypatch):
    monkeypatch.setattr(waiting, "SAY_FIRST_S", 0.01)
    caplog.set_level(logging.INFO)
    server = Silent([READY], wait_s=0)
    asking = gevent.spawn(server.ask)
    gevent.sleep(0.05)
    server.is_let.set()

    assert asking.get().model_version == 1
    assert caplog.text == ""


@pytest.mark.parametrize("says", [LOADING, None], ids=["between-two-calls", "in-a-call"])
def test_somebody_else_may_end_the_wait(says, monkeypatch):
    monkeypatch.setattr(waiting, "SAY_FIRST_S", 0.01)
    server = Silent([says or READY], wait_s=3600)
    if says:
        server.is_let.set()
    wait = Wait()
    asking = gevent.spawn(waiting.ask_when_ready, server, Fired(), wait=wait)
    wait_for(lambda: wait.where == "127.0.0.1:8500")
    wait.stop()

    with pytest.raises(StoppedError):
        asking.get(timeout=10)
    assert (wait.where, wait.is_stopped) == ("", True)
    wait.begin()
    assert not wait.is_stopped
