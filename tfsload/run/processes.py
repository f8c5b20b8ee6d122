"""The workers that `--processes` forks: they end with the process that forked them."""

import logging
import os
from collections.abc import Callable
from typing import Any

import gevent
import psutil
from locust.runners import WorkerRunner

from tfsload.analysis import exit_codes

logger = logging.getLogger(__name__)

WATCH_INTERVAL_S = 0.5

# This module is imported before the fork.
_forking_process = os.getpid()


def forked_by() -> int:
    """Return the process that forks, or has forked, this one's workers."""
    return _forking_process


def is_of_another_run(n_processes: int | None, forked_by_option: int | None) -> bool:
    """Whether this worker was forked by another process than the master that now sends it work.

    Args:
        n_processes: `--processes` of this worker.
        forked_by_option: `forked_by` of the master; None: its workers were not forked.
    """
    return bool(n_processes) and os.getpid() != _forking_process and forked_by_option != _forking_process


def end_with_parent(quit_worker: Callable[[], None]) -> "gevent.Greenlet[[], None]":
    """Watch the parent from a forked worker, and quit when it is gone.

    Locust itself leaves such workers behind when their master dies or cannot get its port; they would wait
    for minutes, or join the master of another run that has the port.
    """

    def watch() -> None:
        while os.getppid() == _forking_process:
            gevent.sleep(WATCH_INTERVAL_S)
        logger.error("The process that started this worker is gone: the worker ends too")
        quit_worker()

    return gevent.spawn(watch)


def leave(runner: WorkerRunner, main: Any) -> None:
    """End a worker, also one whose master has never answered: its runner is not made yet, and cannot quit.

    Args:
        runner: Locust's.
        main: the greenlet that makes it, Locust's main one.
    """
    if runner.connected:
        runner.quit()
    else:
        gevent.kill(main, SystemExit(exit_codes.FAILED))


def end_forked_workers() -> None:
    """End the workers of a master that gives up before a run: Locust forgets them, and they would wait for minutes.

    They are the children with this process's own command line; others are not ours to end.
    """
    own = psutil.Process()
    for child in own.children():
        try:
            if child.cmdline() == own.cmdline():
                child.terminate()
        except psutil.NoSuchProcess:
            continue  # it was faster
