"""The gRPC methods that take examples: Classify, Regress, and both at once."""

from collections.abc import Mapping
from typing import Any

import grpc

from tfsload.modelserver import classification, regression
from tfsload.modelserver.classification import Classification
from tfsload.modelserver.errors import RequestError, invalid
from tfsload.modelserver.examples import serialized
from tfsload.modelserver.model_spec import check_model, resolved, signature_name, spec_of
from tfsload.modelserver.regression import Regression
from tfsload.transport.protos import classification_pb2, inference_pb2, model_pb2, regression_pb2

# A task's method_name → how its signature is read, and the field of its result.
_TASKS: Mapping[str, tuple[type[Classification] | type[Regression], str]] = {
    classification.METHOD: (Classification, "classification_result"),
    regression.METHOD: (Regression, "regression_result"),
}


class InferenceService:
    """`Classify`, `Regress` and `MultiInference` for one model.

    Args:
        model: a `tfsload.modelserver.model.Model`.
        checks_methods: whether a signature must have been made for the method that calls it. As in the real server it
            need not: TensorFlow 2 writes all of them as made for Predict.
    """

    def __init__(self, model: Any, *, checks_methods: bool = False) -> None:
        self._model = model
        self._checks_methods = checks_methods

    def classify(self, request: Any) -> Any:
        """ClassificationRequest → ClassificationResponse.

        Raises:
            RequestError: for a request that does not fit the model.
        """
        return self._answer(request, Classification, classification_pb2.ClassificationResponse())

    def regress(self, request: Any) -> Any:
        """RegressionRequest → RegressionResponse.

        Raises:
            RequestError: for a request that does not fit the model.
        """
        return self._answer(request, Regression, regression_pb2.RegressionResponse())

    def multi_inference(self, request: Any) -> Any:
        """MultiInferenceRequest → MultiInferenceResponse, from one run of the model.

        Raises:
            RequestError: for a request that does not fit the model.
        """
        first = request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()
        check_model(self._model, first)
        readings = self._readings(request.tasks)
        arrays, n_examples = self._run(request.input, [one for one, _ in readings.values()])
        reply = inference_pb2.MultiInferenceResponse()
        for name, (reading, field) in readings.items():
            result = reply.results.add()
            result.model_spec.CopyFrom(resolved(self._model, name))
            part = getattr(result, field)
            part.SetInParent()
            reading.fill(part, n_examples, [arrays.pop(0) for _ in reading.outputs])
        return reply

    def _answer(self, request: Any, reading_of: type[Classification] | type[Regression], reply: Any) -> Any:
        spec = spec_of(request)
        check_model(self._model, spec)
        name = signature_name(spec)
        signature = self._model.signatures.get(name)
        if signature is None:
            raise invalid(f"No signature was found with the name: {name}")
        reading = reading_of(signature, checks_method=self._checks_methods)
        arrays, n_examples = self._run(request.input, [reading])
        reply.model_spec.CopyFrom(resolved(self._model, name))
        reading.fill(reply.result, n_examples, arrays)
        return reply

    def _readings(self, tasks: Any) -> dict[str, tuple[Classification | Regression, str]]:
        """How each task's signature is read, by its name, and the field for its result."""
        readings: dict[str, tuple[Classification | Regression, str]] = {}
        for task in tasks:
            if not task.model_spec.name:
                raise invalid("Found ModelSpec with an empty model name.")
            if task.model_spec.name != self._model.name:
                raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
            name = signature_name(task.model_spec)
            if name in readings:
                raise invalid(f"Duplicate evaluation of signature: {name}")
            if name not in self._model.signatures:
                raise invalid(f"Requested signature not found in model graph: {name}")
            if task.method_name not in _TASKS:
                message = f"Unsupported signature method_name: {task.method_name}"
                raise RequestError(grpc.StatusCode.UNIMPLEMENTED, message)
            reading_of, field = _TASKS[task.method_name]
            reading = reading_of(self._model.signatures[name], checks_method=self._checks_methods)
            if any(reading.input.name != other.input.name for other, _ in readings.values()):
                raise invalid("Input tensor must be the same for all Signatures.")
            readings[name] = reading, field
        return readings

    def _run(self, given: Any, readings: list[Classification | Regression]) -> tuple[list[Any], int]:
        """The outputs of all readings, in order, and the number of examples that they are of."""
        examples = serialized(given)
        outputs = [tensor.handle for reading in readings for tensor in reading.outputs]
        return self._model.run({readings[0].input.handle: examples}, outputs), len(examples)
