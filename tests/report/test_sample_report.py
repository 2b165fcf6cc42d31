"""The main job on the committed sample: what `make report` makes, walked cell by cell in every format."""

from __future__ import annotations

import re

import nbformat
import pytest
from lxml import html as lxml_html

from khaosat.report import build
from khaosat.report.letterhead import document as laid_out
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

PERIOD = "2026-Q3"


@pytest.fixture(scope="session")
def workspace(sample_city):
    return sample_city


@pytest.fixture(scope="session")
def folder(workspace):
    return build(workspace, PERIOD).folder


@pytest.fixture(scope="session")
def files(folder):
    names = {"html": "bao-cao.html", "pdf": "bao-cao.pdf", "docx": "bao-cao.docx", "xlsx": "phu-luc.xlsx"}
    return {kind: folder / name for kind, name in names.items()}


@pytest.fixture(scope="session")
def document(workspace, folder):
    import json

    from khaosat.domain.period import Period

    key = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["key"]
    executed = nbformat.read(folder / "so-tay.ipynb", as_version=4)
    return laid_out(workspace, executed, period=Period(PERIOD), lang="vi", key=key)


@pytest.fixture(scope="module")
def address(files):
    return files["html"].as_uri()


def test_the_summary_is_five_sentences_with_numbers_and_verdicts(page):  # noqa: F811
    sentences = [item.text_content() for item in page.xpath("//ol[1]/li")]
    assert len(sentences) == 5
    assert all(re.search(r"\d", sentence) for sentence in sentences)
    assert "99,5%" in sentences[2]
    assert re.search(r"(tăng|giảm|chưa thấy thay đổi) có ý nghĩa thống kê so với quý II năm 2026", sentences[2])


def test_no_number_is_impossible(document):
    for table in document.tables:
        for raws in table["raw"]:
            cells = list(zip([c["name"] for c in table["columns"]], raws, strict=True))
            values = dict(reversed(cells))  # of several intervals the first, which is that of the estimate
            shares = [
                v for c, v in zip(table["columns"], raws, strict=True) if c["type"] == "percent" and v is not None
            ]
            assert all(0 <= share <= 1 for share in shares), table["title"]
            if values.get("interval") and None not in values["interval"] and values.get("estimate") is not None:
                low, high = values["interval"]
                assert low <= values["estimate"] <= high, table["title"]
            if isinstance(values.get("numerator"), int) and isinstance(values.get("denominator"), int):
                assert values["numerator"] <= values["denominator"], table["title"]


def test_alt_texts_are_sentences(page):  # noqa: F811
    alts = page.xpath("//img/@alt")
    assert len(alts) >= 4
    assert all(len(alt) > 60 and alt.endswith(".") for alt in alts)


def test_nobody_is_named(folder):
    text = (folder / "bao-cao.html").read_text(encoding="utf-8") + (folder / "so-tay.ipynb").read_text(encoding="utf-8")
    assert not re.findall(r"CB\d{4}|H99\.\d\d-\d{6}", text)


def test_the_same_inputs_give_the_same_bytes(workspace, folder):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert build(workspace, PERIOD).state == "unchanged"
    assert build(workspace, PERIOD, force=True).state == "built"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_the_english_report_has_no_vietnamese_of_ours(workspace):
    text = lxml_html.parse(str(build(workspace, PERIOD, lang="en").folder / "bao-cao.html")).getroot()
    for words in ("Bảng", "Hình", "Ghi chú", "trễ hạn", "khoảng tin cậy", "Chỉ số", "TÓM TẮT"):  # not names in the data
        assert words not in text.text_content(), words
    assert "I. SUMMARY" in text.text_content()
