"""In which shape images are sent to an input whose sizes are open: the server says which it takes.

It is sent a request of black images, before any load; in one shape after the other until it takes one.
"""

import dataclasses

from tfsload.target.input_finding import described
from tfsload.transport.call_spec import PIXELS, CallSpec
from tfsload.transport.contract import Transport
from tfsload.transport.failure import JUDGED_CODES, PredictionFailure
from tfsload.transport.faults import FaultsError
from tfsload.transport.image_layout import shapes_in
from tfsload.transport.signature import TensorDescribed
from tfsload.transport.words import quoted, shown


class ShapeError(FaultsError):
    """The server takes images in none of the shapes that its input leaves open."""


def with_shape(transport: Transport, spec: CallSpec, timeout_s: float) -> CallSpec:
    """Return how a model is called, with the shape that its server takes; as it was where only one is possible.

    Args:
        transport: to its server.
        spec: as the signature has it.
        timeout_s: how long the server may take, for each.

    Raises:
        PredictionFailure: there was no answer.
        ShapeError: it refuses each.
    """
    images = spec.input
    shapes = shapes_in(images.described, images.pixels, images.border) if images.form == PIXELS else []
    if not images.has_batch or len(shapes) < 2:
        return spec
    refusals = []
    for shape in shapes:
        tried = dataclasses.replace(spec, input=dataclasses.replace(images, shape=shape))
        try:
            transport.send_blank(tried, timeout_s)
        except PredictionFailure as failure:
            if failure.code not in JUDGED_CODES:
                raise
            refusals.append(failure.message)
        else:
            return tried
    tensor = described(TensorDescribed(images.dtype, images.described))
    sent = ", ".join("[n, " + ", ".join(map(str, shape)) + "]" for shape in shapes)
    why = f"the server refuses a black image as {sent}; the first: {shown(refusals[0])}"
    raise ShapeError([f"input {quoted(images.name)} is {tensor}: {why}"])
