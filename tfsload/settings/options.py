"""Every option of the suite: its name, unit, default and help, and how it is read."""

from tfsload.analysis import thresholds, tolerance
from tfsload.analysis.next_sweep import SUGGESTED, as_text
from tfsload.analysis.option_limits import LEAST_LEVEL_S, MAX_LEVEL_S, MAX_USERS
from tfsload.analysis.tolerance import Tolerance
from tfsload.load import arrivals
from tfsload.load.asked import PACINGS
from tfsload.settings import origins, readers
from tfsload.settings.model_options import MODEL_OPTIONS
from tfsload.settings.option import Option
from tfsload.transport.asked import COLUMN, ROW

MAX_WARM_UP_REQUESTS = 1_000_000
MAX_LABEL_OFFSET = 10_000
# Options that begin so are the suite's own, by which a run's leader tells its workers; nobody else sets them.
OWN_PREFIX = "tfsload_"
# In this order they are listed.
GROUPS = ("model", "connection", "data", "load", "checks", "report", "web UI")


OPTIONS = (
    *MODEL_OPTIONS,
    Option(
        "--transport",
        "connection.transport",
        "native",
        readers.one_of("native", "grpcio"),
        "How gRPC is spoken: native (this suite's own channel, many times cheaper) or grpcio (the reference).",
    ),
    Option(
        "--connections",
        "connection.connections",
        "1",
        readers.integer(1, 1000),
        "TCP connections that each process opens to the server.",
    ),
    Option(
        "--tls",
        "connection.tls",
        "false",
        readers.switch,
        "Speak TLS, and verify the server's certificate and name.",
        is_switch=True,
    ),
    Option(
        "--tls-ca-file",
        "connection.tls_ca_file",
        "",
        readers.text,
        "PEM file of the authorities to trust (empty: the system's).",
    ),
    Option(
        "--tls-cert-file",
        "connection.tls_cert_file",
        "",
        readers.text,
        "PEM file of the client's own certificate (empty: none).",
    ),
    Option(
        "--tls-key-file",
        "connection.tls_key_file",
        "",
        readers.text,
        "PEM file of its key (empty: in the certificate's file).",
    ),
    Option(
        "--rest-format",
        "connection.rest_format",
        ROW,
        readers.one_of(ROW, COLUMN),
        'How a REST request holds its images: row (as "instances") or column (as "inputs").',
    ),
    Option(
        "--metadata",
        "connection.metadata",
        "",
        readers.metadata,
        "key=value sent with every request; several by repeating the option or with ';' between them.",
        is_repeatable=True,
        is_secret=True,
        is_in_form=False,  # a form that masks a value has it in its page all the same
    ),
    Option(
        "--wait",
        "connection.wait_s",
        "0",
        readers.seconds(MAX_LEVEL_S, may_be_0=True),
        "Seconds to wait for a server that is starting, until its model can be used (0: not at all).",
    ),
    Option(
        "--dataset",
        "data.dataset",
        "mnist5k",
        readers.required_text,
        "Images to fire: mnist5k (1,000 shipped images), mnist or fashion_mnist (the test set of 10,000, downloaded "
        "and verified), or files of your own: IDX (as MNIST, EMNIST and QMNIST have it), a .npz, or a directory of "
        "PNG or JPEG files, in a folder for each class. Without labels no answer is right or wrong.",
    ),
    Option(
        "--num-tests",
        "data.num_tests",
        "0",
        readers.integer(0),
        "Fire the first N images, each exactly once, then end the run (0: no limit).",
    ),
    Option(
        "--seed",
        "data.seed",
        "1",
        readers.integer(0),
        "Seed of the firing order (with --num-tests images are fired in the data set's order) and of arrivals.",
    ),
    Option(
        "--sweep",
        "load.sweep",
        "",
        readers.list_of(
            readers.integer(1, MAX_USERS), f"numbers of users from 1 to {MAX_USERS:,}, such as {as_text(SUGGESTED)}"
        ),
        f"Closed load, level by level: users in flight, such as {as_text(SUGGESTED)} (empty: no sweep).",
    ),
    Option(
        "--rate",
        "load.rates",
        "",
        readers.list_of(
            readers.rate,
            f"rates from {arrivals.LOWEST_RATE_RPS} to {arrivals.HIGHEST_RATE_RPS:,}, such as 100,200,400",
        ),
        "Open load, level by level: requests a second over all workers, such as 100,200,400 (empty: none). "
        "-u is the most in flight.",
    ),
    Option(
        "--arrivals",
        "load.arrivals",
        "poisson",
        readers.one_of(*arrivals.ARRIVALS),
        "How requests of open load are spaced: poisson (independent of one another) or constant.",
    ),
    Option(
        "--pacing",
        "load.pacing",
        "sleep",
        readers.one_of(*PACINGS),
        "How a process of open load waits until a request is due: sleep, or spin (requests leave nearer to that "
        "instant, for more of a CPU).",
    ),
    Option(
        "--find-max-rate",
        "load.find_max_rate",
        "",
        readers.rate_range,
        "LOW:HIGH, in requests a second: find the highest rate between them that holds every --threshold "
        "(empty: no search).",
    ),
    Option(
        "--level-duration",
        "load.level_duration_s",
        "10",
        readers.seconds(MAX_LEVEL_S, lowest=LEAST_LEVEL_S),
        "Seconds for which each level is measured.",
    ),
    Option(
        "--warm-up",
        "load.warm_up_s",
        "2",
        readers.seconds(MAX_LEVEL_S, may_be_0=True),
        "Seconds of load before each level that do not count.",
    ),
    Option(
        "--warm-up-requests",
        "load.warm_up_requests",
        "0",
        readers.integer(0, MAX_WARM_UP_REQUESTS),
        "Requests, over all workers, that are made, and have ended, before --num-tests begins to count (0: none).",
    ),
    Option(
        "--give-up-after",
        "load.give_up_after_s",
        "",
        readers.optional_seconds(MAX_LEVEL_S),
        "Seconds in which requests are sent and none is answered, after which the run ends and has failed (0: never; "
        "empty: 30, or twice the --deadline if that is longer, in runs that have an end: -t, --num-tests or levels).",
    ),
    Option(
        "--threshold",
        "checks.thresholds",
        "",
        thresholds.parse,
        "What must hold, such as 'p99 < 50ms' or 'error_rate < 5%'; at one level 'p99[users=8] < 20ms', of one class "
        "'recall[7] > 95%', right answers in time 'right_rate[20ms] > 500/s', 'parallelism > 3'; several by repeating "
        "the option or with ';' between them. One that is crossed makes the exit code 3; with the last word abort, or "
        "abort=10s, it ends the run, too.",
        is_repeatable=True,
    ),
    Option(
        "--verify",
        "checks.verify",
        "0",
        readers.integer(0),
        "Record the answers to the first N images without load, and compare those under load with them (0: none).",
    ),
    Option(
        "--tolerance",
        "checks.tolerance",
        tolerance.DEFAULT.text,
        Tolerance.parse,
        "How far a score may be from the one without load: absolute, or in % of the image's largest score. "
        "More is a mismatch.",
    ),
    Option(
        "--label-offset",
        "checks.label_offset",
        "0",
        readers.integer(-MAX_LABEL_OFFSET, MAX_LABEL_OFFSET),
        "How far the model's classes are above the labels: 1 where the model's class 1 is label 0.",
    ),
    Option(
        "--report",
        "report.directory",
        "",
        readers.text,
        "Directory for the report of the run, as a page, JSON, CSV, JUnit and Markdown; an older one there is replaced "
        "(empty: none).",
        is_in_form=False,  # whoever reaches the web UI is not to choose where files are written
    ),
    Option(
        "--hgrm",
        "report.hgrm",
        "false",
        readers.switch,
        "Write latency-LEVEL.hgrm into the --report, too: each level's latencies as HdrHistogram's tools plot them.",
        is_switch=True,
    ),
    Option(
        "--note",
        "report.notes",
        "",
        readers.notes,
        "key=value to remember the run by, such as commit=1a2b3c4, in every output; several by repeating the option or "
        "with ';' between them.",
        is_repeatable=True,
    ),
    Option(
        "--dry-run",
        "report.dry_run",
        "false",
        readers.switch,
        "Check settings, data and server, make a few predictions, say what would be run and for how long, and stop.",
        is_switch=True,
        is_in_form=False,  # a form is there to start runs
    ),
    Option(
        "--web-origin",
        "web_origins",
        "",
        origins.parse,
        "A further page that may start and stop runs in the web UI, such as https://load.example (a proxy, a "
        "forwarded port, another name of this machine); several by repeating the option or with ';' between them "
        "(empty: the web UI's own alone).",
        is_repeatable=True,
        is_in_form=False,
    ),
)


def default_of(field: str) -> str:
    """Return the default, as text, of the option that fills a field, as `Option.field` has it."""
    return next(option.default for option in OPTIONS if option.field == field)
