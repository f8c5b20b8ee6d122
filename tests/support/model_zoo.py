"""SavedModels as people build them, each with what it takes and gives: what a client must find out by itself.

    build(directory)                          # all of them, in one process of TensorFlow
    model = ZOO["png_bytes"]
    model.base_path(directory)                # what a server is given
    for sent, want in zip(model.requests(IMAGES), expected(directory, model), strict=True): ...

Needs no TensorFlow; `tests/support/zoo_builders.py` does, in a process of its own. All models recognise digits with the
same weights (88 of 100 shipped images as labelled), but for rounding: what differs is how they are asked.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.modelserver_fixtures import run
from tests.support.zoo_model import ZooModel
from tests.support.zoo_of_frameworks import OF_FRAMEWORKS
from tests.support.zoo_of_modules import OF_MODULES


def build(directory: Path, names: Iterable[str] = ()) -> None:
    """Write the SavedModels, each as version 1 of a directory in `directory`, and TensorFlow's own answers beside them.

    Args:
        directory: an existing one.
        names: keys of `ZOO`; none: all.
    """
    code, _, said = run([sys.executable, "-m", "tests.support.zoo_builders", str(directory), *names])
    assert code == 0, said


def expected(directory: Path, model: ZooModel) -> list[dict[str, NDArray[Any]]]:
    """TensorFlow's own answers to `model.requests(sample()[0])`: for each request, output alias → tensor.

    Computed by `build` from the SavedModel, as a function of TensorFlow 2; no server took part. What was bfloat16 is
    float32 of the same value.
    """
    with np.load(directory / f"{model.name}.npz", allow_pickle=True) as found:
        n_requests = 1 + max(int(key.partition("/")[0]) for key in found)
        return [{alias: found[f"{i}/{alias}"] for alias in model.outputs} for i in range(n_requests)]


ZOO: dict[str, ZooModel] = {model.name: model for model in (*OF_FRAMEWORKS, *OF_MODULES)}
"""By name."""
