"""Where the load went, in words: the server's address, whose it is, and how it is spoken to. Pure."""

# What the server is called that the suite starts where none is named.
EMBEDDED = "embedded server"


def where(address: str, protocol_name: str, is_embedded: bool) -> str:
    """Return where the load went, and how.

    >>> where("127.0.0.1:36127", "grpc", is_embedded=True), where("models:8500", "grpc", is_embedded=False)
    ('127.0.0.1:36127 · embedded server · gRPC', 'models:8500 · gRPC')
    """
    parts = (address, EMBEDDED if is_embedded else "", protocol(protocol_name))
    return " · ".join(part for part in parts if part)


def over(protocol_name: str) -> str:
    """Return how a run was sent, to stand behind an address; gRPC, which a run sends by itself, is not told.

    >>> over("rest"), over("grpc"), over("")
    (' over REST', '', '')
    """
    return "" if protocol_name.lower() in ("", "grpc") else f" over {protocol(protocol_name)}"


def protocol(name: str) -> str:
    """Return a protocol's name as people write it."""
    return {"grpc": "gRPC", "rest": "REST"}.get(name.lower(), name)
