"""A run's report as one page, without network and script. Pure: from a `RunResult` to text."""

import base64
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jinja2

from tfsload.analysis.result import RunResult
from tfsload.report import states
from tfsload.report.charts.all_charts import charts_of
from tfsload.report.charts.chart import Chart
from tfsload.report.command import command
from tfsload.report.page.answers import Answers, answers
from tfsload.report.page.checks import all_thresholds_table, doubts, thresholds_table
from tfsload.report.page.drawings import drawn, to_be_drawn
from tfsload.report.page.first_screen import first_screen
from tfsload.report.page.level_tables import generator_table, levels_table
from tfsload.report.page.made_with import listings
from tfsload.report.page.seconds import seconds_table
from tfsload.report.page.style import style
from tfsload.report.page.tables import Table
from tfsload.report.page.words import capital, clean

TEMPLATES = "tfsload.report.page"


def render(result: RunResult) -> str:
    """Return the report of a run as HTML, one file.

    Nothing is computed that the result does not hold. It takes about a second, for which it keeps all other threads
    and greenlets of the process from running: it is called in a process of its own, and never under load.

    Args:
        result: the run's, judged.

    Raises:
        ValueError: it is not judged.
    """
    charts, seen_first = charts_of(result), first_screen(result)
    tables = _tables(result, charts)
    seen, doubted = answers(result), doubts(result)
    contents = _contents(charts, tables, seen, bool(doubted))
    environment = _environment()
    rules, script = style(), _source(environment, "page.js")
    return environment.get_template("page.html").render(
        **tables,
        title=f"{states.ICONS[seen_first.verdict.state.key]} {seen_first.verdict.state.word} · {seen_first.subject}",
        first=seen_first,
        contents=contents,
        figures=drawn(charts),
        answers=seen,
        doubts=doubted,
        listings=listings(result),
        command=command(result),
        style=rules,
        script=script,
        style_hash=_hash(rules),
        script_hash=_hash(script),
        data=_in_script({"charts": {name: chart.data for name, chart in charts.items()}}),
    )


@dataclass(frozen=True)
class Unfinished:
    """What can be shown of a run that goes on: the page's sections, and the charts to be drawn in them.

    Attributes:
        html: the sections; where a chart comes, an element with its name as `data-chart`.
        charts: by name: what each shows, in a sentence (`label`), and how it is drawn in Vega-Lite, by width in px.
    """

    html: str
    charts: Mapping[str, Mapping[str, Any]]


def unfinished(result: RunResult, to_come: Sequence[str] = (), loads_to_come: Sequence[float] = ()) -> Unfinished:
    """Return what the levels so far have come to; nothing is drawn.

    Args:
        result: so far.
        to_come: names of levels that have not ended, the one under way first; empty: they are not known.
        loads_to_come: their users, or arrivals a second.
    """
    charts = charts_of(result, loads_to_come)
    environment = _environment()
    tables = {**_tables(result, charts), "levels": levels_table(result, to_come)}
    # A run that goes on has no verdict yet: what speaks against one, as too few levels, may be to come.
    seen, doubted = answers(result), doubts(replace(result, verdict=replace(result.judged, reasons=())))
    contents = _contents(charts, tables, seen, bool(doubted))
    del contents["repeat"]
    html = environment.get_template("unfinished.html").render(
        **tables, contents=contents, figures=to_be_drawn(charts), answers=seen, doubts=doubted
    )
    specs = {
        name: {
            "label": clean(chart.label),
            "specs": {str(width): clean(chart.spec(width)) for width in chart.widths_px},
        }
        for name, chart in charts.items()
    }
    return Unfinished(html, specs)


def _tables(result: RunResult, charts: Mapping[str, Chart]) -> dict[str, Table]:
    return {
        "levels": levels_table(result),
        "generator": generator_table(result),
        "thresholds": thresholds_table(result),
        "all_thresholds": all_thresholds_table(result),
        "seconds": seconds_table(charts),
    }


def _contents(
    charts: Mapping[str, Chart], tables: Mapping[str, Table], seen: Answers, has_doubts: bool
) -> dict[str, str]:
    """Return the sections that there are, by name: their headings."""
    checks = {
        "latency distribution": "distribution" in charts,
        "thresholds": bool(tables["thresholds"].rows),
        "doubts": has_doubts,
    }
    held = ", ".join(name for name, is_there in checks.items() if is_there)
    sections = {
        "levels": ("Levels", bool(tables["levels"].rows)),
        "time": ("Over time", "rate" in charts),
        "answers": ("Answers", bool(seen.classes.rows) or seen.is_unlabelled),
        "misread": ("Misread images", bool(seen.images)),
        "checks": (capital(held), bool(held)),
        "generator": ("The load generator", bool(tables["generator"].rows)),
        "repeat": ("Repeat it", True),
    }
    return {name: title for name, (title, is_there) in sections.items() if is_there}


@functools.cache
def _environment() -> jinja2.Environment:
    """Return what reads templates: whatever is put into one is escaped, and a name that is not there is an error."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(environment: jinja2.Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0].strip()


def _hash(source: str) -> str:
    """Return by what a content security policy knows a style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _in_script(data: Any) -> str:
    """Return JSON that ends no script element, whatever texts are in it."""
    text = json.dumps(clean(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
