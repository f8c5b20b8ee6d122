"""What people import, listen to and set goes on to work: a name that is missing here breaks somebody's locustfile.

The tables are written out, and not read from the code, so that whoever takes a name away has to do it here, too. New
names are added.
"""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from locust.argument_parser import get_empty_argument_parser
from locust.event import EventHook

from tests.support.runs import PROJECT
from tfsload.load.request_book import PreparedRequest
from tfsload.prediction import events
from tfsload.settings import options
from tfsload.suite import arguments

PREDICTION_KEYWORDS = {
    *("image_index", "label", "predicted", "scores", "latency_ns", "done_unix_ns", "failure", "level", "lease"),
    *("position", "request_name"),
}
IMPORTED = """\
from locustfile import GrpcPredictionUser
from users import GrpcPredictionUser
from users import PredictionUser
from users.grpc_user import GrpcPredictionUser
from tfsload import GrpcUser
from tfsload import ImageAnswer
from tfsload import PredictionUser
from tfsload import RunRefused
from tfsload import __version__
from tfsload import events
from tfsload import install
from tfsload import result
from tfsload import run_to_end
"""
# The suite's user runs; the package's classes are there to be derived from.
ABSTRACT = "print(GrpcPredictionUser.abstract, GrpcUser.abstract, PredictionUser.abstract)"


def test_names_are_imported():
    """In a process of its own: to import them hangs the suite on Locust's events."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED + ABSTRACT], cwd=PROJECT, capture_output=True, text=True, timeout=120
    )

    assert (done.returncode, done.stdout) == (0, "False True True\n"), done.stderr


def test_a_listener_of_predictions_is_given_these_keywords():
    hooks = SimpleNamespace(request=EventHook(), prediction=EventHook())
    told = []
    hooks.prediction.add_listener(lambda **keywords: told.append(set(keywords)))
    recorder = SimpleNamespace(record=lambda *_: 0, to_unix_ns=lambda ns: ns, unix_offset_ns=0)

    events.book(
        hooks,
        recorder,
        request_type="gRPC",
        name="Predict",
        request=PreparedRequest(b"", 3, [7]),
        lease=None,
        answer=None,
        failure=None,
        n_mismatched=None,
        example=None,
        due_ns=1,
        sent_ns=2,
        done_ns=3,
        reply_bytes=0,
        url="grpc://h:1",
    )

    assert [PREDICTION_KEYWORDS - keywords for keywords in told] == [set()]


OPTIONS = [
    ("--model-name", "TFSLOAD_MODEL_NAME", "other"),
    ("--model-version", "TFSLOAD_MODEL_VERSION", "3"),
    ("--model-label", "TFSLOAD_MODEL_LABEL", "stable"),
    ("--signature-name", "TFSLOAD_SIGNATURE_NAME", "s"),
    ("--input-name", "TFSLOAD_INPUT_NAME", "x"),
    ("--output-name", "TFSLOAD_OUTPUT_NAME", "y"),
    ("--images-per-request", "TFSLOAD_IMAGES_PER_REQUEST", "64"),
    ("--deadline", "TFSLOAD_DEADLINE", "2.5"),
    ("--transport", "TFSLOAD_TRANSPORT", "grpcio"),
    ("--connections", "TFSLOAD_CONNECTIONS", "4"),
    ("--tls", "TFSLOAD_TLS", "true"),
    ("--tls-ca-file", "TFSLOAD_TLS_CA_FILE", "ca.pem"),
    ("--tls-cert-file", "TFSLOAD_TLS_CERT_FILE", "c.pem"),
    ("--tls-key-file", "TFSLOAD_TLS_KEY_FILE", "k.pem"),
    ("--metadata", "TFSLOAD_METADATA", "a=b"),
    ("--wait", "TFSLOAD_WAIT", "60"),
    ("--dataset", "TFSLOAD_DATASET", "mnist"),
    ("--num-tests", "TFSLOAD_NUM_TESTS", "100"),
    ("--seed", "TFSLOAD_SEED", "7"),
    ("--sweep", "TFSLOAD_SWEEP", "1,2"),
    ("--rate", "TFSLOAD_RATE", "100,200"),
    ("--arrivals", "TFSLOAD_ARRIVALS", "constant"),
    ("--pacing", "TFSLOAD_PACING", "spin"),
    ("--find-max-rate", "TFSLOAD_FIND_MAX_RATE", "10:20"),
    ("--level-duration", "TFSLOAD_LEVEL_DURATION", "30"),
    ("--warm-up", "TFSLOAD_WARM_UP", "0"),
    ("--warm-up-requests", "TFSLOAD_WARM_UP_REQUESTS", "10"),
    ("--give-up-after", "TFSLOAD_GIVE_UP_AFTER", "5"),
    ("--threshold", "TFSLOAD_THRESHOLD", "p99 < 50ms; error_rate < 5%"),
    ("--verify", "TFSLOAD_VERIFY", "10"),
    ("--tolerance", "TFSLOAD_TOLERANCE", "1%"),
    ("--report", "TFSLOAD_REPORT", "out/report"),
    ("--hgrm", "TFSLOAD_HGRM", "true"),
    ("--note", "TFSLOAD_NOTE", "commit=1a2b3c4; build=77"),
    ("--dry-run", "TFSLOAD_DRY_RUN", "true"),
    ("--web-origin", "TFSLOAD_WEB_ORIGIN", "https://load.example"),
]
"""Option, environment variable, and a value that each has taken from the first version on."""


@pytest.mark.parametrize(("flag", "variable", "text"), OPTIONS, ids=[row[0] for row in OPTIONS])
def test_an_option_is_set_by_its_flag_and_by_its_environment_variable(flag, variable, text, monkeypatch):
    parser = get_empty_argument_parser(add_help=False, default_config_files=[])
    arguments.add_arguments(parser)
    attribute = flag.removeprefix("--").replace("-", "_")

    given = vars(parser.parse_args([flag, text]))
    monkeypatch.setenv(variable, text)
    from_environment = vars(parser.parse_args([]))

    assert given[attribute] == from_environment[attribute] == text
    (option,) = (option for option in options.OPTIONS if option.flag == flag)
    option.read(text)  # raises ValueError where it is no longer understood
