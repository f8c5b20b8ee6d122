"""The requests of a run, each encoded once."""

import numpy as np
import pytest

from tfsload.load.request_book import RequestBook

IMAGES, LABELS = np.arange(5 * 784, dtype=np.uint8).reshape(5, 28, 28), np.arange(5, dtype=np.uint8)


@pytest.fixture
def encoded():
    """Which images were encoded, by the number of the first of them."""
    return []


@pytest.fixture
def book(encoded):
    def encode(images):
        encoded.append(int(images[0, 0, 0]))
        return images.tobytes()

    return RequestBook(IMAGES, LABELS, 2, encode)


def test_requests_hold_the_images_in_their_order_and_the_last_what_is_left(book):
    found = [(request.body, request.first_image, request.labels) for request in map(book.__getitem__, range(len(book)))]

    assert found == [
        (IMAGES[:2].tobytes(), 0, [0, 1]),
        (IMAGES[2:4].tobytes(), 2, [2, 3]),
        (IMAGES[4:].tobytes(), 4, [4]),
    ]


def test_a_request_is_encoded_when_it_is_first_asked_for_and_kept(book, encoded):
    assert encoded == []
    assert book[1] is book[1]
    assert encoded == [int(IMAGES[2, 0, 0])]


def test_after_a_run_none_is_kept_and_who_asks_gets_the_same(book, encoded):
    before = [book[number] for number in range(len(book))]
    book.forget()

    assert [book[number] for number in range(len(book))] == before
    assert len(encoded) == 2 * len(book)
