"""The same numbers everywhere: every cell, caption and note of every table in all four files."""

from __future__ import annotations

import datetime as dt
import re

import docx
import openpyxl
import pypdf
import pytest
from lxml import html as lxml_html

from khaosat.facts.language import language
from khaosat.report.document import caption
from khaosat.show.table import write

INTERVALS = ("interval", "interval_percent")


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.fixture(scope="session")
def page(files):
    return lxml_html.parse(str(files["html"]), parser=lxml_html.HTMLParser(encoding="utf-8")).getroot()


@pytest.fixture(scope="session")
def pdf_text(files) -> str:
    pages = [page.extract_text() for page in pypdf.PdfReader(files["pdf"]).pages]
    # The number at the head of a page is no part of the paragraph that goes on below it.
    return squeezed("".join([pages[0], *(re.sub(r"^\s*\d+\s", "", text) for text in pages[1:])]))


@pytest.fixture(scope="session")
def word(files):
    return docx.Document(str(files["docx"]))


@pytest.fixture(scope="session")
def book(files):
    return openpyxl.load_workbook(files["xlsx"])


def sheet_of(book, table):
    """A table's sheet and the number of the row with its labels."""
    sheet = book[f"Bảng {table['number']}"]
    return sheet, 4


def spread(columns):
    """Columns as a sheet has them: an interval is two."""
    return [(j, bound) for j, c in enumerate(columns) for bound in ((0, 1) if c["type"] in INTERVALS else (None,))]


def reread(sheet, y, table):
    """A row of a sheet as the values that a table formats: what a reader of the sheet could print again."""
    values: dict[int, object] = {}
    for x, (j, bound) in enumerate(spread(table["columns"]), 1):
        value = sheet.cell(y, x).value
        value = value.isoformat() if isinstance(value, dt.datetime) else value
        values[j] = value if bound is None else [*values.get(j, []), value]
    return [values[j] for j in range(len(table["columns"]))]


def data_tables(word):
    """Its tables without those that hold the letterhead and the signature, which have no lines."""
    return [table for table in word.tables if table.style.name == "Table Grid"]


def test_html_shows_every_cell(document, page):
    shown = page.xpath("//table")
    assert len(shown) == len(document.tables)
    for table, element in zip(document.tables, shown, strict=True):
        rows = [[cell.text_content() for cell in row] for row in element.xpath("./tbody/tr")]
        assert rows == table["cells"]


def test_docx_shows_every_cell(document, word):
    shown = data_tables(word)
    assert len(shown) == len(document.tables)
    for table, element in zip(document.tables, shown, strict=True):
        rows = [[cell.text for cell in row.cells] for row in element.rows]
        assert rows[-len(table["cells"]) :] == table["cells"]


def test_pdf_shows_every_cell(document, pdf_text):
    place = 0
    for table in document.tables:
        with language("vi"):
            place = pdf_text.index(squeezed(caption(table)), place)
        for row in table["cells"]:
            place = pdf_text.index(squeezed("".join(row)), place)


def test_xlsx_holds_the_raw_values_of_every_cell(document, book):
    for table in document.tables:
        sheet, labels = sheet_of(book, table)
        for y, (cells, raw) in enumerate(zip(table["cells"], table["raw"], strict=True), labels + 1):
            for column, cell, value, held in zip(table["columns"], cells, raw, reread(sheet, y, table), strict=True):
                if value is None or (isinstance(value, list) and None in value):
                    assert held == ([cell, cell] if column["type"] in INTERVALS else cell)
                elif column["type"] == "date":
                    assert held[:10] == value[:10]
                else:
                    assert held == pytest.approx(value, rel=1e-15) if column["type"] != "text" else held == value
                    assert write(held, column["type"], column["decimals"]) == cell


def test_labels_captions_notes_and_sources_are_everywhere(document, page, word, pdf_text, book):
    html_text = squeezed(page.text_content())
    paragraphs = [p.text for p in word.paragraphs]
    word_cells = [cell.text for table in data_tables(word) for row in table.rows[:2] for cell in row.cells]
    for block in (b for b in document.blocks if b["kind"] in ("table", "figure")):
        with language("vi"):
            title = caption(block)
        assert title in paragraphs
        for text in (title, *block["notes"], block["source"]):
            assert squeezed(text) in html_text
            assert squeezed(text) in pdf_text
            assert any(text in paragraph for paragraph in paragraphs)
    for table in document.tables:
        sheet, labels = sheet_of(book, table)
        held = [cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None]
        with language("vi"):
            assert {caption(table), *table["notes"], *filter(None, [table["source"]])} <= set(held)
        for x, (j, bound) in enumerate(spread(table["columns"]), 1):
            column = table["columns"][j]
            assert (
                sheet.cell(labels, x).value
                == column["label"] + ("", " (cận dưới)", " (cận trên)")[0 if bound is None else bound + 1]
            )
            for label in filter(None, (column["label"], column["group"])):
                assert squeezed(label) in html_text
                assert squeezed(label) in pdf_text
                assert label in word_cells


def test_prose_is_the_same_in_the_three_that_hold_it(document, page, word, pdf_text):
    html_text = squeezed(page.text_content())
    word_text = squeezed("".join(paragraph.text for paragraph in word.paragraphs))
    for block in document.blocks:
        runs = block.get("runs") or [run for item in block.get("items", []) for run in item]
        for run in runs:
            for text in (html_text, word_text, pdf_text):
                assert squeezed(run["text"]) in text
    for text in (html_text, word_text, pdf_text):
        assert text.count("./.") == 1
        assert squeezed(document.provenance) in text


def test_the_form_is_the_same_in_the_three_that_have_it(document, page, word, pdf_text):
    html_text = squeezed(page.text_content())
    cells = "".join(
        cell.text for table in (word.tables[0], word.tables[-1]) for row in table.rows for cell in row.cells
    )
    word_text = squeezed(cells + "".join(paragraph.text for paragraph in word.paragraphs))
    form = document.form
    for words in [form[key] for key in form if isinstance(form[key], str)] + form["recipients"] + form["signer"]:
        for text in (html_text, word_text, pdf_text):
            assert squeezed(words) in text


def test_the_same_document_gives_the_same_bytes(document, files, tmp_path):
    from tests.report.conftest import WRITERS

    for kind, write_file in WRITERS.items():
        write_file(document, tmp_path / f"again.{kind}")
        assert (tmp_path / f"again.{kind}").read_bytes() == files[kind].read_bytes(), kind
