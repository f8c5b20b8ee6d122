"""Ctrl-C, SIGTERM and a terminal that closes, at any moment: one word, and the exit code that goes with it."""

import contextlib
import functools
import os
import random
import re
import signal
import subprocess
import sys

import pytest

from tests.support import runs
from tests.support.runs import PROJECT, LocustProcess, forked, free_port, is_listening, wait_until
from tfsload.analysis import exit_codes

# Signals are to meet a process as a user's shell starts it.
locust = functools.partial(runs.locust, is_forked=False)
HEADLESS = ("--headless", "--only-summary", "-u", "2", "-r", "2")
CODES = {"PASS": exit_codes.PASS, "FAILED": exit_codes.FAILED, "INVALID": exit_codes.INVALID}


def word_of(ended) -> str:
    """Return the verdict that was said: in the summary, or in the line of a process that has none."""
    said = re.findall(r"^(PASS|FAILED|INVALID)(?:\W|$)", ended.stdout, re.MULTILINE)
    said += re.findall(r"^tfsload: (INVALID)\b", ended.stderr, re.MULTILINE)
    if "tfsload: the run cannot start:\n  - interrupted" in ended.stderr:
        said.append("INVALID")
    assert len(said) == 1, ended.stdout + ended.stderr
    return said[0]


def assert_one_word(ended) -> None:
    assert ended.exit_code == CODES[word_of(ended)], ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert "KeyboardInterrupt" not in ended.stderr


def send_until_it_ends(
    process: LocustProcess, numbers: list[int], pauses: random.Random, to_group: bool = False
) -> None:
    """Send signals at random moments for as long as the process lives."""
    while process.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            send = os.killpg if to_group else os.kill
            send(process.pid, pauses.choice(numbers))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.process.wait(pauses.uniform(0, 0.1))


@pytest.mark.timing
@pytest.mark.parametrize(
    ("numbers", "seed"),
    [
        pytest.param([signal.SIGINT], 1, id="ctrl-c"),
        pytest.param([signal.SIGINT], 2, id="ctrl-c-at-other-moments", marks=pytest.mark.long),
        pytest.param([signal.SIGTERM], 3, id="sigterm", marks=pytest.mark.long),
        pytest.param([signal.SIGINT, signal.SIGTERM, signal.SIGHUP], 4, id="all-mixed"),
    ],
)
def test_signals_from_its_first_user_until_it_is_gone(tmp_path, model_server, numbers, seed):
    with locust(tmp_path, *HEADLESS, "--host", model_server.address) as process:
        wait_until(process.has_spawned, "users")
        send_until_it_ends(process, numbers, random.Random(seed))
        ended = process.wait()

    assert_one_word(ended)
    assert ended.stderr.count("tfsload: ") <= 1  # that it is ending


@pytest.mark.timing
@pytest.mark.parametrize(
    ("numbers", "seed"),
    [
        pytest.param([signal.SIGINT], 5, id="ctrl-c-of-a-terminal", marks=pytest.mark.long),
        pytest.param([signal.SIGINT, signal.SIGTERM], 6, id="mixed"),
    ],
)
def test_signals_to_a_whole_group_of_processes(tmp_path, model_server, numbers, seed):
    arguments = (*HEADLESS, "--host", model_server.address, *forked(2))
    with locust(tmp_path, *arguments, start_new_session=True) as process:
        wait_until(process.has_spawned, "users")
        send_until_it_ends(process, numbers, random.Random(seed), to_group=True)
        ended = process.wait()

    assert_one_word(ended)
    assert ended.stderr.count("tfsload: ") <= 1


@pytest.mark.timing
@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="ctrl-c"), pytest.param(signal.SIGTERM, id="term", marks=pytest.mark.long)],
)
@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("limit reached", id="as-it-ends-by-itself"),
        pytest.param("Shutting down", id="in-the-shutdown", marks=pytest.mark.long),
        pytest.param("Aggregated", id="among-the-tables", marks=pytest.mark.long),
    ],
)
def test_a_run_that_ends_by_itself_is_not_disturbed(tmp_path, model_server, number, moment):
    with locust(tmp_path, *HEADLESS, "--host", model_server.address, "-t", "1s") as process:
        wait_until(lambda: moment in process.log(), moment)
        send_until_it_ends(process, [number], random.Random(7))
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert_one_word(ended)


# From within, because this moment is short: all has been handed over, and nothing is known of it yet.
AS_IT_IS_CONCLUDED = """\
import os, signal, gevent
from tfsload.suite import leader
conclude = leader.conclude
def interrupted(*arguments):
    for _ in range(2):
        os.kill(os.getpid(), signal.{name})
        gevent.sleep(0.2)
    return conclude(*arguments)
leader.conclude = interrupted
from locustfile import GrpcPredictionUser
"""


@pytest.mark.parametrize("name", ["SIGINT", pytest.param("SIGTERM", marks=pytest.mark.long)])
def test_a_signal_between_the_last_report_and_the_verdict_changes_nothing(tmp_path, model_server, name):
    locustfile = tmp_path / "concluded.py"
    locustfile.write_text(AS_IT_IS_CONCLUDED.format(name=name))
    load = ("--host", model_server.address, "--num-tests", "100")
    with locust(tmp_path, *HEADLESS, *load, locustfile=locustfile) as process:
        ended = process.wait()

    assert word_of(ended) == "PASS"
    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert ended.stderr.count("tfsload: ") == 1  # that it is ending


FIRST_LINES = """\
import os, sys, time
class Slowly:
    def find_spec(self, name, *_):
        if name == {module!r}:
            print("IMPORTING", file=sys.stderr, flush=True)
            time.sleep(20)
sys.meta_path.insert(0, Slowly())
from locustfile import GrpcPredictionUser
"""


@pytest.mark.parametrize(
    ("module", "number"),
    [
        pytest.param("numpy", signal.SIGINT, id="ctrl-c-at-numpy"),
        pytest.param("tfsload.suite.lifecycle", signal.SIGINT, id="ctrl-c-at-the-first-line", marks=pytest.mark.long),
        pytest.param("grpc", signal.SIGTERM, id="sigterm-at-grpc", marks=pytest.mark.long),
        pytest.param("users", signal.SIGHUP, id="hangup-at-users"),
    ],
)
def test_a_signal_during_the_imports_ends_in_a_line(tmp_path, module, number):
    locustfile = tmp_path / "slowly.py"
    locustfile.write_text(FIRST_LINES.format(module=module))
    with locust(tmp_path, *HEADLESS, "--num-tests", "10", locustfile=locustfile) as process:
        wait_until(lambda: "IMPORTING" in process.log(), f"the import of {module}")
        process.signal(number)
        ended = process.wait()

    assert ended.exit_code == exit_codes.INVALID
    assert ended.stderr == "IMPORTING\ntfsload: INVALID: stopped before the run began\n"


@pytest.mark.timing
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 6))])
def test_signals_while_it_starts(tmp_path, seed):
    """From the locustfile's first line on, over the embedded server's start, the preflight and the first users."""
    moments = random.Random(seed)
    locustfile = tmp_path / "first.py"
    locustfile.write_text(
        "import tfsload, sys; print('FIRST', file=sys.stderr)\nfrom locustfile import GrpcPredictionUser\n"
    )
    with locust(tmp_path, *HEADLESS, locustfile=locustfile) as process:
        wait_until(lambda: "FIRST" in process.log(), "its first line")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.process.wait(moments.uniform(0, 3))
        send_until_it_ends(process, [signal.SIGINT, signal.SIGTERM], moments)
        ended = process.wait()

    assert_one_word(ended)


# Looks, line by line while the process leaves and Python takes down its modules, whether the system would end it for a
# signal; `begin` and `keep` are called as a run's process does.
LEAVING = """\
import atexit, os, sys
from tfsload.suite import beginning
beginning.is_locusts_program = lambda: True
beginning.begin()
import gevent
numbers = beginning.signals()
for number in numbers:
    beginning.keep(gevent.signal_handler(number, int))

class Look:
    def __init__(self):
        self.wanted = sum(1 << number - 1 for number in numbers)
        self.open, self.read, self.write, self.close = os.open, os.read, os.write, os.close
    def __call__(self, *_):
        file = self.open("/proc/self/status", 0)
        lines = self.read(file, 10_000).split(b"\\n")
        self.close(file)
        held = 0
        for line in lines:
            if line.startswith((b"SigIgn:", b"SigCgt:")):
                held |= int(line[7:], 16)
        self.write(1, b"+" if held & self.wanted == self.wanted else b"-")
        return self

atexit.register(sys.settrace, Look())  # called just before what `begin` has registered
sys.exit(5)
"""


def test_no_signal_is_deadly_while_the_process_leaves():
    done = subprocess.run([sys.executable, "-c", LEAVING], capture_output=True, cwd=PROJECT, timeout=60)

    assert (done.returncode, done.stderr) == (5, b"")
    assert b"-" not in done.stdout
    assert done.stdout.count(b"+") > 10


@pytest.mark.timing
def test_ctrl_c_ends_a_web_ui_that_was_only_looked_at(tmp_path, model_server):
    port = free_port()
    with locust(
        tmp_path, "--host", model_server.address, "--web-host", "127.0.0.1", "--web-port", str(port)
    ) as process:
        wait_until(lambda: is_listening(f"127.0.0.1:{port}"), "the web UI")
        send_until_it_ends(process, [signal.SIGINT], random.Random(8))
        ended = process.wait()

    assert ended.exit_code == exit_codes.PASS
    assert "Traceback" not in ended.stderr
