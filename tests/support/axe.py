"""What axe-core finds fault with in a page."""

import importlib.resources
from typing import Any

from selenium import webdriver

_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
    found => done(found.violations.map(one => [one.id, one.impact, one.nodes.slice(0, 3).map(node => node.html)])),
    error => done([["axe", String(error), []]]));
"""


def accessibility_faults(driver: webdriver.Chrome) -> list[Any]:
    """Return the rule, how grave it is, and where, of each fault of the page that is open."""
    axe = importlib.resources.files("axe_core_python") / "axe.min.js"
    driver.execute_script(axe.read_text() + ";window.axe = axe;")
    return driver.execute_async_script(_AXE)
