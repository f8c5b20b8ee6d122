"""What was answered: by class, and the images that were misread. Pure."""

from dataclasses import dataclass

from tfsload.analysis.figures import percent
from tfsload.analysis.result import RunResult
from tfsload.report import units
from tfsload.report.page.png import data_uri
from tfsload.report.page.tables import Heading, Row, Table, figures
from tfsload.report.page.words import capital, stopped

MOST_IMAGES = 200


@dataclass(frozen=True)
class MisreadImage:
    """An image that was answered wrongly.

    Attributes:
        src: its picture as a `data:` URI; empty: its pixels are not kept.
        label: what it shows; empty: not known.
        answer: for what it was taken most often.
        times: how often, of how many.
        name: which image.
        alt: all this in a sentence.
    """

    src: str
    label: str
    answer: str
    times: str
    name: str
    alt: str


@dataclass(frozen=True)
class Answers:
    """All of it.

    Attributes:
        summary: how many images were answered wrongly, in a sentence; empty: nothing was answered.
        carried: what the images can see of a change in accuracy, where a threshold limits one.
        classes: how each class was answered.
        pairs: which class was taken for which other one, most often first.
        caption: in which order the images stand, and whether all do.
        images: those misread most often.
        n_more: others.
    """

    summary: str
    carried: tuple[str, ...]
    classes: Table
    pairs: Table
    caption: str
    images: tuple[MisreadImage, ...]
    n_more: int


def answers(result: RunResult) -> Answers:
    """Return what was answered in a run."""
    images = misread_images(result)
    n_more = max(len(images) - MOST_IMAGES, 0)
    caption = f"The {MOST_IMAGES} that were misread most often." if n_more else "All of them, most frequent first."
    return Answers(
        summary=_summary(result),
        carried=tuple(stopped(capital(one.sentence)) for one in result.accuracy),
        classes=classes_table(result),
        pairs=pairs_table(result),
        caption=caption,
        images=images[:MOST_IMAGES],
        n_more=n_more,
    )


def _summary(result: RunResult) -> str:
    images = result.images
    n_fired = sum(1 for count in images.fired if count)
    misread = _by_image(result)
    if not n_fired:
        return ""
    if not misread:
        return f"None of the {units.count(n_fired)} images fired was answered wrong."
    always = all(count == images.fired[image] for image, (_, count) in misread.items() if image < len(images.fired))
    how = "each of them every time it was answered" if always else "some of them not every time"
    verb = "image was" if len(misread) == 1 else "images were"
    if len(misread) == 1:
        how = "every time it was answered" if always else "not every time"
    return f"{units.count(len(misread))} of the {units.count(n_fired)} {verb} answered wrong, {how}."


def _by_image(result: RunResult) -> dict[int, tuple[int, int]]:
    """Return for each misread image for what it was taken most often, and how often it was misread."""
    most: dict[int, tuple[int, int]] = {}
    total: dict[int, int] = {}
    for one in result.images.misread:
        total[one.image] = total.get(one.image, 0) + one.count
        if one.count > most.get(one.image, (0, 0))[1]:
            most[one.image] = (one.predicted, one.count)
    return {image: (answer, total[image]) for image, (answer, _) in most.items()}


def misread_images(result: RunResult) -> tuple[MisreadImage, ...]:
    """Return the images that were answered wrongly, those most often so first."""
    by_image = _by_image(result)
    ordered = sorted(by_image, key=lambda image: (-by_image[image][1], image))
    return tuple(_misread_image(result, image, *by_image[image]) for image in ordered[:MOST_IMAGES]) + tuple(
        _misread_image(result, image, *by_image[image], is_drawn=False) for image in ordered[MOST_IMAGES:]
    )


def _misread_image(result: RunResult, image: int, answer: int, times: int, is_drawn: bool = True) -> MisreadImage:
    images = result.images
    label = images.labels.get(image)
    fired = images.fired[image] if image < len(images.fired) else 0
    shows = "" if label is None else f": a {label}"
    return MisreadImage(
        src=_picture(images.pixels.get(image, "")) if is_drawn else "",
        label="?" if label is None else str(label),
        answer=str(answer),
        times=f"{units.count(times)} of {units.count(fired)} times",
        name=f"image {units.count(image)}",
        alt=f"Image {image}{shows}, answered as {answer}",
    )


def _picture(pixels: str) -> str:
    """Return a picture of hexadecimal digits; empty where there are none, or they are no square."""
    try:
        read = bytes.fromhex(pixels)
    except ValueError:
        return ""
    width = round(len(read) ** 0.5)
    return data_uri(read, width) if read and width * width == len(read) else ""


def classes_table(result: RunResult) -> Table:
    """Return how each class was answered."""
    headings = (
        Heading("class", True),
        Heading("images"),
        Heading("right"),
        Heading("wrong"),
        Heading("error rate"),
        Heading("recall"),
        Heading("precision"),
        Heading("most taken for"),
    )
    rows = []
    for one in result.classes:
        taken_for = f"{one.taken_for[0]} ({one.taken_for[1]:,}×)" if one.taken_for else ""
        cells = figures(
            str(one.label),
            units.count(one.images),
            units.count(one.right),
            units.count(one.wrong),
            percent(one.wrong / one.images if one.images else None),
            percent(one.recall),
            percent(one.precision),
            taken_for,
        )
        rows.append(Row(cells))
    return Table("Classes, as a table", headings, tuple(rows))


def pairs_table(result: RunResult) -> Table:
    """Return which class was taken for which other one, most often first."""
    wrong = [(count, label, answer) for label, answer, count in result.confusion if label != answer and count]
    ordered = sorted(wrong, key=lambda one: (-one[0], one[1], one[2]))
    headings = (Heading("label", True), Heading("answer", True), Heading("times"))
    rows = [Row(figures(str(label), str(answer), units.count(count))) for count, label, answer in ordered]
    return Table("Classes taken for others, as a table", headings, tuple(rows))
