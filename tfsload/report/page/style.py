"""The style sheet of pages: the palette, then the rules."""

import functools
import importlib.resources

from tfsload.report.charts.palette import DARK, LIGHT, variables


@functools.cache
def style() -> str:
    """Return it: light, dark where a reader wants that, and light on paper."""
    rules = importlib.resources.files("tfsload.report.page").joinpath("templates", "page.css").read_text().strip()
    dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {variables(DARK)} }} }}"
    return f":root {{ {variables(LIGHT)} }}\n{dark}\n{rules}"
