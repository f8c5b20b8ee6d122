"""A server that describes its model, and refuses the blank image that is sent to try it."""

import pytest

from tfsload.settings.settings import Settings
from tfsload.target import preflight
from tfsload.target.fired import DIGITS
from tfsload.target.preflight import MisfitError, NoServerError
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.servable import Servable
from tfsload.transport.signature import READY, ModelDescribed, SignatureDescribed, TensorDescribed, VersionDescribed

SHAPES = TensorDescribed("DT_FLOAT", None)
TEXTS = TensorDescribed("DT_STRING", (-1,))


class Described:
    """A transport to a server whose model takes what is described, and answers a blank with a failure."""

    def __init__(self, tensor, code, options):
        settings = Settings.parse(options, "127.0.0.1:8500")
        self.model, self.connection, self.tensor, self.code = settings.model, settings.connection, tensor, code

    def describe(self, timeout_s):  # noqa: ARG002  (as a transport has it)
        outputs = {"scores": TensorDescribed("DT_FLOAT", (-1, 10))}
        signature = SignatureDescribed("tensorflow/serving/predict", {"x": self.tensor}, outputs)
        return ModelDescribed((VersionDescribed(1, READY),), Servable("mnist", 1), {"s": signature})

    def send_blank(self, spec, timeout_s):  # noqa: ARG002
        raise PredictionFailure(self.code, "so it is")

    def close(self):
        pass


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("RESOURCE_EXHAUSTED", NoServerError),
        ("UNAVAILABLE", NoServerError),
        ("DEADLINE_EXCEEDED", NoServerError),
        ("UNIMPLEMENTED", MisfitError),
        ("NOT_FOUND", MisfitError),
        ("PERMISSION_DENIED", MisfitError),
    ],
)
@pytest.mark.parametrize(
    ("tensor", "blank"), [(SHAPES, "a black image"), (TEXTS, "an empty text")], ids=["shape", "text"]
)
def test_a_refused_blank_is_no_failed_description(code, kind, tensor, blank):
    with pytest.raises(kind) as caught:
        preflight.ask(Described(tensor, code, {}), DIGITS, 1.0)

    said = f"the server at 127.0.0.1:8500 describes the model, and did not take {blank} to try: {code}: so it is: see"
    assert str(caught.value).startswith(said)
    assert bool(caught.value.passing) == (kind is NoServerError)


def test_how_many_images_were_sent_is_told():
    with pytest.raises(NoServerError, match=r"to try \(and --images-per-request 64 has 64 of them in a request\)"):
        preflight.ask(Described(SHAPES, "RESOURCE_EXHAUSTED", {"images_per_request": "64"}), DIGITS, 1.0)
