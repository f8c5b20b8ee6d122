"""What Locust changes on its way to refusing a start, as it was before."""

from locust.env import Environment


class BeforeStart:
    """Keeps what Locust changes on its way to refusing a start."""

    _NAMES = ("host", "profile", "user_classes")

    def __init__(self, environment: Environment) -> None:
        """Remember it."""
        self._environment = environment
        self._options = dict(vars(environment.parsed_options))
        self._values = {name: getattr(environment, name) for name in self._NAMES}

    def put_back(self) -> None:
        """Have all be so again."""
        vars(self._environment.parsed_options).update(self._options)
        for name, value in self._values.items():
            setattr(self._environment, name, value)
