"""Why a request gets an error instead of a reply; in a module of its own, which needs no TensorFlow."""

import grpc

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class RequestError(Exception):
    """A request that cannot be answered.

    Attributes:
        code: the gRPC status code.
        message: its details.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class RunError(Exception):
    """TensorFlow refused a run.

    Attributes:
        code: the canonical error code, the same numbers as gRPC's.
        message: TensorFlow's own words.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> RequestError:
    """The refusal of a request that does not fit."""
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)


def status_of(error: RequestError | RunError) -> tuple[grpc.StatusCode, str]:
    """The status code and message that an error is answered with."""
    if isinstance(error, RunError):
        return _CODES.get(error.code, grpc.StatusCode.UNKNOWN), error.message
    return error.code, error.message
