"""docker-compose.yml and deploy/: the server and Locust take what they are given there, and nothing is missing."""

import http.server
import importlib.util
import json
import re
import shutil
import sys
import threading
import zipfile
from pathlib import Path

import locust
import pytest
import yaml
from locust.argument_parser import get_parser

import tfsload
from tests.support import dockerfile
from tests.support.modelserver_fixtures import run
from tfsload.modelserver import flags as server_flags
from tfsload.settings import options, settings

PROJECT = Path(__file__).parents[2]
COMPOSE_FILE = PROJECT / "docker-compose.yml"
INSTALLER = PROJECT / "deploy" / "install_without_tensorflow.py"

LOAD_GENERATORS = ("locust-master", "locust-worker", "headless")


def load_compose(**environment: str) -> dict:
    """The services, with variables replaced as Compose does it: `${NAME:-default}` is all that the file may use."""
    text = COMPOSE_FILE.read_text()
    replaced = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda match: environment.get(match[1]) or match[2], text)
    assert "$" not in replaced, "a variable without a default, or a $ that Compose would take for one"
    return yaml.safe_load(replaced)["services"]


@pytest.fixture
def services() -> dict:
    return load_compose()


def read_server_flags(serving: dict) -> server_flags.ServerFlags:
    """The command line that the image's entry point makes of the service, read as the server reads it."""
    model = serving["environment"]["MODEL_NAME"]
    entry_point = [
        *("--port=8500", "--rest_api_port=8501"),
        *(f"--model_name={model}", f"--model_base_path=/models/{model}"),
    ]
    return server_flags.parse([*entry_point, *serving["command"]])


def test_server_gets_flags_that_it_understands(services):
    flags = read_server_flags(services["serving"])

    assert (flags.port, flags.rest_api_port) == (8500, 8501)
    assert flags.model_name == options.default_of("model.name")
    assert flags.grpc_max_threads == 256
    assert server_flags.parallelism(flags) == server_flags.Parallelism(intra_op=0, inter_op=0)


def test_environment_sets_the_servers_threads():
    compose = load_compose(
        TFSERVING_INTRA_OP_PARALLELISM="3",
        TFSERVING_INTER_OP_PARALLELISM="2",
        TFSERVING_GRPC_MAX_THREADS="17",
        TFSERVING_CPUSET="0-3",
    )
    flags = read_server_flags(compose["serving"])

    assert server_flags.parallelism(flags) == server_flags.Parallelism(intra_op=3, inter_op=2)
    assert flags.grpc_max_threads == 17
    assert compose["serving"]["cpuset"] == "0-3"


def test_server_image_is_pinned_and_for_its_only_platform(services):
    assert services["serving"]["image"] == "tensorflow/serving:2.20.0"
    assert services["serving"]["platform"] == "linux/amd64"


def test_mounted_directory_holds_the_model(services):
    ((source, target, mode),) = [volume.split(":") for volume in services["serving"]["volumes"]]

    assert (PROJECT / source / "1" / "saved_model.pb").is_file()
    assert target == read_server_flags(services["serving"]).model_base_path
    assert mode == "ro"


def test_ports_are_open_on_loopback_only(services):
    ports = {name: service.get("ports", []) for name, service in services.items()}

    assert ports == {
        "serving": ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"],
        "locust-master": ["127.0.0.1:8089:8089"],
        "locust-worker": [],
        "headless": [],
    }


def health_check(services: dict) -> str:
    """The line that bash runs in the server's container."""
    kind, program, option, line = services["serving"]["healthcheck"]["test"]
    assert (kind, program, option) == ("CMD", "bash", "-c")
    return line


def test_health_check_asks_the_rest_port_for_the_served_model(services):
    line = health_check(services)
    flags = read_server_flags(services["serving"])

    assert f"/dev/tcp/127.0.0.1/{flags.rest_api_port}" in line
    assert rf"'GET /v1/models/{flags.model_name} HTTP/1.0\r\n\r\n'" in line
    assert "AVAILABLE" in line
    assert not {"curl", "wget", "python"} & set(re.findall(r"\w+", line)), "the image has none of these"


class _StatusServer(http.server.HTTPServer):
    """Answers the REST status of model mnist with a fixed document, as the real server does."""

    def __init__(self, document: str) -> None:
        super().__init__(("127.0.0.1", 0), _StatusHandler)
        self.document = document.encode()

    def __enter__(self) -> "_StatusServer":
        self._thread = threading.Thread(target=self.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _StatusHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path == "/v1/models/mnist"
        body = self.server.document if known else b'{"error": "Malformed request"}'
        self.send_response(200 if known else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def status(state: str, error_code: str = "OK", indent: int | None = 1) -> str:
    """The document of GET /v1/models/mnist; the real server writes it over several lines."""
    version = {"version": "1", "state": state, "status": {"error_code": error_code, "error_message": ""}}
    return json.dumps({"model_version_status": [version]}, indent=indent)


def check_health(services: dict, port: int) -> int:
    """Run the health check against another port; its exit code."""
    line = health_check(services).replace("/8501", f"/{port}")
    code, _, _ = run(["bash", "-c", line])
    return code


@pytest.mark.parametrize(
    ("document", "healthy"),
    [
        pytest.param(status("AVAILABLE"), True, id="available"),
        pytest.param(status("AVAILABLE", indent=None), True, id="available-on-one-line"),
        pytest.param(status("LOADING"), False, id="loading"),
        pytest.param(status("END", "UNAVAILABLE"), False, id="failed-with-code-unavailable"),
        pytest.param('{"error": "Could not find any versions of model mnist"}', False, id="no-such-model"),
    ],
)
def test_health_check_tells_an_available_model(services, document, healthy):
    with _StatusServer(document) as server:
        code = check_health(services, server.server_port)

    assert (code == 0) == healthy, f"exit code {code}"


def test_health_check_fails_where_nothing_listens(services):
    with _StatusServer("") as server:
        port = server.server_port

    assert check_health(services, port) != 0


@pytest.fixture
def parse_locust(monkeypatch):
    """A function from a Locust command line to the options, read by Locust's own parser with the suite's options."""
    for variable in ("LOCUST_USERS", "LOCUST_SPAWN_RATE", *(option.env_var for option in options.OPTIONS)):
        monkeypatch.delenv(variable, raising=False)
    tfsload.install(locust.events)  # which another test of this process may have done
    return get_parser(default_config_files=[]).parse_args


def test_master_leads_runs_against_the_server(services, parse_locust):
    options = parse_locust(services["locust-master"]["command"])

    assert options.master
    assert not options.headless
    assert options.host == "serving:8500"
    assert options.web_port == 8089
    assert settings.Settings.parse(vars(options), options.host).connection.target.text == "serving:8500"


def test_worker_follows_the_master(services, parse_locust):
    options = parse_locust(services["locust-worker"]["command"])

    assert options.worker
    assert options.master_host in services
    assert options.master_port == options.master_bind_port == 5557


def test_workers_can_be_many(services):
    assert not {"container_name", "hostname", "ports"} & set(services["locust-worker"])


@pytest.mark.parametrize(
    ("environment", "users", "num_tests"),
    [({}, 8, 1000), ({"LOCUST_USERS": "3", "LOCUST_SPAWN_RATE": "1", "TFSLOAD_NUM_TESTS": "25"}, 3, 25)],
)
def test_headless_run_ends_by_itself(parse_locust, environment, users, num_tests):
    options = parse_locust(load_compose(**environment)["headless"]["command"])
    parsed = settings.Settings.parse(vars(options), options.host)

    assert options.headless
    assert options.num_users == users
    assert parsed.data.num_tests == num_tests
    assert parsed.connection.target.text == "serving:8500"


def test_only_the_headless_run_is_behind_a_profile(services):
    profiles = {name: service.get("profiles") for name, service in services.items()}

    assert profiles == {"serving": None, "locust-master": None, "locust-worker": None, "headless": ["headless"]}


@pytest.mark.parametrize(
    ("service", "other", "condition"),
    [
        ("locust-master", "serving", "service_healthy"),
        ("headless", "serving", "service_healthy"),
        ("locust-worker", "locust-master", "service_started"),
    ],
)
def test_each_waits_for_what_it_talks_to(services, service, other, condition):
    assert services[service]["depends_on"] == {other: {"condition": condition}}


@pytest.mark.parametrize("name", LOAD_GENERATORS)
def test_load_generators_have_no_more_rights_than_they_need(services, name):
    service = services[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


def compose_command() -> list[str]:
    """The Compose on this machine; the test is skipped where there is none."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if shutil.which("docker") and run(["docker", "compose", "version"])[0] == 0:
        return ["docker", "compose"]
    return pytest.skip("neither docker-compose nor docker compose is installed")


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        pytest.param([], {"serving", "locust-master", "locust-worker"}, id="default"),
        pytest.param(["--profile", "headless"], {"serving", *LOAD_GENERATORS}, id="headless"),
    ],
)
def test_compose_accepts_the_file(profile, expected):
    compose = [*compose_command(), "--file", str(COMPOSE_FILE), *profile]
    code, out, said = run([*compose, "config"])
    assert code == 0, said
    read = yaml.safe_load(out)["services"]

    # Version 1 shows every service, whatever the profile.
    assert expected <= set(read) <= {"serving", *LOAD_GENERATORS}
    assert read["serving"]["healthcheck"]["test"] == load_compose()["serving"]["healthcheck"]["test"]
    assert "warn" not in said.lower(), said


def test_image_starts_the_locustfile_as_a_user_without_rights():
    instructions = dict(dockerfile.instructions())

    assert instructions["USER"] == ["10001"]
    assert [word.strip("[],") for word in instructions["ENTRYPOINT"]] == ["locust", "-f", "locustfile.py"]
    assert re.fullmatch(r"BASE=python:3\.\d+\.\d+-slim-\w+", instructions["ARG"][0])


def test_everything_that_the_image_copies_is_there_and_sent_to_the_build():
    copied = [source for stage in (0, 1) for source, _ in dockerfile.copied(stage)]
    rules = (PROJECT / ".dockerignore").read_text().splitlines()
    sent = {Path(rule[1:]) for rule in rules if rule.startswith("!")}

    assert {"locustfile.py", "users", "data", "tfsload", INSTALLER.relative_to(PROJECT).as_posix()} <= set(copied)
    for source in copied:
        assert (PROJECT / source).exists(), source
        assert sent & {Path(source), *Path(source).parents}, f".dockerignore keeps {source} out"
    assert "*" in rules
    assert not any(re.match(r"!(\.git|\.venv|tests|models)", rule) for rule in rules)


def load_installer():
    spec = importlib.util.spec_from_file_location("install_without_tensorflow", INSTALLER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_installer_leaves_out_tensorflow_alone():
    installer = load_installer()
    lines = installer.requirements((PROJECT / "requirements.txt").read_text())
    kept = "\n".join(installer.others_than(["tensorflow", "tensorflow-serving-api"], lines)).splitlines()
    given = [line for line in (PROJECT / "requirements.txt").read_text().splitlines() if line[:1] not in ("", "#")]

    assert [line for line in given if line not in kept] == [lines["tensorflow-serving-api"], lines["tensorflow"]]
    assert len(kept) == len(given) - 2


def test_installer_refuses_requirements_that_it_does_not_fit():
    installer = load_installer()

    with pytest.raises(SystemExit, match=r"does not name tensorflow: expected"):
        installer.others_than(["tensorflow", "numpy"], installer.requirements("# tensorflow\nnumpy==2.2.6\n"))


def test_installer_unpacks_the_proto_modules_alone(tmp_path):
    wheel = tmp_path / "tensorflow.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("__init__.py", "core/framework/tensor_pb2.py", "core/tensor_pb2_grpc.py", "python/runtime.so"):
            archive.writestr(f"tensorflow/{name}", "")
    load_installer().unpack_protos(wheel, tmp_path / "unpacked")

    unpacked = [path for path in (tmp_path / "unpacked").rglob("*") if path.is_file()]
    assert unpacked == [tmp_path / "unpacked/tensorflow/core/framework/tensor_pb2.py"]


@pytest.fixture(scope="module")
def protos_alone(tmp_path_factory) -> Path:
    """A directory with what the installer takes of the installed TensorFlow."""
    directory = tmp_path_factory.mktemp("site")
    # In a process of its own, because the installer starts one, and this one may have used gRPC: its fork handlers.
    code = (
        "import importlib.util, pathlib, sys\n"
        f"sys.path.insert(0, {str(INSTALLER.parent)!r})\n"
        "import install_without_tensorflow as installer\n"
        "tensorflow = pathlib.Path(importlib.util.find_spec('tensorflow').origin).parent\n"
        f"installer.copy_protos(pathlib.Path(sys.executable), tensorflow.parent, pathlib.Path({str(directory)!r}))\n"
    )
    exit_code, _, said = run([sys.executable, "-c", code])
    assert exit_code == 0, said
    return directory


def run_with_protos_alone(directory: Path, code: str) -> list[str]:
    """Run code where `directory` is the only place with a package tensorflow; the lines that it prints."""
    exit_code, out, said = run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(directory)!r})\n{code}"])
    assert exit_code == 0, said
    return out.splitlines()


def test_installed_modules_are_those_that_the_protos_need(protos_alone):
    loaded = run_with_protos_alone(
        protos_alone,
        "from tfsload.transport.protos import predict_pb2\n"
        "request = predict_pb2.PredictRequest()\n"
        "request.inputs['images'].float_val.append(0.5)\n"
        "assert predict_pb2.PredictRequest.FromString(request.SerializeToString()) == request\n"
        "for name, module in sys.modules.items():\n"
        "    if name.startswith('tensorflow.') and module.__file__:\n"
        "        print(module.__file__)",
    )
    installed = {
        str(path) for path in protos_alone.rglob("*.py") if path != protos_alone / "tensorflow" / "__init__.py"
    }

    assert len(loaded) >= 4
    assert set(loaded) == installed


def test_import_of_tensorflow_itself_says_what_to_do(protos_alone):
    (said,) = run_with_protos_alone(protos_alone, "try:\n    import tensorflow\nexcept ImportError as e:\n    print(e)")

    assert "--host HOST:PORT" in said
