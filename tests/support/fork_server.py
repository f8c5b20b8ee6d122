"""A process that has imported what a run needs, and forks for each run: a start then costs no imports.

    python -m tests.support.fork_server

Its standard input is a Unix socket, of which each message asks for one run. It has imported Locust, the libraries and
the rooms of tfsload, but not tfsload's run and suite, which look at their import which process they are in. It has no
thread, no channel and no request behind it.
"""

# These are taken as they are before gevent's patches: this process itself waits in the system's own way.
import contextlib
import gc
import inspect
import io
import os
import pkgutil
import runpy
import sys
from dataclasses import dataclass
from importlib import import_module
from json import loads
from os import WNOHANG, _exit, waitpid, waitstatus_to_exitcode
from select import POLLIN, poll
from socket import recv_fds, socket
from typing import TextIO

# Between looks at the runs under way.
_LOOK_MS = 5
_MOST_BYTES = 1 << 20
_ROOMS = ("transport", "datasets", "records", "analysis", "load", "settings", "report", "target", "prediction", "webui")


@dataclass(frozen=True)
class Start:
    """One run that is asked for.

    Attributes:
        arguments: Locust's, without the program's name.
        cwd: its working directory.
        environment: all of it.
        new_session: whether it leads a session of its own.
    """

    arguments: list[str]
    cwd: str
    environment: dict[str, str]
    new_session: bool


def import_all() -> None:
    """Import what a run imports before a locustfile, and what that imports of others'."""
    import_module("locust")  # first of all, with gevent's patches
    for room in _ROOMS:
        package = import_module(f"tfsload.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    # After tfsload, which begins a run where it finds Locust's own program there before it.
    for name in ("locust.main", "grpc.experimental.gevent", "numpy"):
        import_module(name)
    # Locust asks who stops a run, for which every module's file is looked up, once a process.
    inspect.stack()
    # What is here already is not to be copied because a run's garbage collection has looked at it.
    gc.collect()
    gc.freeze()
    if early := [name for name in sys.modules if name.startswith(("tfsload.suite", "tfsload.run."))]:
        raise ImportError(f"a run's own process is to import {early}")


def serve(control: socket) -> Start:
    """Fork a run a message until nobody asks any more; return only in the forked run."""
    from gevent.os import fork_gevent  # as a worker of `--processes` is forked

    asked = poll()
    asked.register(control, POLLIN)
    reports: dict[int, int] = {}
    while True:
        ready = asked.poll(_LOOK_MS if reports else None)
        _tell_ended(reports)
        if not ready:
            continue
        message, files, _, _ = recv_fds(control, _MOST_BYTES, 4)
        if not message:
            _exit(0)
        pid = fork_gevent()
        if pid == 0:
            control.close()
            _take_place(files, reports)
            return Start(**loads(message))
        for file in files[:3]:
            os.close(file)
        reports[pid] = files[3]
        os.write(files[3], b"%d\n" % pid)


def _tell_ended(reports: dict[int, int]) -> None:
    for pid in list(reports):
        ended, status = waitpid(pid, WNOHANG)
        if ended:
            report = reports.pop(pid)
            with contextlib.suppress(BrokenPipeError):
                os.write(report, b"%d\n" % waitstatus_to_exitcode(status))
            os.close(report)


def _take_place(files: list[int], reports: dict[int, int]) -> None:
    """Make the run's standard streams this process's, and leave it none of the fork server's files."""
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    for file in {*files, *reports.values()}:
        os.close(file)


def become(start: Start) -> None:
    """Be `python -m locust` as it was asked for."""
    if start.new_session:
        os.setsid()
    os.chdir(start.cwd)
    os.environ.clear()
    os.environ.update(start.environment)
    sys.argv[1:] = start.arguments
    sys.orig_argv[1:] = ["-m", "locust", *start.arguments]
    sys.path[0] = start.cwd
    sys.stdin = sys.__stdin__ = _stream(0, sys.__stdin__)
    sys.stdout = sys.__stdout__ = _stream(1, sys.__stdout__)
    sys.stderr = sys.__stderr__ = _stream(2, sys.__stderr__)
    runpy.run_module("locust", run_name="__main__", alter_sys=True)


def _stream(number: int, started_with: TextIO) -> TextIO:
    """Open a standard stream as Python did when this process started, but for the file that it is now."""
    is_unbuffered = started_with.write_through
    raw = io.FileIO(number, started_with.mode, closefd=False)
    raw.name = started_with.name
    buffered = io.BufferedReader(raw) if number == 0 else raw if is_unbuffered else io.BufferedWriter(raw)
    stream = io.TextIOWrapper(
        buffered,
        started_with.encoding,
        started_with.errors,
        line_buffering=started_with.line_buffering or (raw.isatty() and not is_unbuffered),
        write_through=is_unbuffered,
    )
    stream.mode = started_with.mode
    return stream


def main() -> None:
    """Import, serve, and in each run that is forked become it."""
    control = socket(fileno=os.dup(0))
    import_all()
    become(serve(control))


if __name__ == "__main__":
    main()
