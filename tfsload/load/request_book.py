"""The requests of a run: the data set cut into requests, each encoded once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of an image that nobody has labelled: no class is called so.
NO_LABEL = -1


@dataclass(frozen=True)
class PreparedRequest:
    """One request, ready to be sent.

    Attributes:
        body: the encoded message.
        first_image: the position of its first image in the data set; the others follow it.
        labels: the true class of each of its images, `NO_LABEL` where it has none; a list, as answered classes are: the
            two compare at once.
    """

    body: bytes
    first_image: int
    labels: list[int]


class RequestBook:
    """Requests by number: request r holds the images from r × images_per_request on.

    A request is encoded when it is first asked for, and kept.
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
        self._prepared: list[PreparedRequest | None] = [None] * -(-len(images) // images_per_request)

    def __len__(self) -> int:
        return len(self._prepared)

    def __getitem__(self, number: int) -> PreparedRequest:
        request = self._prepared[number]
        if request is None:
            request = self._prepared[number] = self._prepare(number)
        return request

    def _prepare(self, number: int) -> PreparedRequest:
        first = number * self._images_per_request
        chosen = slice(first, first + self._images_per_request)
        images = self._images[chosen]
        labels = [NO_LABEL] * len(images) if self._labels is None else self._labels[chosen].tolist()
        return PreparedRequest(self._encode(images), first, labels)
