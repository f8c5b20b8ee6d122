"""What a gRPC server sends, as bytes."""

import struct

import hpack

from tfsload.transport.grpc import frames


def block(*pairs):
    """Encode headers as a server does that was offered a table of size 0."""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    return encoder.encode(pairs)


OK_HEADERS = block((":status", "200"), ("content-type", "application/grpc"))
OK_TRAILERS = block(("grpc-status", "0"))


def headers_only(*pairs, flags=frames.END_HEADERS | frames.END_STREAM):
    """Return a reply of the first call that has no body."""
    return frames.frame(frames.HEADERS, flags, 1, block(*pairs))


def message(body, compressed=0):
    return struct.pack(">BL", compressed, len(body)) + body


def reply(stream, body=b"answer", trailers=OK_TRAILERS, headers=OK_HEADERS):
    """Return a whole reply's frames."""
    return (
        frames.frame(frames.HEADERS, frames.END_HEADERS, stream, headers)
        + frames.frame(frames.DATA, 0, stream, message(body))
        + frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, trailers)
    )


def uncut(output):
    """Return the frames that a client has sent, those of one message as one, however it was cut."""
    joined = []
    for kind, flags, stream, payload, _ in frames.FrameParser(2**24).feed(bytes(output).removeprefix(frames.PREFACE)):
        if kind == frames.DATA and joined and joined[-1][::2] == (kind, stream):
            payload = joined.pop()[3] + payload
        joined.append((kind, flags, stream, payload))
    return joined
