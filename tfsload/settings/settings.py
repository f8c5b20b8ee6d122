"""Every option of the suite: its name, unit, default and help, and what is a good value.

Options are kept as text until `Settings.parse` reads them all at once, so that one message can name
all faults, whether a value came from the command line, a file, the environment or the web form.
"""

import argparse
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tfsload.analysis import thresholds, tolerance
from tfsload.analysis.thresholds import Threshold, ThresholdError
from tfsload.analysis.tolerance import Tolerance
from tfsload.load import arrivals, search
from tfsload.settings import origins
from tfsload.transport.address import Target, TargetError, parse_grpc_target
from tfsload.transport.words import quoted

MAX_DEADLINE_S = 3600
MAX_IMAGES_PER_REQUEST = 10_000
MAX_VERSION = 2**63 - 1  # an int64 on the wire
MAX_USERS = 100_000
MAX_LEVEL_S = 24 * 3600


class SettingsError(ValueError):
    """Bad usage. `faults` holds one sentence for each fault found."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes of the command line that are not UTF-8
        raise ValueError("text in UTF-8") from None
    return value


def _required_text(value: str) -> str:
    if not value:
        raise ValueError("a name")
    return _text(value)


def _integer(low: int, high: int | None = None) -> Callable[[str], int]:
    expected = f"a whole number of at least {low}" if high is None else f"a whole number from {low} to {high}"

    def read(value: str) -> int:
        # int() alone would also take "1_000" and digits of other scripts
        if not (value.isascii() and value.removeprefix("-").isdigit() and len(value) < 100):
            raise ValueError(expected)
        number = int(value)
        if number < low or (high is not None and number > high):
            raise ValueError(expected)
        return number

    return read


def _optional_integer(low: int, high: int) -> Callable[[str], int | None]:
    read = _integer(low, high)
    return lambda value: read(value) if value else None


def _number(value: str, expected: str) -> float:
    # float() alone would also take Python's own "1_000" and digits of other scripts
    if "_" in value or not value.isascii():
        raise ValueError(expected)
    try:
        number = float(value)
    except ValueError:
        raise ValueError(expected) from None
    if not math.isfinite(number):
        raise ValueError(expected)
    return number


def _seconds(highest: float, may_be_0: bool = False) -> Callable[[str], float]:
    expected = (
        f"a number of seconds {'from' if may_be_0 else 'above'} 0 {'to' if may_be_0 else 'and at most'} {highest}"
    )

    def read(value: str) -> float:
        number = _number(value, expected)
        if number > highest or number < 0 or (number == 0 and not may_be_0):
            raise ValueError(expected)
        return number

    return read


def _optional_seconds(highest: float) -> Callable[[str], float | None]:
    read = _seconds(highest, may_be_0=True)
    return lambda value: read(value) if value else None


def _list_of(read_one: Callable[[str], Any], expected: str) -> Callable[[str], tuple[Any, ...]]:
    def read(value: str) -> tuple[Any, ...]:
        try:
            return tuple(read_one(part.strip()) for part in value.split(",")) if value else ()
        except ValueError:
            raise ValueError(expected) from None

    return read


def _rate(value: str) -> float:
    rate = _number(value, "")
    if arrivals.rate_fault(rate):
        raise ValueError
    return rate


def _rate_range(value: str) -> tuple[float, float] | None:
    try:
        return search.parse_range(value) if value else None
    except ValueError as fault:
        # The one who calls says "expected" before whatever it is.
        words = str(fault).replace("LOW: expected", "LOW to be").replace("HIGH: expected", "HIGH to be")
        raise ValueError(words.removeprefix("expected ")) from None


_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _switch(value: str) -> bool:
    try:
        return _SWITCH[value.lower()]
    except KeyError:
        raise ValueError("true or false") from None


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(" or ".join(choices))
        return value

    return read


def _metadata(value: str) -> tuple[tuple[str, str], ...]:
    parts = [part.strip() for part in value.split(";") if part.strip()]
    for number, part in enumerate(parts, 1):
        if fault := _metadata_fault(part):
            # Which one, and not its text: it is a secret.
            raise ValueError(f"{fault} ({_ordinal(number)} of {len(parts)})")
    return tuple((part.partition("=")[0], part.partition("=")[2]) for part in parts)


def _metadata_fault(part: str) -> str:
    """Return what was expected, and what is there instead, of one key=value; empty: it can be sent."""
    key, separator, text = part.partition("=")
    found = ""
    if not separator:
        found = "there is no '='"
    elif key != key.lower() and _METADATA_KEY.fullmatch(key.lower()):
        found = "there are capitals in the key"
    elif not _METADATA_KEY.fullmatch(key):
        found = "the key holds other characters than a-z, 0-9, '_', '.' and '-'"
    elif not (text.isascii() and text.isprintable()):
        found = "the value holds others"
    if found:
        return f"key=value in printable ASCII, keys in lower case, several separated by ';'; {found}"
    if key.startswith("grpc-") or key.endswith("-bin") or key in _OWN_HEADERS:
        return "keys other than HTTP's and gRPC's own headers (grpc-…), and no binary values (…-bin)"
    return ""


def _ordinal(number: int) -> str:
    return {1: "the first", 2: "the second", 3: "the third"}.get(number, f"number {number}")


_METADATA_KEY = re.compile(r"[0-9a-z_.-]+")
# A request has them already, or HTTP/2 forbids them (RFC 9113, section 8.2.2).
_OWN_HEADERS = {
    "connection",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
}


@dataclass(frozen=True)
class Option:
    """One option of the command line, the web form, the configuration file and the environment.

    Attributes:
        flag: as on the command line, for example `--model-name`.
        field: the attribute of `Settings` that it fills.
        default: as text; an empty text means "not set".
        read: turns the text into the value; raises ValueError with what is expected.
        help: one sentence, with the unit and what the default means.
        is_switch: whether the bare flag, without a value, means "true".
        is_repeatable: whether it may be given several times; the texts are joined with ";".
        is_secret: whether its value is not for others' eyes: no page, log or message holds it.
        is_in_form: whether the web form sets it.
    """

    flag: str
    field: str
    default: str
    read: Callable[[str], Any]
    help: str
    is_switch: bool = False
    is_repeatable: bool = False
    is_secret: bool = False
    is_in_form: bool = True

    @property
    def dest(self) -> str:
        """The name of the attribute in Locust's parsed options."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def env_var(self) -> str:
        """The environment variable that sets it."""
        return "TFSLOAD_" + self.dest.upper()


OPTIONS = (
    Option("--model-name", "model_name", "mnist", _required_text, "Name of the model on the server."),
    Option(
        "--model-version",
        "model_version",
        "",
        _optional_integer(0, MAX_VERSION),
        "Version of the model (empty: the latest).",
    ),
    Option("--model-label", "model_label", "", _text, "Version label, instead of a version (empty: none)."),
    Option(
        "--signature-name",
        "signature_name",
        "predict_images",
        _required_text,
        "Signature to call. Many models have serving_default; TF Serving's MNIST example has predict_images.",
    ),
    Option(
        "--input-name",
        "input_name",
        "images",
        _required_text,
        "The signature's input: float32 [-1, 784], 0..1.",
    ),
    Option(
        "--output-name",
        "output_name",
        "scores",
        _required_text,
        "The signature's output: a float for each class.",
    ),
    Option(
        "--images-per-request",
        "images_per_request",
        "1",
        _integer(1, MAX_IMAGES_PER_REQUEST),
        "Images sent in one request; each is scored.",
    ),
    Option(
        "--deadline", "deadline_s", "5", _seconds(MAX_DEADLINE_S), "Seconds until a request without an answer fails."
    ),
    Option(
        "--transport",
        "transport",
        "native",
        _one_of("native", "grpcio"),
        "How gRPC is spoken: native (this suite's own channel, many times cheaper) or grpcio (the reference).",
    ),
    Option(
        "--connections",
        "connections",
        "1",
        _integer(1, 1000),
        "TCP connections that each process opens to the server.",
    ),
    Option(
        "--tls", "tls", "false", _switch, "Speak TLS, and verify the server's certificate and name.", is_switch=True
    ),
    Option("--tls-ca-file", "tls_ca_file", "", _text, "PEM file of the authorities to trust (empty: the system's)."),
    Option("--tls-cert-file", "tls_cert_file", "", _text, "PEM file of the client's own certificate (empty: none)."),
    Option("--tls-key-file", "tls_key_file", "", _text, "PEM file of its key (empty: in the certificate's file)."),
    Option(
        "--metadata",
        "metadata",
        "",
        _metadata,
        "key=value sent with every request; several by repeating the option or with ';' between them.",
        is_repeatable=True,
        is_secret=True,
        is_in_form=False,  # a form that masks a value has it in its page all the same
    ),
    Option(
        "--dataset",
        "dataset",
        "mnist5k",
        _required_text,
        "Images to fire: mnist5k (1,000 shipped images), mnist (the 10,000-image test set, downloaded and "
        "verified), or a directory of IDX files.",
    ),
    Option(
        "--num-tests",
        "num_tests",
        "0",
        _integer(0),
        "Fire the first N images, each exactly once, then end the run (0: no limit).",
    ),
    Option(
        "--seed",
        "seed",
        "1",
        _integer(0),
        "Seed of the firing order (with --num-tests images are fired in the data set's order) and of arrivals.",
    ),
    Option(
        "--sweep",
        "sweep",
        "",
        _list_of(_integer(1, MAX_USERS), f"numbers of users from 1 to {MAX_USERS}, such as 1,2,4,8"),
        "Closed load, level by level: users in flight, such as 1,2,4,8,16,32 (empty: no sweep).",
    ),
    Option(
        "--rate",
        "rates",
        "",
        _list_of(_rate, f"rates from {arrivals.LOWEST_RATE_RPS} to {arrivals.HIGHEST_RATE_RPS:,}, such as 100,200,400"),
        "Open load, level by level: requests a second over all workers, such as 100,200,400 (empty: none). "
        "-u is the most in flight.",
    ),
    Option(
        "--arrivals",
        "arrivals",
        "poisson",
        _one_of(*arrivals.ARRIVALS),
        "How requests of open load are spaced: poisson (independent of one another) or constant.",
    ),
    Option(
        "--find-max-rate",
        "find_max_rate",
        "",
        _rate_range,
        "LOW:HIGH: find the highest rate between them that holds every --threshold (empty: no search).",
    ),
    Option(
        "--level-duration",
        "level_duration_s",
        "10",
        _seconds(MAX_LEVEL_S),
        "Seconds for which each level is measured.",
    ),
    Option(
        "--warm-up",
        "warm_up_s",
        "2",
        _seconds(MAX_LEVEL_S, may_be_0=True),
        "Seconds of load before each level that do not count.",
    ),
    Option(
        "--give-up-after",
        "give_up_after_s",
        "",
        _optional_seconds(MAX_LEVEL_S),
        "Seconds in which requests are sent and none is answered, after which the run ends and has failed (0: never; "
        "empty: 30, or twice the --deadline if that is longer, in runs that have an end: -t, --num-tests or levels).",
    ),
    Option(
        "--threshold",
        "thresholds",
        "",
        thresholds.parse,
        "What must hold, such as 'p99 < 50ms' or 'error_rate < 5%'; several by repeating the option or with ';' "
        "between them. One that is crossed ends the run with exit code 3.",
        is_repeatable=True,
    ),
    Option(
        "--verify",
        "verify",
        "0",
        _integer(0),
        "Record the answers to the first N images without load, and compare those under load with them (0: none).",
    ),
    Option(
        "--tolerance",
        "tolerance",
        tolerance.DEFAULT.text,
        Tolerance.parse,
        "How far a score may be from the one without load: absolute, or in % of the image's largest score. "
        "More is a mismatch.",
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


@dataclass(frozen=True)
class Settings:
    """What a run was asked to do, checked.

    Attributes:
        target: the model server; None where none is named and the embedded one is to be started.
        model_name: the model.
        model_version: its version; None: the latest.
        model_label: its version label; empty: none.
        signature_name, input_name, output_name: what is called.
        images_per_request: images in one request, at least 1.
        deadline_s: seconds from sending a request to giving it up.
        transport: `native` or `grpcio`.
        connections: TCP connections a process, at least 1.
        tls: whether TLS is spoken, and the server verified.
        tls_ca_file, tls_cert_file, tls_key_file: PEM files; empty: none.
        metadata: pairs of key and value sent with every request.
        dataset: `mnist5k`, `mnist` or a directory.
        num_tests: images to fire, each exactly once; 0: no limit.
        seed: of the firing order and of arrivals.
        sweep: users of each level of closed load; empty: no sweep.
        rates: requests a second, over all workers, of each level of open load; empty: none.
        arrivals: `poisson` or `constant`.
        find_max_rate: the lowest and the highest rate of a limit search; None: none.
        level_duration_s, warm_up_s: seconds of each level that count, and that come before.
        give_up_after_s: seconds without an answer after which the run ends; 0: never; None: it depends on the run.
        thresholds: what must hold.
        verify: images whose answers are compared with those without load.
        tolerance: how far their scores may be off.
        web_origins: further pages that may start and stop runs in the web UI.
    """

    target: Target | None
    model_name: str
    model_version: int | None
    model_label: str
    signature_name: str
    input_name: str
    output_name: str
    images_per_request: int
    deadline_s: float
    transport: str
    connections: int
    tls: bool
    tls_ca_file: str
    tls_cert_file: str
    tls_key_file: str
    metadata: tuple[tuple[str, str], ...] = field(repr=False)  # a secret
    dataset: str
    num_tests: int
    seed: int
    sweep: tuple[int, ...]
    rates: tuple[float, ...]
    arrivals: str
    find_max_rate: tuple[float, float] | None
    level_duration_s: float
    warm_up_s: float
    give_up_after_s: float | None
    thresholds: tuple[Threshold, ...]
    verify: int
    tolerance: Tolerance
    web_origins: tuple[str, ...]

    @property
    def is_open_load(self) -> bool:
        """Whether requests are sent when they are due, and not when the last one was answered."""
        return bool(self.rates or self.find_max_rate)

    @property
    def has_levels(self) -> bool:
        """Whether the run is made of levels, each measured for a time."""
        return bool(self.sweep) or self.is_open_load

    @classmethod
    def parse(cls, values: Mapping[str, Any], host: str | None, host_named_by: str = "--host") -> "Settings":
        """Read and check all options.

        Args:
            values: text by option name (Locust's parsed options as a mapping); a missing one has its default.
            host: the server's address; empty or None: the embedded server.
            host_named_by: what names it, for messages.

        Raises:
            SettingsError: with every fault.
        """
        faults: list[str] = []
        fields: dict[str, Any] = {"target": None}
        for option in OPTIONS:
            given = str(values.get(option.dest, option.default)).strip()
            try:
                fields[option.field] = option.read(given)
            except ThresholdError as error:
                faults += [f"{option.flag} {fault}" for fault in error.faults]
            except ValueError as expected:
                given = "(its value is not shown)" if option.is_secret else quoted(given)
                faults.append(f"{option.flag} {given}: expected {expected}")
        if host:
            try:
                fields["target"] = parse_grpc_target(host, host_named_by)
            except TargetError as fault:
                faults.append(str(fault))
        if fields.get("model_version") is not None and fields.get("model_label"):
            faults.append("--model-version and --model-label exclude each other: leave one out")
        faults += _tls_faults(fields, host) + _load_faults(fields)
        if faults:
            raise SettingsError(faults)
        return cls(**fields)


def _tls_faults(fields: Mapping[str, Any], host: str | None) -> list[str]:
    files = [name for name in ("tls_ca_file", "tls_cert_file", "tls_key_file") if fields.get(name)]
    if files and fields.get("tls") is False:
        given = ", ".join("--" + name.replace("_", "-") for name in files)
        return [f"{given} without --tls: add --tls, or leave the files out"]
    if fields.get("tls_key_file") and not fields.get("tls_cert_file"):
        return ["--tls-key-file without --tls-cert-file: a key belongs to a certificate; pass both"]
    if fields.get("tls") and not host:
        return ["--tls without --host: the embedded server speaks no TLS; name a server, or leave --tls out"]
    return []


def _load_faults(fields: Mapping[str, Any]) -> list[str]:
    faults = []
    named = (("sweep", "--sweep"), ("rates", "--rate"), ("find_max_rate", "--find-max-rate"))
    given = [flag for field, flag in (*named, ("num_tests", "--num-tests")) if fields.get(field)]
    if len(given) > 1:
        faults.append(f"{' and '.join(given)} exclude each other: each says how long the run is; leave one")
    if fields.get("find_max_rate") and fields.get("thresholds") == ():
        faults.append("--find-max-rate without --threshold: say what the rate must hold, such as 'p99 < 50ms'")
    is_open = any(fields.get(field) or field not in fields for field in ("rates", "find_max_rate"))
    if fields.get("thresholds") and not is_open:
        open_only = [t.text for t in fields["thresholds"] if t.metric.startswith(("lag_", "dropped"))]
        faults += [
            f"--threshold {quoted(text)}: there is no such figure without --rate or --find-max-rate"
            for text in open_only
        ]
    if fields.get("verify") == 0:
        compared = [t.text for t in fields.get("thresholds") or () if t.metric == "mismatched_rate"]
        faults += [f"--threshold {quoted(text)}: nothing is compared without --verify N" for text in compared]
    if fields.get("find_max_rate"):
        rates = [t.text for t in fields.get("thresholds") or () if t.metric == "rate"]
        faults += [
            f"--threshold {quoted(text)} with --find-max-rate: the search sets the rate; leave it out" for text in rates
        ]
    return faults


class _Joined(argparse.Action):
    """Joins the texts of an option that is given several times."""

    def __call__(self, parser, namespace, values, option_string=None):  # noqa: ARG002  (argparse's names)
        given = getattr(namespace, self.dest)
        setattr(namespace, self.dest, f"{given};{values}" if given else values)


def levels_asked_for(values: Mapping[str, Any]) -> list[str]:
    """Return the flags that ask for a run of levels and were given, by their texts."""
    flags = ("--sweep", "--rate", "--find-max-rate")
    return [one.flag for one in OPTIONS if one.flag in flags and str(values.get(one.dest, one.default)).strip()]


def options_of_levels(values: Mapping[str, Any]) -> list[str]:
    """Return the flags that say something of levels and were given, by their texts."""
    flags = ("--level-duration", "--warm-up", "--arrivals")
    return [one.flag for one in OPTIONS if one.flag in flags and values.get(one.dest, one.default) != one.default]


def default_of(field: str) -> str:
    """Return the default, as text, of the option that fills a field."""
    return next(option.default for option in OPTIONS if option.field == field)


def add_arguments(parser: Any) -> None:
    """Give every option to Locust's argument parser (a listener of `init_command_line_parser`)."""
    # The web UI lets whoever reaches it aim load at any address: by default that is this machine alone.
    parser.set_defaults(web_host="127.0.0.1")
    for option in OPTIONS:
        special: dict[str, Any] = {}
        if option.is_switch:
            special = {"nargs": "?", "const": "true"}
        elif option.is_repeatable:
            special = {"action": _Joined}
        # Not in a group: Locust's web form shows only what the parser itself holds.
        parser.add_argument(
            option.flag,
            default=option.default,
            help=option.help,
            env_var=option.env_var,
            metavar="VALUE",
            is_secret=option.is_secret,
            include_in_web_ui=option.is_in_form,
            **special,
        )
