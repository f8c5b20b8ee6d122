"""The embedded server over REST: what TensorFlow Serving answers, to the byte, and its words for bad requests."""

import base64
import gzip
import json
import re
import shutil
import subprocess
import threading

import numpy as np
import pytest

from tests.support.modelserver_fixtures import MODEL, VERSION, images, request, softmax
from tests.support.modelserver_fixtures import model_base_path as model_base_path
from tests.support.rest_fixtures import PREDICT, RestClient
from tests.support.rest_fixtures import beside as beside
from tests.support.rest_fixtures import rest as rest
from tests.support.rest_fixtures import rest_server as rest_server
from tests.support.runs import wait_until
from tfsload.target.launcher import EmbeddedServer, ServerStartError

ROW = [0.5, 1.5]
AT = f"/v1/models/{MODEL}"


def echo(dtype, key="instances", value=None):
    return {"signature_name": f"echo_{dtype}", key: value}


class TestPredict:
    def test_rows(self, rest):
        reply = rest.predict({"instances": images(3).tolist()})
        assert (reply.code, reply.headers["content-type"]) == (200, "application/json")
        np.testing.assert_allclose(reply.content["predictions"], softmax(images(3)), rtol=1e-4)

    def test_columns(self, rest):
        reply = rest.predict({"inputs": images(3).tolist()})
        np.testing.assert_allclose(reply.content["outputs"], softmax(images(3)), rtol=1e-4)

    def test_the_numbers_are_those_of_grpc(self, rest, beside):
        got = rest.predict({"instances": images(8).tolist()}).content["predictions"]
        tensor = beside.predict(request("serving_default", images=images(8))).outputs["scores"]
        np.testing.assert_array_equal(np.array(got, "float32").ravel(), np.array(tensor.float_val, "float32"))

    @pytest.mark.parametrize(
        ("content", "want"),
        [
            pytest.param({"instances": [ROW]}, {"predictions": [ROW]}, id="rows-bare"),
            pytest.param({"instances": [{"images": ROW}]}, {"predictions": [ROW]}, id="rows-named"),
            pytest.param({"inputs": [ROW]}, {"outputs": [ROW]}, id="columns-bare"),
            pytest.param({"inputs": {"images": [ROW]}}, {"outputs": [ROW]}, id="columns-named"),
            pytest.param({"inputs": {"images": [ROW], "more": 1}}, {"outputs": [ROW]}, id="columns-with-more"),
            pytest.param({"instances": [ROW], "more": 1}, {"predictions": [ROW]}, id="more-beside"),
        ],
    )
    def test_forms(self, rest, content, want):
        assert rest.predict({"signature_name": "by_operation", **content}).content == want

    @pytest.mark.parametrize(
        "path",
        [
            PREDICT,
            f"{AT}/versions/{VERSION}:predict",
            PREDICT.upper().replace("MNIST", "mnist").replace("PREDICT", "predict"),
        ],
    )
    def test_paths(self, rest, path):
        assert rest.post(path, {"instances": images().tolist()}).code == 200

    def test_several_inputs_and_outputs_in_rows(self, rest):
        rows = [{"left": [1, 2], "right": [0.5, 0.5]}, {"left": [3, 4], "right": [1, 1]}]
        reply = rest.predict({"signature_name": "two_inputs", "instances": rows})
        assert reply.code == 400  # `count` is one number for all rows
        assert reply.fault[1] == "Tensor name: count has no shape information "

    def test_several_inputs_and_outputs_in_columns(self, rest):
        columns = {"left": [1, 2], "right": [0.5, 0.5]}
        reply = rest.predict({"signature_name": "two_inputs", "inputs": columns})
        assert reply.content == {"outputs": {"count": 2, "text": ["1.5", "2.5"], "total": [1.5, 2.5]}}

    def test_an_input_with_a_default_must_be_sent(self, rest):
        columns = {"left": [1]}
        fault = (400, "Missing named input: right in 'inputs' object.")
        assert rest.predict({"signature_name": "with_default", "inputs": columns}).fault == fault

    def test_a_body_compressed_with_gzip(self, rest):
        body = gzip.compress(json.dumps({"instances": images().tolist()}).encode())
        assert rest.predict(body, Content_Encoding="gzip").code == 200
        assert rest.predict(body).fault == (400, "JSON Parse error: Invalid value. at offset: 0")
        empty = (400, "JSON Parse error: The document is empty")
        assert rest.predict(body[:-9], Content_Encoding="gzip").fault == empty

    @pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
    def test_curl(self, rest):
        command = ["curl", "-s", "-d", '{"signature_name": "by_operation", "instances": [[1.0, 2.5]]}']
        done = subprocess.run([*command, f"http://{rest.address}{PREDICT}"], capture_output=True, timeout=20)
        assert json.loads(done.stdout) == {"predictions": [[1.0, 2.5]]}

    def test_many_at_once_are_not_mixed_up(self, rest):
        wrong, n_done = [], []

        def ask(count):
            got = rest.predict({"instances": images(count).tolist()}).content["predictions"]
            if not np.allclose(got, softmax(images(count)), rtol=1e-4):
                wrong.append(count)
            n_done.append(count)

        threads = [threading.Thread(target=ask, args=(count,)) for count in range(1, 33)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert (len(n_done), wrong) == (32, [])


class TestLayout:
    """Where it breaks lines, and where not, is the real server's."""

    @pytest.mark.parametrize(
        ("content", "want"),
        [
            pytest.param(
                {"instances": [[1, 0.1], [9e6, 1e-7]]},
                '{\n    "predictions": [[1.0, 0.1], [9e+06, 1e-07]\n    ]\n}',
                id="rows",
            ),
            pytest.param(
                {"inputs": [[1, 2]]},
                '{\n    "outputs": [\n        [\n            1.0,\n            2.0\n        ]\n    ]\n}',
                id="columns",
            ),
        ],
    )
    def test_of_answers(self, rest, content, want):
        assert rest.predict({"signature_name": "by_operation", **content}).body.decode() == want

    def test_of_errors(self, rest):
        want = '{\n    "error": "Malformed request: GET /v1/nothing"\n}'
        assert rest.get("/v1/nothing").body.decode() == want

    @pytest.mark.parametrize(
        ("sent", "want"),
        [
            pytest.param("1", "1.0", id="whole"),
            pytest.param("-0.0", "-0.0", id="minus-nought"),
            pytest.param("0.1", "0.1", id="six-digits-will-do"),
            pytest.param("0.3333333433", "0.333333343", id="nine-digits"),
            pytest.param("16777215", "16777215.0", id="large"),
            pytest.param("3.4e38", "3.4e+38", id="largest"),
            pytest.param("1e-45", "1.4013e-45", id="smallest"),
            pytest.param("NaN", "NaN", id="nan"),
            pytest.param("-Infinity", "-Infinity", id="minus-infinity"),
            pytest.param("Inf", "Infinity", id="infinity"),
        ],
    )
    def test_of_numbers(self, rest, sent, want):
        body = f'{{"signature_name": "echo_float32", "inputs": {sent}}}'.encode()
        assert rest.predict(body).body.decode() == f'{{\n    "outputs": {want}\n}}'


class TestDtypes:
    @pytest.mark.parametrize(
        ("dtype", "values"),
        [
            pytest.param("float32", [0.1, -1e-30, 3.0], id="float32"),
            pytest.param("float64", [0.1, 1 / 3, 2.0**53 - 1, 1e300], id="float64"),
            pytest.param("int8", [-128, 0, 127], id="int8"),
            pytest.param("int16", [-(2**15), 2**15 - 1], id="int16"),
            pytest.param("int32", [-(2**31), 2**31 - 1], id="int32"),
            pytest.param("int64", [-(2**63), 2**63 - 1], id="int64"),
            pytest.param("uint8", [0, 255], id="uint8"),
            pytest.param("uint32", [0, 2**32 - 1], id="uint32"),
            pytest.param("uint64", [0, 2**64 - 1], id="uint64"),
            pytest.param("bool", [True, False], id="bool"),
            pytest.param("string", ["", "a", 'é"\\/\n\u0001', "\U0001f600"], id="string"),
        ],
    )
    def test_there_and_back(self, rest, dtype, values):
        for given in (values, [[one] for one in values], values[0], []):
            assert rest.predict(echo(dtype, "inputs", given)).content == {"outputs": given}
        assert rest.predict(echo(dtype, "instances", values)).content == {"predictions": values}

    @pytest.mark.parametrize(
        ("dtype", "name"),
        [("float16", "half"), ("bfloat16", "bfloat16"), ("uint16", "uint16"), ("complex64", "complex64")],
    )
    def test_those_that_rest_has_not(self, rest, dtype, name):
        """The real server has none of them, either."""
        message = f"Conversion of JSON Value: 1 to type: {name}"
        assert rest.predict(echo(dtype, "inputs", [1])).fault == (501, message)
        within = f"Failed to process element: 0 of 'instances' list. Error: UNIMPLEMENTED: {message}"
        assert rest.predict(echo(dtype, "instances", [1])).fault == (400, within)

    def test_bytes(self, rest):
        sent = {"b64": base64.b64encode(b"a\xff\x00").decode()}
        for content in (echo("string", "inputs", sent), echo("string", "instances", [sent])):
            reply = rest.predict(content)
            assert reply.code == 200
            # Sent back as they are, which is not always UTF-8.
            assert b'"a\xff\\u0000"' in reply.body

    def test_a_whole_number_that_is_too_large_has_its_lowest_bits(self, rest):
        assert rest.predict(echo("int8", "inputs", 300)).content == {"outputs": 44}


class TestStatusAndMetadata:
    def test_status(self, rest):
        state = {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        for path in (AT, f"{AT}/versions/3"):
            assert rest.get(path).content == {"model_version_status": [state]}
        # The health check of the server's Docker image looks for this.
        assert b"AVAILABLE" in rest.get(AT).body

    @pytest.mark.parametrize("path", [f"{AT}/metadata", f"{AT}/versions/3/metadata"])
    def test_metadata(self, rest, path):
        told = rest.get(path).content
        assert told["model_spec"] == {"name": "mnist", "signature_name": "", "version": "3"}
        signature = told["metadata"]["signature_def"]["signature_def"]["predict_images"]
        assert signature["method_name"] == "tensorflow/serving/predict"
        assert signature["inputs"]["images"] == {
            "dtype": "DT_FLOAT",
            "tensor_shape": {"dim": [{"size": "-1", "name": ""}] * 2, "unknown_rank": False},
            "name": "x:0",
        }


@pytest.fixture(scope="module")
def narrow(model_base_path):
    """A client of a server with one thread for calls, each of which may take 200 ms."""
    flags = ["--rest_api_free_port", "--rest_api_num_threads=2", "--rest_api_timeout_in_ms=200"]
    with EmbeddedServer.start(MODEL, model_base_path, flags) as started:
        yield RestClient(started.rest_address)


class TestFlagsAtWork:
    def test_beyond_the_time_limit(self, narrow):
        code, message = narrow.predict({"signature_name": "heavy", "inputs": 2_000_000}).fault
        assert code == 504
        assert re.search("(?i)timed out|deadline", message)

    def test_more_than_the_threads_wait(self, narrow):
        """None is rejected: gRPC's are, beyond theirs."""
        codes = []

        def ask():
            codes.append(narrow.predict({"signature_name": "heavy", "inputs": 2}).code)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert codes == [200] * 8

    def test_without_a_rest_port_there_is_none(self, model_base_path):
        with EmbeddedServer.start(MODEL, model_base_path) as started:
            assert started.rest_address == ""

    def test_a_port_that_is_taken(self, rest_server, model_base_path):
        port = rest_server.rest_address.rpartition(":")[2]
        with pytest.raises(ServerStartError) as caught:
            EmbeddedServer.start(MODEL, model_base_path, [f"--rest_api_port={port}"])
        assert f"cannot listen on 127.0.0.1, port {port}: Address already in use; give another --rest_api_port" in str(
            caught.value
        )

    def test_one_thread_is_too_few_and_said_so(self, model_base_path):
        flags = ["--rest_api_free_port", "--rest_api_num_threads=1"]
        with EmbeddedServer.start(MODEL, model_base_path, flags) as started:
            said = wait_until(lambda: started._child.said, "a warning", 20)
        assert said.startswith("warning: --rest_api_num_threads=1: that thread waits for requests, and none is left")
