"""Directories for files of one process: there when asked for, and gone with it, however it ends."""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gevent
import pytest

from tfsload.webui.own_directory import OwnDirectory

PREFIX = "tfsload-test-"
HOUR_AGO_S = time.time() - 3600


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def names(directory):
    return sorted(one.name for one in directory.iterdir())


def test_it_is_made_when_it_is_asked_for_and_stays(temporary):
    own = OwnDirectory(PREFIX)
    before = names(temporary)
    path = own.path()

    assert before == []
    assert own.path() == path
    assert path.is_dir()
    assert path.stat().st_mode & 0o077 == 0


def open_files():
    """Return what this process holds open."""
    own = Path("/proc/self/fd")
    return [os.readlink(own / name) for name in os.listdir(own) if os.path.lexists(own / name)]


@pytest.mark.parametrize("way", ["close", "forgotten"])
def test_it_goes_with_all_that_lies_in_it(temporary, way):
    own = OwnDirectory(PREFIX)
    (own.path() / "1").mkdir()
    (own.path() / "1" / "report.html").write_text("<html>")
    held = f"{own.path()}"
    assert held in open_files()
    if way == "close":
        own.close()
        own.close()
    else:
        del own
        gc.collect()

    gevent.sleep(0.01)  # gevent closes files when its loop has its turn
    assert names(temporary) == []
    assert not [one for one in open_files() if one.startswith(held)]


def test_after_it_was_closed_it_is_made_anew():
    own = OwnDirectory(PREFIX)
    own.path()
    own.close()

    assert own.path().is_dir()


@pytest.mark.parametrize("instead", ["nothing", "link", "file"])
def test_it_is_made_anew_where_something_has_removed_it(tmp_path, instead):
    own = OwnDirectory(PREFIX)
    path = own.path()
    shutil.rmtree(path)
    elsewhere = tmp_path / "of-somebody-else"
    elsewhere.mkdir()
    if instead == "link":
        path.symlink_to(elsewhere)
    elif instead == "file":
        path.write_text("")
    made = own.path()
    own.close()

    assert made != path
    assert elsewhere.is_dir()


PROGRAM = """
import os, signal, sys, tempfile
from tfsload.webui.own_directory import OwnDirectory
tempfile.tempdir = sys.argv[1]
own = OwnDirectory("tfsload-test-")
own.path()
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "forked":
    if os.fork() == 0:
        sys.exit()
    os.wait()
    print(own.path().is_dir())
"""


def run(temporary, how):
    command = [sys.executable, "-c", PROGRAM, str(temporary), how]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("how", ["exit", "forked"])
def test_it_goes_with_its_process_and_not_with_one_forked_from_it(temporary, how):
    done = run(temporary, how)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("True\n" if how == "forked" else "")
    assert names(temporary) == []


def test_what_a_killed_process_has_left_goes_when_another_makes_its_own(temporary):
    run(temporary, "killed")
    (left,) = temporary.iterdir()
    held, other, new = OwnDirectory(PREFIX), temporary / "tfsload-other-1", temporary / f"{PREFIX}new"
    (path := held.path()).chmod(0o700)
    for one in (other, new):
        one.mkdir()
    for one in (left, path, other):
        os.utime(one, (HOUR_AGO_S, HOUR_AGO_S))
    mine = OwnDirectory(PREFIX)
    made = mine.path()

    assert names(temporary) == sorted([path.name, other.name, new.name, made.name])
