"""The colours of pages and charts, by what they stand for; simulated colour-blind eyes tell them apart. Pure.

A chart names a colour as a CSS variable with the light one behind it: a page that is dark or printed changes it, and a
picture that stands by itself is light.
"""

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "page": "#f5f7f9",
    "card": "#ffffff",
    "ink": "#1b2430",
    "muted": "#566170",
    "grid": "#e3e7ec",
    "line": "#d3d9e0",
    "link": "#0b4f94",
    "p50": "#0b4f94",
    "p90": "#0b7a63",
    "p99": "#9a4300",
    "p999": "#b326c9",
    "wrong": "#b45309",
    "unanswered": "#7a0f1c",
    "mismatched": "#5b2bd9",
    "pass": "#1a7a50",
    "failed": "#a3121b",
    "crossed": "#926400",
    "invalid": "#3b35b8",
    "diagonal": "#e1eaf4",
    "cell0": "#f6f7f9",
    "cell1": "#fbe6d2",
    "cell2": "#f8cfa3",
    "cell3": "#f0ac66",
    "cell4": "#de8a35",
    "level0": "#3a77b5",
    "level1": "#2a6aa8",
    "level2": "#1f5590",
    "level3": "#12355f",
}
DARK: Mapping[str, str] = {
    "page": "#0f1318",
    "card": "#171c23",
    "ink": "#e8ecf1",
    "muted": "#a3adba",
    "grid": "#2a323c",
    "line": "#333d49",
    "link": "#9ccaff",
    "p50": "#9ccaff",
    "p90": "#2fae8a",
    "p99": "#f08a24",
    "p999": "#dd86f7",
    "wrong": "#f08a24",
    "unanswered": "#ffc2bb",
    "mismatched": "#9d78f5",
    "pass": "#3fbf7a",
    "failed": "#ffb3ab",
    "crossed": "#f2a52e",
    "invalid": "#a78bfa",
    "diagonal": "#22344a",
    "cell0": "#1c222a",
    "cell1": "#46301a",
    "cell2": "#6b4418",
    "cell3": "#85520f",
    "cell4": "#9a5c10",
    "level0": "#4a8ccc",
    "level1": "#6aa6df",
    "level2": "#9ccaff",
    "level3": "#dcecff",
}


def colour(role: str) -> str:
    """Return a colour as charts name it.

    >>> colour("p50")
    'var(--p50, #0b4f94)'
    """
    return f"var(--{role}, {LIGHT[role]})"


def variables(colours: Mapping[str, str]) -> str:
    """Return colours as CSS declares them."""
    return " ".join(f"--{role}: {value};" for role, value in colours.items())
