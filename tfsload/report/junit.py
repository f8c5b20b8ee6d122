"""`junit.xml`: a test case for each threshold and each rule that a run was held to, as build servers read them."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from tfsload.analysis import exit_codes
from tfsload.analysis.held import Held
from tfsload.analysis.held_words import words_of
from tfsload.analysis.image_counts import NO_LABELS
from tfsload.analysis.result import RunResult
from tfsload.analysis.threshold_words import told_words
from tfsload.analysis.verdict import Rule, word_of
from tfsload.report.sweep_answer import sweep_answer

SUITE = "tfsload"
THRESHOLDS, RULES = "tfsload.thresholds", "tfsload.rules"


@dataclass(frozen=True)
class _Case:
    """A test case.

    Attributes:
        group: of which kind it is.
        name: what is to hold.
        told: what was found.
        exit_code: what becomes of a run for which it does not hold; `exit_codes.PASS`: it holds.
        is_excused: whether it does not hold, and is not to count.
    """

    group: str
    name: str
    told: str
    exit_code: int = exit_codes.PASS
    is_excused: bool = False


def write(result: RunResult) -> str:
    """Return the run as a test suite; a threshold that cannot be judged fails, too, unless another ended the run."""
    cases = list(_cases(result))
    failures = sum(case.exit_code != exit_codes.PASS and not case.is_excused for case in cases)
    counts = {
        "tests": str(len(cases)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(sum(case.is_excused for case in cases)),
        "time": f"{max(result.course.ended_unix_s - result.course.begun_unix_s, 0.0):.3f}",
    }
    whole = {name: counts[name] for name in ("tests", "failures", "errors", "time")}
    root = ElementTree.Element("testsuites", {"name": SUITE, **whole})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _suite_name(result), **counts, **_where(result)})
    _add_properties(suite, result)
    for case in cases:
        _add_case(suite, case)
    _add_text(suite, "system-out", _said(result))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _cases(result: RunResult) -> Iterator[_Case]:
    verdict = result.judged
    for held in result.thresholds:
        yield _threshold_case(held, _name(held), result.is_left_open(held))
    for rule in verdict.rules:
        yield _rule_case(result, rule)
    ended = result.process_exit
    if ended is not None and ended.code and verdict.exit_code == exit_codes.PASS:
        yield _Case(RULES, "the process ends with the verdict's exit code", ended.remark, exit_codes.FAILED)


def _name(held: Held) -> str:
    asked = told_words(held.threshold)
    return f"{asked} at {held.place}" if held.place else asked


def _threshold_case(held: Held, name: str, is_excused: bool) -> _Case:
    words = words_of(held)
    found = f"{words.value}, {words.margin}" if words.margin else words.value
    if held.holds is None:
        why = "the run had been ended by another threshold" if is_excused else held.unknown_and_cure
        return _Case(THRESHOLDS, name, f"{found}: {why}", exit_codes.INVALID, is_excused)
    return _Case(THRESHOLDS, name, found, exit_codes.PASS if held.holds else exit_codes.THRESHOLD)


def _rule_case(result: RunResult, rule: Rule) -> _Case:
    if rule.holds:
        return _Case(RULES, rule.name, "")
    ended = result.process_exit
    # `--exit-code-on-error 0`: failures are told, and do not count.
    is_excused = ended is not None and ended.excuses_failures and rule.exit_code == exit_codes.FAILED
    return _Case(RULES, rule.name, "; ".join(rule.reasons), rule.exit_code, is_excused)


def _suite_name(result: RunResult) -> str:
    server = result.server
    what = f"{server.model_name} at {server.address}" if server.address else server.model_name
    return _xml(what or SUITE)


def _where(result: RunResult) -> dict[str, str]:
    found = {}
    if result.course.begun_unix_s:
        begun = datetime.datetime.fromtimestamp(result.course.begun_unix_s, datetime.UTC)
        found["timestamp"] = begun.strftime("%Y-%m-%dT%H:%M:%S")
    if result.machine.host:
        found["hostname"] = _xml(result.machine.host)
    return found


def _add_properties(suite: ElementTree.Element, result: RunResult) -> None:
    known = {
        "verdict": result.judged.word,
        "exit code": str(result.exit_code),
        "model version": str(result.server.model_version or ""),
        "tfsload": result.made_by.suite,
        **{f"note {key}": value for key, value in result.notes.items()},
    }
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in known.items():
        ElementTree.SubElement(properties, "property", {"name": _xml(name), "value": _xml(value)})


def _add_case(suite: ElementTree.Element, case: _Case) -> None:
    element = ElementTree.SubElement(suite, "testcase", {"classname": case.group, "name": _xml(case.name), "time": "0"})
    if case.is_excused:
        ElementTree.SubElement(element, "skipped", {"message": _xml(f"does not count: {case.told}")})
    elif case.exit_code != exit_codes.PASS:
        word = word_of(case.exit_code)
        failure = ElementTree.SubElement(element, "failure", {"message": _xml(case.told), "type": word})
        failure.text = _xml(f"{word} (exit code {case.exit_code}): {case.told}")
    elif case.told:
        _add_text(element, "system-out", case.told)


def _add_text(parent: ElementTree.Element, tag: str, text: str) -> None:
    if text:
        ElementTree.SubElement(parent, tag).text = _xml(text)


def _said(result: RunResult) -> str:
    answer = [told] if (told := sweep_answer(result)) else []
    found = [result.search.sentence] if result.search else []
    unlabelled = [] if result.images.is_labelled else [f"{NO_LABELS}: there is no error rate"]
    unlabelled += [result.images.why_no_classes] if result.images.judged_by else []
    return "\n".join([*answer, *found, *unlabelled, *result.warnings, *map(str, result.judged.notes)])


def _xml(text: str) -> str:
    """Return a text without the characters that XML 1.0 cannot hold, escaped or not (its production 2, Char)."""
    return "".join(letter if _is_xml(ord(letter)) else "?" for letter in text)


def _is_xml(code: int) -> bool:
    if code < 0x20:
        return code in (0x9, 0xA, 0xD)
    return code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
