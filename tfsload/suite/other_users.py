"""What runs beside predictions: other user classes, and tasks that a class of the suite adds."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tfsload.analysis.others import OtherFailures, Others
from tfsload.prediction.prediction_user import PredictionUser
from tfsload.run.user_hosts import other_classes, suite_classes
from tfsload.settings.given import levels_asked_for
from tfsload.transport.failure import PredictionFailure
from tfsload.transport.words import shown


def seen_beside(stats: Any, user_classes: list[type]) -> Others:
    """Return what a run held beside predictions.

    Args:
        stats: Locust's, of all processes.
        user_classes: those of the run.
    """
    return Others(_names(user_classes), _failures(stats, user_classes))


def _names(classes: list[type]) -> tuple[str, ...]:
    others = [one.__name__ for one in other_classes(classes)]
    added = [f"{one.__name__}.{task.__name__}" for one in suite_classes(classes) for task in added_tasks(one)]
    return tuple(dict.fromkeys([*others, *added]))


def are_tables_wanted(options: Any, user_classes: list[type]) -> bool:
    """Whether Locust is to print its own tables: they were asked for, or there is something that only they tell.

    That is what other users do, and what each class does where several have rows of their own.

    Args:
        options: Locust's.
        user_classes: those of the run.
    """
    rows = {(one.request_type, one.request_name) for one in suite_classes(user_classes)}
    return bool(options.only_summary or options.print_stats or len(rows) > 1 or _names(user_classes))


def faults_of_levels(options: Mapping[str, Any], user_classes: list[type]) -> list[str]:
    """Return why the suite's user classes could not give a level its users, a sentence each.

    Args:
        options: by name, as text.
        user_classes: those of the run.
    """
    levels, own = " and ".join(levels_asked_for(options)), suite_classes(user_classes)
    if not levels:
        return []
    if not own:
        names = ", ".join(one.__name__ for one in user_classes)
        return [f"{levels}: no user class of the suite is to be run (only {names}): name one, or leave levels out"]
    if all(one.fixed_count for one in own):
        names = " and ".join(one.__name__ for one in own)
        return [f"{levels}: fixed_count of {names} says how many users there are, as levels do: leave one out"]
    return []


def added_tasks(user_class: type[PredictionUser]) -> list[Any]:
    """Return the tasks of a class of the suite that are not its predictions."""
    return [task for task in user_class.tasks if task is not PredictionUser.predict_in_turn]


def _failures(stats: Any, user_classes: list[type]) -> tuple[OtherFailures, ...]:
    # The suite's own rows are judged by what it has recorded itself.
    # They are known by their name, and one that a user gives its requests as it goes by the failure.
    own = {(one.request_type, one.request_name) for one in suite_classes(user_classes)}
    counts: Counter[tuple[str, str]] = Counter()
    errors: dict[tuple[str, str], str] = {}
    for error in sorted(stats.errors.values(), key=lambda one: one.occurrences):
        row, words = (error.method, error.name), error.parse_error(error.error)
        if row not in own and not words.startswith(f"{PredictionFailure.__name__}("):
            counts[row] += error.occurrences
            errors[row] = shown(words)  # the last: the most frequent
    return tuple(
        OtherFailures(
            row=shown(" ".join(filter(None, map(str, (method, name))))),
            n_failed=n_failed,
            n_requests=max(getattr(stats.entries.get((name, method)), "num_requests", 0), n_failed),
            error=errors[method, name],
        )
        for (method, name), n_failed in counts.most_common()
    )
