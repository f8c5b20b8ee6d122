"""TensorFlow without its start-up chatter."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow() -> None:
    """Import TensorFlow and let it look for its devices, silently.

    Whoever sets the environment variable TF_CPP_MIN_LOG_LEVEL gets what it asks for. If the import fails,
    everything is shown. (Among what is silenced: that the Session API, which the server uses, is deprecated.)
    """
    if _LEVEL in os.environ:
        import tensorflow as tf
    else:
        os.environ[_LEVEL] = "2"
        with _stderr_held_back():
            import tensorflow as tf

            tf.config.list_logical_devices()
        tf.get_logger().setLevel("ERROR")


@contextlib.contextmanager
def _stderr_held_back() -> Iterator[None]:
    """Send the process's file descriptor 2 to a file, and show the file only if the body raises.

    The first lines come from C++ before it has read its own log level, so that no setting stops them.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with tempfile.TemporaryFile() as held:
            os.dup2(held.fileno(), 2)
            try:
                yield
            except BaseException:
                held.seek(0)
                os.write(stderr, held.read())
                raise
            finally:
                os.dup2(stderr, 2)
    finally:
        os.close(stderr)
