"""The embedded model server: `python -m tfsload.modelserver --model_name=mnist --model_base_path=models/mnist`.

Prints one line on standard output when it is ready, with each protocol's address, and ends with 0 on SIGTERM or SIGINT.
Exit codes: 1 the model could not be loaded or the port not be opened, 2 bad usage.
"""

import contextlib
import gc
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tfsload.modelserver.flags import FlagError, ServerFlags, parallelism, parse, unimplemented, usage
from tfsload.transport.words import sentence

_GRACE_S = 0.5
_NO_REST_THREAD = (
    "warning: --rest_api_num_threads=1: that thread waits for requests, and none is left to answer them, as in "
    "tensorflow_model_server; give 2 or more"
)
_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def main(argv: Sequence[str]) -> int:
    """Serve until told to stop; returns the exit code."""
    try:
        flags = parse(argv)
    except FlagError as error:
        return _fail(2, *error.faults)
    if flags.help:
        print(usage())
        return 0
    faults = unimplemented(flags)
    if not flags.model_base_path:
        faults.append("--model_base_path is missing: expected the directory that holds the model's versions")
    if faults:
        return _fail(2, *faults)
    if flags.exit_with_parent:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    return _serve(flags)


def _serve(flags: ServerFlags) -> int:
    # Until the model is loaded there is nothing to end gracefully.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    quiet = _LOG_LEVEL not in os.environ
    os.environ.setdefault(_LOG_LEVEL, "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        with _quiet_stderr() if quiet else contextlib.nullcontext():
            from tfsload.modelserver import model as models
            from tfsload.modelserver.ports import PortError
            from tfsload.modelserver.server import ModelServer
    except ImportError as error:  # an installation of the load generator alone
        return _fail(1, str(error))
    try:
        with _quiet_stderr() if quiet else contextlib.nullcontext():
            model = _load(models, flags)
        servers: dict[str, Any] = {"gRPC": ModelServer(model, flags)}
        if flags.rest_api_port or flags.rest_api_free_port:
            from tfsload.modelserver.rest.server import RestServer

            servers["REST"] = RestServer(model, flags)
        addresses = ", ".join(f"{protocol} at {server.start()}" for protocol, server in servers.items())
    except (models.ModelLoadError, PortError) as error:
        return _fail(1, str(error))
    _warn(model, flags)
    stop = _stop_event()
    _spare_what_stays()
    print(sentence(f"Serving model {model.name}, version {model.version}: {addresses}"), flush=True)
    stop.wait()
    for server in servers.values():
        server.stop(_GRACE_S)
    return 0


def _load(models: Any, flags: ServerFlags) -> Any:
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")
    return models.Model.load(flags.model_name, Path(flags.model_base_path), parallelism(flags))


def _spare_what_stays() -> None:
    """Keep what is loaded by now, TensorFlow's half a million objects, out of all later garbage collections.

    A full one would look at each of them and stop every call for 0.12 s or more: once in 8 s at 500 requests/s.
    """
    gc.collect()
    gc.freeze()


def _warn(model: Any, flags: ServerFlags) -> None:
    """Say what was left undone, though nobody asked for it in so many words."""
    if warning := parallelism(flags).warning:
        print(sentence(f"warning: {warning}"), file=sys.stderr)
    if (flags.rest_api_port or flags.rest_api_free_port) and flags.rest_api_num_threads == 1:
        print(_NO_REST_THREAD, file=sys.stderr)
    warmup = model.path / "assets.extra" / "tf_serving_warmup_requests"
    if flags.enable_model_warmup and warmup.exists():
        print(f"warning: {warmup} is not replayed: the embedded server has no warm-up", file=sys.stderr)


def _stop_event() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _end_with_stdin() -> None:
    """End this process when standard input ends, that is, when the launching process is gone."""
    # A raw read: a buffered one would hold a lock that the interpreter wants at its end.
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drop what C++ writes to standard error, unless the block fails.

    TensorFlow prints some lines at import whatever its log level says.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        except (ImportError, OSError):
            sink.seek(0)
            os.write(saved, sink.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)


def _fail(code: int, *messages: str) -> int:
    for message in messages:
        print(sentence(f"error: {message}"), file=sys.stderr)
    return code


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: it would wait for the threads of calls that outlived their grace.
    os._exit(exit_code)
