"""`summary.md`: a run on half a page, for the page of a job or a comment on a change."""

import re
from collections.abc import Iterator, Sequence

from tfsload.analysis.figures import fold, percent
from tfsload.analysis.held_words import words_of
from tfsload.analysis.level_result import LevelResult
from tfsload.analysis.result import RunResult

_MARKS = {"PASS": "✓", "FAILED": "✗", "THRESHOLD CROSSED": "↑", "INVALID": "?", "REFUSED": "✗"}
# What Markdown, or the HTML within it, takes for more than a letter.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&@$^])")
# What it takes so at the beginning of a line, and what it makes a link of.
_LEADING = re.compile(r"^([-+=:]|[0-9]+(?=[.)](?:\s|$)))")
_LINKED = re.compile(r"(://|\bwww\.)", re.IGNORECASE)


def write(result: RunResult) -> str:
    """Return the run: its verdict, why, what it says of the server, and its figures."""
    return "\n\n".join(block for block in _blocks(result) if block) + "\n"


def _blocks(result: RunResult) -> Iterator[str]:
    verdict = result.judged
    yield f"## {_MARKS[verdict.word]} {verdict.word}: {_headline(result)}"
    yield _where(result)
    yield _list(verdict.sentences)
    if not verdict.reasons:
        yield text(_sentence(verdict.judged))
    yield _list(tuple(f"Warning: {warning}" for warning in result.warnings))
    if result.scaling is not None:
        yield f"**Does the server run in parallel?** {text(result.scaling.answer.sentence)}"
    if result.search is not None and result.search.found not in {reason.what for reason in verdict.reasons}:
        yield f"**How much can it take?** {text(result.search.sentence)}"
    if result.totals.requests:
        yield _figures(result)
    yield _thresholds(result)
    yield _levels(result.levels, result)
    yield _list(tuple(map(str, verdict.notes)))
    yield _notes(result)


def _headline(result: RunResult) -> str:
    code = result.exit_code
    ended = result.process_exit
    remark = f", {text(ended.remark)}" if ended is not None and ended.remark else f", exit code {code}"
    server = result.server
    version = f", version {server.model_version}" if server.model_version else ""
    return f"{text(server.model_name) or 'the run cannot start'}{version}{remark}"


def _where(result: RunResult) -> str:
    server, suite = result.server, result.made_by.suite
    parts = [f"{text(server.address)} over {text(server.protocol)}"] if server.address else []
    parts += [f"tfsload {text(suite)}"] if suite else []
    return " · ".join(parts)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "." if words else ""


def _figures(result: RunResult) -> str:
    totals = result.totals
    rate = "–" if totals.requests_per_s is None else f"{totals.requests_per_s:,.1f}"
    latency = {f"p{p:g} ms": _ms(value) for p, value in totals.latency_ns.items()}
    compared = {"mismatched": f"{totals.mismatched:,}"} if totals.compared else {}
    row = {
        "requests": f"{totals.requests:,}",
        "requests/s": rate,
        **latency,
        "error rate": percent(totals.error_rate),
        "wrong": f"{totals.wrong:,}",
        "failed": f"{totals.n_failed:,}",
        **compared,
    }
    return _table(tuple(row), [tuple(row.values())], n_texts=0)


def _thresholds(result: RunResult) -> str:
    rows = [
        (
            f"{words.mark} {words.state_word}",
            text(words.asked),
            text(words.where or "the whole run"),
            words.value,
            words.margin or "–",
        )
        for words in map(words_of, result.thresholds)
    ]
    return _table(("", "threshold", "at", "measured", "margin"), rows, n_texts=3) if rows else ""


def _levels(levels: Sequence[LevelResult], result: RunResult) -> str:
    if not levels:
        return ""
    speed_ups = {one.users: one.speed_up for one in result.scaling.levels} if result.scaling else {}
    heading = ("level", "state", "requests/s", "speed-up", "p50 ms", "p99 ms", "errors", "failed")
    rows = [
        (
            text(level.name),
            "? doubted" if level.number in result.judged.doubted_levels else "✓",
            f"{level.achieved_rps:,.1f}",
            "–" if (speed_up := speed_ups.get(level.users)) is None else fold(speed_up),
            _ms(level.upper_end_ns.get(50.0)),
            _ms(level.upper_end_ns.get(99.0)),
            percent(level.error_rate),
            f"{level.n_failed:,}",
        )
        for level in levels
    ]
    return _table(heading, rows, n_texts=2)


def _ms(nanoseconds: float | None) -> str:
    if nanoseconds is None:
        return "–"
    return "∞" if nanoseconds == float("inf") else f"{nanoseconds / 1e6:,.3g}"


def _notes(result: RunResult) -> str:
    return " · ".join(f"{text(key)} = {text(value)}" for key, value in result.notes.items())


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]], n_texts: int) -> str:
    """Return a table whose first columns hold texts, and the others figures."""
    rules = [":--" if number < n_texts else "--:" for number in range(len(heading))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heading, rules, *rows])


def _list(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {text(sentence)}" for sentence in sentences)


def text(words: str) -> str:
    r"""Return words on a line as Markdown shows them letter by letter, whoever has written them.

    >>> print(text("<b>*a*|b"))
    \<b\>\*a\*\|b
    """
    line = "".join(letter if letter.isprintable() else " " for letter in words)
    escaped = _SPECIAL.sub(r"\\\1", " ".join(line.split()))
    escaped = _LINKED.sub(lambda found: found[0].replace(":", "\\:").replace(".", "\\."), escaped)
    return _LEADING.sub(lambda found: found[0] + "\\" if found[0].isdigit() else "\\" + found[0], escaped)
