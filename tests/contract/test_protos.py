"""The protos come without TensorFlow, and leave the way free for it."""

import subprocess
import sys

import pytest

RUN_SECONDS = 120


def run_python(code: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_tensorflow_is_not_imported():
    loaded = run_python(
        "import sys; import tfsload.transport.protos; "
        "print('tensorflow' in sys.modules, 'tensorflow.python' in sys.modules, "
        "any(name.startswith('tensorflow._api') for name in sys.modules))"
    )

    assert loaded == "False False False"


@pytest.mark.heavy
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import tfsload.transport.protos, tensorflow as tf", id="protos-first"),
        pytest.param("import tensorflow as tf; import tfsload.transport.protos", id="tensorflow-first"),
    ],
)
def test_the_real_tensorflow_still_works(code):
    printed = run_python(
        f"{code}\n"
        "from tensorflow.core.protobuf import config_pb2\n"
        "tensor = tf.make_tensor_proto([1.0, 2.0])\n"
        "import tfsload.transport.protos as protos\n"
        "request = protos.predict_pb2.PredictRequest()\n"
        "request.inputs['images'].CopyFrom(tensor)\n"
        "print(tf.reduce_sum(tf.constant([1.0, 2.0])).numpy(), type(tensor) is protos.tensor_pb2.TensorProto,\n"
        "      tf.make_ndarray(request.inputs['images']).tolist())"
    )

    assert printed == "3.0 True [1.0, 2.0]"


def test_a_missing_tensorflow_is_named():
    printed = run_python(
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'tensorflow' else find(name, *a)\n"
        "try:\n"
        "    import tfsload.transport.protos\n"
        "except ImportError as error:\n"
        "    print(error)"
    )

    assert "pip install -r requirements.txt" in printed
