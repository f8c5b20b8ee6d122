"""The drawing of charts, as SVG: the only place that knows Vega-Lite's maker.

A drawing takes about 0.1 s, and the first one half a second more; meanwhile no other thread or greenlet of the process
runs. So it is done in a process of its own, and what makes it is imported here, when it is first needed.
"""

import re
from typing import Any
from xml.etree import ElementTree

_SVG = "{http://www.w3.org/2000/svg}"
# Vega-Lite's version, of those that the package has, by whose rules charts are written.
VEGA_LITE = "6.4"
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
# What says nothing: the default, or meant for a page with Vega in it.
_NEEDLESS = {"pointer-events", "aria-hidden", "opacity"}


def svg(spec: dict[str, Any], name: str, label: str) -> str:
    """Return a chart as an element of a page.

    Args:
        spec: in Vega-Lite.
        name: what its ids begin with, so that they are the page's only ones.
        label: what it shows, for who does not see it.
    """
    import vl_convert  # 84 MiB of library, which no process needs that only measures

    drawn = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=[])
    root = ElementTree.fromstring(drawn)
    font = str(spec["config"]["font"])
    _clean(root, name, font)
    size = {key: root.attrib[key] for key in ("width", "height", "viewBox")}
    root.attrib.clear()
    root.attrib.update({"role": "img", "aria-label": label, "focusable": "false", "font-family": font, **size})
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


def browser_script() -> str:
    """Return the JavaScript that draws specifications in a browser, as `vegaEmbed`; it takes two seconds."""
    import vl_convert

    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE))


def _clean(root: ElementTree.Element, name: str, font: str) -> None:
    """Take out what is not needed, and what a page's policy forbids."""
    for parent in root.iter():
        for child in [*parent]:
            is_background = child.tag == f"{_SVG}rect" and parent is root
            if is_background or _draws_nothing(child):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        attributes = element.attrib
        for key in [*attributes]:
            value = attributes[key]
            if key == "style" or key.startswith("on"):
                raise ValueError(f"a drawing with {key}={value!r}, which a page does not allow")
            if (key in _NEEDLESS and value in ("none", "true", "1")) or (key == "font-family" and value == font):
                del attributes[key]
            elif key == "id":
                attributes[key] = f"{name}-{value}"
            elif "url(#" in value:
                attributes[key] = value.replace("url(#", f"url(#{name}-")
            elif key in ("d", "transform", "x", "y", "width", "height", "x2", "y2"):
                attributes[key] = _NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), value)


def _draws_nothing(element: ElementTree.Element) -> bool:
    is_empty_path = element.tag == f"{_SVG}path" and element.get("d", "") in ("", "M0,0h0v0h0Z")
    return is_empty_path or element.get("display") == "none"
