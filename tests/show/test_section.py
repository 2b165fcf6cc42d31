"""A section taken apart: what a reader in a hurry needs, and the tables for the annex."""

import pandas as pd

from khaosat.show.figure import draw
from khaosat.show.plots import intervals, page_axes
from khaosat.show.section import Section
from khaosat.show.table import Column, make_table
from khaosat.show.text import Text
from khaosat.show.theme import HALF, WIDTH

ROWS = pd.DataFrame({"unit": ["A"], "estimate": [0.5], "low": [0.4], "high": [0.6]})


def test_brief_and_tables_share_out_all_parts_in_order():
    table = make_table(ROWS, [Column(name="unit")], title="T")
    figure = draw(intervals(ROWS, keys=["unit"], unit="share"), title="T", alt="A half.", half=True)
    section = Section((Text(sentences=("a",)), table, figure, table))
    assert [block["kind"] for block in section.brief.blocks()] == ["paragraph", "figure"]
    assert [block["kind"] for block in section.tables.blocks()] == ["table", "table"]
    assert section.brief.blocks()[1]["half"]


def test_page_axes_are_as_wide_as_asked():
    for half, width in ((False, WIDTH), (True, HALF)):
        axes = page_axes(2.0, half=half)
        assert axes.figure.get_size_inches().tolist() == [width, 2.0]
        draw(axes, title="T", alt="An empty frame.")
