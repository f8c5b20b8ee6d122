"""What a user gives comes back cut, and steers no terminal and no log: runs as users make them."""

import pytest

from tests.support.runs import run_headless
from tests.support.server_processes import ScriptedServer
from tests.support.web_ui import web_ui_of
from tfsload.analysis import exit_codes

ESCAPE = "\x1b[2J\x1b]0;title\x07"
LONG = "x" * 100_000
WAYS = [
    pytest.param("--model-name", id="model-name"),
    pytest.param("--model-label", id="model-label"),
    pytest.param("--signature-name", id="signature"),
    pytest.param("--input-name", id="input"),
    pytest.param("--output-name", id="output"),
    pytest.param("--dataset", id="data-set"),
    pytest.param("--threshold", id="threshold"),
    pytest.param("--host", id="host"),
    pytest.param("--tls-ca-file", id="tls-file"),
    pytest.param("--num-tests", id="number"),
    pytest.param("--metadata", id="metadata"),
    pytest.param("--sweep", id="list"),
    pytest.param("--web-origin", id="web-origin"),
]


@pytest.mark.parametrize("flag", WAYS)
def test_a_value_that_is_refused_is_cut_and_escaped(tmp_path, model_server, flag):
    host = () if flag == "--host" else ("--host", model_server.address)
    tls = ("--tls", "true") if flag == "--tls-ca-file" else ()
    ended = run_headless(tmp_path, *host, *tls, flag, ESCAPE + LONG)

    assert ended.exit_code in (exit_codes.BAD_USAGE, exit_codes.FAILED), ended.stderr[-2000:]
    assert "tfsload: the run cannot start:" in ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr
    assert "x" * 1000 not in ended.stdout + ended.stderr


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_data_set_whose_path_holds_escapes_is_named_without_them(tmp_path, model_server, what):
    directory = tmp_path / f"d{ESCAPE}"
    directory.mkdir()
    if what == "file":
        (directory / "t10k-images-idx3-ubyte").write_bytes(b"nothing")
        (directory / "t10k-labels-idx1-ubyte").write_bytes(b"nothing")
    ended = run_headless(tmp_path / "run", "--host", model_server.address, "--dataset", str(directory))

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert "d?[2J?]0;title?" in ended.stderr
    assert "\x1b" not in ended.stderr


def test_a_workers_reason_is_shown_so_too(tmp_path, model_server):
    locustfile = tmp_path / "unfit.py"
    locustfile.write_text(
        "import os\n"
        "from tfsload.datasets.dataset import DataError\n"
        "from tfsload.run import getting_ready\n"
        "from locustfile import GrpcPredictionUser\n"
        "def fail(settings):\n"
        f"    raise DataError({ESCAPE + LONG!r})\n"
        "os.register_at_fork(after_in_child=lambda: setattr(getting_ready, 'load_images', fail))\n"  # in workers alone
    )
    arguments = ("--host", model_server.address, "--num-tests", "20", "--processes", "1")
    ended = run_headless(tmp_path / "run", *arguments, locustfile=locustfile)

    assert ended.exit_code != exit_codes.PASS
    assert "cannot take part" in ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr
    assert "x" * 1001 not in ended.stdout + ended.stderr


def test_the_form_is_answered_so_too(tmp_path, model_server):
    with web_ui_of(tmp_path, "--host", model_server.address) as ui:
        answers = [ui.start(**{field: ESCAPE + LONG}) for field in ("model_name", "dataset", "host", "user_count")]
        answers.append(ui.start(model_name="mnist", num_tests=ESCAPE + LONG))
        log = ui.process.log()

    assert [answer["success"] for answer in answers] == [False] * 5
    assert all("\x1b" not in answer["message"] and len(answer["message"]) < 2500 for answer in answers)
    assert "\x1b" not in log
    assert "x" * 1000 not in log


def test_an_address_that_a_summary_names_steers_nothing(tmp_path, model_server, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    address = f"unix:s{ESCAPE.replace('/', '')}"
    server = ScriptedServer(model_server.address, "nothing", address, module="repeating_server")
    try:
        ended = run_headless(tmp_path / "run", "--host", address, "--num-tests", "20", cwd=tmp_path)
    finally:
        server.stop()

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert "Model mnist, version 1, at unix:s?[2J?]0;title?" in ended.stdout
    assert "\x1b" not in ended.stdout
