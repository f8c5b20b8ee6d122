"""A program beside this process: what one that cannot be started leaves behind."""

import os

import pytest

from tfsload.target import child_process
from tfsload.target.child_process import ChildProcess


def test_one_that_cannot_be_started_leaves_nothing_open(tmp_path, monkeypatch):
    pipe, close, temporary_file = os.pipe, os.close, child_process._temporary_file
    opened, closed, files = [], [], []
    monkeypatch.setattr(os, "pipe", lambda: opened.extend(pipe()) or tuple(opened))
    monkeypatch.setattr(os, "close", lambda number: (closed.append(number), close(number)))
    monkeypatch.setattr(child_process, "_temporary_file", lambda: files.append(temporary_file()) or files[-1])

    with pytest.raises(FileNotFoundError):
        ChildProcess([str(tmp_path / "none")])

    assert len(opened) == 2
    assert set(opened) <= set(closed)
    assert [file.closed for file in files] == [True, True]
