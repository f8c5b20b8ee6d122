"""The requests of a run: the data set cut into requests, each encoded once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

# Of an image that nobody has labelled: no class is called so.
UNLABELLED = -1
# In the place of a label and of an answer, where a user class judges by itself.
RIGHT, WRONG = 1, 0


class Examples(Protocol):
    """What can be cut into requests: images (n, rows, columns), or arrays by the names of inputs."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, chosen: slice, /) -> Any:
        """Return some of them, as `encode` takes them."""


# From a reply to the answer in it, judged. (The answer is transport's.)
Judge = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """One request, ready to be sent.

    Attributes:
        body: the encoded message.
        first_image: the position of its first image in the data set; the others follow it.
        labels: the true class of each of its images, `UNLABELLED` where it has none; a list, as answered classes are:
            the two compare at once. Where a user class judges by itself, `RIGHT` for each: its verdicts are compared.
        judge: of such a class, reads a reply to this request and judges it; else None.
        told: what `labels` would be without it, for listeners; None: the same.
    """

    body: bytes
    first_image: int
    labels: list[int]
    judge: Judge | None = None
    told: list[Any] | None = None


class RequestBook:
    """Requests by number: request r holds the images from r × images_per_request on.

    A request is encoded when it is first asked for, and kept.

    Attributes:
        prepared: those that are kept, by number; None: it is to be asked for. (The hot path looks here first.)
    """

    def __init__(
        self,
        images: Examples,
        labels: NDArray[Any] | None,
        images_per_request: int,
        encode: Callable[[Any], bytes],
        judge_of: Callable[[int, list[Any]], Judge] | None = None,
    ) -> None:
        """Cut the images into requests; the last one holds what is left over.

        Args:
            images: uint8 (n, rows, columns); or arrays.
            labels: unsigned integers (n,); None: the images have none. Whatever `judge_of` takes, where it is given.
            images_per_request: at least 1.
            encode: turns images (m, rows, columns), or as many of each array, into a request's body.
            judge_of: returns what judges the answers to a request, by its first image and its labels (`None` for each
                where there are none); None: answers are right that are the label.
        """
        self._images = images
        self._labels = labels
        self._images_per_request = images_per_request
        self._encode = encode
        self._judge_of = judge_of
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
        first, n_images = number * self._images_per_request, len(self._images)
        chosen = slice(first, min(first + self._images_per_request, n_images))
        body, n = self._encode(self._images[chosen]), chosen.stop - first
        if self._judge_of is None:
            return PreparedRequest(body, first, [UNLABELLED] * n if self._labels is None else self._chosen(chosen))
        told = [None] * n if self._labels is None else self._chosen(chosen)
        return PreparedRequest(body, first, [RIGHT] * n, self._judge_of(first, told), told)

    def _chosen(self, chosen: slice) -> list[Any]:
        assert self._labels is not None
        labels = self._labels[chosen]
        return labels.tolist() if labels.ndim == 1 else list(labels)
