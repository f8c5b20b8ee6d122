"""A SavedModel in a TF1 Session, as the real server runs it.

Importing this module imports TensorFlow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from tfsload.modelserver.errors import RunError
from tfsload.modelserver.flags import Parallelism
from tfsload.transport.protos import get_model_metadata_pb2

_tf1 = tf.compat.v1
_TAG = "serve"
# Listed among the signatures by TensorFlow 2, but it names an operation of the loader, not a tensor.
_INIT_OP = "__saved_model_init_op"


class ModelLoadError(Exception):
    """No model could be loaded: what was looked for, and what was there."""


@dataclass(frozen=True)
class Signature:
    """One entry of a model, with everything that can be looked up before a request.

    Attributes:
        name: the key in the SavedModel.
        feeds: input alias → (name in the graph, TensorFlow's handle of it).
        fetches: output alias → TensorFlow's handle of it, in the order of the reply.
        defaults: input alias → TensorProto used when a request leaves it out.
    """

    name: str
    feeds: Mapping[str, tuple[str, Any]]
    fetches: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)


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
            key: _signature(key, definition, session.graph)
            for key, definition in meta_graph.signature_def.items()
            if key != _INIT_OP
        }
        self._session = session
        self._signature_defs = dict(meta_graph.signature_def)

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
        # What Session.run ends in. Session.run itself converts the feeds to the expected dtype (the real
        # server refuses them) and costs 200 µs instead of 30; a callable words its refusals differently.
        try:
            outputs: list[NDArray[Any]] = self._session._call_tf_sessionrun(None, feeds, fetches, [], None)
        except tf.errors.OpError as error:
            raise RunError(error.error_code, error.message) from error
        return outputs

    def signature_def_map(self) -> Any:
        """The signatures as the official SignatureDefMap message."""
        return get_model_metadata_pb2.SignatureDefMap(signature_def=self._signature_defs)


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


def _signature(name: str, definition: Any, graph: Any) -> Signature:
    def handle(tensor_name: str) -> Any:
        return graph.get_tensor_by_name(tensor_name)._as_tf_output()

    inputs, outputs = definition.inputs, definition.outputs
    return Signature(
        name=name,
        feeds={alias: (inputs[alias].name, handle(inputs[alias].name)) for alias in sorted(inputs)},
        fetches={alias: handle(outputs[alias].name) for alias in sorted(outputs)},
        defaults=dict(definition.defaults),
    )
