"""Files that somebody has named: nobody is waited for, and nothing without an end is read."""

import os
import subprocess
import sys

import pytest
from locust.argument_parser import get_empty_argument_parser, setup_parser_arguments

from tests.support.odd_files import ODD_FILES, far_too_large, pipe
from tests.support.runs import PROJECT
from tfsload.suite import arguments, config_files
from tfsload.transport import regular_file
from tfsload.transport.regular_file import NoRegularFileError

MIB = 2**20


@pytest.mark.parametrize("content", [b"", b"x", bytes(MIB)], ids=["empty", "one-byte", "as-large-as-any"])
def test_a_regular_file_is_read_whole(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    (tmp_path / "link").symlink_to("file")

    assert regular_file.read(tmp_path / "link", MIB) == content


@pytest.mark.parametrize("make", ODD_FILES)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path, make):
    make(tmp_path / "odd")

    with pytest.raises(NoRegularFileError) as caught:
        regular_file.read(tmp_path / "odd", MIB)

    assert caught.value.strerror == "it is no regular file"


def test_no_more_is_read_than_such_a_file_holds(tmp_path):
    far_too_large(tmp_path / "large")

    with pytest.raises(NoRegularFileError) as caught:
        regular_file.read(tmp_path / "large", MIB)

    assert caught.value.strerror == "it is larger than 1 MiB, as none is"


def test_a_pipe_that_takes_a_files_place_meanwhile_is_not_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    open_it, close_it, opened, closed = os.open, os.close, [], []

    def replace_and_open(name, flags):
        path.unlink()
        pipe(path)
        opened.append(open_it(name, flags))
        return opened[0]

    def close_and_tell(descriptor):
        closed.append(descriptor)
        close_it(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "close", close_and_tell)
        patched.setattr(os, "open", replace_and_open)
        with pytest.raises(NoRegularFileError):
            regular_file.read(path, MIB)

    assert len(opened) == 1
    assert closed == opened


@pytest.mark.parametrize("make", ODD_FILES)
def test_what_is_no_regular_file_is_not_even_opened(tmp_path, monkeypatch, make):
    """To open a device may be an order to it."""
    make(tmp_path / "odd")
    opened = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", lambda *arguments: opened.append(arguments))
        with pytest.raises(NoRegularFileError):
            regular_file.opener(tmp_path / "odd")

    assert opened == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("missing", "No such file or directory", id="missing"),
        pytest.param("a\0b", "its name holds a null character, which no name can", id="a-null-character"),
        pytest.param("a\ud800b", "its name holds half a character, which no name can", id="half-a-surrogate-pair"),
    ],
)
def test_a_name_that_leads_nowhere_is_the_systems_error(tmp_path, name, why):
    with pytest.raises(OSError, match=why):
        regular_file.read(f"{tmp_path}/{name}", MIB)


def test_a_name_of_bytes_that_are_no_text_is_one(tmp_path):
    name = os.fsdecode(os.fsencode(str(tmp_path)) + b"/a\xff")
    with open(name, "wb") as file:
        file.write(b"x")

    assert regular_file.read(name, MIB) == b"x"


def run_program(tmp_path, *arguments):
    """Run `tfsload run`, which is to end before it becomes Locust."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "HOME": str(tmp_path / "home")}
    command = [sys.executable, "-P", "-m", "tfsload", "run", *arguments]
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("name", "arguments", "shown"),
    [
        pytest.param("own.conf", ["--config", "own.conf"], "--config 'own.conf'", id="named"),
        pytest.param("own.conf", ["--headless", "--config=own.conf"], "--config 'own.conf'", id="named-in-a-word"),
        pytest.param("locust.conf", [], "'locust.conf'", id="here"),
        pytest.param("home/.locust.conf", [], "'~/.locust.conf'", id="at-home"),
        pytest.param("pyproject.toml", [], "'pyproject.toml'", id="of-a-project"),
    ],
)
def test_a_configuration_that_is_no_regular_file_is_refused_before_it_is_read(tmp_path, name, arguments, shown):
    (tmp_path / "home").mkdir()
    pipe(tmp_path / name)
    ended = run_program(tmp_path, *arguments)

    assert ended.returncode == 2
    assert ended.stderr == (
        f"tfsload run: {shown}: it cannot be read (it is no regular file): expected a file of settings, which is read "
        "more than once\n"
    )


@pytest.fixture
def locust_parser():
    """Locust's parser, as the suite's listeners leave it."""
    parser = get_empty_argument_parser(add_help=False, default_config_files=[])
    setup_parser_arguments(parser)
    arguments.add_arguments(parser)
    config_files.listen(parser)
    return parser


@pytest.mark.parametrize(
    "option", ["--config", "--config-users", "--tls-cert", "--tls-key"], ids=lambda option: option.strip("-")
)
@pytest.mark.parametrize("make", ODD_FILES)
def test_locusts_own_options_read_regular_files_alone(tmp_path, locust_parser, capsys, option, make):
    make(tmp_path / "odd.json")

    with pytest.raises(SystemExit) as caught:
        locust_parser.parse_args([option, str(tmp_path / "odd.json")])

    assert caught.value.code == 2
    assert "it is no regular file" in capsys.readouterr().err


def test_locusts_own_options_read_what_they_read(tmp_path, locust_parser):
    (tmp_path / "users.json").write_text('{"user_class_name": "MyUser"}')
    (tmp_path / "own.conf").write_text("num-tests = 5\n")
    (tmp_path / "own.toml").write_text('[tool.locust]\nseed = "7"\n')
    named = str(tmp_path / "users.json")
    read = locust_parser.parse_args(["--config", str(tmp_path / "own.conf"), "--config-users", named, named])
    from_toml = locust_parser.parse_args(["--config", str(tmp_path / "own.toml"), "--tls-cert", "missing.pem"])

    assert (read.num_tests, read.config_users) == ("5", [[{"user_class_name": "MyUser"}]] * 2)
    assert (from_toml.seed, from_toml.tls_cert) == ("7", "missing.pem")
