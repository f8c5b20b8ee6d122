"""Requests without a usable answer, in words that say of the server no more than is so. Pure."""

from collections.abc import Collection

# An answer came, and could not be read, or not be judged by a user class.
_CODES_OF_ANSWERS = {"BAD_REPLY", "UNJUDGED"}


def no_answer(codes: Collection[str]) -> str:
    """Return what requests had that failed by these codes.

    >>> no_answer(["UNAVAILABLE"]), no_answer(["UNAVAILABLE", "UNJUDGED"])
    ('no answer', 'no usable answer')
    """
    return "no usable answer" if _had_answers(codes) else "no answer"


def an_answer(codes: Collection[str]) -> str:
    """Return what none of such requests had.

    >>> an_answer(["UNAVAILABLE"]), an_answer(["BAD_REPLY"])
    ('an answer', 'a usable answer')
    """
    return "a usable answer" if _had_answers(codes) else "an answer"


def none_answered(codes: Collection[str]) -> str:
    """Return, where all requests failed by these codes, that they did.

    >>> none_answered([]), none_answered(["BAD_REPLY"])
    ('no request was answered', 'no request had a usable answer')
    """
    return "no request had a usable answer" if _had_answers(codes) else "no request was answered"


def _had_answers(codes: Collection[str]) -> bool:
    """Whether the server has answered some of them all the same."""
    return not _CODES_OF_ANSWERS.isdisjoint(codes)
