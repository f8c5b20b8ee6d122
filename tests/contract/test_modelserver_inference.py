"""Classify, Regress and MultiInference of the embedded server: what they answer, and TensorFlow Serving's words."""

import grpc
import numpy as np
import pytest

from tests.support.inference_model import (
    CLASSIFY,
    LABELS,
    PREDICT,
    REGRESS,
    an_example,
    classification,
    examples,
    regression,
    tasks,
)
from tests.support.inference_model import inference as inference
from tests.support.inference_model import inference_base_path as inference_base_path
from tests.support.inference_model import strict_inference as strict_inference
from tests.support.modelserver_fixtures import DEADLINE_S, MODEL, VERSION
from tfsload.transport.protos import classification_pb2, input_pb2, predict_pb2, types_pb2

CODE = grpc.StatusCode
INVALID = CODE.INVALID_ARGUMENT
EMPTY = input_pb2.Input()
NO_EXAMPLES = input_pb2.Input(example_list=input_pb2.ExampleList())


def classify(client, request):
    return client.prediction.Classify(request, timeout=DEADLINE_S)


def rows(result) -> list[list[tuple[str, float]]]:
    """(label, score) of each class of each example."""
    return [[(one.label, one.score) for one in row.classes] for row in result.classifications]


def values(result) -> list[float]:
    return [one.value for one in result.regressions]


def with_context(x_of_example: float, **context: float):
    """An `Input` of one example, and a context."""
    given = input_pb2.ExampleListWithContext(examples=[an_example(x=x_of_example)], context=an_example(**context))
    return input_pb2.Input(example_list_with_context=given)


def changed(request, **spec):
    """A request with another model_spec; None takes the spec away."""
    if spec.get("version") is not None:
        request.model_spec.version.value = spec.pop("version")
    for name, value in spec.items():
        setattr(request.model_spec, name, value)
    return request


def without_spec(request):
    request.ClearField("model_spec")
    return request


class TestClassify:
    @pytest.mark.parametrize(
        ("signature", "want"),
        [
            pytest.param("", [[("low", 0.25), ("mid", 0.25), ("high", 1)], [("low", 0.5), ("mid", 0.5), ("high", 1)]],
                         id="both"),
            pytest.param("classes_alone", [[(label, 0) for label in LABELS]] * 2, id="classes"),
            pytest.param("scores_alone", [[("", 0.25), ("", 0.25), ("", 1)], [("", 0.5), ("", 0.5), ("", 1)]],
                         id="scores"),
            pytest.param("as_predict", [[("low", x), ("mid", x), ("high", 1)] for x in (0.25, 0.5)],
                         id="made-for-predict"),
        ],
    )  # fmt: skip
    def test_labels_and_scores(self, inference, signature, want):
        assert rows(classify(inference, classification(signature)).result) == want

    def test_a_context_goes_with_each_example(self, inference):
        request = classification(given=with_context(0.25, offset=0.5))
        assert rows(classify(inference, request).result) == [[("low", 0.25), ("mid", 0.75), ("high", 1)]]

    def test_an_example_overrules_its_context(self, inference):
        request = classification(given=with_context(0.25, x=9, offset=0.5))
        assert rows(classify(inference, request).result) == [[("low", 0.25), ("mid", 0.75), ("high", 1)]]

    @pytest.mark.parametrize(("asked", "resolved"), [("", "serving_default"), ("scores_alone", "scores_alone")])
    def test_model_spec_of_the_reply(self, inference, asked, resolved):
        spec = classify(inference, classification(asked)).model_spec
        assert (spec.name, spec.signature_name, spec.version.value) == (MODEL, resolved, VERSION)

    def test_predict_reaches_the_same_signature(self, inference):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = MODEL
        tensor = request.inputs["inputs"]
        tensor.dtype = types_pb2.DT_STRING
        tensor.string_val.append(an_example(x=0.25).SerializeToString())
        tensor.tensor_shape.dim.add(size=1)
        outputs = inference.predict(request).outputs
        assert list(outputs["classes"].string_val) == [label.encode() for label in LABELS]
        np.testing.assert_array_equal(outputs["scores"].float_val, [0.25, 0.25, 1])

    @pytest.mark.parametrize(
        ("request_", "code", "details"),
        [
            pytest.param(without_spec(classification()), INVALID, "Missing ModelSpec", id="no-spec"),
            pytest.param(changed(classification(), name=""), INVALID, "ModelSpec has no name specified.", id="no-name"),
            pytest.param(changed(classification(), name="foo"), CODE.NOT_FOUND,
                         "Servable not found for request: Latest(foo)", id="model"),
            pytest.param(changed(classification(), version=9), CODE.NOT_FOUND,
                         "Servable not found for request: Specific(mnist, 9)", id="version"),
            pytest.param(classification("foo"), INVALID, "No signature was found with the name: foo", id="signature"),
            pytest.param(classification(given=EMPTY), INVALID, "Input is empty.", id="no-input"),
            pytest.param(classification(given=NO_EXAMPLES), INVALID, "Input is empty.", id="no-examples"),
            pytest.param(
                classification(given=input_pb2.Input(example_list_with_context=input_pb2.ExampleListWithContext())),
                INVALID, "Input is empty.", id="a-context-without-examples"),
            pytest.param(classification("two_inputs"), INVALID, "Expected one input Tensor.", id="two-inputs"),
            pytest.param(classification("more_outputs"), INVALID,
                         "Expected one or two output Tensors, found 3", id="three-outputs"),
            pytest.param(classification("flat_scores"), INVALID,
                         "Expected Tensor shape: [batch_size num_classes] but got [2]", id="flat-scores"),
            pytest.param(classification("flat_classes"), INVALID,
                         "Expected Tensor shape: [batch_size num_classes] but got [3]", id="flat-classes"),
            pytest.param(classification("double_scores"), INVALID,
                         "Expected scores Tensor of DT_FLOAT. Got: DT_DOUBLE", id="double-scores"),
            pytest.param(classification("number_classes"), INVALID,
                         "Expected classes Tensor of DT_STRING. Got: DT_INT64", id="number-classes"),
            pytest.param(classification("one_row"), INVALID,
                         "Expected scores output batch size of 2. Got: 1", id="fewer-rows-of-scores"),
            pytest.param(classification("one_row_of_classes"), INVALID,
                         "Expected classes output batch size of 2. Got: 1", id="fewer-rows-of-classes"),
            pytest.param(classification("fewer_scores"), INVALID,
                         "Tensors class and score should match in dim_size(1). Got 3 vs. 2", id="fewer-scores"),
            pytest.param(classification("takes_numbers"), INVALID,
                         "Expects arg[0] to be float but string is provided", id="takes-numbers"),
            pytest.param(classification("not_utf8"), CODE.INTERNAL,
                         r"the label b'\xff' is not UTF-8, which the label of a class must be", id="not-utf8"),
        ],
    )  # fmt: skip
    def test_word_for_word(self, inference, request_, code, details):
        assert inference.fault(inference.prediction.Classify, request_) == (code, details)

    @pytest.mark.parametrize(
        ("signature", "begin", "shown"),
        [
            pytest.param("other_input_name", "No classification inputs found in SignatureDef: ", 'key: "examples"',
                         id="input"),
            pytest.param("no_output", "Expected classification signature outputs to contain at least one of "
                         '"classes" or "scores". Signature was: ', 'key: "x"', id="outputs"),
        ],
    )  # fmt: skip
    def test_other_names_are_shown_with_the_signature(self, inference, signature, begin, shown):
        code, details = inference.fault(inference.prediction.Classify, classification(signature))
        assert code == INVALID
        assert details.startswith(begin)
        assert shown in details

    def test_an_example_that_the_model_cannot_read(self, inference):
        given = input_pb2.Input(example_list=input_pb2.ExampleList(examples=[an_example(y=1)]))
        code, details = inference.fault(inference.prediction.Classify, classification(given=given))
        assert code == INVALID
        assert "Feature: x (data type: float) is required but could not be found." in details

    def test_bytes_that_are_no_request(self, inference):
        call = inference.channel.unary_unary("/tensorflow.serving.PredictionService/Classify")
        with pytest.raises(grpc.RpcError):
            call(b"\xff", timeout=DEADLINE_S)
        assert classify(inference, classification()).HasField("result")


class TestRegress:
    @pytest.mark.parametrize("signature", ["regress", "regress_column", "regress_as_predict"])
    def test_values(self, inference, signature):
        reply = inference.prediction.Regress(regression(signature), timeout=DEADLINE_S)
        assert values(reply.result) == [0.25, 0.5]
        assert (reply.model_spec.signature_name, reply.model_spec.version.value) == (signature, VERSION)

    def test_a_context_goes_with_each_example(self, inference):
        request = regression(given=with_context(0.25, offset=0.5))
        assert values(inference.prediction.Regress(request, timeout=DEADLINE_S).result) == [0.75]

    @pytest.mark.parametrize(
        ("request_", "code", "details"),
        [
            pytest.param(without_spec(regression()), INVALID, "Missing ModelSpec", id="no-spec"),
            pytest.param(regression("foo"), INVALID, "No signature was found with the name: foo", id="signature"),
            pytest.param(regression(given=EMPTY), INVALID, "Input is empty.", id="no-input"),
            pytest.param(regression("regress_two_inputs"), INVALID, "Expected one input Tensor.", id="two-inputs"),
            pytest.param(regression("regress_two"), INVALID, "Expected one output Tensor.", id="two-outputs"),
            pytest.param(regression(""), INVALID, "Expected one output Tensor.", id="one-that-classifies"),
            pytest.param(regression("regress_wide"), INVALID, "Expected output Tensor shape to be either [batch_size] "
                         "or [batch_size, 1] but got [2,3]", id="wide"),
            pytest.param(regression("regress_row"), INVALID,
                         "Input batch size did not match output batch size: 2 vs. 1", id="fewer-rows"),
            pytest.param(regression("regress_double"), INVALID,
                         "Expected output Tensor of DT_FLOAT.  Got: DT_DOUBLE", id="double"),
        ],
    )  # fmt: skip
    def test_word_for_word(self, inference, request_, code, details):
        assert inference.fault(inference.prediction.Regress, request_) == (code, details)

    @pytest.mark.parametrize(
        ("signature", "begin"),
        [
            ("regress_other_input_name", "No regression inputs found in SignatureDef: "),
            ("regress_other_name", "No regression outputs found in SignatureDef: "),
        ],
    )
    def test_other_names_are_shown_with_the_signature(self, inference, signature, begin):
        code, details = inference.fault(inference.prediction.Regress, regression(signature))
        assert (code, details.startswith(begin), "method_name" in details) == (INVALID, True, True)


class TestMultiInference:
    def test_answers_of_all_tasks(self, inference):
        request = tasks(("regress", REGRESS), ("", CLASSIFY), ("scores_alone", CLASSIFY))
        reply = inference.prediction.MultiInference(request, timeout=DEADLINE_S)
        specs = [(one.model_spec.name, one.model_spec.signature_name) for one in reply.results]
        assert specs == [(MODEL, name) for name in ("regress", "serving_default", "scores_alone")]
        assert values(reply.results[0].regression_result) == [0.25, 0.5]
        one, two = (classify(inference, classification(name)).result for name in ("", "scores_alone"))
        assert [result.classification_result for result in reply.results[1:]] == [one, two]

    @pytest.mark.parametrize(
        ("request_", "code", "details"),
        [
            pytest.param(tasks(), INVALID, "ModelSpec has no name specified.", id="no-task"),
            pytest.param(tasks(("foo", CLASSIFY)), INVALID,
                         "Requested signature not found in model graph: foo", id="signature"),
            pytest.param(tasks(("", CLASSIFY), ("serving_default", CLASSIFY)), INVALID,
                         "Duplicate evaluation of signature: serving_default", id="twice"),
            pytest.param(tasks(("as_predict", PREDICT)), CODE.UNIMPLEMENTED,
                         f"Unsupported signature method_name: {PREDICT}", id="predict"),
            pytest.param(tasks(("", CLASSIFY), ("other_tensor", REGRESS)), INVALID,
                         "Input tensor must be the same for all Signatures.", id="other-input"),
            pytest.param(tasks(("", CLASSIFY), ("regress_two", REGRESS)), INVALID, "Expected one output Tensor.",
                         id="one-that-cannot-be-called"),
            pytest.param(tasks(("", CLASSIFY), given=EMPTY), INVALID, "Input is empty.", id="no-input"),
        ],
    )  # fmt: skip
    def test_word_for_word(self, inference, request_, code, details):
        assert inference.fault(inference.prediction.MultiInference, request_) == (code, details)

    @pytest.mark.parametrize(
        ("name", "details"),
        [
            ("", "Found ModelSpec with an empty model name."),
            ("foo", "All ModelSpecs in a MultiInferenceRequest must access the same model name."),
        ],
    )
    def test_another_model_in_a_later_task(self, inference, name, details):
        request = tasks(("", CLASSIFY), ("regress", REGRESS))
        request.tasks[1].model_spec.name = name
        assert inference.fault(inference.prediction.MultiInference, request) == (INVALID, details)


class TestMethodNameCheck:
    """With --enable_signature_method_name_check."""

    def test_what_was_made_for_it_is_called(self, strict_inference):
        assert len(rows(classify(strict_inference, classification()).result)) == 2
        reply = strict_inference.prediction.Regress(regression(), timeout=DEADLINE_S)
        assert values(reply.result) == [0.25, 0.5]

    @pytest.mark.parametrize(
        ("method", "request_", "details"),
        [
            pytest.param("Classify", classification("as_predict"),
                         f"Expected classification signature method_name to be {CLASSIFY}. Was: {PREDICT}",
                         id="classify"),
            pytest.param("Regress", regression("regress_as_predict"),
                         f"Expected regression signature method_name to be {REGRESS}. Was: {PREDICT}", id="regress"),
            pytest.param("MultiInference", tasks(("as_predict", CLASSIFY)),
                         f"Expected classification signature method_name to be {CLASSIFY}. Was: {PREDICT}",
                         id="multi-inference"),
        ],
    )  # fmt: skip
    def test_what_was_made_for_another_method(self, strict_inference, method, request_, details):
        call = getattr(strict_inference.prediction, method)
        assert strict_inference.fault(call, request_) == (INVALID, details)

    def test_predict_of_a_method_of_ones_own(self, strict_inference, inference):
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = MODEL, "own_method"
        assert strict_inference.fault(strict_inference.prediction.Predict, request) == (
            CODE.INTERNAL,
            f"Expected prediction signature method_name to be one of {{{PREDICT}, {CLASSIFY}, {REGRESS}}}. "
            "Was: own/method",
        )
        code, _ = inference.fault(inference.prediction.Predict, request)
        assert code == INVALID  # of its missing input: the method was not looked at


def test_a_reply_without_classes_still_has_a_result(inference):
    """A client tells an empty result from none."""
    reply = classify(inference, classification("classes_alone", examples(1)))
    assert classification_pb2.ClassificationResponse.FromString(reply.SerializeToString()).HasField("result")
