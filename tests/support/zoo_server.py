"""The embedded server around each model of the zoo, all in one process of TensorFlow.

    python -m tests.support.zoo_server DIRECTORY

serves what `tests/support/model_zoo.py` built into DIRECTORY, each model on a port of its own; prints one line when
all are ready, JSON of protocol → model → address, and ends with standard input.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.support.model_zoo import ZOO
from tfsload.modelserver.flags import ServerFlags, parallelism
from tfsload.modelserver.model import Model
from tfsload.modelserver.rest.server import RestServer
from tfsload.modelserver.server import ModelServer


def main(directory: str) -> None:
    addresses: dict[str, dict[str, str]] = {"gRPC": {}, "REST": {}}
    servers: list[Any] = []
    for name in {model.served_as: None for model in ZOO.values()}:
        flags = ServerFlags(port=0, model_name=name, model_base_path=str(Path(directory) / name))
        model = Model.load(name, Path(flags.model_base_path), parallelism(flags))
        for protocol, server in (("gRPC", ModelServer(model, flags)), ("REST", RestServer(model, flags))):
            servers.append(server)
            addresses[protocol][name] = server.start()
    print(json.dumps(addresses), flush=True)
    sys.stdin.read()
    for server in servers:
        server.stop(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
