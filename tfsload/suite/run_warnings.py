"""What is said before a run that is as asked for, and perhaps not as meant: in the log, and by the form's *Check*."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfsload.analysis import tolerance
from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.percentiles import samples_needed
from tfsload.analysis.threshold_words import asked_words, bound_words
from tfsload.datasets.dataset import SHIPPED
from tfsload.load.plan import Plan
from tfsload.prediction.prediction_user import waits
from tfsload.run.checks import Checked
from tfsload.run.user_hosts import suite_classes
from tfsload.settings.given import options_of_levels, options_of_open_load
from tfsload.settings.settings import Settings
from tfsload.transport.address import Address
from tfsload.transport.words import shown

logger = logging.getLogger(__name__)

# Whoever writes an error rate of 0.05 means the fraction; from here on it may be meant in per cent.
_LIKE_PER_CENT = 0.2


@dataclass(frozen=True)
class Asker:
    """Who asks for a run, and how it says what is to be said differently.

    Attributes:
        ramp: how many users are started a second.
        slow: what to do about a ramp that takes too long.
        n_images: how many images are to be fired.
        few: what to do about too few of them, with a place for `larger`.
        larger: which data set has more, where it is the shipped one that has too few.
    """

    ramp: str
    slow: str
    n_images: str
    few: str
    larger: str


COMMAND_LINE = Asker(
    ramp="-r {:g}",
    slow="pass a higher -r, or a longer -t",
    n_images="--num-tests {}",
    few="fire more images{}, or give the run a time (-t) in place of --num-tests",
    larger=" (--dataset mnist has 10,000)",
)
FORM = Asker(
    ramp="A ramp-up of {:g}",
    slow="raise the ramp-up, or the run time",
    n_images="A run of {} images",
    few="fire more images{}, or have users run for a time",
    larger=" (the data set mnist has 10,000)",
)
PROGRAM = Asker(
    ramp="spawn_rate={:g}",
    slow="pass a higher spawn_rate, or none, or a longer run_time_s",
    n_images="num_tests={}",
    few="fire more images{}, or pass run_time_s in place of num_tests",
    larger=" (dataset='mnist' has 10,000)",
)


def how_long(plan: Plan, settings: Settings) -> str:
    """Return how many levels come, and how long they take, with the option that asks for them.

    Args:
        plan: the levels.
        settings: what was asked for.
    """
    load = settings.load
    flag = "--sweep" if load.sweep else "--rate" if load.rates else "--find-max-rate"
    return f"{flag}: {plan.length.words}"


def say_how_long(plan: Plan, settings: Settings) -> None:
    """Say the same in the log, as a run begins."""
    logger.info("%s", how_long(plan, settings))


def warn_of_ignored(options: Mapping[str, Any], settings: Settings) -> None:
    """Warn of options that have no effect in this run.

    Args:
        options: Locust's and the suite's, by name.
        settings: what is made of the suite's.
    """
    if settings.load.has_levels:
        given = {name: options.get(name) for name in ("run_time", "spawn_rate", "num_users")}
        if not settings.load.sweep:
            del given["num_users"]  # the most in flight
        flags = {"run_time": "-t", "spawn_rate": "-r", "num_users": "-u"}
        ignored = [flags[name] for name, value in given.items() if value]
        why = "levels say how many users there are, and for how long"
    else:
        ignored = options_of_levels(options)
        why = "a run without --sweep, --rate or --find-max-rate has no levels"
    if ignored:
        logger.warning("%s: no effect, since %s", " and ".join(ignored), why)
    if settings.load.sweep and (ignored := options_of_open_load(options)):
        logger.warning("%s: no effect, since the users of a sweep wait for their answers alone", " and ".join(ignored))
    if settings.checks.tolerance != tolerance.DEFAULT and not settings.checks.verify:
        logger.warning("--tolerance: no effect, since nothing is compared without --verify N")
    if settings.report.hgrm and not settings.report.directory:
        logger.warning("--hgrm: no effect, since its files belong to a report, and there is none without --report DIR")


def told_before(
    options: Mapping[str, Any], settings: Settings, asker: Asker | None, has_shape: bool
) -> tuple[str, ...]:
    """Return why a run will support no verdict, or may be meant otherwise, and what to do, a sentence each.

    Args:
        options: Locust's, by name.
        settings: what is made of the suite's.
        asker: who asks for it; None: code that starts users, of which no option tells.
        has_shape: whether a load shape says how many users there are.
    """
    slow = "" if asker is None or has_shape else slow_ramp(options, settings, asker)
    few = too_few_samples(settings, asker or COMMAND_LINE)
    return tuple(filter(None, (slow, few, rates_without_percent(settings))))


def too_few_samples(settings: Settings, asker: Asker) -> str:
    """Return which thresholds a run of so many images cannot judge, and what to do; empty: it can judge all."""
    n_requests = math.ceil(settings.data.num_tests / settings.model.images_per_request)
    asked = [one for one in settings.checks.thresholds if one.percentile is not None]
    wanted = {asked_words(one): samples_needed(one.percentile or 0.0) for one in asked}
    short = [text for text, n in wanted.items() if n > n_requests]
    if not n_requests or not short:
        return ""
    most = max(wanted[text] for text in short)
    larger = asker.larger if settings.data.dataset == SHIPPED else ""  # whoever has images of their own wants no MNIST
    return (
        f"{asker.n_images.format(settings.data.num_tests)} makes {n_requests:,} requests, and {' and '.join(short)} "
        f"wants {most:,}: the run will support no verdict on it; {asker.few.format(larger)}"
    )


def rates_without_percent(settings: Settings) -> str:
    """Return which limits on a share are fractions, and what they mean in per cent; empty: none is to be told.

    Of 0.5 the one is as easily meant as the other, and a gate that is a hundred times too wide passes everything.
    """
    fractions = [
        one
        for one in settings.checks.thresholds
        if one.metric.endswith("_rate") and one.unit_kind == "share" and not one.unit and one.limit >= _LIKE_PER_CENT
    ]
    return "; ".join(
        f"{one.subject} {one.operator} {one.limit:.12g} means {bound_words(one)}: write {bound_words(one)}, or "
        f"{one.limit:.12g}% if that is meant"
        for one in fractions
    )


def slow_ramp(options: Mapping[str, Any], settings: Settings, asker: Asker) -> str:
    """Return why a run ends before all of its users are started, and what to do; empty: it does not.

    Args:
        options: Locust's, by name.
        settings: what is made of the suite's.
        asker: who asks for the run.
    """
    n_users, a_second, run_time_s = options.get("num_users"), options.get("spawn_rate") or 1, options.get("run_time")
    if not (n_users and run_time_s and math.isfinite(a_second)) or settings.load.has_levels or settings.data.num_tests:
        return ""
    ramp_s = _ramp_s(n_users, a_second)
    if ramp_s < run_time_s:
        return ""
    return (
        f"{asker.ramp.format(a_second)} starts the last of {n_users:,} users after {ramp_s:,.0f} s, and the run ends "
        f"after {run_time_s:,g} s: the run will support no verdict; {asker.slow}"
    )


def _ramp_s(n_users: int, a_second: float) -> float:
    """Return when the last user is started: Locust starts as many as whole ones make a second at once."""
    at_once = max(1, math.floor(a_second))
    return (math.ceil(n_users / at_once) - 1) * at_once / a_second


def warn(sentences: Sequence[str]) -> None:
    """Say them in the log, before the run."""
    for one in sentences:
        logger.warning("%s", one)


def unlabelled(checked: Checked) -> tuple[str, ...]:
    """Return what a run cannot tell whose images have no labels; none: they have some."""
    if checked.is_labelled:
        return ()
    asked = checked.settings.data.dataset
    return (f"{shown(asked)}: {NO_LABELS}, so that no answer is right or wrong; --verify still compares answers",)


def tell_of_data(remarks: Sequence[str]) -> None:
    """Say in the log how the images were read, where that is worth telling."""
    for one in remarks:
        logger.info("%s", shown(one))


def warn_of_waits(user_classes: Sequence[type], settings: Settings) -> None:
    """Warn of wait times that have no effect in this run.

    Args:
        user_classes: those of the run.
        settings: what it was asked to do.
    """
    waiting = [one.__name__ for one in suite_classes(user_classes) if waits(one)]
    if settings.load.has_levels and waiting:
        what = "wait for nothing but arrivals" if settings.load.is_open else "wait for nothing but their answers"
        logger.warning("wait_time of %s: no effect, since the users of a level %s", " and ".join(waiting), what)


def warn_of_loopback(target: Address) -> None:
    """Warn of an address that workers on other machines take for their own."""
    if target.is_loopback:
        logger.warning("%s is this machine to each worker: those elsewhere need a --host that they reach", target.text)
