"""NAME=VALUE, as `--input` has it. Pure."""


def name_and_text(part: str) -> tuple[str, str]:
    """Return the name and the value in NAME=VALUE.

    >>> name_and_text("keep_prob = 1.0")
    ('keep_prob', '1.0')

    Raises:
        ValueError: it is none; with what is expected.
    """
    name, equals, text = (half.strip() for half in part.partition("="))
    if not (name and equals and text):
        raise ValueError("NAME=VALUE, such as keep_prob=1.0")
    return name, text
