"""The files of a report: each says what the result says, whoever has written what stands in it."""

import csv
import dataclasses
import functools
import io
import json
import random
import re
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.support.examples import scaled
from tests.support.golden import result_of
from tests.support.hostile import HOSTILE, hostile
from tests.support.page_runs import page_run
from tests.support.past_runs import PAST_RUNS, PastRun
from tfsload.analysis import exit_codes
from tfsload.analysis.figures import latency_ms, percent, rate
from tfsload.analysis.image_counts import ImageCounts, Misread
from tfsload.analysis.latency import LatencyCounts
from tfsload.analysis.levels import PERCENTILES
from tfsload.analysis.result import ProcessExit, RunResult, SchemaError
from tfsload.analysis.threshold_words import told_words
from tfsload.analysis.verdict import Reason
from tfsload.records.histogram import Histogram
from tfsload.report import csv_files, hgrm, json_file, junit, markdown, states
from tfsload.report.page.first_screen import first_screen
from tfsload.report.schema import schema
from tfsload.report.speed_ups import speed_ups
from tfsload.report.states import is_doubted
from tfsload.report.sweep_answer import sweep_answer
from tfsload.settings.refusal import RunRefused
from tfsload.suite.run_report import refused_result

PROJECT = Path(__file__).parents[2]
JUNIT_SCHEMA = xmlschema.XMLSchema(PROJECT / "tests" / "support" / "junit.xsd")
SCHEMA = jsonschema.Draft202012Validator(schema())
FAULTS = ["--num-tests 'x': expected a whole number", "--sweep 'y': expected numbers"]


def refused():
    return refused_result(RunRefused(exit_codes.BAD_USAGE, FAULTS), {"num_tests": "x", "note": "commit=1a2b3c"})


KINDS = (*PAST_RUNS, "refused")


@functools.cache
def result_of_kind(kind) -> RunResult:
    return refused() if kind == "refused" else page_run(kind)


@pytest.fixture(scope="module", params=KINDS)
def result(request) -> RunResult:
    return result_of_kind(request.param)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def number(cell):
    return None if cell == "" else float(cell)


# result.json


def test_the_schema_in_the_docs_is_that_of_the_result():
    """`python -m tfsload report --schema > docs/result.schema.json` makes it anew."""
    assert json.loads((PROJECT / "docs" / "result.schema.json").read_text()) == schema()


@pytest.mark.heavy
def test_a_result_that_is_written_fits_the_schema_and_is_read_back(result, tmp_path):
    path = tmp_path / json_file.NAME
    path.write_text(json_file.write(result), encoding="utf-8")

    SCHEMA.validate(json.loads(path.read_text()))
    assert json_file.read(path) == result


@pytest.mark.heavy
def test_the_schema_describes_every_field_of_every_result(result):
    """A field that is not described would be taken for one of a later version."""
    strict = {
        name: {**one, "additionalProperties": False} if "properties" in one else one
        for name, one in schema()["$defs"].items()
    }
    jsonschema.Draft202012Validator({**schema(), "$defs": strict}).validate(json.loads(json_file.write(result)))
    assert all(one["description"] for kind in strict.values() for one in kind["properties"].values())


@pytest.mark.parametrize(
    "n_requests", [pytest.param(50_000, id="a-few"), pytest.param(1_000_000, id="a-million", marks=pytest.mark.long)]
)
def test_ten_minutes_are_written_in_less_than_two_megabytes(n_requests):
    past, chance = PastRun({"threshold": "p99 < 50ms; error_rate < 2%"}), random.Random(1)
    for n in range(n_requests):
        past.fire(n % 1000, 10**9 + n * (600 * 10**9 // n_requests), int(3e6 * chance.gammavariate(8, 1 / 8)))
    result = result_of(past.end())

    assert result.totals.requests == n_requests
    assert len(result.seconds) in (600, 601)
    assert len(json_file.write(result)) < 2_000_000


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"schema": 2}, id="another-schema"),
        pytest.param({"totals": {}}, id="totals-without-figures"),
        pytest.param({"levels": [{"number": 1}]}, id="a-level-without-figures"),
        pytest.param({"confusion": [[1, 2]]}, id="two-of-three"),
        pytest.param({"notes": {"a": 1}}, id="a-note-that-is-no-text"),
        pytest.param({"search": {"ending": "tired"}}, id="no-such-ending"),
        pytest.param({"verdict": "PASS"}, id="a-verdict-in-a-word"),
    ],
)
def test_what_is_no_result_does_not_fit_the_schema(change):
    written = json.loads(json_file.write(result_of_kind("demo")))

    SCHEMA.validate(written)
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate({**written, **change})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"verdict": None}, id="not-judged"),
        pytest.param({"course": {"is_broken": "false"}}, id="a-text-for-yes-or-no"),
    ],
)
def test_what_no_run_can_have_come_to_is_refused_when_it_is_read(tmp_path, change):
    path = tmp_path / json_file.NAME
    path.write_text(json.dumps({**json.loads(json_file.write(result_of_kind("demo"))), **change}))

    with pytest.raises(SchemaError):
        json_file.read(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '{"schema": 9}', "\ufeff{}", "[" * 100_000])
def test_what_is_no_result_is_refused_when_it_is_read(tmp_path, text):
    path = tmp_path / json_file.NAME
    path.write_text(text)

    with pytest.raises(SchemaError):
        json_file.read(path)
    assert not json_file.is_one(path)


# levels.csv, series.csv, images.csv


def test_a_level_is_a_row(result):
    read = rows(csv_files.levels(result))
    levels = result.levels

    assert len(read) == max(len(levels), 1)
    for row, level in zip(read, levels, strict=False):
        assert (int(row["level"]), row["name"], int(row["users"])) == (level.number, level.name, level.users)
        assert number(row["rate_rps"]) == level.rate_rps
        for field in ("requests", "failed_requests", "predictions", "wrong", "compared", "mismatched"):
            assert int(row[field]) == getattr(level, field)
        for field in ("offered", "sent", "dropped", "straddling"):
            assert int(row[field]) == getattr(level, field)
        assert int(row["failed"]) == level.n_failed
        assert number(row["error_rate"]) == level.error_rate
        assert float(row["achieved_rps"]) == level.achieved_rps
        assert float(row["mean_in_flight"]) == level.mean_in_flight
        for percentile in PERCENTILES:
            upper_ns = level.upper_end_ns[percentile]
            assert number(row[f"p{percentile:g}_ms"]) == (None if upper_ns is None else upper_ns / 1e6)
        assert row["stable"] == ("yes" if level.is_stable else "no")
        assert row["supports_verdict"] == ("no" if is_doubted(result, level) else "yes")
        for doubt in level.doubts:
            assert doubt.what in row["doubts"]


@pytest.mark.parametrize("kind", ["demo", "thresholds", "failed", "refused"])
def test_a_run_without_levels_is_one_row(kind):
    result = result_of_kind(kind)
    (row,) = rows(csv_files.levels(result))

    assert (row["level"], row["name"]) == ("", "whole run")
    assert int(row["requests"]) == result.totals.requests
    assert int(row["failed"]) == result.totals.n_failed
    assert number(row["achieved_rps"]) == result.totals.requests_per_s
    assert number(row["p99_ms"]) == (result.totals.latency_ns[99] / 1e6 if result.totals.latency_ns else None)


def test_speed_ups_are_those_of_the_scaling():
    result = result_of_kind("sweep")
    found = speed_ups(result)

    assert found
    assert [number(row["speed_up"]) for row in rows(csv_files.levels(result))] == [
        found.get(level.number) for level in result.levels
    ]


def test_a_second_is_a_row(result):
    read = rows(csv_files.series(result))
    seconds = [second for level in result.levels for second in level.seconds] or list(result.seconds)

    assert len(read) == len(seconds)
    for row, second in zip(read, seconds, strict=True):
        for field in ("predictions", "wrong", "failed", "mismatched", "dropped"):
            assert int(row[field]) == getattr(second, field)
        assert (float(row["at_s"]), float(row["rate_rps"])) == (second.at_s, second.rate_rps)
        assert number(row["p99_ms"]) == (None if second.p99_ns is None else second.p99_ns / 1e6)


def test_a_misread_image_is_a_row(result):
    read = rows(csv_files.images(result))

    assert sorted((int(row["image"]), int(row["predicted"]), int(row["count"])) for row in read) == [
        (one.image, one.predicted, one.count) for one in result.images.misread
    ]
    counts = [int(row["count"]) for row in read]
    assert counts == sorted(counts, reverse=True)
    for row in read:
        assert int(row["label"]) == result.images.labels[int(row["image"])]
        assert int(row["fired"]) == result.images.fired[int(row["image"])] >= int(row["count"])
        unanswered = result.images.unanswered.get(int(row["image"]), 0)
        assert int(row["answered"]) == int(row["fired"]) - unanswered >= int(row["count"])


def test_of_an_image_that_was_not_always_answered_it_is_told_how_often_it_was():
    images = ImageCounts((5, 4, 3), (Misread(1, 7, 2),), labels={1: 4}, unanswered={1: 1, 2: 3})
    read = rows(csv_files.images(dataclasses.replace(result_of_kind("sweep"), images=images)))

    assert read == [{"image": "1", "label": "4", "predicted": "7", "count": "2", "fired": "4", "answered": "3"}]


@pytest.mark.parametrize("make", [csv_files.levels, csv_files.series, csv_files.images])
def test_notes_stand_in_each_row(make):
    result = dataclasses.replace(result_of_kind("sweep"), notes={"commit": "1a2b", "why": "=1+1"})
    read = rows(make(result))

    assert read
    assert {(row["note commit"], row["note why"]) for row in read} == {("1a2b", "'=1+1")}


@pytest.mark.heavy
@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("make", [csv_files.levels, csv_files.series, csv_files.images])
def test_no_cell_is_a_formula_or_more_than_a_line(make, text):
    plain = result_of_kind("sweep")
    written = make(dataclasses.replace(hostile(plain, text), notes={text: text}))

    read = list(csv.reader(io.StringIO(written)))
    assert len(read) == len(list(csv.reader(io.StringIO(make(plain)))))
    assert len({len(row) for row in read}) == 1
    for cell in (cell for row in read for cell in row):
        assert cell.isprintable()
        assert not cell.startswith(("=", "+", "@", "\t", "\r"))
        assert not cell.startswith("-") or float(cell) < 0


# junit.xml


def cases(text):
    return {case.get("name"): case for case in ElementTree.fromstring(text).iter("testcase")}


def test_each_threshold_and_each_rule_is_a_case(result):
    text = junit.write(result)
    found = cases(text)
    thresholds = {
        f"{told_words(one.threshold)} at {one.place}" if one.where else told_words(one.threshold)
        for one in result.thresholds
    }

    rules = {rule.name for rule in result.judged.rules}

    JUNIT_SCHEMA.validate(text)
    names = [case.get("name") for case in ElementTree.fromstring(text).iter("testcase")]
    assert len(set(names)) == len(names) == len(result.thresholds) + len(result.judged.rules)
    assert {name for name in found if name not in rules} == thresholds
    failing = {name for name, case in found.items() if case.find("failure") is not None}
    assert bool(failing) == (result.judged.exit_code != exit_codes.PASS)
    suite = ElementTree.fromstring(text).find("testsuite")
    assert (int(suite.get("tests")), int(suite.get("failures"))) == (len(found), len(failing))
    for rule in result.judged.rules:
        assert (rule.name in failing) == (not rule.holds)
        for reason in rule.reasons:
            assert reason in found[rule.name].find("failure").get("message")


def test_a_crossed_threshold_says_by_how_much():
    found = cases(junit.write(result_of_kind("thresholds")))

    assert found["error_rate < 1%"].find("failure").get("message") == "2.10%, 110% above"
    assert found["error_rate < 1%"].find("failure").get("type") == "THRESHOLD CROSSED"
    assert found["rate > 100/s"].find("system-out").text == "500/s, 400% above"


@pytest.mark.parametrize(
    ("ended", "n_failing", "n_skipped"),
    [
        pytest.param(None, 1, 0, id="as-it-was-judged"),
        pytest.param(ProcessExit(0, "exit code 0, by --exit-code-on-error 0", True), 0, 1, id="failures-do-not-count"),
        pytest.param(ProcessExit(3, "exit code 3, by --exit-code-on-error 0", True), 0, 1, id="and-a-threshold-does"),
        pytest.param(ProcessExit(7, "exit code 7, by --exit-code-on-error 7"), 1, 0, id="another-code"),
        pytest.param(ProcessExit(0, "exit code 0, set by a listener", False), 1, 0, id="a-listener"),
    ],
)
def test_failures_that_do_not_count_are_skipped(ended, n_failing, n_skipped):
    result = result_of_kind("demo")
    rules = [dataclasses.replace(rule, reasons=()) for rule in result.judged.rules]
    rules[1] = dataclasses.replace(rules[1], reasons=("1 of 9 requests had no answer",))
    verdict = dataclasses.replace(
        result.judged,
        exit_code=exit_codes.FAILED,
        reasons=tuple(map(Reason, rules[1].reasons)),
        rules=tuple(rules),
    )
    text = junit.write(dataclasses.replace(result, verdict=verdict, process_exit=ended))

    JUNIT_SCHEMA.validate(text)
    suite = ElementTree.fromstring(text).find("testsuite")
    assert (int(suite.get("failures")), int(suite.get("skipped"))) == (n_failing, n_skipped)


def test_an_exit_code_that_a_listener_has_set_is_a_case_that_fails():
    ended = ProcessExit(9, "exit code 9, set by a listener of the locustfile's own")
    found = cases(junit.write(dataclasses.replace(result_of_kind("demo"), process_exit=ended)))

    assert [name for name, case in found.items() if case.find("failure") is not None] == [
        "the process ends with the verdict's exit code"
    ]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", ["thresholds", "sweep", "failed", "refused"])
def test_nothing_in_junit_is_more_than_text(kind, text):
    result = result_of_kind(kind)
    written = junit.write(hostile(result, text))

    written.encode()
    JUNIT_SCHEMA.validate(written)
    tags = {element.tag for element in ElementTree.fromstring(written).iter()}
    assert tags <= {"testsuites", "testsuite", "properties", "property", "testcase", "failure", "system-out", "skipped"}


# summary.md

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False}).enable("table")


def shown(text):
    """Return the words that a reader sees, and the kinds of what they stand in."""
    tokens = [child for token in MARKDOWN.parse(text) for child in (token, *(token.children or ()))]
    words = " ".join(token.content for token in tokens if token.type in ("text", "code_inline", "html_block"))
    return words, {token.type for token in tokens}


def test_a_summary_says_how_the_run_ended_and_why(result):
    words, _ = shown(markdown.write(result))
    plain = "".join(words.split())

    assert words.split(maxsplit=1)[1].startswith(result.judged.word)
    for reason in result.judged.sentences:
        assert "".join(reason.split()) in plain
    if result.scaling is not None:
        assert "".join(result.scaling.answer.sentence.replace("`", "").split()) in plain
    for level in result.levels:
        assert level.name in words
    for held in result.thresholds:
        assert held.where in words


def test_a_summary_says_where_the_load_went_as_the_page_does(result):
    words, _ = shown(markdown.write(result))
    place = first_screen(result).context[0]

    assert not result.server.address or place in words


def cells_of(text):
    """Return the cells of each table row, as a reader sees them."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("\\", "") for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_levels_of_a_summary_say_what_the_table_on_the_terminal_says(result):
    found = cells_of(markdown.write(result))

    for number, level in enumerate(result.levels):
        state = states.of_level(result, level)
        (row,) = [cells for cells in found if cells[:1] == [level.name]][number_of(result, number) :][:1]
        assert row[1] == f"{states.ICONS[state.key]} {state.word}"
        assert row[2] == rate(level.achieved_rps)
        assert latency_ms(level.upper_end_ns[50]) in row
        assert latency_ms(level.upper_end_ns[99]) in row
        assert percent(level.error_rate) in row
        if result.probes_hold:
            assert row[-1] == states.HOLDS[result.probes_hold[number]]


def number_of(result, number):
    """Return how many levels of the same name come before one."""
    return sum(level.name == result.levels[number].name for level in result.levels[:number])


@functools.cache
def shown_calmly(kind):
    """Return what a reader sees of a result of which every text is a word."""
    return shown(markdown.write(hostile(dataclasses.replace(result_of_kind(kind), notes={"a": "b"}), "calm")))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", ["thresholds", "sweep", "failed", "refused"])
def test_nothing_in_markdown_is_more_than_text(kind, text):
    result = result_of_kind(kind)
    calm, kinds = shown_calmly(kind)
    words, found = shown(markdown.write(hostile(dataclasses.replace(result, notes={"a": "b"}), text)))

    assert found <= kinds | {"softbreak"}
    assert words.count("calm") == 0 < calm.count("calm")
    first = "".join(letter if letter.isprintable() else " " for letter in text).split()
    assert "".join(first)[:500] in "".join(words.split())


@pytest.mark.parametrize("kind", ["repeated", "sweep"])
def test_options_that_are_advised_are_code_in_markdown(kind):
    result = result_of_kind(kind)
    advised = re.findall("`([^`]+)`", sweep_answer(result))
    tokens = [one for block in MARKDOWN.parse(markdown.write(result)) for one in block.children or ()]

    assert bool(advised) is (kind == "repeated")
    assert [one.content for one in tokens if one.type == "code_inline"] == advised


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param("use a longer --level-duration", ["--level-duration"], id="alone"),
        pytest.param("--level-duration 20 (or more)", ["--level-duration 20"], id="with-its-value-first"),
        pytest.param("pass --sweep 1,2,4,8,1, or -u.", ["--sweep 1,2,4,8,1", "-u"], id="lists-and-letters"),
        pytest.param("more a second (-r), a lower -t", ["-r", "-t"], id="letters"),
        pytest.param("a larger --grpc_max_threads; look", ["--grpc_max_threads"], id="underscores"),
        pytest.param("with --verify: image 7", ["--verify"], id="before-a-colon"),
        pytest.param("--sweep 5ms and --deadline 5%", ["--sweep", "--deadline"], id="no-number"),
        pytest.param("`--sweep 1,2 --warm-up 3`", ["--sweep 1,2 --warm-up 3"], id="advised"),
        pytest.param("a--b, x-y, -1, --, --X, --a=b, --a`b`, --a*b*", [], id="none"),
        pytest.param("--a<b> *--c* [--d](e) `--f<g>`", [], id="among-markup"),
        pytest.param("\\--sweep \\\\--rate", [], id="backslashes"),
    ],
)
def test_options_in_a_sentence_are_code_in_markdown(words, code):
    tokens = [one for block in MARKDOWN.parse(f"- {markdown.with_code(words)}") for one in block.children or ()]

    assert [one.content for one in tokens if one.type == "code_inline"] == code
    assert "".join(one.content for one in tokens).replace("`", "") == words.replace("`", "")


@pytest.mark.parametrize("kind", ["invalid", "failed", "unsettled"])
def test_reasons_have_options_as_code_in_markdown(kind):
    text = markdown.write(result_of_kind(kind))
    tokens = [one for block in MARKDOWN.parse(text) for one in block.children or ()]

    assert any(one.type == "code_inline" for one in tokens)
    assert not [one for one in tokens if one.type == "text" and re.search(r"(?<!\S)--[a-z]", one.content)]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("`rm -rf`", id="other-code"),
        pytest.param("`--sweep 1`2`", id="a-backtick-within"),
        pytest.param("``--sweep <b>1</b>``", id="markup"),
        pytest.param("`--sweep $(x)`", id="a-shell"),
        pytest.param("\\`--warm-up 5\\`", id="backslashes"),
        pytest.param("`` `--level-duration 5 --warm-up 2` `*x*`", id="among-others"),
    ],
)
def test_a_sentence_with_code_is_shown_letter_by_letter_but_for_its_backticks(words):
    shown_words, found = shown(markdown.with_code(words))

    assert "".join(shown_words.replace("`", "").split()) == "".join(words.replace("`", "").split())
    assert not found & {"link_open", "html_inline", "html_block", "strong_open", "em_open", "image"}


@given(st.text(max_size=60))
def test_any_text_is_shown_letter_by_letter(text):
    escaped = markdown.text(text)
    words, found = shown(f"- {escaped}\n\n| {escaped} |\n| --- |\n| {escaped} |\n")

    expected = "".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    assert "".join(words.split()) == 3 * expected
    assert not found & {"link_open", "html_inline", "html_block", "code_inline", "strong_open", "em_open", "image"}


# latency-LEVEL.hgrm


@settings(max_examples=scaled(20), deadline=None)
@given(st.lists(st.integers(1, 7 * 10**12), min_size=1, max_size=50))
def test_an_hgrm_is_what_the_hdrhistogram_package_writes_of_the_same_counts(latencies):
    histogram, theirs = Histogram(), HdrHistogram(1, 2 * 3600 * 10**9, 3)
    for latency_ns in latencies:
        histogram.record(latency_ns)
        theirs.record_value(latency_ns)
    file = io.BytesIO()
    theirs.output_percentile_distribution(file, 1e6)

    ours, others = hgrm.write(LatencyCounts.of(histogram)).splitlines(), file.getvalue().decode().splitlines()
    assert len(ours) == len(others)
    differing = [mine for mine, other in zip(ours, others, strict=True) if mine != other]
    assert all(line.startswith("#[Mean") for line in differing)
    (mean,) = [line for line in ours if line.startswith("#[Mean")]
    assert float(mean.rstrip("]").split("=")[-1]) == pytest.approx(theirs.get_stddev() / 1e6, abs=1e-3)


def test_each_level_has_an_hgrm_of_its_own():
    expected = ["latency-1-1-user.hgrm", "latency-2-2-users.hgrm", "latency-3-4-users.hgrm", "latency-4-8-users.hgrm"]
    assert [name for name, _ in hgrm.files(result_of_kind("sweep"))] == expected
    assert [name for name, _ in hgrm.files(result_of_kind("demo"))] == ["latency-run.hgrm"]
    assert list(hgrm.files(refused())) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_of_a_file_is_none_of_another_directory(text):
    for name, _ in hgrm.files(hostile(result_of_kind("sweep"), text)):
        assert name == Path(name).name
        assert hgrm.is_name(name)
        assert name.isascii()
