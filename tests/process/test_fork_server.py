"""A run that the fork server has forked comes out as one that was started by itself."""

import re

import pytest

from tests.support.runs import Ended, forked, locust, run_headless, wait_until
from tfsload.analysis import exit_codes

# What a run leaves of itself, in its standard output, and of its surroundings.
LOOKS = """\
import json, os, signal, sys, threading
from tests.support.locustfiles.observed import GrpcPredictionUser
streams = [
    (one.name, one.mode, one.encoding, one.errors, one.line_buffering, one.write_through, one.fileno(), one.isatty())
    for one in (sys.__stdin__, sys.__stdout__, sys.__stderr__)
]
print(json.dumps({
    "streams": streams,
    "argv": sys.argv[1:],
    "program": os.path.basename(sys.argv[0]),
    "main": sys.modules["__main__"].__name__,
    "orig_argv": sys.orig_argv[1:],
    "cwd": os.getcwd(),
    "path": sys.path,
    "environment": dict(os.environ),
    "files": sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in range(3)),
    "n_files": len([fd for fd in range(3, 50) if os.path.exists(f"/proc/self/fd/{fd}")]),
    "threads": [thread.name for thread in threading.enumerate()],
    "handlers": [str(signal.getsignal(number)).split(" at ")[0] for number in range(1, 32)],
    "is_leader": os.getsid(0) == os.getpid(),
}, indent=1, default=str))
"""


def masked(text: str, *places: object) -> str:
    """Return a run's text without figures, their units, and where it lay."""
    for place in places:
        text = text.replace(str(place), "HERE")
    text = re.sub(r"\d+(,\d{3})*(\.\d+)?( (µs|ms|s)\b)?|[█░]+", "N", text)
    return re.sub(r" +", " ", text)


def both(tmp_path, *arguments: str, **options) -> tuple[Ended, Ended]:
    """Return the same run, forked and started by itself."""
    return tuple(
        run_headless(tmp_path / name, *arguments, is_forked=name == "forked", **options)
        for name in ("forked", "itself")
    )


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        pytest.param(("--num-tests", "200", "-u", "2", "-r", "2"), exit_codes.PASS, id="passes"),
        pytest.param(("--num-tests", "100", "--threshold", "max < 0.001ms"), exit_codes.THRESHOLD, id="crosses"),
        pytest.param(("--num-tests", "ten"), exit_codes.BAD_USAGE, id="is-refused"),
        pytest.param(("--num-tests", "100", "--processes", "2"), exit_codes.PASS, id="forks-workers"),
        pytest.param(("--no-such-option",), exit_codes.BAD_USAGE, id="is-misspelt"),
    ],
)
def test_it_says_the_same_and_ends_alike(tmp_path, model_server, arguments, exit_code):
    ports = forked(2)[2:] if "--processes" in arguments else ()
    one, other = both(tmp_path, "--host", model_server.address, *arguments, *ports)

    assert (one.exit_code, other.exit_code) == (exit_code, exit_code), one.stderr + other.stderr
    assert masked(one.stdout) == masked(other.stdout)
    if "--processes" not in arguments:  # where they talk at once, whoever is first
        assert masked(one.stderr) == masked(other.stderr)
    told = [(one.outcome or {}).get(name) == (other.outcome or {}).get(name) for name in ("predictions", "confusion")]
    assert told == [True, True]


@pytest.mark.parametrize("leads", [False, True], ids=["in-the-session", "with-a-session-of-its-own"])
def test_its_surroundings_are_the_same(tmp_path, leads):
    locustfile = tmp_path / "looks.py"
    locustfile.write_text(LOOKS)
    arguments = ("--num-tests", "x", "--tags", "ä b")
    one, other = both(tmp_path, *arguments, locustfile=locustfile, cwd=tmp_path, start_new_session=leads)

    places = (tmp_path / "forked", tmp_path / "itself")
    assert '"is_leader": ' + str(leads).lower() in one.stdout
    assert masked(one.stdout, *places) == masked(other.stdout, *places)


@pytest.mark.parametrize("is_forked", [True, False])
def test_a_killed_one_is_seen_to_be(tmp_path, is_forked, model_server):
    with locust(tmp_path, "--headless", "--host", model_server.address, is_forked=is_forked) as process:
        wait_until(process.has_spawned, "users")
        process.kill()

        assert process.process.poll() == -9
