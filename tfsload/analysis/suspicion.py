"""Does a model look broken? Answers that no working model gives are warned of, whatever the verdict. Pure.

A model is allowed its error rate, so this is never a reason to fail. But a model that is asked in the wrong way (pixels
on another scale, labels in another order, another model altogether) answers promptly, and a load test of it is one of
nothing. Two signs are looked for, in the answers of the whole run:

- **one class**: of the images that are not of a class, at least 90 % are taken for it;
- **chance**: no more answers are right than if they ignored the images. Answers with the same frequencies that ignore
  them are right in a share of Σ p(label = c) · p(answer = c), Cohen's "chance agreement" (Educational and Psychological
  Measurement 20, 1960), which makes allowance for unbalanced data: always saying what 95 % of the images are is right
  in 95 %, and chance. Near it means a kappa, (right - chance) ÷ (1 - chance), of 0.1 at most; labels that are shifted
  lie below 0.

Neither may be luck. The sign is only told where answers of a model that works half as well as can be, with a kappa of
0.5 (or that takes half of the other images for one class), would show it with a probability of 1 in 10,000 at most, by
the binomial distribution. So a better model is called broken even less often; a model between 0.1 and 0.5 may be, where
its few images are. The unit is the image: a model answers an image the same each time, so a hundred answers to ten
images say what ten say. A dozen images suffice where none is right.
"""

import math
from functools import partial

from tfsload.analysis.figures import percent
from tfsload.records.confusion import ConfusionMatrix

_NEARLY_ALL = 0.9
_NEAR_CHANCE_KAPPA = 0.1
_WORKING_KAPPA = 0.5
_LUCK = 1e-4
# More images tell no more, and cost time.
_MOST_IMAGES = 10_000

_LOOK_AT = (
    "look at the pixels (a model may want --pixel-scale 0..255 in place of 0..1, or 1..0 where its ink is dark on "
    "white), at the labels (their order, a shift by one), and whether another model or signature is meant "
    "(--model-name, --signature-name)"
)


def suspicions(confusion: ConfusionMatrix, n_images: int) -> tuple[str, ...]:
    """Return why the model looks broken, and what to look at, a sentence each; empty where it does not.

    Args:
        confusion: the answers.
        n_images: images that the run fires, over and over.
    """
    n = min(confusion.total, n_images, _MOST_IMAGES)
    if not n:
        return ()
    found = _one_class(confusion, n) or _chance(confusion, n)
    return (f"the model looks broken: {found}; {_LOOK_AT}",) if found else ()


def _one_class(confusion: ConfusionMatrix, n: int) -> str:
    """Return that one class is answered to nearly all images, its own left out; empty where it is not."""
    total, classes = confusion.total, confusion.classes
    answered = {one: sum(confusion.count(label, one) for label in classes) for one in classes}
    most = max(classes, key=lambda one: answered[one])
    n_others = total - sum(confusion.count(most, one) for one in classes)
    n_taken = answered[most] - confusion.count(most, most)
    if n_taken < _NEARLY_ALL * n_others:
        return ""
    n_others, n_taken = math.floor(n_others * n / total), math.floor(n_taken * n / total)
    if _at_most(n_others - n_taken, n_others, 0.5) > _LUCK:
        return ""
    share, wrong = answered[most] / total, confusion.wrong / total
    return f"{percent(share)} of all answers are class {most}, and {percent(wrong)} of all are wrong"


def _chance(confusion: ConfusionMatrix, n: int) -> str:
    """Return that no more answers are right than by chance; empty where there are."""
    total = confusion.total
    right = 1 - confusion.wrong / total
    chance = _by_chance(confusion)
    if right > chance + _NEAR_CHANCE_KAPPA * (1 - chance):
        return ""
    working = chance + _WORKING_KAPPA * (1 - chance)
    if _at_most(math.ceil(right * n), n, working) > _LUCK:
        return ""
    return (
        f"{percent(right)} of all answers are right, and answers that ignore the images would be right in "
        f"{percent(chance)}{_pattern(confusion)}"
    )


def _by_chance(confusion: ConfusionMatrix) -> float:
    classes, total = confusion.classes, confusion.total
    labels = {one: sum(confusion.count(one, other) for other in classes) for one in classes}
    answers = {one: sum(confusion.count(other, one) for other in classes) for one in classes}
    return sum(labels[one] * answers[one] for one in classes) / total**2


def _pattern(confusion: ConfusionMatrix) -> str:
    """Return what most wrong answers have in common, where it points at the labels."""
    classes = confusion.classes
    n_classes = max(classes) + 1
    shifts = dict.fromkeys(range(n_classes), 0)
    for label, answer, count in confusion.to_plain():
        shifts[(answer - label) % n_classes] += count
    shift = max(shifts, key=lambda one: shifts[one])
    if shift and shifts[shift] > confusion.total / 2:
        by = f"plus {shift}" if shift <= n_classes / 2 else f"minus {n_classes - shift}"
        return f"; {percent(shifts[shift] / confusion.total)} are the label {by}"
    taken_for = {label: max(classes, key=partial(confusion.count, label)) for label in classes}
    n_taken = sum(confusion.count(label, one) for label, one in taken_for.items())
    if n_taken > confusion.total / 2 and len(set(taken_for.values())) > len(classes) / 2:
        return "; most images of a class are taken for one other class, as with labels in another order"
    return ""


def _at_most(k: int, n: int, share: float) -> float:
    """Return P(Binomial(n, share) <= k)."""
    if share >= 1:
        return float(k >= n)
    if share <= 0:
        return 1.0
    log_yes, log_no = math.log(share), math.log1p(-share)
    log_ways = math.lgamma(n + 1)
    terms = (
        log_ways - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * log_yes + (n - i) * log_no
        for i in range(min(k, n) + 1)
    )
    return min(math.fsum(map(math.exp, terms)), 1.0)
