"""What a case has found."""


class Finding(Exception):  # noqa: N818  (no error of the program that finds it)
    """The channel did what it must not.

    Attributes:
        problems: texts that say what; the first line of each tells it from others.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def require(condition: object, words: str) -> None:
    """Raise a `Finding` with these words unless the condition holds."""
    if not condition:
        raise Finding(words)
