"""Standard streams that raise nothing, in processes of their own: a test's own are pytest's."""

import os
import pty
import subprocess
import sys

import pytest

from tests.support.runs import PROJECT

CODE = "from tfsload.suite import streams; import sys; streams.make_sturdy(); "


def run(code: str, redirection: str = "", **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "bash", sys.executable, "-c", CODE + code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=PROJECT,
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.mark.parametrize(
    ("encoding", "text", "want"),
    [
        pytest.param("ascii", "█░ 4 (1×) – 3 µs … ≤ ≥", b"#. 4 (1x) - 3 us ... <= >=\n", id="the-suites-own-signs"),
        pytest.param("ascii", "Größe 数", b"Gr\\xf6\\xdfe \\u6570\n", id="others-are-escaped"),
        pytest.param("latin-1", "1× █", b"1\xd7 #\n", id="what-it-has-stays"),
        pytest.param("utf-8", "█ ×", "█ ×\n".encode(), id="utf-8"),
        pytest.param("utf-8", "\udcff", b"\\udcff\n", id="half-a-letter"),
    ],
)
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_an_encoding_lacks_is_written_otherwise(name, encoding, text, want):
    done = run(f"print({text!a}, file=sys.{name})", PYTHONIOENCODING=encoding)

    assert (done.returncode, getattr(done, name)) == (0, want)


@pytest.mark.parametrize(
    ("redirection", "fault"),
    [
        pytest.param(">/dev/full", "No space left on device", id="full"),
        pytest.param(">&-", "it is closed", id="closed"),
        pytest.param("> >(true)", "Broken pipe", id="nobody-reads"),
        pytest.param("", "", id="fine"),
    ],
)
def test_the_first_fault_is_kept_and_nothing_is_raised(redirection, fault):
    code = (
        "import time, os\n"
        "limit = time.monotonic() + 30\n"
        f"while streams.say('x', 'stdout') and {bool(fault)} and time.monotonic() < limit: time.sleep(0.01)\n"
        "print('more', flush=True)\n"
        "sys.stderr.write(streams.fault_of('stdout') + '|' + streams.fault_of('stderr'))"
    )
    done = run(code, redirection)

    assert (done.returncode, done.stderr.decode()) == (0, f"{fault}|")


def test_descriptors_that_are_closed_are_given_to_nobody():
    code = "import os; fd = os.open('/dev/null', os.O_RDONLY); os._exit(fd)"

    assert run(code, "<&- >&- 2>&-").returncode > 2


def test_a_terminal_stays_one():
    leader, follower = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", CODE + "sys.exit(sys.stdout.isatty() and sys.stdout.line_buffering and 5)"],
        stdout=follower,
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        timeout=60,
    )
    os.close(follower)
    os.close(leader)

    assert done.returncode == 5


def test_a_terminal_that_does_not_block_gets_all_of_it():
    # Far more than a pipe holds. Set from within, as another program on the same terminal does it.
    done = run(
        "import os; os.set_blocking(1, False); print('x' * 3_000_000); sys.exit(bool(streams.fault_of('stdout')))"
    )

    assert (done.returncode, len(done.stdout)) == (0, 3_000_001)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("sys.stdout = None", id="taken-away"),
        pytest.param("sys.stdout.close()", id="closed"),
        pytest.param("sys.stdout = object()", id="replaced-by-what-is-no-stream"),
        pytest.param("sys.stdout = type('Odd', (), {'write': lambda *_: 1 / 0})()", id="replaced-by-what-raises"),
    ],
)
def test_a_stream_that_the_program_has_spoilt_is_no_place_to_say_a_thing(statement):
    code = (
        f"{statement}; said = streams.say('x', 'stdout'); "
        "sys.stderr.write(f'{said} ' + streams.fault_of('stdout')); streams.flush()"
    )
    done = run(code)

    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode().startswith("False ")
    assert done.stderr.decode() != "False "  # it says why
