"""Every other report of the set on the committed sample: the same checks as the quarterly report."""

from __future__ import annotations

import json

import nbformat
import pypdf
import pytest
from lxml import html as lxml_html

from khaosat.domain.period import Period
from khaosat.report import build
from khaosat.report.letterhead import document as laid_out
from khaosat.report.outputs import damage
from khaosat.report.runner import FILES
from tests.report.test_agreement import (  # noqa: F401  the same walk as over the hand-made report
    book,
    page,
    pdf_text,
    test_docx_shows_every_cell,
    test_html_shows_every_cell,
    test_labels_captions_notes_and_sources_are_everywhere,
    test_pdf_shows_every_cell,
    test_prose_is_the_same_in_the_three_that_hold_it,
    test_xlsx_holds_the_raw_values_of_every_cell,
    word,
)
from tests.report.test_browser import (  # noqa: F401
    browser,
    test_axe_finds_no_violation,
    test_no_request_leaves_the_file,
)
from tests.report.test_pdf import chunks
from tests.report.test_sample_report import test_no_number_is_impossible, workspace  # noqa: F401

PERIODS = {
    "diem-nghen": "2026-Q3", "khao-sat-dot": "2026-Q3", "nguy-co-tre-han": "2026-Q3", "phieu-don-vi": "2026-Q3",
    "tre-han-thang": "2026-09",
}  # fmt: skip
MOST_PAGES = {"diem-nghen": 2, "phieu-don-vi": 2}


@pytest.fixture(scope="session", params=PERIODS)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def folder(workspace, name):  # noqa: F811
    return build(workspace, PERIODS[name], notebook=name).folder


@pytest.fixture(scope="session")
def files(folder):
    return {file.rpartition(".")[2]: folder / file for file in FILES.values()}


@pytest.fixture(scope="session")
def document(workspace, folder, name):  # noqa: F811
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    executed = nbformat.read(folder / "so-tay.ipynb", as_version=4)
    return laid_out(
        workspace, executed, period=Period(PERIODS[name]), lang="vi", key=manifest["key"],
        words=manifest["inputs"]["parameters"],
    )  # fmt: skip


@pytest.fixture(scope="session")
def address(files):
    return files["html"].as_uri()


def test_the_run_is_whole_and_as_short_as_its_readers_need(folder, files, name):
    assert damage(folder) == []
    pages = len(pypdf.PdfReader(files["pdf"]).pages)
    assert pages <= MOST_PAGES.get(name, 14)
    text = files["html"].read_text(encoding="utf-8")
    assert "Không có kết quả:" not in text
    assert "Không ước lượng được mô hình:" not in text


def test_the_first_page_has_the_form_and_no_number(files, document):
    first = pypdf.PdfReader(files["pdf"]).pages[0]
    marks = chunks(first)
    (nation,) = [mark for mark in marks if document.form["nation"] in mark.text]
    assert nation.end <= 190
    assert [mark for mark in marks if mark.y > float(first.mediabox.height) * 25.4 / 72 - 18] == []


def test_the_english_report_has_no_vietnamese_of_ours(workspace, name):  # noqa: F811
    folder = build(workspace, PERIODS[name], notebook=name, lang="en").folder
    shown = lxml_html.parse(str(folder / FILES["html"])).getroot()
    for cited in shown.xpath("//*[contains(text(), 'evidence grade')]"):  # laws and sources keep their names
        cited.text = ""
    text = shown.text_content()
    for words in ("Bảng ", "Hình ", "Ghi chú", "trễ hạn", "khoảng tin cậy", "TÓM TẮT", "VIỆC CẦN LÀM", "đơn vị"):
        assert words not in text, words
