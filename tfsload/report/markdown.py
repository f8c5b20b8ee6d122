"""`summary.md`: a run on half a page, for the page of a job or a comment on a change."""

import re
from collections.abc import Iterator, Sequence

from tfsload.analysis.figures import NONE, count, fold, latency_ms, percent, rate
from tfsload.analysis.held_words import words_of
from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.result import RunResult
from tfsload.report import states
from tfsload.report.load import load
from tfsload.report.percentile_words import PERCENTILES_ARE, of_a_whole_run
from tfsload.report.speed_ups import OF_A_MEAN, are_of_a_mean, speed_ups
from tfsload.report.sweep_answer import sweep_answer
from tfsload.report.where import where

# What Markdown, or the HTML within it, takes for more than a letter.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&@$^])")
# What it takes so at the beginning of a line, and what it makes a link of.
_LEADING = re.compile(r"^([-+=:]|[0-9]+(?=[.)](?:\s|$)))")
_ESCAPED = "\\_"
_LINKED = re.compile(r"(://|\bwww\.)", re.IGNORECASE)
# What sentences have as code, once they are escaped: options as they are typed, with a number behind them, whether they
# stand in backticks or not. Nothing else is, whoever wrote it, and an option holds nothing that could mean more.
_NUMBER = r"[0-9](?:[0-9.,:]*[0-9])?(?![\w%])"
_FLAG = rf"--[a-z]+(?:(?:-|\\_)[a-z]+)*(?: {_NUMBER})?"
_ADVISED = rf"\\`(?P<advised>{_FLAG}(?: {_FLAG})*)\\`"
_BARE = rf"(?<![^\s(])\\?(?P<bare>{_FLAG}|-[a-z])(?=[\s,.;:)]|$)"
_CODE = re.compile(f"{_ADVISED}|{_BARE}")


def write(result: RunResult) -> str:
    """Return the run: its verdict, why, what it says of the server, and its figures."""
    return "\n\n".join(block for block in _blocks(result) if block) + "\n"


def _blocks(result: RunResult) -> Iterator[str]:
    verdict = result.judged
    state = states.of_run(result)
    yield f"## {states.ICONS[state.key]} {state.word}: {_headline(result)}"
    yield _where(result)
    yield _list(verdict.sentences)
    if not verdict.reasons:
        yield with_code(_sentence(verdict.judged))
    yield _list(tuple(f"Warning: {warning}" for warning in result.warnings))
    if told := sweep_answer(result):
        yield f"**Does the server run in parallel?** {with_code(told)}"
    if result.search is not None and result.search.found not in {reason.what for reason in verdict.reasons}:
        yield f"**How much can it take?** {with_code(result.search.sentence)}"
    if result.totals.requests:
        yield _figures(result)
    yield _thresholds(result)
    yield _levels(result)
    yield _list(tuple(map(str, verdict.notes)))
    yield _notes(result)


def _headline(result: RunResult) -> str:
    code = result.exit_code
    ended = result.process_exit
    remark = f", {with_code(ended.remark)}" if ended is not None and ended.remark else f", exit code {code}"
    server = result.server
    version = f", version {server.model_version}" if server.model_version else ""
    return f"{text(server.model_name) or 'the run cannot start'}{version}{remark}"


def _where(result: RunResult) -> str:
    server, suite = result.server, result.made_by.suite
    parts = [text(where(server.address, server.protocol, server.is_embedded))] if server.address else []
    parts += [text(told)] if (told := load(result)) else []
    parts += [f"tfsload {text(suite)}"] if suite else []
    return " · ".join(parts)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "." if words else ""


def _figures(result: RunResult) -> str:
    totals, is_labelled = result.totals, result.images.is_labelled
    # Of levels percentiles stand in their rows; those of all together would be of no load.
    latency = {} if result.levels else {f"p{p:g} ms": latency_ms(value) for p, value in totals.latency_ns.items()}
    row = {
        "requests": count(totals.requests),
        "requests/s": rate(totals.requests_per_s),
        **latency,
        **({"error rate": percent(totals.error_rate), "wrong": count(totals.wrong)} if is_labelled else {}),
        "failed": count(totals.n_failed),
        **({"mismatched": count(totals.mismatched)} if totals.compared else {}),
    }
    note = f"\n\n{_sentence(of_a_whole_run(totals))}" if latency else ""
    note += " Rates and percentiles are of answered requests." if latency and totals.failed_requests else ""
    note += "" if is_labelled else f"\n\nThere is no error rate: {NO_LABELS}."
    note += f"\n\n{with_code(_sentence(why))}" if (why := result.images.why_no_classes) else ""
    return _table(tuple(row), [tuple(row.values())], n_texts=0) + note


def _thresholds(result: RunResult) -> str:
    rows = [
        (
            f"{words.mark} {words.state_word}",
            text(words.asked),
            text(words.where or "the whole run"),
            words.value,
            words.margin or NONE,
        )
        for words in map(words_of, result.thresholds)
    ]
    return _table(("", "threshold", "at", "measured", "margin"), rows, n_texts=3) if rows else ""


def _levels(result: RunResult) -> str:
    if not result.levels:
        return ""
    found, holds = speed_ups(result), list(result.probes_hold)
    heading = ["level", "state", "requests/s", *(["speed-up"] if found else []), "p50 ms", "p99 ms"]
    heading += [*(["errors"] if result.images.is_labelled else []), "failed"]
    rows = []
    for number, level in enumerate(result.levels):
        state = states.of_level(result, level)
        figures = [rate(level.achieved_rps)]
        figures += [fold(found[level.number]) if level.number in found else NONE] if found else []
        figures += [latency_ms(level.upper_end_ns.get(percentile)) for percentile in (50.0, 99.0)]
        figures += [*([percent(level.error_rate)] if result.images.is_labelled else []), count(level.n_failed)]
        figures += [states.HOLDS[holds[number]]] if holds else []
        rows.append([text(level.name), f"{states.ICONS[state.key]} {state.word}", *figures])
    table = _table([*heading, *(["holds"] if holds else [])], rows, n_texts=2)
    mean = f" {OF_A_MEAN}" if found and are_of_a_mean(result) else ""
    return f"{table}\n\n{_sentence(PERCENTILES_ARE)}{mean}"


def _notes(result: RunResult) -> str:
    return " · ".join(f"{text(key)} = {text(value)}" for key, value in result.notes.items())


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]], n_texts: int) -> str:
    """Return a table whose first columns hold texts, and the others figures."""
    rules = [":--" if number < n_texts else "--:" for number in range(len(heading))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heading, rules, *rows])


def _list(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {with_code(sentence)}" for sentence in sentences)


def with_code(words: str) -> str:
    r"""Return words likewise, but for options, which are code.

    >>> print(with_code("sweep further (`--sweep 1,2,1`), not `*x*`; use a longer --warm-up, or --level-duration 20"))
    sweep further (`--sweep 1,2,1`), not \`\*x\*\`; use a longer `--warm-up`, or `--level-duration 20`
    """
    return _CODE.sub(lambda found: f"`{(found['advised'] or found['bare']).replace(_ESCAPED, '_')}`", text(words))


def text(words: str) -> str:
    r"""Return words on a line as Markdown shows them letter by letter, whoever has written them.

    >>> print(text("<b>*a*|b"))
    \<b\>\*a\*\|b
    """
    line = "".join(letter if letter.isprintable() else " " for letter in words)
    escaped = _SPECIAL.sub(r"\\\1", " ".join(line.split()))
    escaped = _LINKED.sub(lambda found: found[0].replace(":", "\\:").replace(".", "\\."), escaped)
    return _LEADING.sub(lambda found: found[0] + "\\" if found[0].isdigit() else "\\" + found[0], escaped)
