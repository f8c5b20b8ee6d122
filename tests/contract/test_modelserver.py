"""The embedded server over gRPC: right answers, and TensorFlow Serving's words for bad requests."""

import contextlib
import socket
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.support.modelserver_fixtures import (
    DEADLINE_S,
    MODEL,
    VERSION,
    Client,
    images,
    request,
    softmax,
)
from tests.support.modelserver_fixtures import client as client
from tests.support.modelserver_fixtures import model_base_path as model_base_path
from tests.support.modelserver_fixtures import server as server
from tests.support.runs import wait_until
from tfsload.modelserver.flags import schedulable_cpus
from tfsload.target.launcher import EmbeddedServer, ServerStartError
from tfsload.transport.protos import get_model_metadata_pb2, get_model_status_pb2, predict_pb2, types_pb2

CODE = grpc.StatusCode
FLOAT, DOUBLE, STRING = types_pb2.DT_FLOAT, types_pb2.DT_DOUBLE, types_pb2.DT_STRING
# The most work a test asks for: some seconds on any machine, unless it is cut short.
LONG = np.array(40_000, "int32")


def scores(reply: predict_pb2.PredictResponse) -> np.ndarray:
    tensor = reply.outputs["scores"]
    return np.array(tensor.float_val, "float32").reshape([dim.size for dim in tensor.tensor_shape.dim])


class TestPredict:
    @pytest.mark.parametrize("count", [1, 3, 64])
    def test_answers_are_those_of_the_weights(self, client, count):
        reply = client.predict(request(images=images(count)))
        np.testing.assert_allclose(scores(reply), softmax(images(count)), rtol=1e-4)
        assert reply.outputs["scores"].dtype == FLOAT
        assert reply.outputs["scores"].tensor_content == b""

    def test_no_image_at_all(self, client):
        assert scores(client.predict(request(images=images(0)))).shape == (0, 10)

    def test_typed_values_mean_the_same_as_bytes(self, client):
        typed = {"dtype": FLOAT, "shape": (1, 784), "float_val": images()[0].tolist()}
        assert scores(client.predict(request(images=typed))) == pytest.approx(softmax(images()), rel=1e-4)

    @pytest.mark.parametrize(
        ("values", "want"),
        [
            pytest.param([0.5], [0.5] * 784, id="one-for-all"),
            pytest.param([0.25, 0.5], [0.25] + [0.5] * 783, id="the-last-for-the-rest"),
            pytest.param([], [0.0] * 784, id="none-is-zeros"),
        ],
    )
    def test_too_few_typed_values(self, client, values, want):
        typed = {"dtype": FLOAT, "shape": (1, 784), "float_val": values}
        expected = softmax(np.array([want], "float32"))
        assert scores(client.predict(request(images=typed))) == pytest.approx(expected, rel=1e-4)

    @pytest.mark.parametrize(
        ("asked", "resolved"),
        [
            pytest.param("", "serving_default", id="none"),
            pytest.param("predict_images", "predict_images", id="named"),
        ],
    )
    def test_model_spec_of_the_reply(self, client, asked, resolved):
        spec = client.predict(request(asked, images=images())).model_spec
        assert (spec.name, spec.signature_name, spec.version.value) == (MODEL, resolved, VERSION)

    def test_version_may_be_named(self, client):
        message = request(images=images())
        message.model_spec.version.value = VERSION
        assert scores(client.predict(message)).shape == (1, 10)

    def test_several_outputs_of_several_types(self, client):
        left, right = np.array([1, 2], "float32"), np.array([0.5, 0.5], "float32")
        outputs = client.predict(request("two_inputs", left=left, right=right)).outputs
        assert sorted(outputs) == ["count", "text", "total"]
        assert list(outputs["total"].float_val) == [1.5, 2.5]
        assert list(outputs["count"].int_val) == [2]
        assert list(outputs["text"].string_val) == [b"1.5", b"2.5"]

    def test_output_filter(self, client):
        one = np.ones(1, "float32")
        reply = client.predict(request("two_inputs", outputs=("count",), left=one, right=one))
        assert list(reply.outputs) == ["count"]

    def test_an_output_that_is_filtered_out_is_not_computed(self, client):
        reply = client.predict(request("half_broken", outputs=("scores",), images=images(2)))
        np.testing.assert_array_equal(scores(reply), images(2))
        code, details = client.fault(client.prediction.Predict, request("half_broken", images=images(2)))
        assert code == CODE.INVALID_ARGUMENT
        assert "StringToNumberOp could not correctly convert string" in details

    def test_tensors_named_by_their_operations(self, client):
        np.testing.assert_array_equal(scores(client.predict(request("by_operation", images=images(2)))), images(2))

    def test_a_signature_without_inputs(self, client):
        np.testing.assert_array_equal(scores(client.predict(request("nothing_taken"))), [1, 2])

    def test_default_of_an_input(self, client):
        reply = client.predict(request("with_default", left=np.ones(1, "float32")))
        assert list(reply.outputs["total"].float_val) == [11.0]

    def test_more_than_the_usual_4_megabytes(self, client):
        assert scores(client.predict(request(images=images(2000)))).shape == (2000, 10)

    def test_many_at_once_are_not_mixed_up(self, client):
        batches = [images(count) for count in range(1, 33)]
        calls = [client.prediction.Predict.future(request(images=batch), timeout=DEADLINE_S) for batch in batches]
        for batch, call in zip(batches, calls, strict=True):
            np.testing.assert_allclose(scores(call.result()), softmax(batch), rtol=1e-4)


def _spec(**changes):
    """A good request with another model_spec; None takes the spec away."""
    message = request(images=images())
    for name, value in changes.items():
        if name == "version":
            message.model_spec.version.value = value
        else:
            setattr(message.model_spec, name, value)
    return message


def _without_spec():
    message = request(images=images())
    message.ClearField("model_spec")
    return message


def _no_values(**fields):
    return request(images={"dtype": FLOAT, "shape": (1, 784), **fields})


ONE = np.ones(1, "float32")
SIZE = "input size does not match signature: "


class TestPredictFaults:
    @pytest.mark.parametrize(
        ("message", "code", "details"),
        [
            pytest.param(_without_spec(), CODE.INVALID_ARGUMENT, "Missing ModelSpec", id="no-spec"),
            pytest.param(_spec(name=""), CODE.INVALID_ARGUMENT, "ModelSpec has no name specified.", id="empty-name"),
            pytest.param(_spec(name="foo"), CODE.NOT_FOUND, "Servable not found for request: Latest(foo)", id="model"),
            pytest.param(
                _spec(version=9),
                CODE.NOT_FOUND,
                "Servable not found for request: Specific(mnist, 9)",
                id="version",
            ),
            pytest.param(
                _spec(version_label="x"),
                CODE.INVALID_ARGUMENT,
                "Unrecognized servable version label: x",
                id="label",
            ),
            pytest.param(
                _spec(signature_name="foo"),
                CODE.FAILED_PRECONDITION,
                'Serving signature key "foo" not found.',
                id="signature",
            ),
            pytest.param(
                request(),
                CODE.INVALID_ARGUMENT,
                SIZE + "0!=1 len({}) != len({images}). Sent extra: {}. Missing but required: {images}.",
                id="no-input",
            ),
            pytest.param(
                request(images=images(), b=ONE),
                CODE.INVALID_ARGUMENT,
                SIZE + "2!=1 len({b,images}) != len({images}). Sent extra: {b}. Missing but required: {}.",
                id="one-input-more",
            ),
            pytest.param(
                request(img=images()),
                CODE.INVALID_ARGUMENT,
                "Signature input alias: images(feed name: x:0) not found in request and no default value "
                "provided. Inputs expected to be in the request {img}, or default input alias set: ",
                id="other-input",
            ),
            pytest.param(
                request("with_default", left=ONE, wrong=ONE),
                CODE.INVALID_ARGUMENT,
                "Inputs contains invalid name. Used request inputs: left, request input: left,wrong",
                id="other-input-beside-a-default",
            ),
            pytest.param(
                _no_values(tensor_content=b"123"),
                CODE.INVALID_ARGUMENT,
                "tensor parsing error: images",
                id="too-few-bytes",
            ),
            pytest.param(_no_values(dtype=0), CODE.INVALID_ARGUMENT, "tensor parsing error: images", id="no-dtype"),
            pytest.param(
                request(images={"dtype": FLOAT, "shape": (-1, 784), "float_val": [1.0]}),
                CODE.INVALID_ARGUMENT,
                "tensor parsing error: images",
                id="negative-size",
            ),
            pytest.param(
                request(images={"dtype": FLOAT, "shape": (2**40, 2**40), "float_val": [1.0]}),
                CODE.INVALID_ARGUMENT,
                "tensor parsing error: images",
                id="vast-size",
            ),
            pytest.param(
                request("echo_string", given={"dtype": STRING, "shape": (2,), "tensor_content": b"\x00\x09a"}),
                CODE.INVALID_ARGUMENT,
                "tensor parsing error: given",
                id="string-lengths",
            ),
            pytest.param(
                request(images=images().astype("float64")),
                CODE.INVALID_ARGUMENT,
                "Expects arg[0] to be float but double is provided",
                id="dtype",
            ),
            pytest.param(
                request(images=images(), outputs=("z",)),
                CODE.INVALID_ARGUMENT,
                "output tensor alias not found in signature: z Outputs expected to be in the set {scores}.",
                id="output",
            ),
            pytest.param(
                request(images=images(), outputs=("scores", "scores")),
                CODE.INVALID_ARGUMENT,
                "duplicate output tensor alias: scores",
                id="output-twice",
            ),
            pytest.param(
                request("sparse", images=images()),
                CODE.INVALID_ARGUMENT,
                "Tensor :0, specified in either feed_devices or fetch_devices was not found in the Graph",
                id="an-input-without-a-tensor",
            ),
            pytest.param(
                request("half_gone", images=images()),
                CODE.INVALID_ARGUMENT,
                "Tensor gone:0, specified in either feed_devices or fetch_devices was not found in the Graph",
                id="an-output-that-the-graph-does-not-have",
            ),
            pytest.param(
                request("half_unsendable", images=images()),
                CODE.UNIMPLEMENTED,
                "the embedded server cannot send the output small: no TensorProto can hold the dtype float8_e5m2",
                id="an-output-of-another-dtype",
            ),
        ],
    )
    def test_word_for_word(self, client, message, code, details):
        assert client.fault(client.prediction.Predict, message) == (code, details)

    def test_inner_size_in_the_words_of_the_op(self, client):
        code, details = client.fault(client.prediction.Predict, request(images=images(size=783)))
        assert code == CODE.INVALID_ARGUMENT
        assert details.startswith("Matrix size-incompatible: In[0]: [1,783], In[1]: [784,10]")

    @pytest.mark.parametrize("signature", ["half_gone", "half_unsendable"])
    def test_what_can_be_answered_of_a_signature_is(self, client, signature):
        reply = client.predict(request(signature, outputs=("scores",), images=images(2)))
        np.testing.assert_array_equal(scores(reply), images(2))

    def test_long_message_is_cut(self, client):
        code, details = client.fault(client.prediction.Predict, _spec(signature_name="s" * 2000))
        assert code == CODE.FAILED_PRECONDITION
        assert details == ('Serving signature key "' + "s" * 2000)[:1024] + "...TRUNCATED"

    def test_the_server_outlives_them_all(self, client):
        client.fault(client.prediction.Predict, request(images=images(size=1)))
        assert scores(client.predict(request(images=images()))).shape == (1, 10)

    def test_other_methods(self, client):
        call = client.channel.unary_unary("/tensorflow.serving.ModelService/HandleReloadConfigRequest")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"", timeout=DEADLINE_S)
        assert caught.value.code() == CODE.UNIMPLEMENTED


class TestMetadata:
    @staticmethod
    def ask(name=MODEL, fields=("signature_def",)):
        message = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
        message.model_spec.name = name
        return message

    def test_signatures(self, client):
        reply = client.prediction.GetModelMetadata(self.ask(), timeout=DEADLINE_S)
        assert (reply.model_spec.name, reply.model_spec.version.value) == (MODEL, VERSION)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        assert reply.metadata["signature_def"].Unpack(signatures)
        one = signatures.signature_def["predict_images"]
        assert one.inputs["images"].dtype == FLOAT
        assert one.outputs["scores"].tensor_shape.dim[1].size == 10

    @pytest.mark.parametrize(
        ("message", "code", "details"),
        [
            pytest.param(
                get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"]),
                CODE.INVALID_ARGUMENT,
                "Missing ModelSpec",
                id="no-spec",
            ),
            pytest.param(
                ask(fields=()),
                CODE.INVALID_ARGUMENT,
                "GetModelMetadataRequest must specify at least one metadata_field",
                id="no-field",
            ),
            pytest.param(ask(fields=("x",)), CODE.INVALID_ARGUMENT, "Metadata field %s is not supportedx", id="field"),
            pytest.param(ask(name="foo"), CODE.NOT_FOUND, "Servable not found for request: Latest(foo)", id="model"),
        ],
    )
    def test_faults(self, client, message, code, details):
        assert client.fault(client.prediction.GetModelMetadata, message) == (code, details)


class TestStatus:
    @staticmethod
    def ask(name=MODEL, version=None):
        message = get_model_status_pb2.GetModelStatusRequest()
        message.model_spec.name = name
        if version is not None:
            message.model_spec.version.value = version
        return message

    @pytest.mark.parametrize("version", [None, VERSION])
    def test_available(self, client, version):
        reply = client.model.GetModelStatus(self.ask(version=version), timeout=DEADLINE_S)
        [status] = reply.model_version_status
        assert (status.version, status.state) == (VERSION, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
        assert (status.HasField("status"), status.status.error_code) == (True, 0)

    @pytest.mark.parametrize(
        ("message", "code", "details"),
        [
            pytest.param(
                get_model_status_pb2.GetModelStatusRequest(),
                CODE.INVALID_ARGUMENT,
                "Missing ModelSpec",
                id="no-spec",
            ),
            pytest.param(ask(name="foo"), CODE.NOT_FOUND, "Could not find any versions of model foo", id="model"),
            pytest.param(ask(version=9), CODE.NOT_FOUND, "Could not find version 9 of model mnist", id="version"),
        ],
    )
    def test_faults(self, client, message, code, details):
        assert client.fault(client.model.GetModelStatus, message) == (code, details)


@pytest.fixture(scope="module")
def narrow(model_base_path):
    """A client of a server with two threads, one op at a time, and answers as bytes."""
    flags = ["--grpc_max_threads=2", "--tensorflow_session_parallelism=1"]
    flags += ["--enable_serialization_as_tensor_content"]
    with EmbeddedServer.start(MODEL, model_base_path, flags) as started:
        one = Client(started.address)
        one.pid = started.pid
        yield one
        one.channel.close()


def op_threads(pid: int) -> int:
    """Threads of the process in TensorFlow's pool for whole ops."""
    names = [task.joinpath("comm").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(name.startswith("tf_Compute") for name in names)


class TestFlagsAtWork:
    @pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the threads' names from /proc")
    def test_parallelism_sizes_the_pool_of_the_process(self, narrow, client, server):
        for one in (narrow, client):
            one.predict(request("heavy", rounds=np.array(2, "int32")))
        assert op_threads(narrow.pid) == 1
        assert op_threads(server.pid) == schedulable_cpus()

    def test_answers_as_bytes(self, narrow):
        tensor = narrow.predict(request(images=images(2))).outputs["scores"]
        assert list(tensor.float_val) == []
        answer = np.frombuffer(tensor.tensor_content, "float32").reshape(2, 10)
        np.testing.assert_allclose(answer, softmax(images(2)), rtol=1e-4)

    def test_strings_as_bytes(self, narrow):
        given = {"dtype": STRING, "shape": (2,), "string_val": [b"", b"x" * 200]}
        tensor = narrow.predict(request("echo_string", given=given)).outputs["same"]
        assert tensor.tensor_content == b"\x00\xc8\x01" + b"x" * 200

    def test_beyond_the_thread_quota_is_rejected_at_once(self, narrow):
        def occupy():
            return narrow.prediction.Predict.future(request("heavy", rounds=LONG))

        busy = [occupy(), occupy()]

        def fault():
            # One that came before the other had begun, or after it was through, left a thread free.
            busy[:] = [occupy() if call.done() else call for call in busy]
            with contextlib.suppress(AssertionError, pytest.fail.Exception):
                return narrow.fault(narrow.prediction.Predict, request(images=images()))

        try:
            found = wait_until(fault, "a call that is refused", DEADLINE_S)
            assert found == (CODE.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")
        finally:
            for call in busy:
                call.cancel()

    @pytest.mark.heavy
    @pytest.mark.parametrize("flag", ["--port", "--model_base_path"])
    def test_start_failures(self, model_base_path, flag, tmp_path):
        with socket.socket() as busy:
            busy.bind(("127.0.0.1", 0))
            busy.listen()
            port = busy.getsockname()[1]
            value, want = {
                "--port": (port, f"cannot listen on 127.0.0.1, port {port}: Address already in use"),
                "--model_base_path": (tmp_path, f"no version of the model in --model_base_path={tmp_path}"),
            }[flag]
            with pytest.raises(ServerStartError, match="ended with 1: error: ") as caught:
                EmbeddedServer.start(MODEL, model_base_path, [f"{flag}={value}"])
        assert want in str(caught.value)
        assert "Traceback" not in str(caught.value)
