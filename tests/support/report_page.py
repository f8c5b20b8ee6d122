"""A report's page in a browser, as a person sees it: which texts are seen, and where."""

import pathlib
from dataclasses import dataclass
from typing import Any

from selenium import webdriver

from tests.support.axe import accessibility_faults

# Every text of every drawing that is seen: which drawing, what it says, where it lies, and where the drawing does.
_TEXTS = """
return [...document.querySelectorAll(".chart svg[role=img]")]
    .filter(svg => svg.getClientRects().length)
    .flatMap(svg => {
        const chart = svg.closest(".chart").id, outer = svg.getBoundingClientRect();
        return [...svg.querySelectorAll("text")].filter(text => text.textContent.trim()).map(text => {
            const box = text.getBoundingClientRect();
            return [chart, text.textContent, [box.left, box.top, box.right, box.bottom],
                [outer.left, outer.top, outer.right, outer.bottom],
                parseFloat(getComputedStyle(text).fontSize) * outer.width / svg.viewBox.baseVal.width];
        });
    });
"""
# What is wider than the room that it has, but for what may be scrolled.
_TOO_WIDE = """
const width = document.documentElement.clientWidth;
return [...document.querySelectorAll("body *")]
    .filter(one => !one.closest(".scroll, pre, .skip, svg, .hidden-words") && one.getClientRects().length)
    .filter(one => one.getBoundingClientRect().right > width + 0.5 || one.scrollWidth > one.clientWidth + 1
        && getComputedStyle(one).display !== "inline")
    .map(one => one.outerHTML.slice(0, 200));
"""
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Text:
    """A text of a drawing.

    Attributes:
        chart: the drawing's id.
        text: what it says.
        box, within: where it lies, and where the drawing does: left, top, right, bottom, in px.
        font_px: how large it is.
    """

    chart: str
    text: str
    box: Box
    within: Box
    font_px: float

    def meets(self, other: "Text") -> bool:
        """Whether two have more in common than what no letter fills."""
        left, top, right, bottom = self.box
        left_2, top_2, right_2, bottom_2 = other.box
        across = min(right, right_2) - max(left, left_2)
        down = min(bottom, bottom_2) - max(top, top_2)
        return across > 0.5 and down > 2.5  # a box has room for accents above and descenders below

    @property
    def is_cut(self) -> bool:
        """Whether it goes beyond its drawing."""
        left, top, right, bottom = self.box
        outer = self.within
        return left < outer[0] - 0.5 or top < outer[1] - 2.5 or right > outer[2] + 0.5 or bottom > outer[3] + 2.5


class ReportPage:
    """A report's page in a browser."""

    def __init__(self, driver: webdriver.Chrome, directory: pathlib.Path) -> None:
        self.driver = driver
        self._directory = directory

    def show(self, html: str, width_px: int = 1280, is_dark: bool = False, is_printed: bool = False) -> None:
        """Open a page in a window of that width."""
        path = self._directory / "report.html"
        path.write_text(html)
        features = [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]
        media = {"media": "print" if is_printed else "screen", "features": features}
        metrics = {"width": width_px, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.get_log("browser")  # of the page before
        self.driver.get(path.as_uri())

    @property
    def texts(self) -> list[Text]:
        """All texts of drawings that are seen."""
        return [
            Text(chart, text, tuple(box), tuple(within), font) for chart, text, box, within, font in self._run(_TEXTS)
        ]

    @property
    def too_wide(self) -> list[str]:
        """What does not fit into the window, or into its own room."""
        return self._run(_TOO_WIDE)

    @property
    def complaints(self) -> list[str]:
        """What the browser has to say of the page, such as what its policy forbids."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    @property
    def accessibility_faults(self) -> list[Any]:
        """What axe-core finds: the rule, how grave it is, and where."""
        return accessibility_faults(self.driver)

    def _run(self, script: str) -> Any:
        return self.driver.execute_script(script)
