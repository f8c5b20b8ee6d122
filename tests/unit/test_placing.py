"""Names in charts: where they are put, none lies over another, over a mark, or over a line."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfsload.report.charts.placing import Box, Label, Room, apart, around, shortened, stepped, width_px
from tfsload.report.charts.scale import Scale, log_ticks, spread, ticks_from_zero

PLACES = st.lists(st.floats(-50, 250), min_size=1, max_size=12)
POSITIVE = st.floats(1e-4, 1e7)


@given(PLACES)
def test_names_at_the_end_of_lines_keep_their_order_and_their_distance(places):
    found = apart(places, 14, 0, 200)

    ordered = sorted(range(len(places)), key=lambda number: places[number])
    for one, other in itertools.pairwise(ordered):
        assert found[other] - found[one] >= 14 - 1e-6


@given(st.lists(st.floats(0, 200), min_size=1, max_size=8))
def test_names_that_have_room_stay_within_it(places):
    assert all(-1e-6 <= place <= 200 + 1e-6 for place in apart(places, 14, 0, 200))


def test_names_that_are_apart_stay_where_they_are():
    assert apart([10, 50, 90], 14, 0, 200) == [10, 50, 90]


@given(st.lists(st.tuples(st.floats(10, 290), st.floats(10, 190)), max_size=12))
def test_no_name_lies_over_a_mark_or_another_name(points):
    room = Room(Box(0, 0, 300, 200))
    for x, y in points:
        room.take(x, y, 6)
    labels = [label for x, y in points if (label := room.place(around("1,234", x, y, 15, is_bold=True)))]

    boxes = [label.box for label in labels]
    assert all(box.is_within(room.bounds) for box in boxes)
    assert not any(one.meets(other) for number, one in enumerate(boxes) for other in boxes[number + 1 :])
    marks = [Box(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    assert not any(box.meets(mark) for box in boxes for mark in marks)


@pytest.mark.parametrize(
    ("line", "is_free"),
    [
        pytest.param([(0, 0), (300, 200)], False, id="through-it"),
        pytest.param([(0, 100), (300, 100)], False, id="level"),
        pytest.param([(150, 0), (150, 200)], False, id="upright"),
        pytest.param([(145, 98), (150, 102)], False, id="within-it"),
        pytest.param([(0, 60), (300, 60)], True, id="above"),
        pytest.param([(0, 0), (80, 200)], True, id="before"),
        pytest.param([(100, 0), (150, 80), (300, 80)], True, id="around"),
    ],
)
def test_a_name_lies_over_no_line(line, is_free):
    room = Room(Box(0, 0, 300, 200), lines=[line])

    assert (room.place([Label("name", 150, 100, "center")]) is not None) == is_free


@pytest.mark.parametrize(
    ("taken", "lines", "expected"),
    [
        pytest.param([], [], (150, 80), id="the-first-is-free"),
        pytest.param([], [[(0, 80), (300, 80)]], (150, 120), id="the-next-one-is"),
        pytest.param([(150, 80)], [[(0, 120), (300, 120)]], (150, 120), id="rather-over-a-line-than-over-a-mark"),
        pytest.param(
            [], [[(0, 80), (300, 80)], [(0, 81), (300, 81)], [(0, 120), (300, 120)]], (150, 120), id="over-few-lines"
        ),
        pytest.param([(150, 80), (150, 120)], [], (150, 66), id="further-up-where-all-are-over-a-mark"),
    ],
)
def test_a_name_that_has_to_be_seen_is_where_it_covers_least(taken, lines, expected):
    room = Room(Box(0, 0, 300, 200), lines=lines)
    for x, y in taken:
        room.take(x, y, 5)
    label = room.place_surely([Label("?", 150, 80, "center"), Label("?", 150, 120, "center")])

    assert (label.x, label.y) == expected
    assert room.place([label]) is None  # it is taken


@given(st.lists(st.tuples(st.floats(-400, 400), st.floats(-400, 400)), min_size=1, max_size=12))
def test_a_name_that_has_to_be_seen_is_within_the_chart(places):
    room = Room(Box(0, 0, 300, 200))
    for x, y in places:
        label = room.place_surely([Label("?", x, y, "center")])
        assert label.box.is_within(Box(-1e-6, -1e-6, 300 + 1e-6, 200 + 1e-6))


def test_a_line_in_steps_goes_on_before_it_turns():
    assert stepped([(0, 5), (3, 7), (4, 1)]) == [(0, 5), (3, 5), (3, 7), (4, 7), (4, 1)]


@given(st.text(max_size=60), st.floats(20, 200))
def test_a_name_is_shortened_to_its_room(text, room_px):
    short = shortened(text, room_px)

    assert width_px(short) <= room_px or short == "…"
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


@given(POSITIVE, POSITIVE)
def test_ticks_of_powers_hold_what_lies_between_them(one, other):
    least, most = min(one, other), max(one, other)
    ticks = log_ticks(least, most)

    assert len(ticks) >= 2
    assert list(ticks) == sorted(ticks)
    assert ticks[0] <= least * (1 + 1e-9)
    assert ticks[-1] >= most * (1 - 1e-9)


@given(POSITIVE, st.integers(2, 8))
def test_ticks_from_zero_are_few_and_not_above(most, about):
    ticks = ticks_from_zero(most, about)

    assert ticks[0] == 0
    assert ticks[-1] <= most * (1 + 1e-9)
    assert 2 <= len(ticks) <= 2 * about + 2


@given(st.sampled_from(["linear", "log", "log2"]), POSITIVE, st.floats(1.5, 1e4), st.floats(0, 1))
def test_a_scale_goes_there_and_back(kind, low, factor, share):
    scale = Scale(low, low * factor, 300, 20, kind)
    value = scale.value(300 - 280 * share)

    assert scale.px(value) == pytest.approx(300 - 280 * share, abs=1e-6)
    assert scale.px(scale.low) == pytest.approx(300)
    assert scale.px(scale.high) == pytest.approx(20)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40))
def test_told_values_lie_apart_and_the_ends_are_among_them(values):
    scale = Scale(0, 1000, 0, 400)
    told = spread(values, scale, 30)

    assert set(told) <= set(values)
    assert told[0] == min(values)
    assert all(scale.px(other) - scale.px(one) >= 30 for one, other in itertools.pairwise(told))
    if scale.px(max(values)) - scale.px(min(values)) >= 30:
        assert told[-1] == max(values)
