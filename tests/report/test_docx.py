"""The Word file: page form, real styles, repeated heads, alt texts, lists that start again."""

from __future__ import annotations

import dataclasses
import zipfile

import docx
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from khaosat.report.document import Document
from khaosat.report.docx import write


@pytest.fixture(scope="module")
def word(files):
    return docx.Document(str(files["docx"]))


def texts(word, style):
    return [paragraph.text for paragraph in word.paragraphs if paragraph.style.name == style]


def test_pages_are_a4_within_the_decrees_margins(word):
    assert [section.orientation for section in word.sections] == [
        WD_ORIENT.PORTRAIT,
        WD_ORIENT.LANDSCAPE,
        WD_ORIENT.PORTRAIT,
    ]
    for section in word.sections:
        assert {round(section.page_width.mm), round(section.page_height.mm)} == {210, 297}
        assert 20 <= round(section.top_margin.mm, 1) <= 25
        assert 20 <= round(section.bottom_margin.mm, 1) <= 25
        assert 30 <= round(section.left_margin.mm, 1) <= 35
        assert 15 <= round(section.right_margin.mm, 1) <= 20


def test_page_number_is_above_every_page_but_the_first(word):
    first, *others = word.sections
    assert first.different_first_page_header_footer
    assert first.first_page_header.paragraphs[0].text == ""
    assert "PAGE" in [node.text for node in first.header._element.iter(qn("w:instrText"))]
    for section in others:
        assert not section.different_first_page_header_footer
        assert section.header.is_linked_to_previous


def test_headings_captions_and_title_have_their_styles(word, document):
    for level in (1, 2):
        wanted = ["".join(r["text"] for r in b["runs"]) for b in document.headings if b["level"] == level]
        assert texts(word, f"Heading {level}") == wanted
    assert [text.split(".")[0] for text in texts(word, "Caption")] == ["Bảng 1", "Hình 1", "Bảng 2", "Bảng 3", "Hình 2"]
    assert texts(word, "Title") == [f"BÁO CÁO\n{document.letterhead.subject}"]


def test_one_font_one_language(word, files, signed, tmp_path):
    styles = word.styles.element
    names = {fonts.get(qn("w:ascii")) for fonts in styles.iter(qn("w:rFonts"))}
    assert names == {"Times New Roman"}
    assert not [f for f in styles.iter(qn("w:rFonts")) if f.get(qn("w:asciiTheme"))]
    assert {lang.get(qn("w:val")) for lang in styles.iter(qn("w:lang"))} == {"vi-VN"}
    assert word.core_properties.language == "vi-VN"
    write(signed, tmp_path / "en.docx")
    assert docx.Document(str(tmp_path / "en.docx")).core_properties.language == "en-GB"


def test_body_is_13_points_justified_with_an_indented_first_line(word):
    style = word.styles["Body Text"]
    assert style.font.size == Pt(13)
    assert style.paragraph_format.alignment.name == "JUSTIFY"
    assert style.paragraph_format.first_line_indent.mm == pytest.approx(10, abs=0.1)


def test_heads_repeat_and_rows_do_not_break(word, document):
    for table, block in zip(word.tables[1:-1], document.tables, strict=True):
        rows = table._tbl.tr_lst
        heads = [row.find(qn("w:trPr")).find(qn("w:tblHeader")) is not None for row in rows]
        depth = len(rows) - len(block["cells"])
        assert heads == [True] * depth + [False] * len(block["cells"])
        assert all(row.find(qn("w:trPr")).find(qn("w:cantSplit")) is not None for row in rows)


def test_groups_span_their_columns_and_single_labels_both_rows(word):
    table = word.tables[2]
    assert [cell.text for cell in table.rows[0].cells] == [
        *("Đơn vị", "Quy mô", "Trễ hạn", "Trễ hạn", "Điểm trung bình", "Từ ngày"),
    ]
    assert [cell.text for cell in table.rows[1].cells][:4] == ["Đơn vị", "Số hồ sơ", "Tỷ lệ", "Khoảng tin cậy 95%"]


def test_tables_fit_the_text_and_say_what_they_are(word, document):
    for table, block, width in zip(word.tables[1:-1], document.tables, (160, 160, 247), strict=True):
        assert sum(column.width.mm for column in table.columns) == pytest.approx(width, abs=0.3)
        assert table._tbl.tblPr.find(qn("w:tblCaption")).get(qn("w:val")) == block["title"]


def test_figures_have_alt_texts_and_fit_the_page(word, document):
    figures = [block for block in document.blocks if block["kind"] == "figure"]
    shapes = list(word.inline_shapes)
    assert [shape._inline.docPr.get("descr") for shape in shapes] == [figure["alt"] for figure in figures]
    assert all(shape.width <= Mm(160) for shape in shapes)


def test_each_numbered_list_starts_again_and_dashes_are_dashes(word):
    numbering = word.part.numbering_part.element
    uses = {
        style: [p._p.pPr.numPr.numId.val for p in word.paragraphs if p.style.name == style]
        for style in ("List Number", "List Bullet")
    }
    one, same, other = uses["List Number"]
    assert one == same != other
    for number in (one, other):
        (node,) = numbering.xpath(f"w:num[@w:numId='{number}']")
        assert node.xpath("w:lvlOverride/w:startOverride/@w:val") == ["1"]
    (dash,) = set(uses["List Bullet"])
    kind = numbering.xpath(f"w:num[@w:numId='{dash}']/w:abstractNumId/@w:val")[0]
    assert numbering.xpath(f"w:abstractNum[@w:abstractNumId='{kind}']/w:lvl/w:lvlText/@w:val") == ["-"]


def test_country_fits_one_line_and_rules_are_drawn(word, document):
    from khaosat.report.paper import in_mm, text_width

    head = word.tables[0]
    right = head.cell(0, 1)
    assert right.paragraphs[0].text == document.form["nation"]
    size = right.paragraphs[0].runs[0].font.size.pt
    assert in_mm(text_width(document.form["nation"], bold=True), size) <= head.columns[1].width.mm
    assert not [run for paragraph in right.paragraphs for run in paragraph.runs if run.underline]
    rule = right.paragraphs[2]
    assert rule._p.pPr.find(qn("w:pBdr")) is not None
    length = head.columns[1].width.mm - rule.paragraph_format.left_indent.mm - rule.paragraph_format.right_indent.mm
    assert length == pytest.approx(in_mm(text_width(document.form["motto"], bold=True), 14), abs=0.2)


def test_the_archive_has_no_clock(files, word, document):
    with zipfile.ZipFile(files["docx"]) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert word.core_properties.created.replace(tzinfo=None) == document.moment.replace(tzinfo=None)
    assert word.core_properties.title == document.title


def test_page_breaks_stand_before_the_next_block_and_a_report_may_be_bare(letterhead, tmp_path):
    runs = [{"text": "a", "bold": False, "italic": False}]
    text = {"kind": "paragraph", "runs": runs}
    head = dataclasses.replace(letterhead, recipients=(), signer="", draft=False)
    write(
        Document(letterhead=head, blocks=[text, {"kind": "page_break"}, text, text], lang="vi", title="T"),
        tmp_path / "a.docx",
    )
    word = docx.Document(str(tmp_path / "a.docx"))
    body = [paragraph for paragraph in word.paragraphs if paragraph.style.name == "Body Text"]
    assert [paragraph.paragraph_format.page_break_before for paragraph in body] == [None, True, None]
    assert "Nơi nhận" not in "".join(cell.text for cell in word.tables[-1].rows[0].cells)
