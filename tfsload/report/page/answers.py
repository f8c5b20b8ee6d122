"""What was answered: by class, and the images that were misread. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfsload.analysis.figures import percent
from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.result import RunResult
from tfsload.report import units
from tfsload.report.page.png import data_uri
from tfsload.report.page.tables import Heading, Row, Table, figures
from tfsload.report.page.words import capital, stopped

MOST_IMAGES = 200
# So many are seen at once: more would make the page very long.
MOST_UNFOLDED = 12
MOST_OTHERS = 2
_SIDE_PX = 84


@dataclass(frozen=True)
class MisreadImage:
    """An image that was answered wrongly.

    Attributes:
        src: its picture as a `data:` URI; empty: its pixels are not kept.
        width, height: in which it is shown, in CSS pixels: the longer side is as long as any other picture's.
        label: what it shows; empty: not known.
        answer: for what it was taken most often.
        times: how often for that, of how many times that it was answered.
        also: for what else it was taken, and how often; empty: for nothing else.
        name: which image.
        alt: all this in a sentence.
    """

    src: str
    width: int
    height: int
    label: str
    answer: str
    times: str
    also: str
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
        folded: those that follow them, which are shown on demand.
        n_more: others.
        is_unlabelled: whether nothing is told but how many images were answered, since none has a label, or somebody's
            own `is_right` tells no class.
    """

    summary: str
    carried: tuple[str, ...]
    classes: Table
    pairs: Table
    caption: str
    images: tuple[MisreadImage, ...]
    n_more: int
    is_unlabelled: bool = False
    folded: tuple[MisreadImage, ...] = ()


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
        images=images[:MOST_UNFOLDED],
        folded=images[MOST_UNFOLDED:MOST_IMAGES],
        n_more=n_more,
        is_unlabelled=bool(result.images.fired and (not result.images.is_labelled or result.images.judged_by)),
    )


def _summary(result: RunResult) -> str:
    answered, misread = result.images.answered, _by_image(result)
    n_fired, n_answered = (sum(map(bool, counts)) for counts in (result.images.fired, answered))
    if not n_fired:
        return ""
    if not result.images.is_labelled:
        n_of = f"{units.count(n_answered)} of {units.count(n_fired)}"
        return f"{capital(NO_LABELS)}: {n_of} images had an answer, and none of these is right or wrong."
    if not n_answered:
        return f"{_of_all(0, n_fired)} fired was answered."
    if result.images.judged_by:
        n_wrong = result.images.n_misjudged
        was = "was" if n_wrong <= 1 else "were"
        return f"{_of_all(n_wrong, n_answered)} {was} answered wrong. {stopped(capital(result.images.why_no_classes))}"
    told = _of_all(len(misread), n_answered)
    # Images that were never answered are among those fired, and no sample of anything.
    never = f"; {units.count(n_fired - n_answered)} more had no answer" if n_answered < n_fired else ""
    if not misread:
        return f"{told} was answered wrong{never}."
    always = all(sum(taken.values()) == answered[image] for image, taken in misread.items() if image < len(answered))
    if len(misread) == 1:
        return f"{told} was answered wrong, {'every time it was answered' if always else 'not every time'}{never}."
    how = "each of them every time it was answered" if always else "some of them not every time"
    return f"{told} were answered wrong, {how}{never}."


def _of_all(n: int, n_all: int) -> str:
    if n_all == 1:
        return "The only image" if n else "No image"
    return f"{units.count(n) if n else 'None'} of the {units.count(n_all)} images"


def _by_image(result: RunResult) -> dict[int, dict[int, int]]:
    """Return for each misread image for what it was taken and how often, most often first."""
    found: dict[int, dict[int, int]] = {}
    for one in sorted(result.images.misread, key=lambda one: (-one.count, one.predicted)):
        taken = found.setdefault(one.image, {})
        taken[one.predicted] = taken.get(one.predicted, 0) + one.count
    return found


def misread_images(result: RunResult) -> tuple[MisreadImage, ...]:
    """Return the images that were answered wrongly, those most often so first."""
    by_image, answered = _by_image(result), result.images.answered
    ordered = sorted(by_image, key=lambda image: (-sum(by_image[image].values()), image))
    return tuple(
        _misread_image(result, image, by_image[image], answered, is_drawn=number < MOST_IMAGES)
        for number, image in enumerate(ordered)
    )


def _misread_image(
    result: RunResult, image: int, taken: Mapping[int, int], answered: Sequence[int], is_drawn: bool
) -> MisreadImage:
    images = result.images
    label = images.labels.get(image)
    name_of = images.class_text
    shows = "" if label is None else f": a {name_of(label)}"
    (answer, times), *others = taken.items()
    of_all = f" of {units.count(answered[image])}" if image < len(answered) else ""
    told = [f"{name_of(other)} ({units.count(n)}×)" for other, n in others[:MOST_OTHERS]]
    more = [f"{len(others) - MOST_OTHERS} more"] if len(others) > MOST_OTHERS else []
    as_others = "".join(f", and as {name_of(other)}" for other, _ in others[:MOST_OTHERS])
    picture = _picture(images.pixels.get(image, ""), images.columns) if is_drawn else _Picture()
    return MisreadImage(
        src=picture.src,
        width=picture.width,
        height=picture.height,
        label="?" if label is None else name_of(label),
        answer=name_of(answer),
        times=f"{units.count(times)}{of_all} time{'' if (answered[image] if of_all else times) == 1 else 's'}",
        also=f"also {', '.join([*told, *more])}" if told else "",
        name=f"image {units.count(image)}",
        alt=f"Image {image}{shows}, answered as {name_of(answer)}{as_others}",
    )


@dataclass(frozen=True)
class _Picture:
    """A picture and the size in which it is shown, in CSS pixels; none: it cannot be drawn."""

    src: str = ""
    width: int = _SIDE_PX
    height: int = _SIDE_PX


def _picture(pixels: str, columns: int) -> _Picture:
    """Return a picture of hexadecimal digits; none where there are none, or they are no rectangle.

    Args:
        pixels: its rows.
        columns: pixels in each; 0: as many as there are rows.
    """
    try:
        read = bytes.fromhex(pixels)
    except ValueError:
        return _Picture()
    columns = columns or round(len(read) ** 0.5)
    rows = len(read) // columns if columns else 0
    if not rows or rows * columns != len(read):
        return _Picture()
    a_pixel = _SIDE_PX / max(rows, columns)
    return _Picture(data_uri(read, columns), max(round(columns * a_pixel), 1), max(round(rows * a_pixel), 1))


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
    rows, name_of = [], result.images.class_text
    for one in result.classes:
        taken_for = f"{name_of(one.taken_for[0])} ({one.taken_for[1]:,}×)" if one.taken_for else "none other"
        cells = figures(
            name_of(one.label),
            units.count(one.images),
            units.count(one.right),
            units.count(one.wrong),
            percent(one.wrong / one.images if one.images else None),
            percent(one.recall),
            percent(one.precision),
            taken_for,
        )
        rows.append(Row(cells))
    return Table("Classes, as a table", headings, tuple(rows), _notes_of_classes(result))


def _notes_of_classes(result: RunResult) -> tuple[str, ...]:
    """Return what the columns hold, and what a dash says where there is one."""
    notes = ["recall: of the class's images so many were answered right. precision: of the answers that name it."]
    if any(None in (one.recall, one.precision) or not one.images for one in result.classes):
        notes.append(f"{units.NONE}: no image of the class was answered, or no answer names it.")
    return tuple(notes)


def pairs_table(result: RunResult) -> Table:
    """Return which class was taken for which other one, most often first."""
    wrong = [(count, label, answer) for label, answer, count in result.confusion if label != answer and count]
    ordered = sorted(wrong, key=lambda one: (-one[0], one[1], one[2]))
    headings = (Heading("label", True), Heading("answer", True), Heading("times"))
    name_of = result.images.class_text
    rows = [Row(figures(name_of(label), name_of(answer), units.count(count))) for count, label, answer in ordered]
    return Table("Classes taken for others, as a table", headings, tuple(rows))
