"""The words in which an option that is true or false may be given. Pure."""

ON = ("true", "yes", "on", "1")
OFF = ("false", "no", "off", "0")


def is_on(text: str) -> bool:
    """Whether a switch is on, in any of the usual words.

    >>> is_on(" Yes"), is_on("no"), is_on("")
    (True, False, False)
    """
    return text.strip().lower() in ON
