"""Texts of a form that hold a secret: a page shows them without it, and what comes back unchanged is as it was."""

from collections.abc import Callable, Mapping

from tfsload.transport.words import HIDDEN, redacted, without_password
from tfsload.webui.load_kinds import HOST
from tfsload.webui.start_needs import Form


def hidden(name: str, text: str) -> str:
    """Return the text of a field as a page may hold it: with no secret of `--metadata`, nor a host's pass word."""
    return without_password(redacted(text)) if name == HOST else redacted(text)


def all_hidden(texts: Mapping[str, str]) -> dict[str, str]:
    """Return texts by name as a page may hold them."""
    return {name: hidden(name, text) for name, text in texts.items()}


class HiddenTexts:
    """Knows what stands behind the texts that pages hold, by the fields' names."""

    def __init__(self, texts: Callable[[], Mapping[str, str]]) -> None:
        """Remember what the command line says.

        Args:
            texts: returns what each field holds as of now, whole.
        """
        self._texts = texts
        self._at_first = dict(texts())

    def whole(self, form: Form) -> Form:
        """Return a form as it would be if pages held all that they hide."""
        if not any(HIDDEN in text for text in form.values()):
            return form
        known = (self._at_first, self._texts())
        texts = form.items(multi=True)
        return type(form)([(name, _whole(name, text, [one.get(name, "") for one in known])) for name, text in texts])


def _whole(name: str, text: str, known: list[str]) -> str:
    """Return a text with what stands behind it, or behind its parts between semicolons, where these are known."""
    if HIDDEN not in text:
        return text
    parts = [part.strip() for one in known for part in (one, *one.split(";"))]
    behind = {hidden(name, part): part for part in reversed(parts)}
    return behind.get(text) or ";".join(behind.get(part.strip(), part) for part in text.split(";"))
