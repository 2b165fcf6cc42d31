import re

import numpy as np
import pandas as pd
import pytest

from khaosat.facts.language import language
from khaosat.show.blocks import MIME
from khaosat.show.table import Column, make_table, write

FRAME = pd.DataFrame(
    {
        "unit": ["Phường <script>", "Xã Đông"],
        "n": [1203, 4],
        "estimate": [0.2837, np.nan],
        "low": [0.25, np.nan],
        "high": [0.32, np.nan],
        "month": pd.to_datetime(["2026-07-01", "2026-08-01"]),
    }
)
COLUMNS = [
    Column(name="unit", label="Đơn vị"),
    Column(name="n", kind="int"),
    Column(name="estimate", kind="percent", decimals=1),
    Column(name=("low", "high"), kind="interval_percent", decimals=1),
    Column(name="month", kind="date"),
]


def test_cells_and_raw_say_the_same():
    table = make_table(FRAME, COLUMNS, title="T")
    assert table.cells == (
        ("Phường <script>", "1.203", "28,4%", "25,0–32,0%", "01/07/2026"),
        ("Xã Đông", "4", "–", "–", "01/08/2026"),
    )
    assert table.raw[0][:4] == ("Phường <script>", 1203, 0.2837, [0.25, 0.32])
    assert table.raw[1][2:4] == (None, [None, None])
    assert all(
        write(raw, column.kind, column.decimals) == cell
        for raws, cells in zip(table.raw, table.cells, strict=True)
        for raw, cell, column in zip(raws, cells, table.columns, strict=True)
    )


def test_english_uses_english_separators():
    with language("en"):
        assert make_table(FRAME, COLUMNS, title="T").cells[0][1:3] == ("1,203", "28.4%")


def test_hidden_rows_keep_their_name_and_lose_their_numbers():
    table = make_table(FRAME, COLUMNS, title="T", hide=pd.Series([False, True]))
    assert table.cells[1] == ("Xã Đông", "…", "…", "…", "…")
    assert table.raw[1] == ("Xã Đông", None, None, None, None)


def test_html_escapes_data_and_bundle_carries_the_block():
    bundle = make_table(FRAME, COLUMNS, title="T & U", notes=["a < b"])._repr_mimebundle_()
    assert "<script>" not in bundle["text/html"]
    assert "T &amp; U" in bundle["text/html"]
    assert bundle[MIME][0]["cells"][0][0] == "Phường <script>"


def test_html_says_which_group_a_column_belongs_to():
    columns = [COLUMNS[0], *(Column(name="n", kind="int", label="Số", group=group) for group in ("Trước", "Sau"))]
    head = make_table(FRAME, columns, title="T")._repr_html_().partition("<tbody>")[0]
    upper, lower = head.split("</tr><tr>")
    assert [re.sub("<[^>]+>", "", cell) for cell in upper.split("</th>")[:-1]] == ["TĐơn vị", "Trước", "Sau"]
    assert upper.count('scope="colgroup"') == 2
    assert lower.count(">Số</th>") == 2


@pytest.mark.parametrize(
    ("value", "kind", "text"), [(None, "int", "–"), (0, "percent", "0,0%"), (1, "percent", "100,0%")]
)
def test_absent_is_not_zero(value, kind, text):
    assert write(value, kind, 1) == text


@pytest.mark.parametrize(("p", "text"), [(0.0004, "<0,001"), (0.0, "<0,001"), (0.001, "0,001"), (0.2496, "0,250")])
def test_a_p_value_is_never_printed_as_zero(p, text):
    assert write(p, "p_value", 3) == text
