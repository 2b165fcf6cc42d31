"""Tables on a page: nothing is broken, nothing sticks out, the page is full."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.report.paper import LANDSCAPE, PADDING, PORTRAIT, covered, fit, in_mm, sheets, text_width
from khaosat.show.head import head_rows


def table(columns, cells):
    specs = [
        {"name": str(i), "label": label, "type": kind, "decimals": 0, "group": group}
        for i, (label, kind, group) in enumerate(columns)
    ]
    return {"kind": "table", "title": "T", "columns": specs, "cells": cells, "raw": cells, "notes": [], "source": ""}


LABELS = st.text(alphabet="aăâ bđMỘ1", min_size=1, max_size=24)


@st.composite
def tables(draw):
    column = st.tuples(LABELS, st.sampled_from(["text", "int"]), st.sampled_from(["", "Nhóm"]))
    columns = draw(st.lists(column, min_size=1, max_size=8))
    cells = draw(st.lists(st.tuples(*(LABELS for _ in columns)), max_size=4))
    return table(columns, [list(row) for row in cells])


@given(tables())
def test_columns_fill_the_page_and_hold_their_words(block):
    place = fit(block)
    assert sum(place.widths) == pytest.approx(LANDSCAPE if place.landscape else PORTRAIT, abs=0.1)
    for j, (column, width) in enumerate(zip(block["columns"], place.widths, strict=True)):
        lines = [row[j] for row in block["cells"]]
        parts = [word for line in lines for word in line.split()] if column["type"] == "text" else lines
        longest = max((text_width(part) for part in parts), default=0)
        labels = max((text_width(word, bold=True) for word in column["label"].split()), default=0)
        assert width >= in_mm(max(longest, labels), place.size) + 2 * PADDING - 0.01


def test_type_shrinks_before_the_page_turns():
    numbers = [("Số", "int", "")]
    sizes = [fit(table(numbers * n, [["1.234.567"] * n])) for n in (4, 8, 10, 14)]
    assert [place.landscape for place in sizes] == [False, False, False, True]
    assert sizes[0].size == 11
    assert 9 <= sizes[2].size < 11


def test_more_than_any_page_holds_is_squeezed_evenly():
    place = fit(table([("Số", "int", "")] * 60, [["1.234.567"] * 60]))
    assert place.landscape
    assert sum(place.widths) == pytest.approx(LANDSCAPE, abs=0.5)


def test_spare_room_goes_to_text():
    widths = fit(table([("Đơn vị", "text", ""), ("Số", "int", "")], [["Phường", "12"]])).widths
    assert widths[0] > PORTRAIT * 0.8
    widths = fit(table([("Số", "int", ""), ("Số", "int", "")], [["1", "2"]])).widths
    assert widths[0] == pytest.approx(widths[1])


def test_head_without_groups_is_one_row():
    block = table([("A", "text", ""), ("B", "int", "")], [])
    assert [[cell["label"] for cell in row] for row in head_rows(block["columns"])] == [["A", "B"]]


def test_equal_groups_apart_are_two_cells():
    block = table([("A", "int", "G"), ("B", "int", ""), ("C", "int", "G")], [])
    upper, lower = head_rows(block["columns"])
    assert [(cell["label"], cell["column"], cell["colspan"], cell["rowspan"]) for cell in upper] == [
        ("G", 0, 1, 1),
        ("B", 1, 1, 2),
        ("G", 2, 1, 1),
    ]
    assert [(cell["label"], cell["column"]) for cell in lower] == [("A", 0), ("C", 2)]


def test_widths_are_those_of_times_new_roman():
    # Published widths of Times New Roman in 1/1000 em: digits 500, "m" 778, "A" 722; bold "A" 722, "i" 278.
    assert text_width("0") == pytest.approx(0.5)
    assert text_width("m") == pytest.approx(0.778, abs=5e-4)
    assert text_width("A") == pytest.approx(0.722, abs=5e-4)
    assert text_width("i", bold=True) == pytest.approx(0.278, abs=5e-4)


def test_only_what_the_font_lacks_is_replaced():
    assert covered("Ủy ban “Đất” – 80 ≥ 5 ₫ …") == "Ủy ban “Đất” – 80 ≥ 5 ₫ …"
    assert covered("a✓中b") == "a\ufffd\ufffdb"


def test_a_table_turned_sideways_takes_its_headings_along(document):
    upright, sideways, rest = sheets(document.blocks)
    assert [sheet.landscape for sheet in (upright, sideways, rest)] == [False, True, False]
    assert [block["kind"] for block in sideways.blocks] == ["heading", "table"]
    parts = [*upright.blocks, *sideways.blocks, *rest.blocks]
    assert [b for b in parts if b["kind"] != "page_break"] == [b for b in document.blocks if b["kind"] != "page_break"]


def test_sheets_of_upright_blocks_are_one(document):
    blocks = [b for b in document.blocks if b["kind"] != "table"]
    (sheet,) = sheets(blocks)
    assert dataclasses.asdict(sheet) == {"landscape": False, "blocks": blocks}
