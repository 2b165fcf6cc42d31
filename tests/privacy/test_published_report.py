"""What a whole report tells of few people or dossiers, and of single ones: nothing, in any format."""

from __future__ import annotations

import json
import re
import zipfile

import nbformat
import openpyxl
import pytest
from docx import Document as Word
from lxml import html as lxml_html
from pypdf import PdfReader

from khaosat.dossiers import on_time
from khaosat.facts import privacy_threshold
from khaosat.report.runner import FILES, MANIFEST, NOTEBOOK
from khaosat.show.blocks import MIME
from tests.privacy.conftest import PLANTED, SECRETS

HIDDEN = "…"
KEYS = ("field", "responsible_unit")


@pytest.fixture(scope="module")
def tables(report):
    """Every table that the notebook has displayed."""
    node = nbformat.read(report / NOTEBOOK, as_version=4)
    outputs = [output for cell in node.cells if cell.cell_type == "code" for output in cell.outputs]
    blocks = [block for output in outputs for block in output.get("data", {}).get(MIME, [])]
    return [block for block in blocks if block["kind"] == "table"]


@pytest.fixture(scope="module")
def texts(report):
    """All that can be read in each file of the report."""
    word = zipfile.ZipFile(report / FILES["docx"])
    book = zipfile.ZipFile(report / FILES["xlsx"])
    pages = [page.extract_text() for page in PdfReader(report / FILES["pdf"]).pages]
    return {
        "html": (report / FILES["html"]).read_text(encoding="utf-8"),
        "docx": "".join(word.read(name).decode("utf-8", "replace") for name in word.namelist()),
        "xlsx": "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist()),
        "pdf": "\n".join(pages), "notebook": (report / NOTEBOOK).read_text(encoding="utf-8"),
        "manifest": (report / MANIFEST).read_text(encoding="utf-8"),
    }  # fmt: skip


def gone(table) -> list[str]:
    """Labels of the hidden rows."""
    return [row[0] for row in table["cells"] if HIDDEN in row[1:]]


def test_hidden_rows_hold_no_number_anywhere(report, tables):
    """Neither beneath the dots in the spreadsheet nor in the notebook's data."""
    hidden = [(table, row) for table in tables for row, cells in enumerate(table["cells"]) if HIDDEN in cells[1:]]
    assert len(hidden) > 5, "the city is too large for this test"
    numbers = [(table["raw"][row], table["columns"]) for table, row in hidden]
    assert all(
        value is None for raw, columns in numbers for value, column in zip(raw, columns, strict=True)
        if column["type"] != "text"
    )  # fmt: skip
    labels = {table["cells"][row][0] for table, row in hidden}
    page = lxml_html.parse(report / FILES["html"])
    word = Word(report / FILES["docx"])
    book = openpyxl.load_workbook(report / FILES["xlsx"])
    shown = {
        "html": [[cell.text_content().strip() for cell in row] for row in page.iter("tr")],
        "docx": [[cell.text.strip() for cell in row.cells] for table in word.tables for row in table.rows],
        "xlsx": [[str(cell.value or "").strip() for cell in row] for sheet in book for row in sheet.iter_rows()],
    }
    for kind, rows in shown.items():
        found = {row[0] for row in rows if row and HIDDEN in row[1:]}
        assert labels <= found, kind
        assert all(not re.search(r"\d", "".join(row[1:])) for row in rows if row and HIDDEN in row[1:]), kind


def test_no_total_minus_what_is_shown_tells_of_few(thin_city, tables):
    """The attack by subtraction, with every total of the city known."""
    log = thin_city.log()
    attacked = 0
    for table in tables:
        key = table["columns"][0]["name"]
        if not gone(table) or key not in KEYS:
            continue
        truth = on_time(log, period="2026-Q3", by=key).rows.set_index(key)
        labels = gone(table)
        if not set(labels) <= set(truth.index):
            continue
        assert len(labels) >= 2
        assert truth.loc[labels, "n"].sum() >= privacy_threshold("dossiers")
        attacked += 1
    assert attacked >= 2


def test_no_other_table_or_sentence_tells_what_one_hides(thin_city, tables, report):
    """A row that is hidden by a count is not shown by the same count elsewhere, and no sentence tells of a small one.

    Bottlenecks ("bước … tại đơn vị") count what went through a step, whoever answers for it: another count, with a
    threshold of its own.
    """
    hidden = {(table["columns"][0]["name"], label) for table in tables for label in gone(table)}
    for table in tables:
        names = {column["name"] for column in table["columns"]}
        shown = {row[0] for row in table["cells"]} - set(gone(table))
        told = {(table["columns"][0]["name"], label) for label in shown} & hidden
        assert not (told and {"denominator", "closed"} & names), (table["title"], told)
    log = thin_city.log()
    for key in ("field", "responsible_unit"):
        rows = on_time(log, period="2026-Q3", by=key).rows
        small = rows.loc[(rows["n"] > 0) & (rows["n"] < privacy_threshold("dossiers")), key]
        page = lxml_html.parse(report / FILES["html"])
        sentences = [text.text_content() for text in page.iter("p", "li")]
        for label in small:
            telling = [text for text in sentences if re.search(rf"(?<!tại ){re.escape(label)}[^.;]*\d", text)]
            assert not telling, (label, telling)


def test_no_person_is_in_any_output(report, texts):
    """Applicants, officers, respondents, and what they wrote."""
    assert {file.name for file in report.iterdir()} == {*FILES.values(), NOTEBOOK, MANIFEST}
    for kind, text in texts.items():
        found = [name for name, planted in PLANTED.items() if planted in text or planted[:14] in text]
        assert not found, (kind, found)


def test_no_dossier_and_no_respondent_is_named(texts):
    for kind, text in texts.items():
        assert not re.search(r"H99\.\d\d-\d{6}-\d{4}|2026-Q3-\d{5}", text), kind


def test_personal_columns_of_dossiers_are_not_even_stored(thin_city):
    import duckdb

    root = thin_city.root / thin_city.store.folder
    parts = [path for path in root.rglob("*.parquet") if "responses" not in path.parts]
    assert len(parts) > 5
    for path in parts:
        content = duckdb.read_parquet(str(path)).df().to_csv()
        assert not [name for name, planted in PLANTED.items() if planted in content], path


def test_passwords_of_the_environment_are_in_no_output(report, texts):
    for kind, text in texts.items():
        assert not [name for name, secret in SECRETS.items() if secret in text], kind


def test_the_record_of_a_run_names_no_machine_and_no_user(thin_city, report, texts):
    manifest = json.loads(texts["manifest"])
    assert set(manifest) == {"key", "inputs", "outputs"}
    assert str(thin_city.root) not in texts["manifest"] + texts["notebook"] + texts["html"]
