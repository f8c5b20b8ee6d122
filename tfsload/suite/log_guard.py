"""What is logged steers no terminal and holds no secret, whoever logs it; Locust's log tab shows it, too."""

import logging

from tfsload.transport import words

# The suite's own and Locust's: they have no reason to steer a terminal. A locustfile's own loggers may have colours.
_PLAIN = ("tfsload", "locust")
_LOGGERS = ("", "locust", "locust.stats_logger")


class Guard(logging.Filter):
    """Changes records on their way to a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let each record pass, without what is not to be in it."""
        try:
            text = record.getMessage()
        except Exception:  # whoever logs it has made a mistake, and logging tells so itself
            return True
        is_plain = record.name.split(".")[0] in _PLAIN
        clean = words.lines(words.redacted(text)) if is_plain else words.redacted(text)
        if clean != text:
            record.msg, record.args = clean, None
        if record.exc_info and not record.exc_text:
            trace = logging.Formatter().formatException(record.exc_info)
            record.exc_text = words.lines(words.redacted(trace))
        return True


def install() -> None:
    """Stand before each handler that Locust has set up; again and again does no harm."""
    for handler in {handler for name in _LOGGERS for handler in logging.getLogger(name).handlers}:
        if not any(isinstance(one, Guard) for one in handler.filters):
            handler.addFilter(Guard())
