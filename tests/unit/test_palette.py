"""Colours of pages and charts: each can be read on what it stands on, in the light and in the dark."""

import pytest

from tfsload.report.charts.palette import DARK, LIGHT, colour

# Roles in which words are written, on cards and on the page; and cells of the matrix, on which ink is.
WORDS = ("ink", "muted", "link", "p50", "p90", "p99", "p999", "wrong", "pass", "failed", "crossed", "invalid")
CELLS = ("diagonal", "cell0", "cell1", "cell2", "cell3", "cell4")
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3, level AA
SEEN_BESIDE_TEXT = 3.0  # 1.4.11: parts of a drawing
THEMES = {"light": LIGHT, "dark": DARK}


def luminance(value: str) -> float:
    parts = [int(value[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_both_themes_have_the_same_roles():
    assert LIGHT.keys() == DARK.keys()
    assert all(colour(role) == f"var(--{role}, {value})" for role, value in LIGHT.items())


@pytest.mark.parametrize("theme", THEMES)
def test_words_can_be_read(theme):
    colours = THEMES[theme]
    found = {(role, on): contrast(colours[role], colours[on]) for role in WORDS for on in ("card", "page")}

    assert {pair: ratio for pair, ratio in found.items() if ratio < LEAST_CONTRAST} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_counts_can_be_read_on_the_cells_of_the_matrix(theme):
    colours = THEMES[theme]

    assert min(contrast(colours["ink"], colours[cell]) for cell in CELLS) >= LEAST_CONTRAST


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_bars_can_be_seen(theme):
    colours = THEMES[theme]
    drawn = ("unanswered", "mismatched", "level0", "level1", "level2", "level3")

    assert min(contrast(colours[role], colours["card"]) for role in drawn) >= SEEN_BESIDE_TEXT
