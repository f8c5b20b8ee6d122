"""The start page's fields: what each is called there, how it is typed, and with which others it stands. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from tfsload.analysis.switch import is_on
from tfsload.settings.option import Option
from tfsload.settings.options import OPTIONS
from tfsload.webui import load_kinds
from tfsload.webui.fault_places import FLAGS
from tfsload.webui.load_kinds import HOST, IMAGES, N_USERS, PLAIN, RATES, RUN_TIME, SEARCH, SPAWN_RATE

# How a field is typed. No number is one that a browser looks at: it would send nothing of what it cannot read.
TEXT, WHOLE, DECIMAL, CHOICE, SWITCH, LINES, SECRET = "text", "whole", "decimal", "choice", "switch", "lines", "secret"


@dataclass(frozen=True)
class Words:
    """What a field is called, and what is said of it, for some kinds of load.

    Attributes:
        label: a few words.
        help: a sentence.
        loads: keys of the kinds of load, separated by blanks; empty: whichever is chosen.
    """

    label: str
    help: str
    loads: str = ""


@dataclass(frozen=True)
class Field:
    """A field of the page.

    Attributes:
        name: in the form.
        words: for each kind of load that calls it otherwise.
        kind: how it is typed.
        choices: of a drop-down.
        hint: what stands in it while it is empty.
        is_wide: whether it takes a whole row.
    """

    name: str
    words: tuple[Words, ...]
    kind: str = TEXT
    choices: tuple[str, ...] = ()
    hint: str = ""
    is_wide: bool = False

    @property
    def flag(self) -> str:
        """What it is called on the command line; empty: nothing."""
        return FLAGS.get(self.name, "")

    @cached_property
    def loads(self) -> str:
        """The keys of the kinds of load that it is of, separated by blanks; empty: of every one."""
        if self.name not in load_kinds.FIELDS:
            return ""
        return " ".join(kind.key for kind in load_kinds.KINDS if self.name in kind.fields)


@dataclass(frozen=True)
class Group:
    """Fields that stand together.

    Attributes:
        key: its name in the page.
        title: its heading.
        fields: in their order.
        holds: of a group that is folded: says in some words what its fields hold, by name; None: it is always open.
    """

    key: str
    title: str
    fields: tuple[Field, ...]
    holds: Callable[[Mapping[str, str]], str] | None = None

    def is_open(self, faulty: Iterable[str]) -> bool:
        """Whether it is to be seen as the page comes, where these fields have faults."""
        return any(field.name in faulty for field in self.fields)

    def summary(self, values: Mapping[str, str]) -> str:
        """Return what a folded group says of its fields: how many are not as they are by themselves, or what they are.

        Args:
            values: what each field holds, by name.
        """
        n_changed = sum(is_changed(one, values) for one in self.fields)
        if n_changed:
            return f"{n_changed} changed"
        return self.holds(values) if self.holds is not None else ""


def is_changed(field: Field, values: Mapping[str, str]) -> bool:
    """Whether a field of an option of the suite's holds something else than where nobody says anything."""
    default = _DEFAULTS.get(field.name)
    if default is None or field.name not in values:
        return False
    value = values[field.name].strip()
    return is_on(value) != is_on(default) if field.kind == SWITCH else value != default


_DEFAULTS = {option.dest: option.default for option in OPTIONS}
_HELP = {option.dest: option.help for option in OPTIONS}


def _field(name: str, label: str, help: str = "", kind: str = TEXT, **more: object) -> Field:
    return Field(name, (Words(label, help or _HELP[name]),), kind, **more)  # type: ignore[arg-type]


_MANY = " ".join(kind.key for kind in (RATES, SEARCH))
_FEW = " ".join(kind.key for kind in (IMAGES, PLAIN))
_LOAD = (
    _field(
        "sweep",
        "Users in flight",
        "One level after the other. Begin with 1, which the others are held against, and end with it: where the two "
        "differ, the machine did not hold still, and the answer allows for it.",
    ),
    _field("rate", "Requests a second", "One level after the other, over all workers, such as 100,200,400."),
    _field(
        "find_max_rate",
        "Between these rates",
        "LOW:HIGH in requests a second, such as 100:5000. Say below, as a threshold, what has to hold.",
    ),
    _field("num_tests", "Images", "How many of the data set's, in its order; mnist5k has 1,000."),
    Field(
        N_USERS,
        (
            Words("Most in flight", "1: as many as the rate may need.", _MANY),
            Words("Users", "Each sends its next request when it has its answer.", _FEW),
        ),
        WHOLE,
    ),
    _field(SPAWN_RATE, "Ramp-up", "Users started a second.", DECIMAL),
    _field(RUN_TIME, "Run time", "Such as 20s, 3m or 1h20m; empty: no end."),
    _field("level_duration", "Seconds a level", "For which each level is measured.", DECIMAL),
    _field("warm_up", "Warm-up seconds", "Of load before each level, which do not count.", DECIMAL),
    _field(
        "arrivals",
        "Spacing",
        "poisson: independent of one another; constant: evenly.",
        CHOICE,
        choices=("poisson", "constant"),
    ),
    _field(
        "pacing",
        "Pacing",
        "sleep: by a timer; spin: nearer to the instant when a request is due, for more of a CPU.",
        CHOICE,
        choices=("sleep", "spin"),
    ),
    _field("warm_up_requests", "Warm-up requests", "Made before the images begin to count; 0: none.", WHOLE),
    _field(
        "images_per_request",
        "Images a request",
        "Each is scored. A request of 1 may spend most of its time on the way: take more, such as 64, to see whether a "
        "server runs in parallel.",
        WHOLE,
    ),
)
_SERVER = (
    _field(
        HOST,
        "Host",
        "HOST:PORT of its gRPC port (TensorFlow Serving: 8500) or, for REST, of its REST port (8501); also "
        "grpc://HOST:PORT, http:// or https://HOST:PORT, [IPV6]:PORT or unix:PATH.",
    ),
    _field("model_name", "Model", "Its name on the server."),
    _field("model_version", "Version", "A number; empty: the latest.", WHOLE),
    _field("model_label", "Version label", "Instead of a version; empty: none."),
)
_CHECKS = (
    _field(
        "threshold",
        "Thresholds, one a line",
        "What must hold: p99 < 50ms, error_rate < 5%; at one level p99[users=8] "
        "< 20ms; of one class recall[7] > 95%; right answers in time right_rate[20ms] > 500/s; parallelism > 3. A run "
        "ends where one is crossed whose last word is abort: p99 < 50ms abort.",
        LINES,
        hint="such as p99 < 50ms\nor error_rate < 5%",
        is_wide=True,
    ),
    _field(
        "verify",
        "Images verified",
        "The answers to the first N images are recorded without load, and those under "
        "load compared with them; 0: none.",
        WHOLE,
    ),
    _field(
        "tolerance",
        "Tolerance",
        "How far a score may be from the one without load: absolute, or in % of the image's largest score.",
    ),
)
_MODEL = (
    _field("signature_name", "Signature", "Empty: predict_images, else serving_default, else the only one that fits."),
    _field("input_name", "Input", "It takes the images. Empty: the only one that fits them."),
    _field("output_name", "Output", "A score for each class, or the class. Empty: the only one that fits."),
    _field(
        "pixel_scale",
        "Pixels become",
        "0..1, 0..255, -1..1 or another LOW..HIGH, or mean,deviation. Empty: 0..1 where the input holds floats, "
        "0..255 where it holds whole numbers.",
    ),
    _field("label_offset", "Label offset", "How far the model's classes are above the labels.", WHOLE),
    _field("deadline", "Deadline, seconds", "After which a request without an answer has failed.", DECIMAL),
    _field(
        "input",
        "Other inputs, one a line",
        "NAME=VALUE: a number, a text or a list as JSON has it.",
        LINES,
        hint="keep_prob=1.0",
        is_wide=True,
    ),
)
_CONNECTION = (
    _field(
        "transport",
        "Transport",
        "Of gRPC. native: this suite's own channel, many times cheaper; grpcio: the reference.",
        CHOICE,
        choices=("native", "grpcio"),
    ),
    _field(
        "rest_format",
        "REST format",
        "Of REST. row: images as instances, one by one; column: as inputs, in one list.",
        CHOICE,
        choices=("row", "column"),
    ),
    _field("connections", "Connections", "TCP connections that each process opens to the server.", WHOLE),
    _field(
        "wait", "Wait for the server, seconds", "Until a server that is starting has its model; 0: not at all.", DECIMAL
    ),
    _field("tls", "TLS", "The server's certificate and name are verified.", SWITCH),
    _field("tls_ca_file", "Authorities to trust", "A PEM file on the machine of Locust; empty: the system's."),
    _field("tls_cert_file", "Own certificate", "A PEM file; empty: none."),
    _field("tls_key_file", "Its key", "A PEM file; empty: in the certificate's."),
)
_DATA = (
    _field(
        "dataset",
        "Data set",
        "mnist5k (1,000 shipped images), mnist or fashion_mnist (10,000 test images, downloaded and verified), or a "
        "path on the machine of Locust: IDX files, a .npz, or a directory of PNG or JPEG files by class.",
    ),
    _field("seed", "Seed", "Of the firing order, and of arrivals.", WHOLE),
)
_REPORT = (
    _field(
        "note",
        "Notes, one a line",
        "key=value to remember the run by, such as commit=1a2b3c4.",
        LINES,
        hint="commit=1a2b3c4",
        is_wide=True,
    ),
    _field("hgrm", "HdrHistogram files", "Each level's latencies, as HdrHistogram's tools plot them.", SWITCH),
)
_DETAILS = (
    _field(
        "give_up_after",
        "Give up after",
        "Seconds in which requests are sent and none is answered; 0: never; empty: "
        "30, or twice the deadline if that is longer, in runs that have an end.",
        DECIMAL,
    ),
)


_NAMED = ("signature", "input", "output")


def _model_holds(values: Mapping[str, str]) -> str:
    names = ("signature_name", "input_name", "output_name")
    given = [f"{label} {values[name]}" for label, name in zip(_NAMED, names, strict=True) if values.get(name)]
    return ", ".join(given) or "signature, input and output as the model has them"


def _connection_holds(values: Mapping[str, str]) -> str:
    return f"{values['transport']}, one TCP connection, no TLS"


def _data_holds(values: Mapping[str, str]) -> str:
    return f"{values['dataset']}, seed {values['seed']}"


def groups(options: Iterable[Option] = OPTIONS) -> tuple[Group, ...]:
    """Return all groups of the page; an option that has no words here stands in the folded group of its section."""
    known = {
        "load": Group("load", "Load", _LOAD),
        "server": Group("server", "Server", _SERVER),
        "checks": Group("checks", "Checks", _CHECKS),
        "model": Group("model", "Model’s details", _MODEL, _model_holds),
        "connection": Group("connection", "Connection", _CONNECTION, _connection_holds),
        "data": Group("data", "Data", _DATA, _data_holds),
        "report": Group("report", "Report", _REPORT, lambda _: "kept in this session"),
        "details": Group("details", "Load’s details", _DETAILS, lambda _: "when to give up"),
    }
    named = {field.name for group in known.values() for field in group.fields}
    for option in options:
        if option.is_in_form and option.dest not in named:
            key = option.group if option.group in known and known[option.group].holds else "details"
            group = known[key]
            known[key] = Group(key, group.title, (*group.fields, _plain(option)), group.holds)
    return tuple(known.values())


def _plain(option: Option) -> Field:
    """Return the field of an option that nothing more is known of."""
    label = option.dest.replace("_", " ").capitalize()
    return Field(option.dest, (Words(label, option.help),), SWITCH if option.is_switch else TEXT)
