"""A headless Chromium, and Locust's page in it as a person uses it."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
# A name that a page of somebody else's has made to point at this machine.
REBOUND = "evil.example"
LIMIT_S = 60
# As root in a container there is no sandbox; and nothing is to be fetched by the browser itself.
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
    f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
)


@contextlib.contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """Start a browser of its own; it does not outlive the block."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in _ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


class LocustPage:
    """Locust's page, as a person sees it."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        self._url = url

    def load(self, query: str = "") -> None:
        """Open the page, or load it again; `query` is what is to stand behind the first word of its query."""
        self.driver.get(f"{self._url}/?locust=1{query}")
        self.wait(lambda: self.text, "the page")

    @property
    def text(self) -> str:
        """All that the page shows."""
        return self.driver.find_element(By.ID, "root").text

    @property
    def status(self) -> str:
        """What it says of the run."""
        lines = self.text.splitlines()
        return lines[lines.index("Status") + 1] if "Status" in lines else ""

    @property
    def log(self) -> str:
        """What the log tab shows, where it is open."""
        return self.text.partition("Master Logs")[2].replace("\u00a0", " ")

    @property
    def alert(self) -> str:
        """What the form says above its button; empty: nothing."""
        return " ".join(one.text for one in self._all(By.CSS_SELECTOR, "[role=alert]"))

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait until something is seen, and return it."""
        wait = WebDriverWait(self.driver, LIMIT_S, 0.1, ignored_exceptions=[StaleElementReferenceException])
        try:
            return wait.until(lambda _: condition())
        except TimeoutException:
            raise AssertionError(f"waited {LIMIT_S} s in vain: {what}; the page shows\n{self.text}") from None

    def press(self, text: str) -> None:
        """Press a button, a tab or a heading that unfolds something; where it lies may still be moving."""
        self.driver.execute_script("arguments[0].click()", self.wait(lambda: self._button(text), f"a button {text!r}"))

    def field(self, name: str) -> WebElement:
        """Return a field of the start form, wherever it is open."""
        return self.wait(lambda: self._shown(By.NAME, name), f"a field {name!r}")

    def open_form(self) -> None:
        """Open the start form, if it is not yet, with all that is folded in it."""
        if self.status != "READY" and not self.driver.find_elements(By.CSS_SELECTOR, "[role=presentation]"):
            self.press("NEW")
        for heading in ("Advanced options", "Custom parameters"):
            if not self._is_unfolded(heading):
                self.press(heading)
                self.wait(lambda heading=heading: self._is_unfolded(heading), f"what is folded in {heading!r}")

    def fill(self, **fields: str) -> None:
        """Type into fields of the start form, over what is there."""
        for name, text in fields.items():
            field = self.wait(lambda name=name: self._typable(name), f"a field {name!r} that can be typed into")
            field.send_keys(Keys.CONTROL + "a")
            field.send_keys(Keys.DELETE)
            field.send_keys(text)

    def start(self, **fields: str) -> None:
        """Fill the form and press its button."""
        self.open_form()
        self.fill(**fields)
        self.press("START")

    def _is_unfolded(self, heading: str) -> bool:
        button = self.wait(lambda: self._button(heading), f"a heading {heading!r}")
        return button.get_attribute("aria-expanded") == "true"

    def _typable(self, name: str) -> WebElement | None:
        field = self._shown(By.NAME, name)
        if field is None:
            return None
        self._scroll_to(field)
        return field if field.is_displayed() and field.is_enabled() else None

    def _scroll_to(self, element: WebElement) -> WebElement:
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        return element

    def _button(self, text: str) -> WebElement | None:
        found = self._all(By.CSS_SELECTOR, "button, [role=tab]")
        return next((one for one in found if one.text.strip().lower() == text.lower()), None)

    def _shown(self, by: str, what: str) -> WebElement | None:
        return next(iter(self._all(by, what)), None)

    def _all(self, by: str, what: str) -> list[WebElement]:
        """Return what there is of something, in the dialog if one is open."""
        dialogs = self.driver.find_elements(By.CSS_SELECTOR, "[role=presentation]")
        return (dialogs[-1] if dialogs else self.driver.find_element(By.ID, "root")).find_elements(by, what)
