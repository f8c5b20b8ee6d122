"""The embedded server's command line: tables of good and bad ones."""

import shlex
import sys

import pytest

from tests.support.modelserver_fixtures import run
from tfsload.modelserver.flags import (
    FlagError,
    ServerFlags,
    channel_arguments,
    parallelism,
    parse,
    schedulable_cpus,
    unimplemented,
    usage,
)

COMPOSE = [
    "--port=8500",
    "--rest_api_port=8501",
    "--model_name=mnist",
    "--model_base_path=/models/mnist",
    "--tensorflow_inter_op_parallelism=2",
    "--enable_batching",
    "--batching_parameters_file=/models/batching.txt",
    "--monitoring_config_file=/models/monitoring.txt",
]


def test_defaults_are_the_real_servers():
    flags = parse([])
    got = (flags.port, flags.rest_api_port, flags.model_name, flags.bind_address)
    assert got == (8500, 0, "default", "127.0.0.1")
    assert flags.grpc_max_threads == 4 * schedulable_cpus()
    assert unimplemented(flags) == []


@pytest.mark.parametrize(
    ("argv", "name", "want"),
    [
        pytest.param(["--port=0"], "port", 0, id="zero-is-a-free-port"),
        pytest.param(["--port", "8600"], "port", 8600, id="value-in-the-next-word"),
        pytest.param(["--port=1", "--port=2"], "port", 2, id="the-last-one-wins"),
        pytest.param(["--model_base_path=a=b"], "model_base_path", "a=b", id="equals-in-the-value"),
        pytest.param(["--model_name="], "model_name", "", id="empty-text"),
        pytest.param(["--file_system_poll_wait_seconds=-1"], "file_system_poll_wait_seconds", -1, id="negative"),
        pytest.param(
            ["--file_system_poll_wait_seconds", "-1"], "file_system_poll_wait_seconds", -1, id="negative-word"
        ),
        pytest.param(["--per_process_gpu_memory_fraction=0.5"], "per_process_gpu_memory_fraction", 0.5, id="float"),
        pytest.param(["--enable_batching"], "enable_batching", True, id="bare-boolean"),
        pytest.param(["--enable_batching=true"], "enable_batching", True, id="true"),
        pytest.param(["--enable_batching=1"], "enable_batching", True, id="one"),
        pytest.param(["--enable_batching", "true"], "enable_batching", True, id="boolean-in-the-next-word"),
        pytest.param(["--enable_model_warmup=false"], "enable_model_warmup", False, id="false"),
        pytest.param(["--enable_model_warmup=0"], "enable_model_warmup", False, id="nought"),
        pytest.param(["--enable_model_warmup=False"], "enable_model_warmup", False, id="capital"),
        pytest.param(["--exit_with_parent", "--port=1"], "exit_with_parent", True, id="boolean-before-a-flag"),
    ],
)
def test_reads(argv, name, want):
    assert getattr(parse(argv), name) == want


@pytest.mark.parametrize(
    ("argv", "fault"),
    [
        pytest.param("--prot=1", "unknown flag --prot: did you mean --port?", id="near-miss"),
        pytest.param("--zzz", "unknown flag --zzz: --help lists the flags", id="nothing-near"),
        pytest.param("--port=x", "--port=x: 'x' is not a whole number from 0 to 65535", id="not-a-number"),
        pytest.param("--port=65536", "--port=65536: '65536' is not a whole number from 0 to 65535", id="too-high"),
        pytest.param("--port=1_0", "--port=1_0: '1_0' is not a whole number from 0 to 65535", id="python-spelling"),
        pytest.param(
            "--grpc_max_threads=0",
            "--grpc_max_threads=0: '0' is not a whole number of at least 1",
            id="too-low",
        ),
        pytest.param(
            "--port",
            "--port has no value: expected a whole number from 0 to 65535, as in --port=...",
            id="no-value",
        ),
        pytest.param(
            "--enable_batching=maybe",
            "--enable_batching=maybe: 'maybe' is not true, false, 1 or 0",
            id="not-a-boolean",
        ),
        pytest.param(
            "--per_process_gpu_memory_fraction=all",
            "--per_process_gpu_memory_fraction=all: 'all' is not a number",
            id="not-a-float",
        ),
        pytest.param("mnist", "'mnist' is not a flag: expected --name=value or --name value", id="not-a-flag"),
        pytest.param(
            (
                "--tensorflow_session_parallelism=1 --tensorflow_intra_op_parallelism=2 "
                "--tensorflow_inter_op_parallelism=3"
            ),
            (
                "--tensorflow_session_parallelism=1, --tensorflow_intra_op_parallelism=2 and "
                "--tensorflow_inter_op_parallelism=3 cannot all be set: the first sets both of the others; leave it out"
            ),
            id="all-three-parallelism-flags",
        ),
        pytest.param(
            "--batching_parameters_file=b.txt",
            "--batching_parameters_file=b.txt without --enable_batching: add --enable_batching or leave the file out",
            id="batching-parameters-alone",
        ),
        pytest.param(
            "--port=8501 --rest_api_port=8501",
            "--rest_api_port=8501 is also --port: expected two different ports",
            id="same-port",
        ),
        pytest.param(
            "--rest_api_port=8501 --rest_api_free_port",
            "--rest_api_port=8501 and --rest_api_free_port cannot both be set: leave one out",
            id="two-rest-ports",
        ),
        pytest.param(
            "--grpc_channel_arguments=a=1,b",
            "--grpc_channel_arguments: 'b' is not key=value, as in grpc.max_concurrent_streams=100",
            id="channel-argument",
        ),
    ],
)
def test_refuses(argv, fault):
    with pytest.raises(FlagError) as caught:
        parse(shlex.split(argv))
    assert caught.value.faults == [fault]


def test_all_faults_come_at_once():
    with pytest.raises(FlagError) as caught:
        parse(["--prot=1", "--port=x"])
    assert caught.value.faults == [
        "unknown flag --prot: did you mean --port?",
        "--port=x: 'x' is not a whole number from 0 to 65535",
    ]


def test_a_compose_command_is_read_and_what_is_missing_named():
    flags = parse(COMPOSE)
    assert (flags.rest_api_port, flags.enable_batching) == (8501, True)
    named = [message.partition("=")[0] for message in unimplemented(flags)]
    assert named == [
        "--enable_batching",
        "--batching_parameters_file",
        "--monitoring_config_file",
    ]


@pytest.mark.parametrize(
    ("argv", "want"),
    [
        pytest.param(
            ["--enable_batching=true"],
            [
                "--enable_batching=true: tensorflow_model_server has this flag, the embedded server does not; "
                "leave it out or use the real server"
            ],
            id="boolean",
        ),
        pytest.param(["--rest_api_port=0"], [], id="at-its-default"),
        pytest.param(["--enable_model_warmup=false"], [], id="asks-for-what-is-done-anyway"),
        pytest.param(["--grpc_max_threads=3"], [], id="honoured"),
        pytest.param(["--enable_signature_method_name_check"], [], id="an-honoured-boolean"),
    ],
)
def test_unimplemented(argv, want):
    assert unimplemented(parse(argv)) == want


@pytest.mark.parametrize(
    ("session", "intra", "inter", "want", "warns"),
    [
        pytest.param(0, 0, 0, (0, 0), False, id="automatic"),
        pytest.param(3, 0, 0, (3, 3), False, id="session-sets-both"),
        pytest.param(0, 2, 0, (2, 0), False, id="intra-alone"),
        pytest.param(0, 0, 2, (0, 2), False, id="inter-alone"),
        pytest.param(3, 2, 0, (2, 0), True, id="session-ignored-for-intra"),
        pytest.param(3, 0, 2, (0, 2), True, id="session-ignored-for-inter"),
    ],
)
def test_parallelism(session, intra, inter, want, warns):
    got = parallelism(
        ServerFlags(
            tensorflow_session_parallelism=session,
            tensorflow_intra_op_parallelism=intra,
            tensorflow_inter_op_parallelism=inter,
        )
    )
    assert (got.intra_op, got.inter_op) == want
    assert ("is ignored" in got.warning) == warns


def test_channel_arguments_are_numbers_where_they_can_be():
    flags = parse(["--grpc_channel_arguments=grpc.max_concurrent_streams=100,grpc.name=a=b"])
    assert channel_arguments(flags) == [("grpc.max_concurrent_streams", 100), ("grpc.name", "a=b")]


def test_usage_lists_what_is_honoured():
    assert "--grpc_max_threads=" in usage()
    assert "--enable_batching" not in usage()


@pytest.mark.parametrize("module", ["tfsload.modelserver.flags", "tfsload.target.launcher"])
def test_light_to_import(module):
    code = f"import sys, {module}; print([m for m in ('tensorflow', 'grpc', 'numpy', 'locust') if m in sys.modules])"
    assert run([sys.executable, "-c", code]) == (0, "[]\n", "")
