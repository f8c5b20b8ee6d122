"""How many examples of a property are looked at."""

import hypothesis

DEFAULT = 100


def scaled(n_examples: int) -> int:
    """Return so many examples of a whole run's, or the share of them that the profile in use asks for."""
    return max(n_examples * hypothesis.settings.default.max_examples // DEFAULT, 1)
