"""In which shape images are sent where a signature leaves it open: the one that the server takes."""

import pytest

from tfsload.settings.settings import Settings
from tfsload.target.call_finding import find_call
from tfsload.target.fired import DIGITS
from tfsload.target.shape_finding import ShapeError, with_shape
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.signature import SignatureDescribed, TensorDescribed


class Server:
    """Takes images of some shapes, and keeps what it was asked."""

    def __init__(self, *takes, code="INVALID_ARGUMENT"):
        self.takes, self.code, self.asked = takes, code, []

    def send_blank(self, spec, timeout_s):  # noqa: ARG002  (as a transport has it)
        self.asked.append(spec.input.shape)
        if spec.input.shape not in self.takes:
            raise PredictionFailure(self.code, f"Matrix size-incompatible: {spec.input.shape}")


def spec_of(shape):
    signature = SignatureDescribed(
        "tensorflow/serving/predict",
        {"x": TensorDescribed("DT_FLOAT", shape)},
        {"scores": TensorDescribed("DT_FLOAT", (-1, 10))},
    )
    return find_call(Settings.parse({}, None).model, {"s": signature}, DIGITS)


@pytest.mark.parametrize(
    ("described", "taken", "n_asked"),
    [
        pytest.param(None, (784,), 1, id="any-rank-flat"),
        pytest.param(None, (28, 28, 1), 3, id="any-rank-with-a-channel"),
        pytest.param(None, (3, 28, 28), 6, id="any-rank-in-colours"),
        pytest.param((-1, -1, -1), (784, 1), 2, id="a-sequence"),
        pytest.param((-1, -1, -1, -1), (1, 28, 28), 2, id="channels-first"),
        pytest.param((-1, -1, -1, -1), (28, 28, 3), 3, id="colours"),
    ],
)
def test_an_open_shape_is_the_one_that_is_taken(described, taken, n_asked):
    server = Server(taken)

    images = with_shape(server, spec_of(described), 1.0).input

    assert images.shape == taken
    assert len(server.asked) == n_asked
    assert images.words.endswith(f"sent as [n, {', '.join(map(str, taken))}]")


@pytest.mark.parametrize("described", [(-1, 784), (-1, -1), (-1, 28, 28, 1), (-1, -1, -1, 1), (28, 28), (8, 28, 28)])
def test_where_one_shape_is_possible_nothing_is_asked(described):
    server, options = Server(), {"images_per_request": "8"} if described[0] == 8 else {}
    signature = SignatureDescribed(
        "tensorflow/serving/predict",
        {"x": TensorDescribed("DT_FLOAT", described)},
        {"scores": TensorDescribed("DT_FLOAT", (-1, 10))},
    )
    spec = find_call(Settings.parse(options, None).model, {"s": signature}, DIGITS)

    assert with_shape(server, spec, 1.0) == spec
    assert server.asked == []


def test_a_server_that_takes_none_is_told_with_its_words():
    with pytest.raises(ShapeError) as caught:
        with_shape(Server(), spec_of((-1, -1, -1, -1)), 1.0)

    assert str(caught.value) == (
        "input 'x' is DT_FLOAT [-1, -1, -1, -1]: the server refuses a black image as [n, 28, 28, 1], [n, 1, 28, 28], "
        "[n, 28, 28, 3], [n, 3, 28, 28]; the first: Matrix size-incompatible: (28, 28, 1)"
    )


def test_a_server_that_does_not_answer_is_none_that_refuses():
    server = Server(code="UNAVAILABLE")

    with pytest.raises(PredictionFailure):
        with_shape(server, spec_of(None), 1.0)

    assert len(server.asked) == 1
