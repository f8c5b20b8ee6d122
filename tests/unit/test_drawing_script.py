"""What draws charts in a browser: made once for a machine, whole and nobody else's, by a process that ends in time."""

import os
import stat
import tempfile
import time
from pathlib import Path

import gevent
import pytest

from tfsload.report.charts import drawing_script as writer
from tfsload.suite import drawing_script as made_by_child
from tfsload.suite.drawing_script import DrawingScript

SCRIPT = "draw();"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Hold what is kept, and what is temporary, apart from this machine's own."""
    for name in ("cache", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TFSLOAD_CACHE_DIR", str(tmp_path / "cache" / "tfsload"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(made_by_child, "_POLL_S", 0.001)
    return tmp_path / "cache"


@pytest.fixture
def temporary(tmp_path):
    return tmp_path / "temporary"


def names(directory):
    return sorted(one.name for one in directory.iterdir())


class Child:
    """A process that makes the script, as the test says."""

    def __init__(self, exit_code=0, said="it said nothing", mode=0o600, is_made=True):
        self.exit_code, self.said = exit_code, said
        self.commands, self.n_stops = [], 0
        self._mode, self._is_made = mode, is_made
        self.ends = True

    def start(self, command):
        self.commands.append(command)
        if self._is_made and self.exit_code == 0:
            path = Path(command[-1])
            path.write_text(SCRIPT)
            path.chmod(self._mode)
        return self

    def has_ended(self):
        return self.ends

    def stop(self):
        self.n_stops += 1


def test_it_is_made_once_for_a_machine():
    child = Child()
    contents = []
    for _ in range(2):
        script = DrawingScript(child.start)
        script.wait()
        contents.append(script.content())
        script.close()

    assert contents == [SCRIPT.encode()] * 2
    assert (len(child.commands), child.n_stops) == (1, 1)


@pytest.mark.parametrize(
    ("child", "why"),
    [
        pytest.param(Child(1, "trace\ntfsload report: /x: No space left on device"), "/x: No space left", id="failed"),
        pytest.param(Child(-9), "it said nothing", id="killed"),
        pytest.param(Child(is_made=False), "is not there, or others may write it", id="nothing-made"),
        pytest.param(Child(mode=0o664), "is not there, or others may write it", id="others-may-write-it"),
    ],
)
def test_what_cannot_be_made_is_said_once_and_not_given_out(child, why, caplog):
    script = DrawingScript(child.start)
    for _ in range(3):
        script.wait()
    script.close()

    assert script.content() == b""
    assert len(caplog.messages) == 1
    assert why in caplog.messages[0]
    assert child.n_stops == 1


def test_a_process_that_does_not_end_is_stopped_and_holds_up_nobody_again(monkeypatch, caplog):
    monkeypatch.setattr(made_by_child, "_LIMIT_S", 0.02)
    child = Child(is_made=False)
    child.ends = False
    script = DrawingScript(child.start)
    script.wait()
    stopped = child.n_stops
    script.wait()
    script.close()

    assert (stopped, child.n_stops) == (1, 1)
    assert "was not ready within 0.02 s" in caplog.text


def test_where_no_process_can_be_started_there_are_no_charts(caplog):
    def start(_command):
        raise OSError(24, "Too many open files")

    script = DrawingScript(start)
    script.wait()
    script.close()

    assert script.content() == b""
    assert "Too many open files" in caplog.text


def test_a_process_that_makes_it_is_stopped_with_what_it_was_made_for():
    child = Child(is_made=False)
    child.ends = False
    script = DrawingScript(child.start)
    with gevent.Timeout(10):
        while not child.commands:
            gevent.sleep(0)
    script.close()

    assert child.n_stops == 1


def test_without_a_cache_it_lies_elsewhere_and_goes_with_the_process(cache, temporary):
    (cache / "tfsload").write_text("in its way")
    script = DrawingScript(Child().start)
    script.wait()
    content, there = script.content(), names(temporary)
    script.close()

    assert content == SCRIPT.encode()
    assert len(there) == 1
    assert names(temporary) == []


def test_without_any_place_there_are_no_charts_and_the_web_ui_opens(cache, temporary, caplog):
    (cache / "tfsload").write_text("in its way")
    temporary.rmdir()
    script = DrawingScript(Child().start)
    script.wait()
    script.close()

    assert script.content() == b""
    assert "no directory for what draws them" in caplog.text


def test_a_script_that_is_removed_again_is_none():
    script = DrawingScript(Child().start)
    script.wait()
    script._path.unlink()
    script.close()

    assert script.content() == b""


# How it is written


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "browser_script", lambda: SCRIPT)
    place = tmp_path / "place"
    place.mkdir()
    return place / "drawing.js"


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o000], ids=oct)
def test_nobody_else_may_write_it_whatever_the_umask(written, umask):
    before = os.umask(umask)
    try:
        written.write_text("an older one")
        writer.write(written)
    finally:
        os.umask(before)

    assert written.read_text() == SCRIPT
    assert stat.S_IMODE(written.stat().st_mode) & 0o022 == 0
    assert made_by_child._is_ours(written)
    assert names(written.parent) == ["drawing.js"]


def test_of_two_that_write_at_once_neither_takes_the_others(written, monkeypatch):
    replace, seen = os.replace, []

    def replace_after_another(part, path):
        monkeypatch.setattr(os, "replace", replace)
        writer.write(written)
        seen.append(written.read_text())
        replace(part, path)

    monkeypatch.setattr(os, "replace", replace_after_another)
    writer.write(written)

    assert seen == [SCRIPT]
    assert written.read_text() == SCRIPT
    assert names(written.parent) == ["drawing.js"]


def test_nothing_is_left_of_one_that_cannot_be_written(written):
    written.mkdir()
    with pytest.raises(OSError, match="directory"):
        writer.write(written)

    assert names(written.parent) == ["drawing.js"]


def test_what_a_killed_process_has_left_is_removed_and_what_is_being_written_is_not(written):
    old, new = (written.parent / f"drawing.js.{name}.part" for name in ("old", "new"))
    for one in (old, new):
        one.write_text("dra")
    two_hours_ago_s = time.time() - 7200
    os.utime(old, (two_hours_ago_s, two_hours_ago_s))
    writer.write(written)

    assert names(written.parent) == ["drawing.js", new.name]
