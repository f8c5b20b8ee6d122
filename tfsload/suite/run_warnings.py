"""What is said in the log of a run that is as asked for, and perhaps not as meant."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tfsload.analysis import tolerance
from tfsload.analysis.percentiles import samples_needed
from tfsload.load.plan import Plan
from tfsload.prediction.prediction_user import waits
from tfsload.run.user_hosts import suite_classes
from tfsload.settings.given import options_of_levels, options_of_open_load
from tfsload.settings.settings import Settings
from tfsload.transport.address import Address

logger = logging.getLogger(__name__)


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


def too_few_samples(settings: Settings) -> str:
    """Return which thresholds a run with `--num-tests` cannot judge, and what to do; empty: it can judge all."""
    n_requests = math.ceil(settings.data.num_tests / settings.model.images_per_request)
    asked = [one for one in settings.checks.thresholds if one.percentile is not None]
    wanted = {one.text: samples_needed(one.percentile or 0.0) for one in asked}
    short = [text for text, n in wanted.items() if n > n_requests]
    if not n_requests or not short:
        return ""
    most = max(wanted[text] for text in short)
    return (
        f"--num-tests {settings.data.num_tests} makes {n_requests:,} requests, and {' and '.join(short)} wants "
        f"{most:,}: the run will support no verdict on it; fire more images (--dataset mnist has 10,000), or give the "
        "run a time (-t) in place of --num-tests"
    )


def warn_of_few_samples(settings: Settings) -> None:
    """Say the same in the log, before the run."""
    if told := too_few_samples(settings):
        logger.warning("%s", told)


def warn_of_slow_ramp(options: Mapping[str, Any], settings: Settings) -> None:
    """Warn of a run that ends before all of its users are started, and supports no verdict then.

    Args:
        options: Locust's, by name.
        settings: what is made of the suite's.
    """
    n_users, a_second, run_time_s = options.get("num_users"), options.get("spawn_rate") or 1, options.get("run_time")
    if not (n_users and run_time_s) or settings.load.has_levels or settings.data.num_tests:
        return
    if (n_users - 1) / a_second >= run_time_s:
        logger.warning(
            "-r %g starts the last of %s users after %s s, and the run ends after %s: the run will support no verdict; "
            "pass a higher -r, or a longer -t",
            *(a_second, f"{n_users:,}", f"{(n_users - 1) / a_second:,.0f}", f"{run_time_s:,g}"),
        )


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
