"""Where a master listens: what Locust says of an address that cannot be listened on, and where forked workers look."""

import errno
import socket
from types import SimpleNamespace

import pytest
from locust.argument_parser import get_empty_argument_parser, setup_parser_arguments
from locust.exception import RPCError

from tfsload.analysis import exit_codes
from tfsload.suite import arguments, beginning, master_address, streams
from tfsload.transport.words import quoted


@pytest.fixture
def locust_parser():
    """Locust's parser, as the suite's listeners leave it."""
    parser = get_empty_argument_parser(add_help=False, default_config_files=[])
    setup_parser_arguments(parser)
    arguments.add_arguments(parser)
    master_address.listen(parser)
    return parser


@pytest.fixture
def refused(monkeypatch):
    """Return what a master's making is refused with, as Locust's program has it: exit code, words, who was ended."""
    said, ended = [], []
    monkeypatch.setattr(beginning, "is_locusts_program", lambda: True)
    monkeypatch.setattr(streams, "say", said.append)
    monkeypatch.setattr(master_address.processes, "end_forked_workers", lambda: ended.append("workers"))

    def refuse(make, n_processes):
        options = SimpleNamespace(processes=n_processes)
        with pytest.raises(SystemExit) as caught, master_address.refused_in_words(options, "there", 5557):
            make()
        return caught.value.code, "".join(said), ended

    return refuse


def zmq_fault(number, words):
    """Return what raises as Locust does where ZeroMQ cannot listen."""

    def make():
        try:
            raise OSError(number, words)
        except OSError as error:
            raise RPCError(f"Socket bind failure: {error}")  # noqa: B904  (as Locust has it)

    return make


def as_locust_ends():
    try:
        zmq_fault(errno.EADDRINUSE, "Address already in use")()
    except RPCError:
        raise SystemExit(1)  # noqa: B904


OTHER_PORT = "pass another --master-bind-port, and its workers the same --master-port"
OTHER_HOST = "pass another --master-bind-host, an address of this machine, or leave it out"
TAKEN = f"another program listens there, maybe the master of an earlier run; stop it, or {OTHER_PORT}"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        pytest.param(zmq_fault(errno.EADDRINUSE, "in use"), TAKEN, id="taken"),
        pytest.param(as_locust_ends, TAKEN, id="taken-as-older-libraries-say-it"),
        pytest.param(
            zmq_fault(errno.EACCES, ""), f"this user may not listen on that port; {OTHER_PORT}", id="below-1024"
        ),
        pytest.param(
            zmq_fault(errno.ENODEV, "No such device"), f"No such device; {OTHER_HOST}", id="no-address-of-this-machine"
        ),
    ],
)
@pytest.mark.parametrize("n_processes", [None, 2], ids=["alone", "forked"])
def test_a_master_that_cannot_listen(refused, make, why, n_processes):
    code, said, ended = refused(make, n_processes)

    assert code == exit_codes.FAILED
    assert said.splitlines()[1:] == [f"  - the master cannot listen on there:5557: {why}"]
    assert ended == (["workers"] if n_processes else [])


@pytest.mark.parametrize("option", ["--master-port", "--master-bind-port"])
@pytest.mark.parametrize("port", ["-1", "0", "65536", "99999", "1" * 5000, "x", ""])
def test_a_port_that_there_is_not(locust_parser, capsys, option, port):
    with pytest.raises(SystemExit) as caught:
        locust_parser.parse_args([f"{option}={port}"])

    assert caught.value.code == exit_codes.BAD_USAGE
    assert f"argument {option}: {quoted(port)}: expected a port, from 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("port", [1, 5557, 65535])
def test_a_port_that_there_is(locust_parser, port):
    assert locust_parser.parse_args(["--master-port", str(port)]).master_port == port


def test_a_program_of_ones_own_hears_what_locust_says():
    with pytest.raises(RPCError), master_address.refused_in_words(None, "there", 5557):
        zmq_fault(errno.EADDRINUSE, "in use")()


@pytest.mark.parametrize(
    ("given", "host", "port"),
    [
        pytest.param({"processes": 2}, "127.0.0.1", 7000, id="the-masters-port"),
        pytest.param({"processes": 2, "master_bind_host": "10.0.0.5"}, "10.0.0.5", 7000, id="the-masters-address"),
        pytest.param({"processes": 2, "master_bind_host": "0.0.0.0"}, "127.0.0.1", 7000, id="all-addresses"),
        pytest.param({"processes": 2, "master_bind_host": "eth0"}, "127.0.0.1", 7000, id="an-interface"),
        pytest.param({}, "127.0.0.1", 5557, id="no-forked-workers"),
        pytest.param({"processes": 2, "worker": True}, "127.0.0.1", 5557, id="workers-of-another-master"),
    ],
)
def test_forked_workers_look_where_their_master_listens(given, host, port):
    told = {"master_bind_host": "*", "master_bind_port": 7000, "master_host": "127.0.0.1", "master_port": 5557}
    options = SimpleNamespace(**{**told, "processes": None, "worker": False, **given})
    master_address.lead_forked_workers(options)

    assert (options.master_host, options.master_port) == (host, port)


@pytest.fixture
def told(monkeypatch, caplog):
    """Return a function that returns what a worker says while it waits; `slept` then tells for how long."""

    def wait(fault=None, is_connected_then=False):
        runner = SimpleNamespace(master_host="there", master_port=5557, connected=False)

        def look_up(*_, **__):
            if fault is not None:
                raise fault

        def sleep(seconds):
            assert seconds == 5
            runner.connected = is_connected_then

        monkeypatch.setattr(master_address.socket, "getaddrinfo", look_up)
        monkeypatch.setattr(master_address.gevent, "sleep", sleep)
        master_address.tell_of_wait(runner=runner, environment=None).get(timeout=10)
        return [record.getMessage() for record in caplog.records]

    return wait


FOR_LONG = "this worker goes on trying for 5 minutes"
SILENT = f"No master has answered at there:5557 for 5 s; is one started there? {FOR_LONG}"
NOWHERE = f"--master-host 'there' leads to no machine (Name or service not known): {FOR_LONG}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"is_connected_then": True}, [], id="a-master-that-answers"),
        pytest.param({}, [SILENT], id="one-that-does-not"),
        pytest.param({"fault": socket.gaierror(-2, "Name or service not known")}, [NOWHERE, SILENT], id="no-name"),
        pytest.param(
            {"fault": socket.gaierror(-3, "Try again"), "is_connected_then": True},
            [f"--master-host 'there' leads to no machine (Try again): {FOR_LONG}"],
            id="a-name-that-is-known-later",
        ),
        pytest.param(
            {"fault": UnicodeError("label too long")},
            [f"--master-host 'there' leads to no machine (it is no name): {FOR_LONG}", SILENT],
            id="what-can-be-no-name",
        ),
    ],
)
def test_a_worker_that_waits_says_so(told, given, said):
    assert told(**given) == said
