"""What a server says of a model: its versions, and what its signatures take and give. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from tfsload.transport.servable import Servable

READY = "AVAILABLE"


@dataclass(frozen=True)
class VersionDescribed:
    """One version of a model.

    Attributes:
        version: its number.
        state: TensorFlow Serving's word: `AVAILABLE`, `LOADING`, … or a number that we do not know.
        error: why it could not be loaded, in the server's words; empty: nothing was said.
    """

    version: int
    state: str
    error: str = ""


@dataclass(frozen=True)
class TensorDescribed:
    """An input or an output.

    Attributes:
        dtype: TensorFlow's name of it, such as `DT_FLOAT`.
        shape: its sizes, -1 for any; None: of any rank.
    """

    dtype: str
    shape: tuple[int, ...] | None

    @property
    def shape_text(self) -> str:
        """Its shape for people."""
        return "of any rank" if self.shape is None else "[" + ", ".join(map(str, self.shape)) + "]"


@dataclass(frozen=True)
class SignatureDescribed:
    """One way to call a model.

    Attributes:
        method: what kind of call it is, such as `tensorflow/serving/predict`.
        inputs, outputs: by name.
        defaults: names of the inputs that need not be given.
    """

    method: str
    inputs: Mapping[str, TensorDescribed]
    outputs: Mapping[str, TensorDescribed]
    defaults: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ModelDescribed:
    """All that a server says of a model before it is called.

    Attributes:
        versions: all that it has.
        servable: the one that answers what was asked for.
        signatures: that one's, by name; none where there is no such version.
    """

    versions: tuple[VersionDescribed, ...]
    servable: Servable
    signatures: Mapping[str, SignatureDescribed]


def fits(shape: tuple[int, ...], described: tuple[int, ...]) -> bool:
    """Whether a tensor of a shape is one of the described sizes, -1 for any."""
    return len(shape) == len(described) and all(want in (-1, size) for size, want in zip(shape, described, strict=True))
