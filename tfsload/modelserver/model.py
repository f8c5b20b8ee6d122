"""A SavedModel in a TF1 Session, as the real server runs it.

Importing this module imports TensorFlow.
"""

import copy
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.client import pywrap_tf_session as tf_session

from tfsload.modelserver.errors import RunError
from tfsload.modelserver.flags import Parallelism
from tfsload.transport.protos import get_model_metadata_pb2

_tf1 = tf.compat.v1
_TAG = "serve"


class ModelLoadError(Exception):
    """No model could be loaded: what was looked for, and what was there."""


class Tensor(NamedTuple):
    """A tensor of the graph.

    Attributes:
        name: as the signature writes it.
        handle: TensorFlow's own; where the graph has no such tensor, the `Absent` one.
    """

    name: str
    handle: Any


class Absent(NamedTuple):
    """A tensor that a signature names and the graph does not have: the signature can be read, and not be called.

    Such are what has no tensor of its own (a sparse input), and the operation that TensorFlow 2 lists among the
    signatures for its loader.
    """

    name: str


@dataclass(frozen=True)
class Signature:
    """One entry of a model, with everything that can be looked up before a request.

    Attributes:
        name: the key in the SavedModel.
        definition: the official SignatureDef.
        feeds: input alias → tensor.
        fetches: output alias → tensor, in the order of the reply.
        defaults: input alias → TensorProto used when a request leaves it out.
    """

    name: str
    definition: Any
    feeds: Mapping[str, Tensor]
    fetches: Mapping[str, Tensor]
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """What kind of call it is made for, such as `tensorflow/serving/predict`."""
        return str(self.definition.method_name)


class Model:
    """A loaded version of a model. All methods may be called from many threads at once.

    Attributes:
        name: the name in requests.
        version: the number of its directory.
        path: that directory.
        signatures: by their names.
    """

    def __init__(self, name: str, version: int, path: Path, session: Any, meta_graph: Any) -> None:
        self.name = name
        self.version = version
        self.path = path
        self.signatures = {
            key: _signature(key, definition, session.graph) for key, definition in meta_graph.signature_def.items()
        }
        self._session = session
        self._options: Any = None

    @classmethod
    def load(cls, name: str, base_path: Path, parallelism: Parallelism) -> "Model":
        """Load the highest version under `base_path` into a new session.

        Raises:
            ModelLoadError: there is no version directory, or it holds no SavedModel for serving.
        """
        version, path = find_version(base_path)
        session = _tf1.Session(graph=tf.Graph(), config=session_config(parallelism))
        try:
            with session.graph.as_default():
                meta_graph = _tf1.saved_model.load(session, [_TAG], str(path))
            # A graph reaches the runtime on Session.run, which `run` below goes around.
            session._extend_graph()
            return cls(name, version, path, session, meta_graph)
        except (OSError, RuntimeError, ValueError, KeyError, tf.errors.OpError) as error:
            raise ModelLoadError(f"{path} holds no SavedModel that can be served: {error}") from error

    def with_time_limit(self, limit_ms: int) -> "Model":
        """This model, each of whose runs may take so many milliseconds; 0 or less: any number."""
        limited = copy.copy(self)
        if limit_ms > 0:
            options = _tf1.RunOptions(timeout_in_ms=limit_ms)
            # Only read by runs, so that all may have the same.
            limited._options = tf_session.TF_NewBufferFromString(options.SerializeToString())
        return limited

    def run(self, feeds: Mapping[Any, NDArray[Any]], fetches: Sequence[Any]) -> list[NDArray[Any]]:
        """Run the graph once; blocks without holding Python's lock.

        Args:
            feeds: handle of an input → its tensor.
            fetches: handles of the wanted outputs.

        Returns:
            The outputs, in the order of `fetches`.

        Raises:
            RunError: with TensorFlow's code and message.
        """
        _refuse_absent(itertools.chain(feeds, fetches))
        # What Session.run ends in. Session.run itself converts the feeds to the expected dtype (the real
        # server refuses them) and costs 200 µs instead of 30; a callable words its refusals differently.
        try:
            outputs = self._session._call_tf_sessionrun(self._options, feeds, fetches, [], None)
        except tf.errors.OpError as error:
            raise RunError(error.error_code, error.message) from error
        return [_array(output) for output in outputs]

    def signature_def_map(self) -> Any:
        """The signatures as the official SignatureDefMap message."""
        return get_model_metadata_pb2.SignatureDefMap(
            signature_def={name: signature.definition for name, signature in self.signatures.items()}
        )


def find_version(base_path: Path) -> tuple[int, Path]:
    """(number, directory) of the highest version under `base_path`.

    Raises:
        ModelLoadError: if there is none.
    """
    if not base_path.is_dir():
        raise ModelLoadError(f"--model_base_path={base_path} is not a directory")
    versions = [(int(p.name), p) for p in base_path.iterdir() if p.name.isdecimal() and p.is_dir()]
    if versions:
        return max(versions)
    hint = "expected a directory with a number as its name, such as 1, with the SavedModel in it"
    if (base_path / "saved_model.pb").exists():
        hint = "it is a SavedModel itself; give the directory above it, and name this one by a number"
    raise ModelLoadError(f"no version of the model in --model_base_path={base_path}: {hint}")


def session_config(parallelism: Parallelism) -> Any:
    """The ConfigProto with the sizes of the thread pools.

    The pools stay those of the process, as in the real server: all requests share them.
    """
    return _tf1.ConfigProto(
        intra_op_parallelism_threads=parallelism.intra_op,
        inter_op_parallelism_threads=parallelism.inter_op,
    )


def _array(output: Any) -> NDArray[Any]:
    """What a run returns as an array: a single string comes as bare bytes, any other single value as numpy's scalar."""
    return np.array(output, object) if isinstance(output, bytes) else np.asarray(output)


def _refuse_absent(handles: Iterable[Any]) -> None:
    """Say of the first tensor that the graph does not have what the real server says of it."""
    for handle in handles:
        if isinstance(handle, Absent):
            raise RunError(
                tf.errors.INVALID_ARGUMENT,
                f"Tensor {handle.name}, specified in either feed_devices or fetch_devices was not found in the Graph",
            )


def _signature(key: str, definition: Any, graph: Any) -> Signature:
    def tensor(info: Any) -> Tensor:
        return Tensor(info.name, _handle(info.name, graph))

    inputs, outputs = definition.inputs, definition.outputs
    return Signature(
        name=key,
        definition=definition,
        feeds={alias: tensor(inputs[alias]) for alias in sorted(inputs)},
        fetches={alias: tensor(outputs[alias]) for alias in sorted(outputs)},
        defaults=dict(definition.defaults),
    )


def _handle(name: str, graph: Any) -> Any:
    # An operation's name alone means its first output.
    full = name if ":" in name else f"{name}:0"
    try:
        return graph.get_tensor_by_name(full)._as_tf_output()
    except (KeyError, ValueError):
        return Absent(full)
