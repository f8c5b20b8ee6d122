"""The start page as whoever talks HTTP sees it."""

import html
import re
import urllib.parse
from typing import Any

from tests.support.html import by_class, by_id, parsed, text_of
from tests.support.web_ui import Reply, WebUi

PATH = "/tfsload/"
# What a person leaves as it is; each test says what else is typed.
SHORT_SWEEP = {"load": "sweep", "sweep": "1,2", "level_duration": "1", "warm_up": "0.2"}


class StartPage:
    """A start page that was answered.

    Attributes:
        status: HTTP's.
        title: of the browser's tab.
        values: what each field holds, by name; of boxes, and of the kind of load, what is ticked.
        faults: what stands at each field as wrong, by name.
        alert: what stands at the top; empty: nothing.
        said: what stands beside the buttons.
        warnings: what of that is drawn as a warning.
        open_parts: the headings of what is folded and stands open.
        path: where it is sent to.
        is_under_way: whether it says that a run is.
        disabled: the buttons that cannot be pressed, by what they do.
    """

    def __init__(self, reply: Reply, is_strict: bool = True) -> None:
        page = self._page = parsed(reply.body, is_strict)
        self.status = reply.status
        self.title = text_of(next(page.iter("title")))
        self.values = {name: value for one in page.iter() for name, value in _held(one)}
        self.faults = {
            name: self._fault(name) for one in page.iter() if one.get("aria-invalid") for name in [one.get("name")]
        }
        self.alert = " ".join(text_of(one) for one in page.iter() if one.get("role") == "alert")
        self.said = text_of(by_class(page, "go")[0])
        self.warnings = [text_of(one) for one in by_class(page, "warning")]
        self.open_parts = [
            text_of(next(one.iter("strong"))) for one in page.iter("details") if one.get("open") is not None
        ]
        self.path = next(one for one in page.iter("form")).get("action")
        self.is_under_way = by_id(page, "under-way").get("hidden") is None
        self.disabled = {one.get("value") for one in page.iter("button") if one.get("disabled") is not None}
        self.text = text_of(page)

    def _fault(self, name: str) -> str:
        """Return what is said at a field, by the ids that it names."""
        field = by_id(self._page, f"f-{name}")
        assert f"f-{name}-fault" in field.get("aria-describedby").split()
        return text_of(by_id(self._page, f"f-{name}-fault"))


def _held(one: Any) -> list[tuple[str, str]]:
    name, kind = one.get("name"), one.get("type")
    if one.tag == "textarea":
        return [(name, one.text or "")]
    if one.tag == "select":
        chosen = [option for option in one.iter("option") if option.get("selected") is not None]
        return [(name, option.get("value", text_of(option))) for option in chosen]
    if one.tag != "input" or (kind in ("radio", "checkbox") and one.get("checked") is None):
        return []
    return [(name, one.get("value"))]


def show(ui: WebUi, query: str = "", path: str = PATH) -> StartPage:
    """Open the page."""
    return StartPage(ui.ask("GET", path + query))


def send(ui: WebUi, action: str = "start", path: str = PATH, **fields: str) -> Reply:
    """Press a button of the page; each end of a line goes as browsers send it."""
    sent = {name: re.sub(r"\r\n|\r|\n", "\r\n", text) for name, text in {"action": action, **fields}.items()}
    return ui.ask("POST", path, urllib.parse.urlencode(sent))


def press(ui: WebUi, action: str = "start", **fields: str) -> StartPage:
    """Press a button of a page that then is shown again."""
    return StartPage(send(ui, action, **fields))


def press_again(ui: WebUi, number: int) -> Reply:
    """Press "Run again" at a run's page."""
    page = ui.get(f"/tfsload/runs/{number}")
    form = page[page.index('<form method="post" action="/tfsload/"') :].partition("</form>")[0]
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return send(ui, **{name: html.unescape(text) for name, text in hidden})
