"""`--html`: Locust writes its report after the suite has tried, and to a pipe nobody can write twice."""

import os
from types import SimpleNamespace

import gevent
import pytest

from tfsload.suite import locust_files


@pytest.mark.parametrize("is_pipe", [True, False], ids=["pipe", "file"])
def test_what_locust_writes_again_waits_for_no_reader(tmp_path, monkeypatch, is_pipe):
    path = tmp_path / "report.html"
    monkeypatch.setattr(locust_files, "_get_html_report", lambda *_, **__: "<html>")
    options = SimpleNamespace(html_file=str(path), host=None, num_users=1, spawn_rate=1.0, run_time=None)
    environment = SimpleNamespace(runner=None, parsed_options=options)
    if is_pipe:
        os.mkfifo(path)
    reader = gevent.get_hub().threadpool.spawn(path.read_text) if is_pipe else None

    report = locust_files.html_report(environment)

    assert report == "<html>"
    assert (reader.get() if reader else path.read_text()) == "<html>"
    assert options.html_file == (os.devnull if is_pipe else str(path))
