"""A whole run in this process: Locust's own master and workers, the suite in each, no sockets, no server, no waiting.

Only the network, the clocks and the server are made up: who starts, moves and ends users is Locust's own code.
"""

import functools
import inspect
import itertools
import time
from types import SimpleNamespace
from typing import Any

import gevent
import locust.argument_parser
import locust.runners
import numpy as np
from locust.env import Environment
from locust.event import Events

from tests.support.fake_rpc import Network
from tests.support.virtual_time import VirtualTime
from tfsload.datasets.dataset import IMAGE_SHAPE, Dataset
from tfsload.load import pacer
from tfsload.prediction import process_run as run
from tfsload.prediction.prediction_user import PredictionUser
from tfsload.records.cpu import CpuShares
from tfsload.run import awaited, checks, conductor, coordinator, getting_ready, participant, pulse
from tfsload.settings.settings import Settings
from tfsload.suite import leader, lifecycle, run_check
from tfsload.target.preflight import Preflight
from tfsload.transport.answer import Answer
from tfsload.transport.grpc.transport import GrpcTransport

N_IMAGES = 200
SERVICE_S = 0.1
LATENCY_S = 0.005
SERVER = "127.0.0.1:1"
# What Locust's own options are, as far as it and the suite read them.
LOCUST_OPTIONS = {
    "headless": True,
    "autostart": False,
    "processes": None,
    "run_time": None,
    "num_users": None,
    "spawn_rate": None,
    "expect_workers": 2,
    "enable_rebalancing": False,
    "json": False,
    "only_summary": True,
    "web_base_path": "",
    "exit_code_on_error": 1,
    "master_bind_port": 5557,
}
_DEFAULT_ARGUMENTS = functools.cache(locust.argument_parser.default_args_dict)


class VirtualUser(PredictionUser):
    """Is answered after a tenth of a second."""

    abstract = False
    request_type = "virtual"
    transport_class = GrpcTransport

    def connect(self, _run: Any) -> None:
        self._call = self.call
        self._reader_of = lambda n_images: SimpleNamespace(read=lambda reply: self.read(reply, n_images))

    def call(self, _body: bytes) -> bytes:
        gevent.sleep(SERVICE_S)
        self.environment.n_answered += 1
        return b"a reply"

    def read(self, _reply: bytes, n_images: int) -> Answer:
        return Answer.of(np.eye(10)[[7] * n_images])


class _Alarm:
    def __init__(self, on_due: Any, _pacing: str, _chores: Any) -> None:
        self._on_due = on_due
        self._number = 0

    def set(self, at_ns: int) -> None:
        self._number += 1
        gevent.spawn_later(max(at_ns - time.perf_counter_ns(), 0) / 1e9, self._ring, self._number)

    def _ring(self, number: int) -> None:
        if number == self._number:
            gevent.get_hub().loop.run_callback(self._on_due)

    def close(self) -> None:
        self._number += 1


class _IdleCpu:
    """A process that hardly needs its CPU; the true one is at work for all processes, in no time."""

    @classmethod
    def now(cls) -> "_IdleCpu":
        return cls()

    def since(self, _earlier: "_IdleCpu") -> CpuShares:
        return CpuShares(busy=0.01, waited=0.0, mean_wait_ns=0.0)


def _images(settings: Settings) -> Dataset:
    n = settings.data.num_tests or N_IMAGES
    return Dataset("virtual", np.zeros((n, *IMAGE_SHAPE), np.uint8), np.full(n, 7, np.uint8))


def _check(options: dict[str, Any], *_: Any) -> checks.Checked:
    settings = Settings.parse(options, SERVER)
    images = run.load_images(settings)
    return checks.Checked(
        settings,
        GrpcTransport(settings.model, settings.connection),
        len(images.labels),
        images.fingerprint,
        Preflight(1),
    )


def _change_defaults(monkeypatch: Any, function: Any, **defaults: Any) -> None:
    """Give arguments of a function other defaults; all of them must have one."""
    with_default = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not parameter.empty
    }
    assert set(defaults) <= set(with_default), f"{function.__qualname__} has changed: {sorted(with_default)}"
    monkeypatch.setattr(function, "__defaults__", tuple({**with_default, **defaults}.values()))


def take_the_place_of_the_world(monkeypatch: Any) -> tuple[VirtualTime, Network]:
    """Replace clocks, sockets, the server and the data."""
    clock, network = VirtualTime(monkeypatch), Network(monkeypatch, LATENCY_S)
    for kind, defaults in (
        (coordinator.Coordinator, {"clock_s": clock.read_s}),
        (conductor.Conductor, {"clock_s": clock.read_s}),
        (awaited.AwaitedWorkers, {"clock_s": clock.read_s}),
        (pulse.Pulse, {"clock_ns": clock.now_ns}),
        (pacer.Pacer, {"alarm": _Alarm, "clock_ns": clock.now_ns}),
        (leader.RunTime, {"clock_s": clock.read_s}),
    ):
        _change_defaults(monkeypatch, kind.__init__, **defaults)
    numbers = itertools.count()
    no_collector = SimpleNamespace(collect=lambda: None, freeze=lambda: None, unfreeze=lambda: None)
    for owner, name, replacement in (
        (participant, "gc", no_collector),
        (participant, "CpuTime", _IdleCpu),
        (locust.runners, "uuid4", lambda: SimpleNamespace(hex=f"{next(numbers):032}")),
        (getting_ready, "measure_round_trip_ns", lambda *_: 1_000_000),
        (conductor, "_POLL_S", 0.25),
        (coordinator, "DRAIN_POLL_S", 0.25),
        (run, "load_images", _images),
        (getting_ready, "load_images", _images),
        (run_check, "check", _check),
        (leader, "has_changed", lambda _: ""),
        (lifecycle.interrupt, "deliver_to_main_greenlet", lambda *_: None),
        (locust.argument_parser, "default_args_dict", _DEFAULT_ARGUMENTS),
    ):
        monkeypatch.setattr(owner, name, replacement)
    return clock, network


class Process:
    """One Locust process with the suite in it."""

    def __init__(self, **options: Any) -> None:
        self.events = Events()
        lifecycle.install(self.events)
        self.options = SimpleNamespace(**{**LOCUST_OPTIONS, **options})
        user = type("VirtualUser", (VirtualUser,), {"abstract": False})
        self.environment = Environment(
            user_classes=[user], events=self.events, parsed_options=self.options, host=SERVER, stop_timeout=0
        )
        self.environment.n_answered = 0  # by the server, to users of this process
        self.runner: Any = None
        self.greenlets: list[gevent.Greenlet] = []

    @property
    def suite(self) -> Any:
        return self.environment.tfsload

    def tell_beginning(self) -> None:
        self.events.init.fire(environment=self.environment, runner=self.runner, web_ui=None)

    def shut_down(self) -> None:
        """As Locust's `shutdown` does, after SIGTERM or at the end."""
        self.events.quitting.fire(environment=self.environment, reverse=True)
        self.runner.quit()

    def kill(self) -> None:
        """End it as SIGKILL would; what it has sent by now may still arrive."""
        gevent.killall([*self.runner.greenlet, *self.runner.user_greenlets, *self.greenlets], block=False)


class Worker(Process):
    """A worker process."""

    def __init__(self, network: Network, name: str) -> None:
        super().__init__(headless=False)
        self._network = network
        self.greenlets.append(gevent.spawn(self._start, name))

    def _start(self, name: str) -> None:
        self.runner = self.environment.create_worker_runner("127.0.0.1", 5557)
        self.tell_beginning()
        self.name = name

    @property
    def id(self) -> str:
        return self.runner.client_id

    @property
    def has_begun(self) -> bool:
        return hasattr(self, "name")

    @property
    def n_users(self) -> int:
        return self.runner.user_count if self.runner is not None else 0

    def kill(self) -> None:
        if self.runner is not None:
            self._network.dead.add(self.id)
            super().kill()


class Master(Process):
    """A headless master process."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.runner = self.environment.create_master_runner("*", 5557)
        self.tell_beginning()

    def start(self) -> None:
        """Start the run, as Locust's `main` does once its workers are there."""
        self.greenlets.append(gevent.spawn(self._main))

    def _main(self) -> None:
        runner, options = self.runner, self.options
        if self.environment.shape_class:
            runner.start_shape()
            runner.shape_greenlet.join()
            runner.quit()
        else:
            self.greenlets.append(gevent.spawn(runner.start, options.num_users, options.spawn_rate))
            if options.run_time:

                def stop_and_optionally_quit() -> None:
                    runner.quit()

                gevent.spawn_later(options.run_time, gevent.spawn, stop_and_optionally_quit)
        runner.greenlet.join()
        self.shut_down()

    @property
    def is_over(self) -> bool:
        return self.suite.outcome is not None and self.environment.process_exit_code is not None
