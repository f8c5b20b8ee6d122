"""What a page says of images: how many were misread, how often, and for what each was taken."""

import dataclasses

import pytest

from tests.support.page_runs import page_run
from tfsload.analysis.image_counts import ImageCounts, Misread
from tfsload.report.page.answers import answers
from tfsload.report.page.page import render

TEN = (3,) * 10
SUMMARIES = {
    "one": (
        ImageCounts(TEN, (Misread(4, 1, 3),)),
        "1 of the 10 images was answered wrong, every time it was answered.",
    ),
    "one-now-and-then": (
        ImageCounts(TEN, (Misread(4, 1, 2),)),
        "1 of the 10 images was answered wrong, not every time.",
    ),
    "two": (
        ImageCounts(TEN, (Misread(4, 1, 3), Misread(5, 1, 3))),
        "2 of the 10 images were answered wrong, each of them every time it was answered.",
    ),
    "for-two-others": (
        ImageCounts(TEN, (Misread(4, 1, 2), Misread(4, 7, 1))),
        "1 of the 10 images was answered wrong, every time it was answered.",
    ),
    "without-an-answer-once": (
        ImageCounts(TEN, (Misread(4, 1, 2), Misread(5, 1, 3)), unanswered={4: 1}),
        "2 of the 10 images were answered wrong, each of them every time it was answered.",
    ),
    "one-was-never-answered": (
        ImageCounts(TEN, (Misread(4, 1, 3),), unanswered={9: 3}),
        "1 of the 9 images was answered wrong, every time it was answered; 1 more had no answer.",
    ),
    "none": (ImageCounts(TEN), "None of the 10 images was answered wrong."),
    "no-answer": (
        ImageCounts(TEN, unanswered=dict.fromkeys(range(10), 3)),
        "None of the 10 images fired was answered.",
    ),
    "the-only-one": (ImageCounts((2,), (Misread(0, 1, 1),)), "The only image was answered wrong, not every time."),
    "the-only-one-right": (ImageCounts((2,)), "No image was answered wrong."),
    "nothing": (ImageCounts(), ""),
}


def seen(images):
    return answers(dataclasses.replace(page_run("demo"), images=images))


@pytest.mark.parametrize(("images", "said"), SUMMARIES.values(), ids=SUMMARIES)
def test_how_many_images_were_misread(images, said):
    # The classes are those of another run: only the sentence and the images are looked at.
    assert seen(images).summary == said


IMAGES = {
    "always": ([Misread(4, 1, 3)], {}, ("1", "3 of 3 times", "")),
    "sometimes-unanswered": ([Misread(4, 1, 2)], {4: 1}, ("1", "2 of 2 times", "")),
    "answered-once": ([Misread(4, 1, 1)], {4: 2}, ("1", "1 of 1 time", "")),
    "two-answers": ([Misread(4, 1, 1), Misread(4, 7, 2)], {}, ("7", "2 of 3 times", "also 1 (1×)")),
    "four-answers": (
        [Misread(4, 7, 1), Misread(4, 1, 1), Misread(4, 3, 1), Misread(4, 2, 1)],
        {},
        ("1", "1 of 3 times", "also 2 (1×), 3 (1×), 1 more"),
    ),
}


@pytest.mark.parametrize(("misread", "unanswered", "said"), IMAGES.values(), ids=IMAGES)
def test_for_what_an_image_was_taken(misread, unanswered, said):
    (image,) = seen(ImageCounts(TEN, tuple(misread), unanswered=unanswered)).images

    assert (image.answer, image.times, image.also) == said


def test_a_picture_is_told_with_all_that_it_was_taken_for():
    (image,) = seen(ImageCounts(TEN, (Misread(4, 1, 20), Misread(4, 7, 17)), labels={4: 9})).images

    assert image.alt == "Image 4: a 9, answered as 1, and as 7"


def test_an_image_without_an_answer_does_not_make_others_flip():
    summary = answers(page_run("unanswered")).summary

    assert "each of them every time it was answered" in summary


@pytest.mark.parametrize(
    ("n_misread", "n_seen", "n_folded", "said"),
    [
        pytest.param(1, 1, 0, "", id="one"),
        pytest.param(12, 12, 0, "", id="a-dozen"),
        pytest.param(13, 12, 1, "1 other", id="one-more"),
        pytest.param(150, 12, 138, "138 others", id="many"),
        pytest.param(230, 12, 188, "188 others", id="more-than-are-drawn"),
    ],
)
def test_a_dozen_images_are_seen_and_the_others_fold(n_misread, n_seen, n_folded, said):
    misread = tuple(Misread(image, 1, 1) for image in range(n_misread))
    result = dataclasses.replace(page_run("demo"), images=ImageCounts((1,) * 1000, misread))
    found = answers(result)
    page = render(result)

    assert (len(found.images), len(found.folded), found.n_more) == (n_seen, n_folded, max(n_misread - 200, 0))
    assert page.count('<p class="labels">') == n_seen + n_folded
    assert (f"<summary>{said}</summary>" in page) == bool(said)
    if said:
        assert page.index(f"<summary>{said}</summary>") < page.index(f"image {n_misread - 1 - found.n_more}</p>")
