"""Where a master listens for its workers: what cannot be listened on is told in a line, and its workers are ended."""

import argparse
import contextlib
import errno
import ipaddress
import logging
from collections.abc import Iterator
from typing import Any

import gevent
import locust.runners
from gevent import socket
from locust.exception import RPCError
from locust.runners import WorkerRunner

from tfsload.analysis import exit_codes
from tfsload.run import processes
from tfsload.settings.refusal import RunRefused
from tfsload.suite import arguments, beginning, locust_files, streams
from tfsload.suite.run_report import RunReport
from tfsload.transport.numerals import whole_number
from tfsload.transport.words import quoted

logger = logging.getLogger(__name__)

_PORTS = ("master_port", "master_bind_port")
_LAST_PORT, _MOST_DIGITS = 65535, 9
# After so long a master is not just a moment late.
_SILENCE_S = 5.0
_OTHER_PORT = "pass another --master-bind-port, and its workers the same --master-port"
_OTHER_HOST = "pass another --master-bind-host, an address of this machine, or leave it out"
_OF_PORTS = {
    errno.EADDRINUSE: f"another program listens there, maybe the master of an earlier run; stop it, or {_OTHER_PORT}",
    errno.EACCES: f"this user may not listen on that port; {_OTHER_PORT}",
}


def listen(parser: Any) -> None:
    """Have a parser know where masters listen, and where workers look for them (on `init_command_line_parser`)."""
    for action in parser._actions:
        if action.dest in _PORTS:
            action.type = port_of
    arguments.after_parsing(parser, lead_forked_workers)


def port_of(text: str) -> int:
    """Read a port of a master's; what is none, the library that Locust uses takes for another one.

    Raises:
        argparse.ArgumentTypeError: it is none. So is 0, any that is free, which no worker would know.
    """
    port = whole_number(text, _MOST_DIGITS)
    if port is None or not 1 <= port <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{quoted(text)}: expected a port, from 1 to {_LAST_PORT}")
    return port


def lead_forked_workers(options: Any) -> None:
    """Have the workers of `--processes` connect to where their own master listens, whatever is said of other masters.

    Args:
        options: Locust's, of a process that may fork.
    """
    if not options.processes or options.worker:
        return
    options.master_port = options.master_bind_port
    with contextlib.suppress(ValueError):  # all addresses, or a name
        if not ipaddress.ip_address(options.master_bind_host).is_unspecified:
            options.master_host = options.master_bind_host


def tell_of_wait(runner: WorkerRunner, **_: Any) -> "gevent.Greenlet[[], None]":
    """Have a worker say that it waits for its master, and why: Locust's says nothing for half a minute.

    It goes on trying, as Locust has it: the name of a master that is starting may come to lead somewhere.

    Args:
        runner: of a worker that is about to connect (on `before_worker_connects`).
    """

    def tell() -> None:
        for_long = f"this worker goes on trying for {_tries_s() / 60:g} minutes"
        if why := _why_no_address(runner.master_host):
            logger.warning("--master-host %s leads to no machine (%s): %s", quoted(runner.master_host), why, for_long)
        gevent.sleep(_SILENCE_S)
        if not runner.connected:
            where = f"{runner.master_host}:{runner.master_port}"
            logger.warning(
                "No master has answered at %s for %g s; is one started there? %s", where, _SILENCE_S, for_long
            )

    return gevent.spawn(tell)


@contextlib.contextmanager
def refused_in_words(options: Any, host: str, port: int) -> Iterator[None]:
    """End Locust's program in a line where a master cannot listen; Locust shows a traceback, and leaves its workers.

    A program of one's own hears of it as Locust has it.

    Args:
        options: Locust's.
        host: `--master-bind-host`; `*`: all interfaces.
        port: `--master-bind-port`.

    Raises:
        SystemExit: it cannot listen there, and Locust's program is at work.
    """
    if not beginning.is_locusts_program():
        yield
        return
    try:
        yield
    except (RPCError, SystemExit) as fault:
        number, words = _systems_fault(fault)
        why = _OF_PORTS.get(number, f"{words}; {_OTHER_HOST}")
        refused = RunRefused(exit_codes.FAILED, [f"the master cannot listen on {host}:{port}: {why}"])
        raise _end(options, refused) from None


def _why_no_address(host: str) -> str:
    """Return why a name leads to no address, as the system says it; empty: it leads to one."""
    try:
        socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeError:
        return "it is no name"
    return ""


def _tries_s() -> float:
    return float(locust.runners.CONNECT_TIMEOUT * locust.runners.CONNECT_RETRY_COUNT)


def _systems_fault(fault: BaseException) -> tuple[int, str]:
    """Return the number and the words of what the system said first, as far as it is known."""
    first = fault
    while first.__context__ is not None:
        first = first.__context__
    number = getattr(first, "errno", None)
    return (number or 0), (getattr(first, "strerror", None) or str(first))


def _end(options: Any, refused: RunRefused) -> SystemExit:
    """Say why there is no run, and leave nobody behind; return what ends the process."""
    streams.say(refused.text())
    locust_files.log_what_was_said(refused.text())
    RunReport().write_refusal(refused, vars(options))
    if options.processes:
        processes.end_forked_workers()
    return SystemExit(refused.exit_code)
