"""Replies of REST, written as TensorFlow Serving writes them."""

import json
import math
from typing import Any

import numpy as np


def served(number):
    """Return a number as TensorFlow Serving prints a float32."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    text = f"{number:g}"
    if np.float32(text) != np.float32(number):
        text = f"{number:.9g}"
    return text if "." in text or "e" in text else f"{text}.0"


def rows_text(scores):
    rows = ", ".join("[" + ", ".join(map(served, row)) + "]" for row in scores.tolist())
    return f'{{\n    "predictions": [{rows}\n    ]\n}}'.encode()


def status(*versions: tuple[int, str]) -> bytes:
    """Return what is said of a model's versions, numbers and states."""
    said = [
        {"version": str(number), "state": state, "status": {"error_code": "OK", "error_message": ""}}
        for number, state in versions
    ]
    return json.dumps({"model_version_status": said}, indent=1).encode()


def metadata(signatures: dict[str, Any], name: str = "mnist", version: int = 1) -> bytes:
    """Return what is said of a model's signatures."""
    spec = {"name": name, "signature_name": "", "version": str(version)}
    return json.dumps(
        {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}, indent=1
    ).encode()


def tensor(dtype: str, *sizes: int) -> dict[str, Any]:
    """Return an input or an output, as metadata has it."""
    dims = [{"size": str(size), "name": ""} for size in sizes]
    return {"dtype": dtype, "tensor_shape": {"dim": dims, "unknown_rank": False}, "name": "x:0"}


PREDICT_IMAGES = {
    "inputs": {"images": tensor("DT_FLOAT", -1, 784)},
    "outputs": {"scores": tensor("DT_FLOAT", -1, 10)},
    "method_name": "tensorflow/serving/predict",
}
