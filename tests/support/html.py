"""Reads a page strictly: what a browser would forgive is an error here."""

from xml.etree import ElementTree

import html5lib


def parsed(page: str, is_strict: bool = True) -> ElementTree.Element:
    """Return the elements of a page, without name spaces; not strict: as a browser does.

    Raises:
        html5lib.html5parser.ParseError: it is no well-formed HTML.
    """
    read = html5lib.HTMLParser(strict=is_strict, namespaceHTMLElements=False).parse(page)
    for one in read.iter():
        if isinstance(one.tag, str):
            one.tag = one.tag.removeprefix("{http://www.w3.org/2000/svg}")
    return read


def text_of(element: ElementTree.Element) -> str:
    """Return what an element says, white space as one blank each."""
    return " ".join("".join(element.itertext()).split())


def by_id(page: ElementTree.Element, name: str) -> ElementTree.Element:
    """Return the element of that id."""
    (found,) = [one for one in page.iter() if one.get("id") == name]
    return found


def by_class(page: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Return the elements of a class."""
    return [one for one in page.iter() if isinstance(one.tag, str) and name in (one.get("class") or "").split()]
