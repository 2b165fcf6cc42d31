"""Notebook to document: order, what is refused, numbering, closing, the words of the form."""

from __future__ import annotations

import dataclasses
import datetime as dt

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaosat.errors import KhaosatError
from khaosat.facts.language import language
from khaosat.report.document import Document, Letterhead, caption, plain_text, read_notebook
from khaosat.report.markdown import parse_markdown

HEAD = Letterhead(parent_agency="A", agency="B", place="Sông Xanh", subject="S", year=2026)


def words(text):
    return {"text": text, "bold": False, "italic": False}


def paragraph(text):
    return {"kind": "paragraph", "runs": [words(text)]}


def heading(level, text="T"):
    return {"kind": "heading", "level": level, "runs": [words(text)]}


def document(*blocks, head=HEAD, lang="vi"):
    return Document(letterhead=head, blocks=list(blocks), lang=lang, title="T")


def test_cells_and_outputs_come_in_order_and_prints_do_not(notebook):
    kinds = [block["kind"] for block in read_notebook(notebook)]
    assert kinds == [
        *("heading", "paragraph", "list", "list", "paragraph", "list", "table", "figure"),
        *("heading", "heading", "paragraph", "table", "page_break", "heading", "table", "note", "figure"),
        *("heading", "note", "paragraph"),
    ]


def test_a_notebook_file_reads_as_the_notebook(notebook, tmp_path):
    nbformat.write(notebook, tmp_path / "a.ipynb")
    assert read_notebook(tmp_path / "a.ipynb") == read_notebook(notebook)


def test_a_failed_cell_gives_no_report():
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="hỏng", traceback=[])
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[error])])
    with pytest.raises(KhaosatError, match=r"Ô 1 .*ValueError: hỏng"):
        read_notebook(node)


def test_styles_nest_and_neighbours_join():
    (block,) = parse_markdown("một **hai *ba*** `bốn`\nnăm \\* [sáu](http://x) <b>")
    assert [(run["text"], run["bold"], run["italic"]) for run in block["runs"]] == [
        ("một ", False, False),
        ("hai ", True, False),
        ("ba", True, True),
        (" bốn năm * sáu <b>", False, False),
    ]


def texts(blocks):
    return [
        [plain_text(item) for item in b["items"]] if b["kind"] == "list" else plain_text(b["runs"])
        for b in blocks
        if b["kind"] not in ("page_break", "signature")
    ]


def test_numbers_of_lists_are_those_the_author_wrote():
    assert texts(parse_markdown("1. a\n2. b")) == [["a", "b"]]
    assert texts(parse_markdown("3. c\n4. d")) == ["3. c", "4. d"]
    assert texts(parse_markdown("1. a\n   - x\n   - y\n2. b")) == [["a"], ["x", "y"], "2. b"]


def test_quotes_are_notes_rules_are_pages_and_code_is_text():
    note, page, code = parse_markdown("> một\n>\n> hai\n\n---\n\n    x = 1")
    assert [plain_text(item) for item in note["items"]] == ["một", "hai"]
    assert (page["kind"], plain_text(code["runs"])) == ("page_break", "x = 1")


@pytest.mark.parametrize("source", ["| a | b |\n|---|---|\n| 1 | 2 |", "![hình](a.png)"])
def test_tables_and_images_of_markdown_are_refused(source):
    with pytest.raises(KhaosatError, match="ô mã lệnh"):
        parse_markdown(source)


def test_tables_and_figures_are_numbered_apart_and_once(document, signed):
    with language("vi"):
        assert [caption(b) for b in document.blocks if b["kind"] in ("table", "figure")] == [
            "Bảng 1. Chênh lệch so với quý trước",
            "Hình 1. Đất đai trễ nhiều nhất",
            "Bảng 2. Tỷ lệ trễ hạn theo đơn vị",
            "Bảng 3. Hồ sơ nhận theo tháng",
            "Hình 2. Khoảng cách giữa hai lĩnh vực",
        ]
    with language("en"):
        assert caption(signed.tables[2]) == "Table 3. Hồ sơ nhận theo tháng"


def test_a_document_leaves_the_notebook_as_it_was(notebook, letterhead):
    before = nbformat.writes(notebook)
    Document(letterhead=letterhead, blocks=read_notebook(notebook), lang="vi", title="T")
    assert nbformat.writes(notebook) == before


@given(st.lists(st.integers(1, 6), min_size=1, max_size=12))
def test_headings_never_skip_a_level_down_and_never_gain_one(levels):
    got = [block["level"] for block in document(*(heading(level) for level in levels)).headings]
    assert all(b <= a + 1 for a, b in zip([0, *got], got, strict=False))
    assert all(new <= old for new, old in zip(got, levels, strict=True))


@pytest.mark.parametrize("last", ["Hết.", "Hết", "Hết;", "Hết./.", "Hết. "])
def test_the_last_words_are_closed_once(last):
    block, _ = document(paragraph(last)).blocks
    assert plain_text(block["runs"]) == "Hết./."


def test_a_list_is_closed_in_its_last_item_and_a_heading_by_a_line_of_its_own():
    items = {"kind": "list", "ordered": False, "items": [[words("a.")], [words("b.")]]}
    assert texts(document(items, {"kind": "page_break"}).blocks) == [["a.", "b./."]]
    assert texts(document(heading(1)).blocks) == ["T", "./."]
    assert texts(document().blocks) == ["./."]


@pytest.mark.parametrize("break_before", [True, False])
def test_the_signature_stands_before_the_annex(break_before):
    annex = heading(1) | {"runs": [words("PHỤ LỤC. SỐ LIỆU")]}
    breaks = [{"kind": "page_break"}] if break_before else []
    got = document(heading(1), paragraph("a"), *breaks, annex, paragraph("b")).blocks
    assert [block["kind"] for block in got] == [
        "heading", "paragraph", "signature", "page_break", "heading", "paragraph",
    ]  # fmt: skip
    assert texts(got) == ["T", "a./.", "PHỤ LỤC. SỐ LIỆU", "b"]


@given(st.text(alphabet=st.characters(), max_size=40))
def test_text_is_what_every_format_can_hold(text):
    clean = plain_text(document(paragraph(text), paragraph("x")).blocks[0]["runs"])
    clean.encode("utf-8")
    assert not any(ord(char) < 32 or ord(char) == 127 for char in clean)
    assert document(paragraph(clean), paragraph("x")).blocks[0]["runs"][0]["text"] == clean


TABLE = {
    "kind": "table", "title": "B", "notes": [], "source": "",
    "columns": [{"name": "n", "label": "n", "type": "int", "decimals": 0, "group": ""}],
    "cells": [["1"]], "raw": [[1]],
}  # fmt: skip
FIGURE = {"kind": "figure", "title": "H", "alt": "a", "svg": "<svg/>", "png": "x", "notes": [], "source": ""}


@pytest.mark.parametrize(
    "bad",
    [
        {**TABLE, "cells": [["1", "2"]]},
        {**TABLE, "raw": []},
        {**TABLE, "columns": []},
        {**FIGURE, "alt": " "},
        {**FIGURE, "svg": ""},
    ],
)
def test_blocks_that_do_not_fit_are_refused_with_their_place(bad):
    document(TABLE, FIGURE)
    with pytest.raises(ValueError, match="block 1: "):
        document(paragraph("x"), bad)


def test_form_of_a_draft(document):
    form = document.form
    assert form["number"].startswith("Số: ")
    assert form["number"].endswith("/BC-…")
    assert (form["nation"], form["motto"]) == ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")
    assert form["place_date"].split() == ["Sông", "Xanh,", "ngày", "tháng", "năm", "2026"]
    assert (form["draft"], form["kind"]) == ("DỰ THẢO", "BÁO CÁO")
    assert form["recipients"] == ["- Ban Chỉ đạo CCHC thành phố;", "- Sở Nội vụ;", "- Lưu: VT."]
    assert form["signer"] == ["TM. BAN CHỈ ĐẠO", "TRƯỞNG BAN"]


@pytest.mark.parametrize(
    ("day", "words_of_it"),
    [
        (dt.date(2026, 2, 5), "ngày 05 tháng 02 năm 2026"),
        (dt.date(2026, 10, 15), "ngày 15 tháng 10 năm 2026"),
        (dt.date(2026, 3, 9), "ngày 09 tháng 3 năm 2026"),
    ],
)
def test_days_below_10_and_months_1_and_2_get_a_0(day, words_of_it):
    signed_one = document(head=dataclasses.replace(HEAD, date=day, number="15/BC-BCĐ"))
    assert signed_one.form["place_date"] == f"Sông Xanh, {words_of_it}"
    assert signed_one.form["number"] == "Số: 15/BC-BCĐ"
    assert signed_one.moment.date() == day


def test_form_in_english(signed):
    form = signed.form
    assert (form["nation"], form["kind"], form["draft"]) == ("SOCIALIST REPUBLIC OF VIET NAM", "REPORT", "")
    assert (form["number"], form["place_date"]) == ("No.: 15/BC-BCĐ", "Song Xanh, 05/02/2026")
