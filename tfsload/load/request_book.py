"""The requests of a run: the data set cut into requests, each encoded once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of an image that nobody has labelled: no class is called so.
UNLABELLED = -1


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """One request, ready to be sent.

    Attributes:
        body: the encoded message.
        first_image: the position of its first image in the data set; the others follow it.
        labels: the true class of each of its images, `UNLABELLED` where it has none; a list, as answered classes are:
            the two compare at once.
    """

    body: bytes
    first_image: int
    labels: list[int]


class RequestBook:
    """Requests by number: request r holds the images from r × images_per_request on.

    A request is encoded when it is first asked for, and kept.

    Attributes:
        prepared: those that are kept, by number; None: it is to be asked for. (The hot path looks here first.)
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.unsignedinteger[Any]] | None,
        images_per_request: int,
        encode: Callable[[NDArray[np.uint8]], bytes],
    ) -> None:
        """Cut the images into requests; the last one holds what is left over.

        Args:
            images: uint8 (n, rows, columns).
            labels: unsigned integers (n,); None: the images have none.
            images_per_request: at least 1.
            encode: turns images (m, rows, columns) into a request's body.
        """
        self._images = images
        self._labels = labels
        self._images_per_request = images_per_request
        self._encode = encode
        self.prepared: list[PreparedRequest | None] = [None] * -(-len(images) // images_per_request)

    def __len__(self) -> int:
        return len(self.prepared)

    def __getitem__(self, number: int) -> PreparedRequest:
        request = self.prepared[number]
        if request is None:
            request = self.prepared[number] = self._prepare(number)
        return request

    def forget(self) -> None:
        """Keep no request any longer, once nobody is left to fire them; who asks for one has it encoded anew."""
        self.prepared = [None] * len(self.prepared)

    def _prepare(self, number: int) -> PreparedRequest:
        first = number * self._images_per_request
        chosen = slice(first, first + self._images_per_request)
        images = self._images[chosen]
        labels = [UNLABELLED] * len(images) if self._labels is None else self._labels[chosen].tolist()
        return PreparedRequest(self._encode(images), first, labels)
