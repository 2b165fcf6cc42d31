"""The workbook: real numbers and dates, nothing guessed, limits kept."""

from __future__ import annotations

import datetime as dt
import zipfile

import openpyxl
import pytest

from khaosat.errors import KhaosatError
from khaosat.report import xlsx
from khaosat.report.document import Document


@pytest.fixture(scope="module")
def book(files):
    return openpyxl.load_workbook(files["xlsx"])


def one_table(letterhead, *, cells, raw, kind="text", title="T"):
    block = {
        "kind": "table", "title": title, "notes": [], "source": "", "cells": cells, "raw": raw,
        "columns": [{"name": "n", "label": "n", "type": kind, "decimals": 0, "group": ""}],
    }  # fmt: skip
    return Document(letterhead=letterhead, blocks=[block], lang="vi", title="T")


def test_contents_lead_to_every_sheet_and_back(book, document):
    contents, *sheets = book.worksheets
    assert contents.title == "Mục lục"
    assert [sheet.title for sheet in sheets] == ["Bảng 1", "Bảng 2", "Bảng 3"]
    links = [cell.hyperlink.location for row in contents.iter_rows() for cell in row if cell.hyperlink]
    assert links == [f"'{sheet.title}'!A1" for sheet in sheets]
    assert all(sheet["A2"].hyperlink.location == "'Mục lục'!A1" for sheet in sheets)
    assert document.provenance in [cell.value for cell in contents["A"]]


def test_names_that_look_like_formulas_are_text(book):
    column = [cell for cell in book["Bảng 2"]["A"] if cell.value is not None]
    by_value = {cell.value: cell for cell in column}
    for name in ("=SUM(A1:A9)", "+84 (0)28 -1 'trích'", "#strong[*đậm*] $x^2$ \\ @"):
        assert by_value[name].data_type == "s"
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_values_have_the_types_and_formats_of_their_columns(book):
    row = book["Bảng 2"][5]
    assert [cell.number_format for cell in row] == ["@", "#,##0", "0.0%", "0.0%", "0.0%", "#,##0.00", "dd/mm/yyyy"]
    assert row[1].value == 1000003
    assert row[2].value == pytest.approx(1 / 61, rel=1e-15)
    assert row[6].value == dt.datetime(2025, 7, 1)
    assert book["Bảng 1"]["B5"].number_format == "#,##0.00"


def test_absent_and_suppressed_values_stay_apart(book):
    sheet = book["Bảng 2"]
    assert [sheet.cell(5 + 7, x).value for x in (3, 4, 5)] == ["–"] * 3
    assert [sheet.cell(5 + 11, x).value for x in (2, 3, 4, 5, 6, 7)] == ["…"] * 6


def test_labels_stay_in_view_and_groups_span(book):
    sheet = book["Bảng 2"]
    assert sheet.freeze_panes == "B5"
    assert "C3:E3" in {str(area) for area in sheet.merged_cells.ranges}
    assert sheet["C3"].value == "Trễ hạn"
    assert all(sheet.column_dimensions[letter].width >= 10 for letter in "ABCDEFG")


def test_longer_text_than_a_cell_holds_is_cut_and_marked(letterhead, tmp_path):
    long = "ă" * 40_000
    xlsx.write(one_table(letterhead, cells=[[long]], raw=[[long]]), tmp_path / "long.xlsx")
    value = openpyxl.load_workbook(tmp_path / "long.xlsx")["Bảng 1"]["A5"].value
    assert len(value) == 32_767
    assert value.endswith("ă…")


def test_titles_that_no_sheet_may_have_are_no_matter(letterhead, tmp_path):
    title = "[Báo cáo]: a/b\\c? * 'quá dài để làm tên của một trang tính'"
    xlsx.write(one_table(letterhead, cells=[["x"]], raw=[["x"]], title=title), tmp_path / "title.xlsx")
    book = openpyxl.load_workbook(tmp_path / "title.xlsx")
    assert book.sheetnames == ["Mục lục", "Bảng 1"]
    assert book["Bảng 1"]["A1"].value == f"Bảng 1. {title}"


def test_more_rows_than_a_sheet_holds_are_refused(letterhead, tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx, "_ROWS", 8)
    xlsx.write(one_table(letterhead, cells=[["x"]] * 3, raw=[["x"]] * 3), tmp_path / "fits.xlsx")
    with pytest.raises(KhaosatError, match="Bảng 1 có 4 dòng"):
        xlsx.write(one_table(letterhead, cells=[["x"]] * 4, raw=[["x"]] * 4), tmp_path / "over.xlsx")


def test_empty_tables_and_reports_without_tables_are_files(letterhead, tmp_path):
    xlsx.write(one_table(letterhead, cells=[], raw=[], kind="int"), tmp_path / "empty.xlsx")
    assert openpyxl.load_workbook(tmp_path / "empty.xlsx")["Bảng 1"]["A4"].value == "n"
    xlsx.write(Document(letterhead=letterhead, blocks=[], lang="en", title="T"), tmp_path / "none.xlsx")
    assert openpyxl.load_workbook(tmp_path / "none.xlsx").sheetnames == ["Contents"]


def test_the_archive_has_no_clock(files, book, document):
    with zipfile.ZipFile(files["xlsx"]) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert book.properties.created == document.moment.replace(tzinfo=None)
