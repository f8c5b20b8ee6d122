"""What `--tags` and `--exclude-tags` leave of a user class's tasks, told before the run: Locust removes the others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from locust.env import Environment
from locust.user.task import is_markov_taskset

from tfsload.prediction.prediction_user import TAG, PredictionUser


@dataclass(frozen=True)
class Tags:
    """Which tasks are to run.

    Attributes:
        only: tags of which a task must bear one; None: it need not.
        without: tags of which it may bear none; None: any.
    """

    only: Collection[str] | None = None
    without: Collection[str] | None = None

    @classmethod
    def of(cls, environment: Environment) -> "Tags":
        """Return those of an environment, by Locust's rule: its own come before the command line's."""
        options = vars(environment.parsed_options) if environment.parsed_options else {}
        return cls(
            environment.tags if environment.tags is not None else options.get("tags") or None,
            environment.exclude_tags if environment.exclude_tags is not None else options.get("exclude_tags") or None,
        )

    def __str__(self) -> str:
        given = (("--tags", self.only), ("--exclude-tags", self.without))
        return " ".join(f"{flag} {' '.join(sorted(tags))}" for flag, tags in given if tags is not None)

    def allow(self, task: Any) -> bool:
        """Whether a task is to run; of a set of tasks: one of them at least."""
        if hasattr(task, "tasks"):
            return is_markov_taskset(task) or any(map(self.allow, task.tasks))
        tags: set[str] = getattr(task, "locust_tag_set", set())
        return (self.only is None or not tags.isdisjoint(self.only)) and (
            self.without is None or tags.isdisjoint(self.without)
        )

    def faults(self, user_classes: Sequence[type], levels: Sequence[str]) -> list[str]:
        """Return what is wrong with what they leave of a run's user classes, a sentence each.

        Args:
            user_classes: those of the run.
            levels: the options that ask for levels.
        """
        if self.only is None and self.without is None:
            return []
        suites = [one for one in user_classes if issubclass(one, PredictionUser)]
        faults = [
            f"{self}: {one.__name__} is left without a task: name a tag that one of them bears (the suite's own bears "
            f"{TAG!r}), or leave the option out"
            for one in (suites if levels else user_classes)
            if one.tasks and not any(map(self.allow, one.tasks))  # type: ignore[attr-defined]  # Locust's user classes
        ]
        if levels and not faults and not self.allow(PredictionUser.predict_in_turn):
            faults = [
                f"{self} and {' and '.join(levels)}: levels are made of the suite's predictions, whose tag is {TAG!r}: "
                "name it, or leave one out"
            ]
        return faults
