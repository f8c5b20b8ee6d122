"""The command line of the embedded server, spelled like `tensorflow_model_server`'s.

`ServerFlags` is the table: a field's name is the flag's name, its type the flag's type, and its metadata
says whether the embedded server honours the flag. `parse` knows them all, so that a command line of the
real server can be checked; `unimplemented` says what the embedded server would have to leave out.
"""

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from tfsload.transport.faults import FaultsError

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_KINDS: dict[Any, str] = {bool: "true, false, 1 or 0", int: "a whole number", float: "a number", str: "a text"}
_MAX_PORT = 65535


class FlagError(FaultsError):
    """A command line that cannot be used: every unknown flag, unreadable value and contradiction."""


def schedulable_cpus() -> int:
    """Number of CPUs this process may run on; at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _flag(
    default: Any = MISSING,
    help: str = "",
    *,
    served: bool = True,
    also: tuple[Any, ...] = (),
    least: int | None = None,
    most: int | None = None,
    factory: Any = MISSING,
) -> Any:
    """One row of the table.

    Args:
        default: the value when the flag is not given.
        help: one line for `--help`.
        served: whether the embedded server honours every value of the flag.
        also: where it does not: the values that mean what it does anyway.
        least, most: the range of a number, both included; None is no limit.
        factory: makes the default, where it depends on the machine.
    """
    notes = {"help": help, "served": served, "also": also, "least": least, "most": most}
    return field(default=default, default_factory=factory, metadata=notes)


def _other(default: Any, help: str, *also: Any) -> Any:
    """A flag that the real server has and the embedded one does not honour."""
    return _flag(default, help, served=False, also=also)


@dataclass(frozen=True, kw_only=True)
class ServerFlags:
    """Every flag with its value. A number of threads of 0 means: as TensorFlow chooses."""

    port: int = _flag(8500, "TCP port for gRPC; 0: a free port, printed when ready", least=0, most=_MAX_PORT)
    bind_address: str = _flag("127.0.0.1", "address to listen on (this server's own flag)")
    exit_with_parent: bool = _flag(False, "end when standard input ends (this server's own flag)")
    help: bool = _flag(False, "print the flags and leave")
    model_name: str = _flag("default", "the model's name in requests")
    model_base_path: str = _flag("", "directory of version directories (1, 2, ...); the highest is served")
    tensorflow_session_parallelism: int = _flag(0, "threads inside an op and ops at once, both", least=0)
    tensorflow_intra_op_parallelism: int = _flag(0, "threads inside one op", least=0)
    tensorflow_inter_op_parallelism: int = _flag(0, "ops run at once, over all requests", least=0)
    rest_api_port: int = _flag(0, "TCP port for REST; 0: none", least=0, most=_MAX_PORT)
    rest_api_free_port: bool = _flag(False, "REST on a free port, printed when ready (this server's own flag)")
    rest_api_num_threads: int = _flag(
        help="threads for REST, one of which only waits for requests; more queue (default: 4 for each CPU)",
        least=1,
        factory=lambda: 4 * schedulable_cpus(),
    )
    rest_api_timeout_in_ms: int = _flag(30_000, "time limit of the model's part of a REST call, in ms; 0: none")
    grpc_max_threads: int = _flag(
        help="requests at once; more are rejected, not queued (default: 4 for each CPU)",
        least=1,
        factory=lambda: 4 * schedulable_cpus(),
    )
    grpc_channel_arguments: str = _flag("", "gRPC server arguments, as key=value,key=value")
    enable_serialization_as_tensor_content: bool = _flag(False, "answer in tensor_content, not in float_val")
    enable_signature_method_name_check: bool = _flag(
        False, "insist on a signature's method_name: Classify calls only what was made for it"
    )

    rest_api_enable_cors_support: bool = _other(False, "CORS headers in REST answers")
    enable_batching: bool = _other(False, "join requests into batches")
    batching_parameters_file: str = _other("", "text proto BatchingParameters")
    enable_per_model_batching_parameters: bool = _other(False, "batching parameters beside the model")
    enable_model_warmup: bool = _other(True, "replay the model's warm-up requests at load", False)
    num_request_iterations_for_warmup: int = _other(0, "times each warm-up request is replayed")
    file_system_poll_wait_seconds: int = _other(1, "interval of the look-out for new versions, in s", 0)
    monitoring_config_file: str = _other("", "text proto MonitoringConfig, for Prometheus")
    enable_grpc_healthcheck_service: bool = _other(False, "the service grpc.health.v1")
    model_config_file: str = _other("", "text proto ModelServerConfig: several models")
    model_config_file_poll_wait_seconds: int = _other(0, "interval of re-reading that file, in s")
    allow_version_labels_for_unavailable_models: bool = _other(False, "labels before their models")
    saved_model_tags: str = _other("serve", "tags of the graph to load")
    platform_config_file: str = _other("", "text proto PlatformConfigMap")
    tensorflow_session_config_file: str = _other("", "text proto ConfigProto")
    ssl_config_file: str = _other("", "text proto SSLConfig: TLS on the gRPC port")
    use_alts_credentials: bool = _other(False, "Google's ALTS on the gRPC port")
    grpc_socket_path: str = _other("", "UNIX socket for gRPC")
    num_load_threads: int = _other(0, "threads that load models", 1)
    num_unload_threads: int = _other(0, "threads that unload models", 1)
    max_num_load_retries: int = _other(5, "further tries at loading a model", 0)
    load_retry_interval_micros: int = _other(60_000_000, "time between those tries, in µs")
    flush_filesystem_caches: bool = _other(True, "drop file caches after loading", False)
    per_process_gpu_memory_fraction: float = _other(0.0, "share of the GPU's memory")
    remove_unused_fields_from_bundle_metagraph: bool = _other(True, "drop unread parts of the MetaGraph")
    enable_profiler: bool = _other(True, "the profiler service", False)
    thread_pool_factory_config_file: str = _other("", "text proto ThreadPoolConfig")
    xla_cpu_compilation_enabled: bool = _other(False, "XLA on the CPU")
    prefer_tflite_model: bool = _other(False, "serve model.tflite")
    num_tflite_pools: int = _other(1, "pools of TFLite interpreters")
    num_tflite_interpreters_per_pool: int = _other(1, "TFLite interpreters in a pool")
    version: bool = _other(False, "print the server's version")


_FIELDS: dict[str, Field[Any]] = {f.name: f for f in fields(ServerFlags)}


@dataclass(frozen=True, kw_only=True)
class Parallelism:
    """Sizes of the session's thread pools; 0 lets TensorFlow choose.

    Attributes:
        intra_op: threads inside one op.
        inter_op: ops run at once, over all requests of the process.
        warning: what was ignored, or the empty string.
    """

    intra_op: int
    inter_op: int
    warning: str = ""


def parse(argv: Sequence[str]) -> ServerFlags:
    """Read a command line (without the program's name); a flag given twice has its last value.

    Raises:
        FlagError: with every unknown flag, unreadable value and contradiction.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name, text in _pairs(argv, faults):
        if name not in _FIELDS:
            faults.append(_unknown(name))
            continue
        try:
            values[name] = _read(_FIELDS[name], text)
        except ValueError as error:
            faults.append(str(error))
    flags = ServerFlags(**values)
    faults += _contradictions(flags)
    if faults:
        raise FlagError(faults)
    return flags


def unimplemented(flags: ServerFlags) -> list[str]:
    """One message for each flag whose value asks for what the embedded server does not do."""
    return [
        f"--{name}={_spell(value)}: tensorflow_model_server has this flag, the embedded server does not; "
        "leave it out or use the real server"
        for name, value in _given(flags)
        if not _FIELDS[name].metadata["served"] and value not in _FIELDS[name].metadata["also"]
    ]


def parallelism(flags: ServerFlags) -> Parallelism:
    """The sizes of the thread pools. Session parallelism sets both, unless one of the others is set."""
    session = flags.tensorflow_session_parallelism
    intra, inter = flags.tensorflow_intra_op_parallelism, flags.tensorflow_inter_op_parallelism
    if not intra and not inter:
        return Parallelism(intra_op=session, inter_op=session)
    warning = ""
    if session:
        warning = (
            f"--tensorflow_session_parallelism={session} is ignored, because "
            f"--tensorflow_{'intra' if intra else 'inter'}_op_parallelism is set"
        )
    return Parallelism(intra_op=intra, inter_op=inter, warning=warning)


def usage() -> str:
    """The text of `--help`: the flags that this server honours, one a line."""
    lines = ["python -m tfsload.modelserver --model_base_path=DIRECTORY [flags]"]
    for one in _FIELDS.values():
        if one.metadata["served"]:
            lines.append(f"  --{f'{one.name}={_spell(_default(one))}':<48} {one.metadata['help']}")
    lines.append("The other flags of tensorflow_model_server are known, and refused unless at their default.")
    return "\n".join(lines)


def _pairs(argv: Sequence[str], faults: list[str]) -> Iterator[tuple[str, str | None]]:
    """(name, text) of each flag; the text is None where none was given."""
    words = list(argv)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            faults.append(f"{word!r} is not a flag: expected --name=value or --name value")
            continue
        name, equals, text = word[2:].partition("=")
        if equals:
            yield name, text
        elif words and _takes(name, words[0]):
            yield name, words.pop(0)
        else:
            yield name, None


def _takes(name: str, word: str) -> bool:
    """Whether `word` is the value of the flag `name` before it, as in `--port 8500`."""
    one = _FIELDS.get(name)
    if one is not None and one.type is bool:
        return word.lower() in _BOOLEANS
    return not word.startswith("--")


def _read(one: Field[Any], text: str | None) -> Any:
    if text is None:
        if one.type is bool:
            return True
        raise ValueError(f"--{one.name} has no value: expected {_expected(one)}, as in --{one.name}=...")
    value = _convert(one.type, text)
    if value is None or not _in_range(one, value):
        raise ValueError(f"--{one.name}={text}: {text!r} is not {_expected(one)}")
    return value


def _convert(kind: Any, text: str) -> Any:
    """`text` as a value of `kind`, or None if it is not one."""
    if kind is bool:
        return _BOOLEANS.get(text.lower())
    if kind is int:
        return int(text) if re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII) else None
    if kind is float:
        try:
            return float(text)
        except ValueError:
            return None
    return text


def _in_range(one: Field[Any], value: Any) -> bool:
    least, most = one.metadata["least"], one.metadata["most"]
    return (least is None or value >= least) and (most is None or value <= most)


def _expected(one: Field[Any]) -> str:
    least, most = one.metadata["least"], one.metadata["most"]
    kind = _KINDS[one.type]
    if most is not None:
        return f"{kind} from {least} to {most}"
    return kind if least is None else f"{kind} of at least {least}"


def _contradictions(flags: ServerFlags) -> list[str]:
    """What the real server refuses at its start, too."""
    faults = []
    session = flags.tensorflow_session_parallelism
    intra, inter = flags.tensorflow_intra_op_parallelism, flags.tensorflow_inter_op_parallelism
    if session and intra and inter:
        faults.append(
            f"--tensorflow_session_parallelism={session}, --tensorflow_intra_op_parallelism={intra} and "
            f"--tensorflow_inter_op_parallelism={inter} cannot all be set: the first sets both of the others; "
            "leave it out"
        )
    if flags.batching_parameters_file and not flags.enable_batching:
        faults.append(
            f"--batching_parameters_file={flags.batching_parameters_file} without --enable_batching: "
            "add --enable_batching or leave the file out"
        )
    if flags.rest_api_port and flags.rest_api_port == flags.port:
        faults.append(f"--rest_api_port={flags.rest_api_port} is also --port: expected two different ports")
    if flags.rest_api_port and flags.rest_api_free_port:
        faults.append(
            f"--rest_api_port={flags.rest_api_port} and --rest_api_free_port cannot both be set: leave one out"
        )
    faults += [f for f in map(_channel_argument_fault, _channel_words(flags)) if f]
    return faults


def channel_arguments(flags: ServerFlags) -> list[tuple[str, int | str]]:
    """`--grpc_channel_arguments` as gRPC options; a value that reads as a whole number is one."""
    pairs = (word.split("=", 1) for word in _channel_words(flags))
    return [(key, text if (number := _convert(int, text)) is None else number) for key, text in pairs]


def _channel_words(flags: ServerFlags) -> list[str]:
    return flags.grpc_channel_arguments.split(",") if flags.grpc_channel_arguments else []


def _channel_argument_fault(word: str) -> str:
    if re.fullmatch(r"[^=]+=.*", word):
        return ""
    return f"--grpc_channel_arguments: {word!r} is not key=value, as in grpc.max_concurrent_streams=100"


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, _FIELDS, n=1)
    hint = f"did you mean --{near[0]}?" if near else "--help lists the flags"
    return f"unknown flag --{name}: {hint}"


def _default(one: Field[Any]) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def _given(flags: ServerFlags) -> Iterator[tuple[str, Any]]:
    """(name, value) of each flag that is not at its default."""
    for name, one in _FIELDS.items():
        value = getattr(flags, name)
        if value != _default(one):
            yield name, value


def _spell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
