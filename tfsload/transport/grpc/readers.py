"""What reads the replies to one way of calling a model over gRPC."""

from collections.abc import Callable

from tfsload.transport.call_spec import CallSpec, OutputSpec
from tfsload.transport.contract import Reader
from tfsload.transport.grpc.class_replies import Decoder, class_decoder
from tfsload.transport.grpc.codec import ReplyReader
from tfsload.transport.grpc.output_replies import outputs_decoder
from tfsload.transport.image_answer import Outputs
from tfsload.transport.readers import reader_of
from tfsload.transport.servable import Servable


def reader_for(spec: CallSpec, n_images: int) -> Reader:
    """Return what reads the replies to requests of that many images."""
    return reader_of(spec, n_images, _GrpcReplies())


class _GrpcReplies:
    """As `Replies` has it."""

    def scores(self, output: OutputSpec, n_images: int) -> Reader:
        return ReplyReader(output.name, n_images)

    def classes(self, output: OutputSpec, n_images: int) -> Decoder:
        return class_decoder(output, n_images)

    def outputs(self, spec: CallSpec) -> Callable[[bytes], tuple[Outputs, Servable]]:
        return outputs_decoder(spec.method)
