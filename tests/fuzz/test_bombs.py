"""Files made to do harm: they grow beyond measure when opened, count to a trillion, name each other, or carry code."""

from __future__ import annotations

import csv
import gzip
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet

import khaosat as ks
from khaosat import cli
from khaosat.domain.questionnaire import load_questionnaire
from khaosat.errors import DataError
from khaosat.io import bounds, load_responses
from tests.fuzz.made_files import swapped_part
from tests.io.exports import HO_SO, ho_so
from tests.shared import ROOT

SHEET = "xl/worksheets/sheet1.xml"
TEXTS = "xl/sharedStrings.xml"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


@pytest.fixture(autouse=True)
def _in_english(monkeypatch):
    monkeypatch.setenv("KHAOSAT_LANG", "en")


def book(*rows: list[str]) -> bytes:
    """A workbook whose texts are in a part of their own."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        sheet = made.add_worksheet()
        for number, row in enumerate(rows or ([*HO_SO], [*ho_so("H29-1").values()])):
            sheet.write_row(number, 0, row)
    return out.getvalue()


def refused(path: Path) -> str:
    """The fault for which both readers refuse a file."""
    with pytest.raises(DataError) as dossiers:
        ks.read_dossiers(path)
    with pytest.raises(DataError) as survey:
        load_responses(path, questionnaire=load_questionnaire("sipas_2023"))
    assert dossiers.value.faults["fault"].tolist() == survey.value.faults["fault"].tolist()
    assert path.name in str(survey.value)
    return str(survey.value.faults["fault"].item())


BOMB = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import khaosat as ks
import duckdb, pandas, pyarrow.csv
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
resource.setrlimit(resource.RLIMIT_FSIZE, (400 << 20, 400 << 20))
try:
    ks.read_dossiers(sys.argv[2])
except ks.DataError as error:
    print(error.faults["fault"].item())
"""


@pytest.mark.skipif(os.name == "nt", reason="no resource limits")
def test_ten_gigabytes_in_ten_megabytes_are_refused_in_little_memory_and_disk(tmp_path):
    """A gzip of gzips' fellows: the same compressed megabytes, ten thousand times."""
    million = gzip.compress(b"x" * (1 << 20), mtime=0)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(",".join(HO_SO).encode() + b"\n", mtime=0) + million * 10_000)
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(ROOT / "src"), str(path)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "too_large", done.stderr


def test_a_log_that_compresses_well_is_read(tmp_path, monkeypatch):
    """Ten thousand rows that differ in their number only."""
    monkeypatch.setattr(bounds, "ROOM", 1 << 20)
    rows = "".join(",".join(ho_so(f"H29-{n}").values()) + "\n" for n in range(10_000))
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress((",".join(HO_SO) + "\n" + rows).encode(), 9))
    assert (len(rows) / path.stat().st_size) > 20
    assert ks.read_dossiers(path).counts["dossiers_read"] == 10_000


def test_a_workbook_whose_sheet_grows_beyond_measure(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "ROOM", 1 << 20)
    sheet = f"<worksheet {MAIN}><sheetData>" + '<row r="1"/>' * 500_000 + "</sheetData></worksheet>"
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(swapped_part(book(), SHEET, sheet.encode()))
    assert refused(path) == "too_large"


def test_a_workbook_with_more_texts_than_memory_should_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "HELD", 1 << 20)
    texts = "".join(f"<si><t>{n:x}</t></si>" for n in range(100_000))
    path = tmp_path / "texts.xlsx"
    path.write_bytes(swapped_part(book(), TEXTS, f"<sst {MAIN}>{texts}</sst>".encode()))
    assert refused(path) == "too_large"


def test_a_sheet_that_counts_to_a_trillion(tmp_path):
    row = '<row r="999999999999"><c r="A999999999999" t="inlineStr"><is><t>x</t></is></c></row>'
    path = tmp_path / "rows.xlsx"
    path.write_bytes(
        swapped_part(book(), SHEET, f"<worksheet {MAIN}><sheetData>{row}</sheetData></worksheet>".encode())
    )
    assert refused(path) in ("not_text", "empty_file")


@pytest.mark.parametrize("part", [SHEET, TEXTS, "xl/workbook.xml", "xl/styles.xml"])
def test_entities_that_multiply_are_not_followed(tmp_path, part):
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><x {MAIN}>&l9;</x>'
    path = tmp_path / "laughs.xlsx"
    path.write_bytes(swapped_part(book(), part, text.encode()))
    assert refused(path) in ("not_text", "empty_file", "unknown_file", "no_questions")


def test_entities_outside_the_file_are_not_read(tmp_path):
    (tmp_path / "secret.txt").write_text("bí mật", encoding="utf-8")
    text = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "{(tmp_path / "secret.txt").as_uri()}">]>'
        f"<sst {MAIN}>" + "<si><t>&f;</t></si>" * 99 + "</sst>"
    )
    path = tmp_path / "file.xlsx"
    path.write_bytes(swapped_part(book([*HO_SO], ["a"] * len(HO_SO)), TEXTS, text.encode()))
    with pytest.raises(DataError) as error:
        ks.read_dossiers(path)
    assert "bí mật" not in str(error.value) + error.value.faults.to_string()


def test_a_table_of_nothing_without_end(tmp_path, monkeypatch):
    """Forty million empty cells are a few kilobytes of Parquet."""
    monkeypatch.setattr(bounds, "ROOM", 1 << 20)
    names = [*HO_SO, *load_questionnaire("sipas_2023").questions["name"]]
    column = pa.nulls(500_000, pa.string())
    path = tmp_path / "nothing.parquet"
    parquet.write_table(pa.table(dict.fromkeys(names, column)), path)
    assert refused(path) == "too_large"


def test_macros_are_data_that_nobody_reads(tmp_path):
    """A workbook with macros is read like any other; its program is not even unpacked."""
    out = io.BytesIO(book())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/vbaProject.bin", os.urandom(64))
    path = tmp_path / "so-lieu.xlsm"
    path.write_bytes(out.getvalue())
    log = ks.read_dossiers(path)
    assert log.counts["dossiers_stored"] == 1


def test_a_row_whose_last_cells_are_blank_is_whole(tmp_path):
    """A sheet does not write down the empty cells at the end of a row."""
    path = tmp_path / "ngan.xlsx"
    path.write_bytes(book(["response_id", "p1_1", "p1_2", "comment"], ["1", "4"], ["2", "5", "3"], ["", ""], ["3"]))
    responses, faults = load_responses(path, questionnaire=load_questionnaire("sipas_2023"))
    assert responses["p1_1"].dropna().tolist() == [4, 5]
    assert responses["response_id"].tolist() == ["1", "2", "3"]
    assert set(faults["fault"]) == {"missing_items"}


def test_a_lone_carriage_return_in_a_cell_breaks_no_row(tmp_path):
    path = tmp_path / "cr.csv"
    path.write_text('MaHoSo;p1_1;p1_2;comment\n1;4;5;"a\rb"\n2;3;4;"c"\n', encoding="utf-8", newline="")
    responses, _ = load_responses(path, questionnaire=load_questionnaire("sipas_2023"))
    assert responses["comment"].tolist() == ["a\rb", "c"]


@pytest.mark.parametrize("text", ["=1+1", "=cmd|'/c calc'!A1", "@SUM(A1)", "+84=x", "-1+1", "\t=1", "\r=1"])
def test_faults_written_for_a_spreadsheet_hold_no_formula(tmp_path, text):
    source, target = tmp_path / "=a.csv", tmp_path / "loi.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["MaHoSo", "p1_1", "=p1_2"], ["1", text, "4"], ["2", "3", text]])
    assert cli.main(["check", str(source), "--output", str(target)]) in (cli.DONE, cli.REFUSED)
    with target.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any(text.strip() in cell for cell in cells)
    assert not [cell for cell in cells if cell[:1] in "=@\t\r" and cell or cell[:1] in ("+", "-")]


def test_a_name_that_never_ends_is_refused(tmp_path):
    path = tmp_path / "ten.csv"
    path.write_text('\n"' + "x" * 200_000, encoding="utf-8")
    assert refused(path) == "not_text"
