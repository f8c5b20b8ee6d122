"""Bad usage from the command line: one clear message, the right exit code, no load and nobody left behind."""

import gzip
import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from tests.support.odd_files import pipe
from tests.support.runs import PROJECT, free_port, locust, run_headless, wait_until
from tfsload.analysis import exit_codes

SHIPPED = PROJECT / "data" / "mnist5k"


@pytest.fixture
def corrupt_dataset(tmp_path):
    """A copy of the shipped images whose file is cut short."""
    directory = tmp_path / "corrupt"
    directory.mkdir()
    images = gzip.decompress((SHIPPED / "test-images-idx3-ubyte.gz").read_bytes())
    (directory / "test-images-idx3-ubyte").write_bytes(images[:5000])
    (directory / "test-labels-idx1-ubyte.gz").write_bytes((SHIPPED / "test-labels-idx1-ubyte.gz").read_bytes())
    return directory


@pytest.mark.parametrize(
    "processes", [pytest.param([], id="alone"), pytest.param(["--processes", "2"], id="two-processes")]
)
@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        pytest.param(
            ["--host", "127.0.0.1:9"], exit_codes.FAILED, "no model server answers at 127.0.0.1:9", id="no-server"
        ),
        pytest.param(["--model-name", "foo"], exit_codes.BAD_USAGE, "has no model 'foo'", id="no-such-model"),
        pytest.param(["--model-version", "9"], exit_codes.BAD_USAGE, "one of 1", id="no-such-version"),
        pytest.param(["--signature-name", "foo"], exit_codes.BAD_USAGE, "one of predict_images", id="wrong-signature"),
        pytest.param(["--input-name", "foo"], exit_codes.BAD_USAGE, "one of images", id="wrong-input"),
        pytest.param(["--num-tests", "1001"], exit_codes.BAD_USAGE, "holds 1000 images", id="too-many-tests"),
        pytest.param(["--num-tests", "ten"], exit_codes.BAD_USAGE, "--num-tests 'ten': expected", id="unknown-value"),
        pytest.param(["--dataset", "nowhere"], exit_codes.BAD_USAGE, "'nowhere': expected", id="no-such-dataset"),
        pytest.param(["--host", "http://a:8501"], exit_codes.BAD_USAGE, "a:8500", id="a-rest-address"),
    ],
)
def test_a_run_that_cannot_start(tmp_path, model_server, arguments, exit_code, message, processes):
    arguments = ("--headless", "--only-summary", "--host", model_server.address, "-t", "5s", *processes, *arguments)
    with locust(tmp_path, *arguments, is_forked=False, TFSLOAD_TEST_MARK=str(tmp_path)) as process:
        assert process.pid in pids_that_bear(tmp_path)
        ended = process.wait()

    assert ended.exit_code == exit_code, ended.stderr
    assert "tfsload: the run cannot start:" in ended.stderr
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.outcome is None
    wait_until(lambda: not pids_that_bear(tmp_path), "nobody to be left", 20)


def pids_that_bear(mark):
    """Return who lives that was started with this mark in its environment, or forked by such a process."""
    return [process.pid for process in psutil.process_iter() if bears(process, mark)]


def bears(process, mark):
    try:
        return process.environ().get("TFSLOAD_TEST_MARK") == str(mark)
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False


def test_a_corrupt_dataset_names_the_file(tmp_path, model_server, corrupt_dataset):
    ended = run_headless(tmp_path, "--host", model_server.address, "--dataset", str(corrupt_dataset))

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert str(corrupt_dataset / "test-images-idx3-ubyte") in ended.stderr


@pytest.mark.parametrize("option", ["--tls-ca-file", "--tls-cert-file", "--tls-key-file"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path, model_server, option):
    pipe(tmp_path / "odd.pem")
    files = {"--tls-cert-file": __file__, option: str(tmp_path / "odd.pem")}
    given = [word for pair in files.items() for word in pair]
    ended = run_headless(tmp_path / "run", "--host", model_server.address, "--tls", *given)

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert f"{option} '{tmp_path / 'odd.pem'}' cannot be read (it is no regular file)" in ended.stderr
    assert "Traceback" not in ended.stderr


def subprocess_locust(directory, arguments, passed_on):
    """Start Locust as a shell does that has written what a command says to a pipe of the process's own."""
    command = [sys.executable, "-m", "locust", "-f", str(PROJECT / "locustfile.py"), *arguments]
    return subprocess.Popen(command, cwd=directory, pass_fds=[passed_on], stderr=subprocess.PIPE, text=True)


def test_a_configuration_from_a_pipe_is_refused_since_it_would_be_read_twice(tmp_path, model_server):
    reading, writing = os.pipe()
    os.write(writing, b"num-tests = 50\n")
    os.close(writing)
    arguments = ("--headless", "--host", model_server.address, "--config", f"/dev/fd/{reading}")
    with subprocess_locust(tmp_path, arguments, reading) as process:
        said = process.communicate(timeout=60)[1]

    assert process.returncode == exit_codes.BAD_USAGE
    assert "it is no regular file" in said


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        pytest.param(["--host", ""], {}, "--host: given, and empty", id="host"),
        pytest.param(["--threshold", ""], {}, "--threshold: given, and empty", id="threshold"),
        pytest.param([], {"LOCUST_HOST": ""}, "LOCUST_HOST: given, and empty", id="host-in-the-environment"),
        pytest.param(
            ["--config", "own.conf"], {}, "host, in a configuration file: given, and empty", id="host-in-a-file"
        ),
    ],
)
def test_what_is_given_and_empty_is_refused(tmp_path, arguments, environment, named):
    (tmp_path / "own.conf").write_text("host =\n")
    with locust(tmp_path / "run", "--headless", *arguments, "-t", "1s", cwd=tmp_path, **environment) as process:
        ended = process.wait()

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def test_all_faults_of_the_options_come_at_once(tmp_path):
    options = ("--deadline", "-1", "--images-per-request", "0", "--seed", "x", "--num-tests", "1001")
    ended = run_headless(tmp_path, *options)

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert [line.split()[1] for line in ended.stderr.splitlines() if line.startswith("  - ")] == [
        "--images-per-request",
        "--deadline",
        "--seed",
        "--num-tests",
    ]


def test_an_unknown_option_is_refused(tmp_path):
    ended = run_headless(tmp_path, "--num-test", "5", "--no-such-option", "1")

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert "unrecognized arguments" in ended.stderr


@pytest.fixture
def busy_port():
    """A port of loopback where another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        yield str(busy.getsockname()[1])


FORKED = pytest.mark.parametrize(
    "role", [pytest.param(["--master"], id="master"), pytest.param(["--processes", "2"], id="forks-its-workers")]
)


@FORKED
@pytest.mark.parametrize(
    ("where", "exit_code", "why"),
    [
        pytest.param(
            ["--master-bind-host", "127.0.0.1", "--master-bind-port", "BUSY"],
            exit_codes.FAILED,
            "the master cannot listen on 127.0.0.1:BUSY: another program listens there, maybe the master of an earlier "
            "run; stop it, or pass another --master-bind-port, and its workers the same --master-port",
            id="a-port-that-is-taken",
        ),
        pytest.param(
            ["--master-bind-host", "203.0.113.9"],
            exit_codes.FAILED,
            "the master cannot listen on 203.0.113.9:",
            id="another-machines-address",
        ),
        pytest.param(
            ["--master-bind-host", "1.2.3.4.5"], exit_codes.FAILED, "pass another --master-bind-host", id="no-address"
        ),
    ],
)
def test_a_master_that_cannot_listen_says_so_and_leaves_nobody(
    tmp_path, model_server, busy_port, role, where, exit_code, why
):
    where = [word.replace("BUSY", busy_port) for word in where]
    report = tmp_path / "report"
    arguments = ("--headless", "--host", model_server.address, "-t", "5s", "--report", str(report), *role, *where)
    if "--master-bind-port" not in where:
        arguments += ("--master-bind-port", str(free_port()))
    with locust(tmp_path / "run", *arguments, is_forked=False, TFSLOAD_TEST_MARK=str(tmp_path)) as process:
        ended = process.wait()

    assert ended.exit_code == exit_code, ended.stderr
    assert why.replace("BUSY", busy_port) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert why.partition(":")[0].replace("BUSY", busy_port) in (report / "junit.xml").read_text()
    wait_until(lambda: not pids_that_bear(tmp_path), "nobody to be left", 20)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--processes", "2", "--master-bind-port", "99999"], id="forks-its-workers"),
        pytest.param(["--worker", "--master-port", "99999"], id="worker"),
    ],
)
def test_a_port_that_there_is_not_is_refused(tmp_path, arguments):
    ended = run_headless(tmp_path, *arguments)

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert f"argument {arguments[-2]}: '99999': expected a port, from 1 to 65535" in ended.stderr


@pytest.mark.parametrize(
    ("host", "said"),
    [
        pytest.param("nosuch.invalid", "--master-host 'nosuch.invalid' leads to no machine", id="no-name"),
        pytest.param("127.0.0.1", "No master has answered at 127.0.0.1:", id="no-master"),
    ],
)
def test_a_worker_that_waits_for_its_master_says_so(tmp_path, host, said):
    arguments = ("--worker", "--master-host", host, "--master-port", str(free_port()))
    with locust(tmp_path, *arguments) as process:
        wait_until(lambda: said in process.log(), "what it waits for", 30)
        process.signal(signal.SIGTERM)
        ended = process.wait()

    assert ended.stderr.count(said) == 1
    assert "Traceback" not in ended.stderr


def test_forked_workers_look_for_their_master_where_it_listens(tmp_path, model_server):
    where = ("--processes", "2", "--master-bind-host", "127.0.0.2", "--master-bind-port", str(free_port()))
    ended = run_headless(tmp_path, "--host", model_server.address, "--num-tests", "50", *where)

    assert ended.exit_code == exit_codes.PASS, ended.stderr


def test_forked_workers_end_with_a_master_that_is_killed_before_it_listens(tmp_path):
    locustfile = tmp_path / "late.py"
    locustfile.write_text(
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n"
        "import os, signal, pathlib, time, locust.runners, tfsload\n"
        "class MyUser(tfsload.GrpcUser):\n    pass\n"
        "connect, place = locust.runners.WorkerRunner.connect_to_master, pathlib.Path(__file__).parent\n"
        "def tell_and_connect(self):\n"
        "    (place / f'connects-{os.getpid()}').touch()\n"
        "    connect(self)\n"
        "locust.runners.WorkerRunner.connect_to_master = tell_and_connect\n"
        "class Master(locust.runners.MasterRunner):\n"
        "    def __init__(self, *_):\n"
        "        while len(list(place.glob('connects-*'))) < 2:\n            time.sleep(0.01)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "locust.env.MasterRunner = Master\n"
    )
    arguments = ("--headless", "--processes", "2")
    options = {"locustfile": locustfile, "is_forked": False, "TFSLOAD_TEST_MARK": str(tmp_path)}
    with locust(tmp_path / "run", *arguments, **options) as process:
        process.wait()

    assert len(list(tmp_path.glob("connects-*"))) == 2
    wait_until(lambda: not pids_that_bear(tmp_path), "the workers' end", 20)


def test_a_web_ui_whose_port_is_taken_is_named(tmp_path, model_server, busy_port):
    arguments = ("--web-host", "127.0.0.1", "--web-port", busy_port, "--processes", "2")
    given = ("--host", model_server.address, *arguments)
    with locust(tmp_path / "run", *given, is_forked=False, TFSLOAD_TEST_MARK=str(tmp_path)) as process:
        ended = process.wait()

    assert ended.exit_code == exit_codes.FAILED
    assert f"127.0.0.1:{busy_port}: another program listens there" in ended.stderr
    assert "Traceback" not in ended.stderr
    wait_until(lambda: not pids_that_bear(tmp_path), "nobody to be left", 20)


def test_forked_workers_end_with_a_master_that_is_killed(tmp_path, model_server):
    arguments = ("--headless", "--only-summary", "--host", model_server.address, "-u", "2", "-r", "2", "-t", "60s")
    with locust(tmp_path, *arguments, "--processes", "2", is_forked=False) as process:
        wait_until(process.has_spawned, "users")
        workers = psutil.Process(process.pid).children(recursive=True)
        assert len(workers) == 2
        process.kill()

    wait_until(lambda: not any(is_alive(worker) for worker in workers), "the workers' end", 20)


def is_alive(process):
    """Whether a process runs; one that has ended, and that nobody has asked how, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_options_come_from_the_environment_and_a_file_too(tmp_path, model_server):
    configuration = tmp_path / "run.conf"
    configuration.write_text("num-tests = 50\nimages-per-request = 5\n")

    ended = run_headless(
        tmp_path,
        "--host",
        model_server.address,
        "--config",
        str(configuration),
        TFSLOAD_SIGNATURE_NAME="serving_default",
    )

    assert ended.exit_code == exit_codes.PASS, ended.stderr
    assert (ended.outcome["requests"], ended.outcome["predictions"]) == (10, 50)


def test_options_from_the_environment_are_checked(tmp_path):
    ended = run_headless(tmp_path, TFSLOAD_DEADLINE="never")

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert "--deadline 'never'" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        pytest.param(
            ["--headless", "--deadline", "never"],
            {"TFSLOAD_TRESHOLD": "p99 < 50ms", "TFSLOAD_NUM_TEST": "5"},
            [
                "  - TFSLOAD_TRESHOLD in the environment: no option has this name; did you mean TFSLOAD_THRESHOLD?",
                "  - TFSLOAD_NUM_TEST in the environment: no option has this name; did you mean TFSLOAD_NUM_TESTS?",
                "  - --deadline 'never': expected",
            ],
            id="variables-with-all-other-faults",
        ),
        pytest.param(
            [],
            {"TFSLOAD_TRESHOLD": "p99 < 50ms"},
            ["error: TFSLOAD_TRESHOLD in the environment: no option has this name"],
            id="a-variable-of-the-web-ui",
        ),
        pytest.param(
            ["--dry-run"],
            {"TFSLOAD_TRESHOLD": "p99 < 50ms"},
            ["  - TFSLOAD_TRESHOLD in the environment: no option has this name"],
            id="a-variable-of-a-dry-run",
        ),
        pytest.param(
            ["--headless", "--config", "keys.conf"],
            {},
            [
                "error: there is no option 'treshold', on the command line or as a key of a configuration file: "
                "did you mean 'threshold'?",
                "tfsload run --help",
            ],
            id="a-key-of-a-configuration-file",
        ),
        pytest.param(
            ["--headless", "--treshold=1"],
            {},
            ["unrecognized arguments: --treshold=1", "Did you mean '--threshold'?", "tfsload run --help"],
            id="an-option",
        ),
    ],
)
def test_what_names_no_option_is_refused(tmp_path, arguments, environment, said):
    (tmp_path / "keys.conf").write_text("treshold = p99 < 50ms\n")
    with locust(tmp_path / "run", *arguments, cwd=tmp_path, **environment) as process:
        ended = process.wait()

    assert ended.exit_code == exit_codes.BAD_USAGE, ended.stdout + ended.stderr
    for words in said:
        assert words in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("command", "name"),
    [
        pytest.param(["tfsload", "run"], "tfsload run", id="tfsload-run"),
        pytest.param(["locust", "-f", str(PROJECT / "locustfile.py")], "locust", id="locust"),
    ],
)
def test_a_program_that_is_called_as_a_module_knows_its_name(tmp_path, command, name):
    done = subprocess.run(
        [sys.executable, "-m", *command, "--hepl"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == exit_codes.BAD_USAGE
    assert done.stderr.startswith(f"{name}: error: unrecognized arguments: --hepl")


def test_variables_of_others_are_let_be(tmp_path):
    of_kubernetes = {"TFSLOAD_SERVICE_HOST": "10.0.0.1", "TFSLOAD_PORT": "tcp://10.0.0.1:8500"}
    arguments = ("--headless", "--dry-run", "--deadline", "never")
    with locust(tmp_path / "run", *arguments, TFSLOAD_ZZZ="1", **of_kubernetes) as process:
        ended = process.wait()

    assert "--deadline 'never'" in ended.stderr
    assert ended.stderr.count("TFSLOAD_ZZZ in the environment: no effect, since no option has this name") == 1
    assert not any(name in ended.stderr for name in of_kubernetes)


def test_a_variable_of_a_locustfiles_own_option_is_none_of_ours(tmp_path):
    locustfile = tmp_path / "own.py"
    locustfile.write_text(
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n"
        "from locust import events\nimport tfsload\n"
        "class MyUser(tfsload.GrpcUser):\n    pass\n"
        "@events.init_command_line_parser.add_listener\n"
        "def add(parser):\n    parser.add_argument('--key', env_var='TFSLOAD_KEY_OF_MINE', default='')\n"
    )
    ended = run_headless(
        tmp_path / "run", "--dry-run", locustfile=locustfile, TFSLOAD_KEY_OF_MINE="1", TFSLOAD_CACHE_DIR=str(tmp_path)
    )

    assert ended.exit_code == exit_codes.PASS, ended.stderr


@pytest.mark.parametrize(
    ("source", "option", "is_told"),
    [
        pytest.param("import tfsload", "--num-tests", True, id="an-option-of-the-suite"),
        pytest.param("import tfsload", "--num-tests=10", True, id="with-its-value"),
        pytest.param("import tfsload", "--nonsense", False, id="an-option-of-nobody"),
        pytest.param("import tfsload; tfsload.GrpcUser", "--nonsense", False, id="with-a-user-class"),
        pytest.param("import locust", "--num-tests", False, id="without-the-suite"),
    ],
)
def test_a_locustfile_without_a_user_class_of_the_suite_is_told_why_it_has_no_options(
    tmp_path, source, option, is_told
):
    locustfile = tmp_path / "nouser.py"
    locustfile.write_text(f"{source}\n")
    ended = run_headless(tmp_path / "run", option, locustfile=locustfile, is_forked=False)

    assert ended.exit_code == exit_codes.BAD_USAGE
    assert f"unrecognized arguments: {option}" in ended.stderr
    assert ("this one has none: add `class MyUser(tfsload.GrpcUser): pass`" in ended.stderr) is is_told
