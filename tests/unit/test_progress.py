"""How far a run is: the line's words, and where and how it is shown."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.level_rows import closed_row, open_row, samples
from tests.support.terminals import Terminal, terminal
from tfsload.analysis.level_result import level_result
from tfsload.analysis.limit import Finding
from tfsload.analysis.scaling import speed_up_of_last
from tfsload.report import levels, live_line
from tfsload.report.live_line import NOTHING_YET, Counted
from tfsload.report.progress import LOG_INTERVAL_S, TTY_INTERVAL_S, Progress
from tfsload.report.standing import LevelPlace
from tfsload.report.tables import Column, GrowingTable
from tfsload.suite import streams

SOME = Counted(2138.4, 0.0083)
THIRD = LevelPlace(3, 4, False, "4 users")

# The words


@pytest.mark.parametrize(
    ("line", "text"),
    [
        pytest.param(
            lambda width: live_line.of_level(THIRD, 11.2, 22.0, 2.0, SOME, width),
            "3/4  4 users  █████░░░░░  11 s left  2,138/s  0.83% err",
            id="a-level",
        ),
        pytest.param(
            lambda width: live_line.of_level(THIRD, 1.0, 12.0, 2.0, SOME, width),
            "3/4  4 users  ░░░░░░░░░░  11 s left  warming up",
            id="its-warm-up",
        ),
        pytest.param(
            lambda width: live_line.of_level(THIRD, None, 12.0, 2.0, NOTHING_YET, width),
            "3/4  4 users  waiting for its users",
            id="before-its-users-run",
        ),
        pytest.param(
            lambda width: live_line.of_level(THIRD, 12.0, 12.0, 2.0, NOTHING_YET, width),
            "3/4  4 users  ██████████  0 s left",
            id="its-end",
        ),
        pytest.param(
            lambda width: live_line.of_level(THIRD, 99.0, 12.0, 2.0, Counted(0.5, None), width),
            "3/4  4 users  ██████████  0 s left  0.500/s",
            id="beyond-its-end",
        ),
        pytest.param(
            lambda width: live_line.of_level(LevelPlace(2, 8, True, "1,500.5 requests/s"), 3, 10, 0, SOME, width),
            "2/~8  1,500.5/s  ███░░░░░░░  7 s left  2,138/s  0.83% err",
            id="a-search",
        ),
        pytest.param(
            lambda width: live_line.of_level(THIRD, 0.0, 0.0, 0.0, NOTHING_YET, width),
            "3/4  4 users  ██████████  0 s left",
            id="no-time-at-all",
        ),
        pytest.param(
            lambda width: live_line.of_images(500, 1000, SOME, width),
            "█████░░░░░  500 of 1,000 images  2,138/s  0.83% err",
            id="images",
        ),
        pytest.param(
            lambda width: live_line.of_images(0, 1, NOTHING_YET, width), "░░░░░░░░░░  0 of 1 image", id="one-image"
        ),
        pytest.param(
            lambda width: live_line.of_time(15.0, 60.0, SOME, width),
            "██░░░░░░░░  45 s left  2,138/s  0.83% err",
            id="a-time",
        ),
        pytest.param(
            lambda width: live_line.of_time(15.0, 3600.0, SOME, width),
            "░░░░░░░░░░  59 min 45 s left  2,138/s  0.83% err",
            id="an-hour",
        ),
        pytest.param(
            lambda width: live_line.of_time(5.0, 36_000.0, SOME, width),
            "░░░░░░░░░░  10 h left  2,138/s  0.83% err",
            id="many-hours",
        ),
        pytest.param(
            lambda width: live_line.of_time(12.7, None, Counted(10.0, 0.0), width), "12 s  10.0/s  0% err", id="no-end"
        ),
        pytest.param(
            lambda width: live_line.of_warm_up(1, width),
            "warming up: 1 request to go before anything counts",
            id="warm-up-requests",
        ),
    ],
)
def test_the_line(line, text):
    assert line(100) == text


@pytest.mark.parametrize(
    ("width", "text"),
    [
        pytest.param(55, "3/4  4 users  █████░░░░░  11 s left  2,138/s  0.83% err", id="just-enough"),
        pytest.param(54, "3/4  4 users  11 s left  2,138/s  0.83% err", id="the-bar-goes-first"),
        pytest.param(42, "3/4  4 users  11 s left  2,138/s", id="then-what-comes-last"),
        pytest.param(12, "3/4  4 users", id="what-it-is"),
        pytest.param(7, "3/4", id="little"),
        pytest.param(2, "3…", id="less"),
        pytest.param(1, "…", id="least"),
    ],
)
def test_what_a_narrow_terminal_goes_without(width, text):
    assert live_line.of_level(THIRD, 11.2, 22.0, 2.0, SOME, width) == text


@given(
    st.integers(1, 200),
    st.builds(
        Counted, st.one_of(st.none(), st.floats(0, 1e9)), st.one_of(st.none(), st.floats(0, 1, allow_subnormal=False))
    ),
    st.builds(LevelPlace, st.integers(1, 10**6), st.integers(1, 10**6), st.booleans(), st.text("0123456789, users")),
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.floats(0, 1e6),
    st.integers(0, 10**9),
)
def test_no_line_is_wider_than_its_terminal(width, counted, place, elapsed_s, seconds, n):
    lines = (
        live_line.of_level(place, elapsed_s, seconds, seconds / 2, counted, width),
        live_line.of_images(n, n + 1, counted, width),
        live_line.of_time(elapsed_s or 0, seconds, counted, width),
        live_line.of_time(elapsed_s or 0, None, counted, width),
        live_line.of_warm_up(n, width),
    )

    assert all(len(line) <= width for line in lines)


# Where it is shown


def on(one: Terminal, environment=None) -> Progress:
    return Progress(os.fdopen(os.dup(one.end), "w"), environment or {})


def test_on_a_terminal_a_line_is_shown_over_the_last_one():
    with terminal(40) as one:
        progress = on(one)
        progress.show("a long line")
        one.read()
        before = one.lines
        progress.show("short")
        one.read()

        assert (before, one.lines) == (["a long line"], ["short"])
        progress.clear()
        one.read()
        assert one.lines == [""]
        assert progress.interval_s == TTY_INTERVAL_S


def test_what_stays_is_put_above_the_line():
    with terminal(40) as one:
        progress = on(one)
        progress.show("1/2  a long line")
        progress.put_above(["level  req/s", "1 user  150"])
        progress.show("2/2")
        progress.put_above([])
        one.read()

        assert one.lines == ["level  req/s", "1 user  150", "2/2"]


def test_a_line_knows_how_wide_its_window_is_now():
    with terminal(40) as one:
        progress = on(one)
        before = progress.width
        one.resize(25)

        assert (before, progress.width) == (39, 24)


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(lambda _: (io.StringIO(), {}), id="a-log"),
        pytest.param(lambda one: (os.fdopen(os.dup(one.end), "w"), {"TERM": "dumb"}), id="a-dumb-terminal"),
    ],
)
def test_elsewhere_lines_come_under_one_another(stream):
    with terminal(40) as one:
        stream, environment = stream(one)
        progress = Progress(stream, environment)
        progress.show("one")
        progress.put_above(["a row"])
        progress.show("two")
        progress.clear()
        one.read()
        text = stream.getvalue() if isinstance(stream, io.StringIO) else "\n".join([*one.lines, ""])

        assert text == "one\na row\ntwo\n"
        assert (progress.interval_s, progress.width) == (LOG_INTERVAL_S, 100)


# What others write meanwhile


@pytest.fixture
def sturdy(monkeypatch):
    """A terminal with a line that is shown on it, and two streams to it, as `make_sturdy` makes them."""
    with terminal(40) as one:
        descriptors = {name: streams._Descriptor(os.dup(one.end), name) for name in ("stdout", "stderr")}
        texts = {
            name: io.TextIOWrapper(io.BufferedWriter(raw), line_buffering=True, newline="\n")
            for name, raw in descriptors.items()
        }
        monkeypatch.setattr(streams, "_descriptors", descriptors)
        progress = Progress(texts["stderr"], {})
        streams.lay_over(progress)
        yield one, progress, texts["stdout"], texts["stderr"]
        streams.lay_over(None)
        for text in texts.values():
            text.detach().detach()


def test_the_line_gives_way_to_what_others_write(sturdy):
    one, progress, stdout, stderr = sturdy
    progress.show("3/4  4 users")
    print("a listener's own words", file=stdout)
    print("a log's", file=stderr)
    progress.show("4/4  8 users")
    one.read()

    assert one.lines == ["a listener's own words", "a log's", "4/4  8 users"]


def test_half_a_line_of_others_is_not_overwritten(sturdy):
    one, progress, stdout, _ = sturdy
    progress.show("3/4  4 users")
    print("half", end="", flush=True, file=stdout)
    while_open = streams.is_line_open()
    print(" a line", file=stdout)
    progress.show("4/4")
    one.read()

    assert while_open
    assert not streams.is_line_open()
    assert one.lines == ["half a line", "4/4"]


def test_a_worker_erases_the_line_of_its_master(sturdy):
    one, progress, _, stderr = sturdy
    progress.show("3/4  4 users")
    one.read()
    streams.lay_over(streams.Shared())
    print("a worker's words", file=stderr)
    one.read()

    assert one.lines == ["a worker's words"]


def test_a_log_is_left_alone(monkeypatch, tmp_path):
    with terminal(40) as one, (tmp_path / "log").open("wb") as log:
        raw = streams._Descriptor(os.dup(log.fileno()), "stdout")
        monkeypatch.setattr(streams, "_descriptors", {"stdout": raw})
        progress = on(one)
        streams.lay_over(progress)
        try:
            progress.show("3/4")
            raw.write(b"a line\n")
        finally:
            streams.lay_over(None)

    assert (tmp_path / "log").read_bytes() == b"a line\n"


# Rows that come one by one


def rows_of(results, names, holds=()):
    table, lines = GrowingTable(100), []
    for number, result in enumerate(results, 1):
        hold = (holds[number - 1],) if holds else ()
        lines += table.add(levels.row_to_come(result, names, speed_up_of_last(results[:number]), hold))
    return lines


def test_rows_come_one_by_one_below_one_heading():
    rows = [closed_row(samples(n=n), users=users) for users, n in ((1, 1200), (2, 2400), (1000, 2400))]
    heading, *lines = rows_of([level_result(row) for row in rows], ["1 user", "1,000 users"])

    assert heading.split()[:3] == ["level", "req/s", "speed-up"]
    assert [line.split("  ")[0] for line in lines] == ["1 user", "2 users", "1,000 users"]
    assert [line[heading.index("speed-up") :].split()[0] for line in lines] == ["1.00×", "2.00×", "2.00×"]
    assert len({line.index("yes") for line in lines}) == 1


def test_a_level_in_doubt_is_marked_at_once():
    heading, line = rows_of([level_result(closed_row(busy_share=1.0))], ["1 user"])

    assert line.startswith("1 user ?  ")
    assert "speed-up" not in heading


@pytest.mark.parametrize(
    ("finding", "cell"),
    [
        pytest.param(Finding(True, (), 1.0), "yes", id="holds"),
        pytest.param(Finding(False, ("x",), 1.0), "no", id="does-not"),
        pytest.param(Finding(False, ("x",), 1.0, is_undecided=True), "open", id="open"),
    ],
)
def test_a_probe_says_whether_its_rate_holds(finding, cell):
    hold = None if finding.is_undecided else finding.holds
    heading, line = rows_of([level_result(open_row(busy_share=1.0), finding)], ["120 requests/s"], [hold])

    assert heading.endswith("  holds")
    assert line.startswith("120/s  ")  # what a probe's doubts come to is known when the search has ended
    assert line.split()[-1] == cell


def test_later_rows_keep_the_first_ones_columns():
    table = GrowingTable(20)
    first = table.add([Column("a", ["1"]), Column("bbbb", ["2"], leaves=1), Column("c", ["3"], is_text=True)])
    second = table.add([Column("a", ["1,234,567"]), Column("d", ["9"]), Column("c", ["x"], is_text=True)])
    third = table.add([Column("a", ["4" * 30])])

    assert first == ["a  bbbb  c", "1     2  3"]
    assert second == ["1,234,567        x"]
    assert third == ["4" * 19 + "…"]
