"""Arrays by the names of inputs: which input takes which, how they fit, and archives that hold them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tfsload.analysis.thresholds import parse
from tfsload.datasets.dataset import DataError, Dataset, load
from tfsload.prediction.hooks import NO_HOOKS, Hook, Hooks
from tfsload.run.kinds import by_name, hook_faults, kinds_of
from tfsload.settings.settings import Settings, SettingsError
from tfsload.target.call_finding import NoCallError, find_call
from tfsload.target.fired import Fired
from tfsload.transport.call_spec import CLASSIFY, GIVEN, PREDICT, VALUES, CallSpec
from tfsload.transport.given_array import UNNAMED, GivenArray, GivenArrayError, fitted, tensors_of
from tfsload.transport.grpc.codec import RequestEncoder
from tfsload.transport.grpc.readers import reader_for
from tfsload.transport.protos import predict_pb2
from tfsload.transport.signature import SignatureDescribed, TensorDescribed
from tfsload.transport.tensors import fill_proto, to_array

F32, F64, U8, I64 = np.float32, np.float64, np.uint8, np.int64
TEXTS = np.array([b"a", b"bc"], object)


def ones(dtype, *shape):
    return np.ones((2, *shape), dtype)


@pytest.mark.parametrize(
    ("dtype", "shape", "array", "per_request", "sent"),
    [
        pytest.param("DT_FLOAT", (-1, 3), ones(F32, 3), 2, (F32, (2, 3)), id="as-it-is"),
        pytest.param("DT_FLOAT", (-1, 3), ones(F64, 3), 2, (F32, (2, 3)), id="double"),
        pytest.param("DT_HALF", (-1, 3), ones(F32, 3), 2, (np.float16, (2, 3)), id="half"),
        pytest.param("DT_FLOAT", (-1, 28, 28, 1), ones(F32, 28, 28), 2, (F32, (2, 28, 28, 1)), id="channel"),
        pytest.param("DT_FLOAT", (-1, 784), ones(F32, 28, 28), 2, (F32, (2, 784)), id="flat"),
        pytest.param("DT_FLOAT", (-1, -1, 3), ones(F32, 5, 3), 2, (F32, (2, 5, 3)), id="open"),
        pytest.param("DT_FLOAT", None, ones(F32, 5, 3), 2, (F32, (2, 5, 3)), id="any-rank"),
        pytest.param("DT_FLOAT", (-1,), ones(F32), 2, (F32, (2,)), id="number"),
        pytest.param("DT_FLOAT", (-1, 1), ones(F32), 2, (F32, (2, 1)), id="number-in-a-column"),
        pytest.param("DT_FLOAT", (), ones(F32)[:1], 1, (F32, ()), id="one-a-request"),
        pytest.param("DT_FLOAT", (3,), ones(F32, 3)[:1], 1, (F32, (3,)), id="no-dimension-of-examples"),
        pytest.param("DT_FLOAT", (4, 3), ones(F32, 3), 4, (F32, (4, 3)), id="fixed-and-filled-up"),
        pytest.param("DT_INT64", (-1,), ones(U8), 2, (I64, (2,)), id="whole"),
        pytest.param("DT_UINT8", (-1,), ones(I64), 2, (U8, (2,)), id="whole-that-it-holds"),
        pytest.param("DT_BOOL", (-1,), ones(np.bool_), 2, (np.bool_, (2,)), id="bool"),
        pytest.param("DT_STRING", (-1,), TEXTS, 2, (object, (2,)), id="texts"),
        pytest.param("DT_FLOAT", (-1,), np.array([np.inf, np.nan]), 2, (F32, (2,)), id="not-finite"),
    ],
)
def test_they_fit(dtype, shape, array, per_request, sent):
    spec = fitted("x", TensorDescribed(dtype, shape), GivenArray.of(array), per_request, "Mine.encode")

    tensor = tensors_of((spec,), {"x": array})["x"]

    assert (tensor.dtype, tensor.shape) == sent
    flat = tensor.ravel().tolist()[: array.size]
    np.testing.assert_array_equal(np.array(flat, array.dtype), array.ravel())


@pytest.mark.parametrize(
    ("dtype", "shape", "array", "per_request", "expected"),
    [
        pytest.param("DT_FLOAT", (-1, 3), ones(F32, 4), 1, "[3] each", id="size"),
        pytest.param("DT_FLOAT", (-1, -1, 3), ones(F32, 15), 1, "[-1, 3] each", id="rank"),
        pytest.param("DT_FLOAT", (-1, 3), ones(U8, 3), 1, "float32, such as image / np.float32(255)", id="bytes"),
        pytest.param("DT_FLOAT", (-1, 3), ones(I64, 3), 1, "float32", id="whole-for-float"),
        pytest.param("DT_INT64", (-1,), ones(F32), 1, "int64", id="float-for-whole"),
        pytest.param("DT_BOOL", (-1,), ones(U8), 1, "bool", id="whole-for-bool"),
        pytest.param("DT_STRING", (-1,), ones(U8), 1, "bytes or str", id="number-for-text"),
        pytest.param("DT_FLOAT", (-1,), TEXTS, 1, "float32", id="text-for-number"),
        pytest.param("DT_UINT8", (-1,), np.array([3, 256]), 1, "numbers from 0 to 255, found 256", id="too-high"),
        pytest.param("DT_UINT8", (-1,), np.array([-1, 2]), 1, "numbers from 0 to 255, found -1", id="too-low"),
        pytest.param("DT_HALF", (-1,), np.array([1e5, 0]), 1, "numbers that float16 holds, found 100000", id="half"),
        pytest.param("DT_FLOAT", (4, 3), ones(F32, 3), 1, "4 in each request: pass --images-per-request 4", id="fixed"),
        pytest.param("DT_FLOAT", (3,), ones(F32, 3), 2, "one in each request: leave --images-per-request out", id="1"),
        pytest.param("DT_RESOURCE", (), ones(F32), 1, "nothing can be sent there", id="resource"),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(dtype, shape, array, per_request, expected):
    with pytest.raises(GivenArrayError) as caught:
        fitted("x", TensorDescribed(dtype, shape), GivenArray.of(array), per_request, "Mine.encode")

    assert str(caught.value) == expected


# Which input takes which

SCORES = {"scores": TensorDescribed("DT_FLOAT", (-1, 10))}
IMAGE, NUMBER = TensorDescribed("DT_FLOAT", (-1, 28, 28)), TensorDescribed("DT_FLOAT", (-1,))
TWINS = {"a": SCORES["scores"], "b": SCORES["scores"]}
PRICE = {"price": TensorDescribed("DT_FLOAT", (-1, 1))}


def signature(inputs, outputs=SCORES, defaults=(), method=PREDICT):
    return SignatureDescribed(method, inputs, outputs, frozenset(defaults))


def found(arrays, signatures, judged_by="", **options):
    given = {name: GivenArray.of(array) for name, array in arrays.items()}
    fired = Fired((0, 0), 0, 9, given=given, by="Mine.encode", by_words="Mine.encode (cost)", judged_by=judged_by)
    if options.pop("is_unlabelled", False):
        fired = replace(fired, lowest=None, highest=None)
    return find_call(Settings.parse(options, None).model, signatures, fired)


TWO = {"serving_default": signature({"image": IMAGE, "threshold": NUMBER})}
BOTH = {"image": ones(F32, 28, 28), "threshold": ones(F64)}


def test_two_inputs_take_arrays_by_name():
    spec = found(BOTH, TWO)

    assert [(one.name, one.shape) for one in spec.given] == [("image", (28, 28)), ("threshold", ())]
    assert (spec.input.name, spec.input.form, spec.output.name) == ("image", GIVEN, "scores")
    assert spec.words == (
        "image [-1, 28, 28] float ← float32 [28, 28] of Mine.encode (cost) · threshold [-1] float ← float64 of "
        "Mine.encode · scores [-1, 10] float → class by the highest"
    )
    assert CallSpec.from_text(spec.to_text()) == spec


def test_what_is_sent_is_what_was_given():
    model = Settings.parse({}, None).model
    message = predict_pb2.PredictRequest.FromString(RequestEncoder(model, found(BOTH, TWO)).encode(BOTH))

    sent = {name: to_array(tensor) for name, tensor in message.inputs.items()}
    assert {name: (array.dtype, array.shape) for name, array in sent.items()} == {
        "image": (F32, (2, 28, 28)),
        "threshold": (F32, (2,)),
    }
    assert list(message.output_filter) == ["scores"]


def test_one_array_is_for_the_input_that_is_left():
    one = {UNNAMED: ones(F32, 28, 28)}

    assert found(one, TWO, input="threshold=0.5").given[0].name == "image"
    assert found(one, TWO, input="threshold=0.5").further[0].text == "0.5"
    defaulted = {"serving_default": signature({"image": IMAGE, "threshold": NUMBER}, defaults=["threshold"])}
    assert found(one, defaulted).given[0].name == "image"
    twins = {"serving_default": signature({"a": IMAGE, "b": IMAGE})}
    assert found(one, twins, input_name="b", input="a=0").given[0].name == "b"


def test_the_signature_is_the_one_whose_inputs_they_name():
    signatures = {"serving_default": signature({"x": IMAGE}), "other": signature({"image": IMAGE, "threshold": NUMBER})}

    assert found(BOTH, signatures).signature_name == "other"


@pytest.mark.parametrize(
    ("arrays", "signatures", "options", "message"),
    [
        pytest.param(
            {"imag": ones(F32, 28, 28), "threshold": ones(F32)}, TWO, {},
            "Mine.encode gives 'imag': signature 'serving_default' has no such input (did you mean 'image'?); it has "
            "image, threshold", id="near",
        ),
        pytest.param({**BOTH, "xyz": ones(F32)}, TWO, {}, "gives 'xyz': signature 'serving_default' has no such input",
                     id="far"),
        pytest.param(
            {"image": ones(F32, 28, 28)}, TWO, {},
            "also wants the input 'threshold', DT_FLOAT [-1]: have Mine.encode give it, or pass --input threshold=",
            id="missing",
        ),
        pytest.param(
            {**BOTH, "image": ones(U8, 28, 28)}, TWO, {},
            "Mine.encode gives uint8 [28, 28]: the input 'image' is DT_FLOAT [-1, 28, 28], expected float32, such as",
            id="dtype",
        ),
        pytest.param(BOTH, TWO, {"input": "threshold=1"}, "--input 'threshold=1': Mine.encode gives that one; leave",
                     id="given-twice"),
        pytest.param(BOTH, TWO, {"pixel_scale": "0..1"}, "--pixel-scale '0..1': what Mine.encode gives is sent",
                     id="scale"),
        pytest.param(
            {UNNAMED: ones(F32, 3, 3)}, TWO, {},
            "gives one array, float32 [3, 3], and signature 'serving_default' has the inputs image (DT_FLOAT [-1, 28, "
            "28]), threshold (DT_FLOAT [-1]): give arrays by name", id="one-for-two",
        ),
        pytest.param({UNNAMED: ones(F32, 3)}, TWO, {"input_name": "x"}, "has no input 'x': pass --input-name with",
                     id="input-name"),
        pytest.param(
            BOTH, {"serving_default": signature({"inputs": TensorDescribed("DT_STRING", (-1,))}, method=CLASSIFY)}, {},
            "is called over Classify, which takes images as tf.Examples", id="classify",
        ),
    ],
)  # fmt: skip
def test_what_no_input_takes_is_refused(arrays, signatures, options, message):
    with pytest.raises(NoCallError) as caught:
        found(arrays, signatures, **options)

    assert any(message in fault for fault in caught.value.faults), caught.value.faults


@pytest.mark.parametrize(
    ("outputs", "options", "kind", "asks_for"),
    [
        pytest.param(SCORES, {}, "scores", (), id="a-class-is-read-too"),
        pytest.param(PRICE, {}, VALUES, (), id="no-class"),
        pytest.param(TWINS, {}, VALUES, (), id="several-that-say-one"),
        pytest.param({**PRICE, **SCORES}, {"output_name": "price"}, VALUES, ("price",), id="the-one-that-is-named"),
        pytest.param({"scores": TensorDescribed("DT_FLOAT", (-1, 3))}, {}, "scores", (), id="fewer-than-labels"),
    ],
)
def test_a_class_that_judges_takes_any_output(outputs, options, kind, asks_for):
    signatures = {"serving_default": signature(TWO["serving_default"].inputs, outputs)}
    spec = found(BOTH, signatures, "Mine.is_right", **options)

    assert (spec.output.kind, spec.asks_for, spec.judged_by) == (kind, asks_for, "Mine.is_right")
    assert CallSpec.from_text(spec.to_text()) == spec


@pytest.mark.parametrize(
    ("batch", "shape", "is_whole"),
    [
        pytest.param(-1, (-1, 3), False, id="any-number"),
        pytest.param(-1, (4, 3), True, id="as-many-by-chance"),
        pytest.param(-1, (4,), True, id="as-many-by-chance-in-a-row"),
        pytest.param(4, (4, 3), False, id="both-fixed"),
        pytest.param(4, (3,), True, id="both-fixed-and-not-the-same"),
        pytest.param(-1, None, False, id="of-any-rank"),
        pytest.param(-1, (), True, id="one-value"),
    ],
)
def test_an_output_is_of_images_by_the_signature_and_not_by_how_many_are_sent(batch, shape, is_whole):
    inputs, outputs = {"image": TensorDescribed("DT_FLOAT", (batch, 28, 28))}, {"x": TensorDescribed("DT_FLOAT", shape)}
    signatures = {"serving_default": signature(inputs, {**outputs, **PRICE})}
    spec = found({"image": ones(F32, 28, 28)}, signatures, "Mine.is_right", images_per_request="4")

    assert spec.whole == (("x",) if is_whole else ())
    assert CallSpec.from_text(spec.to_text()) == spec
    message = predict_pb2.PredictResponse()
    fill_proto(message.outputs["x"], np.ones((4, 3), np.float32), as_content=True)
    answer = reader_for(spec, 4).read(message.SerializeToString())
    assert {one.outputs["x"].shape for one in answer.images} == {(4, 3) if is_whole else (3,)}


def test_without_labels_any_output_will_do_but_one_is_not_guessed():
    def of(outputs):
        return {"serving_default": signature(TWO["serving_default"].inputs, outputs)}

    assert found(BOTH, of(PRICE), is_unlabelled=True).output.kind == VALUES
    assert found(BOTH, of({**PRICE, **SCORES}), is_unlabelled=True).output.name == "scores"
    with pytest.raises(NoCallError, match="several outputs that say a class"):
        found(BOTH, of(TWINS), is_unlabelled=True)
    with pytest.raises(NoCallError, match="has one score for each image"):
        found(BOTH, of(PRICE))


def test_a_class_that_judges_needs_an_output_of_the_name_that_is_given():
    with pytest.raises(NoCallError, match="has no output 'x'"):
        found(BOTH, TWO, "Mine.is_right", output_name="x")


# Archives


def saved(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def test_an_archive_s_arrays_are_fired_by_name(tmp_path):
    data = load(saved(tmp_path / "x.npz", a=ones(F32, 3), b=np.array(["ä", "b"]), labels=np.array([[4], [5]])))

    assert {name: array.dtype for name, array in data.arrays.items()} == {"a": F32, "b": object}
    assert data.arrays["b"].tolist() == ["ä".encode(), b"b"]
    assert (data.labels.tolist(), data.label_range, data.targets, len(data)) == ([4, 5], (4, 5), None, 2)
    assert data.images.shape == (2, 0, 0)
    first = data.first(1)
    assert (len(first), first.arrays["a"].shape, first.labels.tolist()) == (1, (1, 3), [4])
    assert "arrays that are sent as they are, a, b, and labels" in data.remarks[0]


@pytest.mark.parametrize(
    ("labels", "targets"),
    [
        pytest.param({"labels": np.array([1.5, 2])}, [1.5, 2.0], id="floats"),
        pytest.param({"labels": np.array([-1, 2])}, [-1, 2], id="negative"),
        pytest.param({"y": ones(F32, 2)}, [[1, 1], [1, 1]], id="several-each"),
        pytest.param({"labels": np.array(["ä", "b"])}, ["ä", "b"], id="texts"),
        pytest.param({"labels": np.array([b"a", b"b"])}, ["a", "b"], id="texts-as-bytes"),
        pytest.param({"labels": np.array([b"\xff", b"b"])}, [b"\xff", b"b"], id="bytes-that-are-no-text"),
        pytest.param({"labels": np.array([1_000_000, 3])}, [1_000_000, 3], id="beyond-all-classes"),
    ],
)
def test_labels_that_are_no_classes_are_kept_for_whoever_judges(tmp_path, labels, targets):
    data = load(saved(tmp_path / "x.npz", a=ones(F32, 3), **labels))

    assert data.labels is None
    assert data.targets.tolist() == data.targets_or_labels.tolist() == targets
    (fault,) = hook_faults([((), NO_HOOKS)], (), data)
    assert (
        "and no classes: save whole numbers from 0 to 999,999, or have an is_right of your own judge answers" in fault
    )


def test_images_may_have_labels_beyond_all_classes_for_whoever_judges(tmp_path):
    data = load(saved(tmp_path / "x.npz", images=ones(U8, 4, 4), labels=np.array([[7], [2_000_000]])))

    assert (data.labels, data.targets.tolist(), data.images.shape) == (None, [7, 2_000_000], (2, 4, 4))
    (fault,) = hook_faults([((), NO_HOOKS)], (), data)
    assert "its labels are int64 each, the highest 2,000,000, and no classes" in fault


@pytest.mark.parametrize(
    ("arrays", "are_images"),
    [
        pytest.param({"images": ones(U8, 4, 4), "labels": np.arange(2)}, True, id="images"),
        pytest.param({"images": ones(U8, 4, 4, 1), "ids": np.arange(2)}, True, id="pixels-and-more"),
        pytest.param({"x_test": ones(U8, 4, 4), "extra": ones(F32)}, True, id="keras"),
        pytest.param({"images": ones(F32, 16), "threshold": ones(F32)}, False, id="no-pixels-and-more"),
        pytest.param({"image": ones(U8, 4, 4)}, False, id="another-name"),
        pytest.param({"image": ones(U8, 4, 4), "y": np.arange(2)}, False, id="y-is-labels"),
    ],
)
def test_which_archive_is_a_set_of_images(tmp_path, arrays, are_images):
    assert bool(load(saved(tmp_path / "x.npz", **arrays)).arrays) != are_images


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        pytest.param({"a": ones(F32), "b": np.ones(3)}, "is equally long, found a 2, b 3", id="lengths"),
        pytest.param({"a": ones(F32), "labels": np.ones(3)}, "found a 2, the labels 3", id="length-of-labels"),
        pytest.param({"a": np.float32(1)}, "a: expected an array whose first axis is the example", id="no-axis"),
        pytest.param({"a": np.ones((0, 3))}, "a: expected at least one item", id="empty"),
        pytest.param({"a": np.array(["2020"], "M8[Y]")}, "a: expected numbers or texts, found datetime64", id="dates"),
        pytest.param({"a": np.array([object()])}, "a: expected numbers, found Python objects", id="objects"),
    ],
)
def test_archives_that_cannot_be_fired_are_refused(tmp_path, arrays, message):
    with pytest.raises(DataError, match=message.replace("(", r"\(")):
        load(saved(tmp_path / "x.npz", **arrays))


def test_images_know_what_lies_beside_them_and_can_be_had_with_it_by_name(tmp_path):
    path = saved(tmp_path / "x.npz", images=ones(U8, 4, 4), ids=np.arange(2), labels=np.array([4, 5]))
    data = load(path)

    assert (data.beside, data.arrays, load("mnist5k").beside) == (("ids",), {}, ())
    named = data.first(1).by_name()
    assert {name: array.shape for name, array in named.arrays.items()} == {"ids": (1,), "images": (1, 4, 4)}
    assert (named.labels.tolist(), named.label_range) == ([4], (4, 5))
    Path(path).unlink()
    with pytest.raises(DataError, match="expected a readable file, found: No such file"):
        data.by_name()


def test_what_lies_beside_images_is_sent_where_that_is_what_was_missing(tmp_path):
    path = saved(tmp_path / "x.npz", images=ones(U8, 4, 4), ids=np.arange(2), one=np.float32(1))
    (kind,) = kinds_of(load(path), [])
    assert by_name(kind, ["signature 's' also wants the input 'other'"]) is None
    assert by_name(kind, ["output 'ids' scores 3 classes and the data set's labels need 10"]) is None
    with pytest.raises(SettingsError, match="one: expected an array whose first axis is the example"):
        by_name(kind, ["signature 's' also wants the input 'ids', DT_INT64 [-1]"])


def test_other_arrays_have_another_fingerprint(tmp_path):
    prints = {
        load(saved(tmp_path / f"{place}.npz", **arrays)).fingerprint
        for place, arrays in enumerate(
            [{"a": ones(F32)}, {"b": ones(F32)}, {"a": ones(F64)}, {"a": ones(F32), "y": np.array([0.5, 1])},
             {"a": 2 * ones(F32)}, {"a": np.array(["x", "y"])}, {"a": np.array(["x", "z"])}]
        )
    }  # fmt: skip
    assert len(prints) == 7


JUDGES = Hooks(None, Hook("Mine.is_right", lambda *_: True, ()))
UNLABELLED = Dataset("mine", ones(U8, 4, 4), None)
LABELLED = Dataset("mine", ones(U8, 4, 4), np.array([1, 2], U8))


@pytest.mark.parametrize(
    ("kinds", "dataset", "threshold", "faults"),
    [
        pytest.param([((), NO_HOOKS)], LABELLED, "recall[1] > 5%", [], id="plain"),
        pytest.param([(("A",), JUDGES)], LABELLED, "error_rate < 5%; right_rate[9ms] > 1", [], id="judged"),
        pytest.param([(("A",), JUDGES)], UNLABELLED, "error_rate < 5%", [], id="judged-without-labels"),
        pytest.param(
            [(("A",), JUDGES)], LABELLED, "recall[1] > 5%", ["is_right says which answers are right"], id="no"
        ),
        pytest.param(
            [(("A",), JUDGES), (("B",), NO_HOOKS)],
            UNLABELLED,
            "p99 < 1s",
            ["answers to users of B are"],
            id="half",
        ),
        pytest.param([(("A",), JUDGES), (("B",), NO_HOOKS)], LABELLED, "p99 < 1s", [], id="half-with-labels"),
    ],
)
def test_what_cannot_be_judged_is_refused(kinds, dataset, threshold, faults):
    found = hook_faults(kinds, parse(threshold), dataset)

    assert len(found) == len(faults)
    assert all(part in fault for part, fault in zip(faults, found, strict=True))
