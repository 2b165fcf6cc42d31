"""The PDF file: standards, fonts, page form of the decree, reading order for those who cannot see it."""

from __future__ import annotations

import dataclasses
import re
from typing import NamedTuple

import pypdf
import pytest
from pypdf.generic import ArrayObject, DictionaryObject

from khaosat.errors import KhaosatError
from khaosat.report import pdf
from khaosat.report.document import Document
from khaosat.report.paper import in_mm, text_width
from khaosat.report.pdf import write
from tests.report.conftest import vietnamese_letters

MM = 72 / 25.4


class Chunk(NamedTuple):
    """A stretch of text with its start, in millimetres from the left and bottom edges."""

    x: float
    y: float
    size: float
    bold: bool
    text: str

    @property
    def end(self) -> float:
        return self.x + in_mm(text_width(self.text.rstrip(), bold=self.bold), self.size)


@pytest.fixture(scope="module")
def reader(files):
    return pypdf.PdfReader(files["pdf"])


def chunks(page) -> list[Chunk]:
    out: list[Chunk] = []

    def visit(text, cm, tm, font, size):
        if text.strip():
            name = str((font or {}).get("/BaseFont", ""))
            x, y = cm[4] + tm[4] * cm[0], cm[5] + tm[5] * cm[3]
            out.append(Chunk(x / MM, y / MM, size, "Bold" in name, text.strip("\n")))

    page.extract_text(visitor_text=visit)
    return out


def structure(node, tag="/S"):
    """All values of a key in the tree of tags."""
    node = node.get_object()
    if isinstance(node, ArrayObject):
        return [value for item in node for value in structure(item, tag)]
    if not isinstance(node, DictionaryObject):
        return []
    own = [node[tag]] if tag in node else []
    return own + (structure(node["/K"], tag) if "/K" in node else [])


def test_declares_its_standards_language_and_title(reader, document, signed, tmp_path):
    xmp = reader.xmp_metadata.stream.get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in xmp
    root = reader.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("vi-VN", True)
    assert reader.metadata.title == document.title
    write(signed, tmp_path / "en.pdf")
    assert pypdf.PdfReader(tmp_path / "en.pdf").trailer["/Root"]["/Lang"].startswith("en")


def test_embeds_the_shipped_fonts_and_no_other(reader):
    fonts = {}
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            font = font.get_object()
            below = font["/DescendantFonts"][0].get_object()
            fonts[font["/BaseFont"]] = "/FontFile2" in below["/FontDescriptor"].get_object()
    assert fonts
    assert all(fonts.values())
    assert {re.sub(r"^/[A-Z]{6}\+|-.*", "", name) for name in fonts} == {"Tinos"}


def test_every_vietnamese_letter_can_be_read_back(reader):
    letters = vietnamese_letters().split()
    assert len(set(letters)) == 134
    assert set(letters) <= set(reader.pages[0].extract_text())


def test_alt_texts_titles_and_heads_are_in_the_tags(reader, document):
    tree = reader.trailer["/Root"]["/StructTreeRoot"]
    figures = [block for block in document.blocks if block["kind"] == "figure"]
    assert [alt for alt in structure(tree, "/Alt") if alt] == [figure["alt"] for figure in figures]
    tags = structure(tree)
    assert tags.count("/Table") == len(document.tables)
    assert tags.count("/TH") == 3 + (4 + 4) + 13  # the head of each, once, however many pages it is repeated on
    assert tags.count("/TD") == sum(len(row) for table in document.tables for row in table["cells"])
    assert [tag for tag in tags if re.fullmatch("/H[1-6]", tag)] == [f"/H{b['level']}" for b in document.headings]
    assert tags.count("/Title") == 1
    assert tags.count("/Caption") == len(document.tables) + len(figures)


def test_page_1_has_no_number_and_the_others_have_theirs_at_the_top(reader):
    for number, page in enumerate(reader.pages, 1):
        width, height = float(page.mediabox.width) / MM, float(page.mediabox.height) / MM
        above = [chunk for chunk in chunks(page) if chunk.y > height - 18]
        if number == 1:
            assert above == []
        else:
            (chunk,) = above
            assert chunk.text.strip() == str(number)
            assert chunk.size == 13
            assert (chunk.x + chunk.end) / 2 == pytest.approx((30 + width - 20) / 2, abs=1)


def test_text_keeps_the_margins_on_a4(reader):
    sizes = set()
    for page in reader.pages:
        width, height = float(page.mediabox.width) / MM, float(page.mediabox.height) / MM
        sizes.add((round(width), round(height)))
        body = [chunk for chunk in chunks(page) if chunk.y < height - 18]
        assert min(chunk.x for chunk in body) == pytest.approx(30, abs=2.5)
        assert min(chunk.x for chunk in body) >= 30 - 0.1
        # Spaces of a justified line may be narrower than the font's, by up to two millimetres or so in all.
        assert max(chunk.end for chunk in body) <= width - 20 + 2.5
        assert min(chunk.y for chunk in body) >= 20 - 0.1
    assert sizes == {(210, 297), (297, 210)}


def test_country_stands_on_one_line_beside_the_agency(reader, document):
    first = chunks(reader.pages[0])
    (nation,) = [chunk for chunk in first if document.form["nation"] in chunk.text]
    (motto,) = [chunk for chunk in first if document.form["motto"] in chunk.text]
    agency = next(chunk for chunk in first if chunk.text.startswith("BAN CHỈ ĐẠO"))
    assert nation.bold
    assert motto.bold
    assert 12 <= nation.size <= 13
    assert 13 <= motto.size <= 14
    assert agency.end < nation.x
    assert nation.end <= 190


def test_body_is_13_points_with_an_indented_first_line(reader):
    body = [chunk for page in reader.pages for chunk in chunks(page) if "Một đoạn văn dài để trang" in chunk.text]
    assert {chunk.size for chunk in body} == {13}
    assert body[0].x == pytest.approx(40, abs=0.2)
    assert body[1].x == pytest.approx(30, abs=0.2)


def test_long_table_repeats_its_head_on_each_page(reader):
    with_rows = [p.extract_text() for p in reader.pages if re.search(r"khu vực số \d", p.extract_text())]
    assert len(with_rows) > 2
    assert all("Số hồ sơ" in text and "Trễ hạn" in text for text in with_rows)


def test_characters_the_font_lacks_do_not_stop_the_report(document, letterhead, tmp_path):
    run = {"text": "a✓中\U0001f600b", "bold": False, "italic": False}
    head = dataclasses.replace(letterhead, subject="Tên \u200b✓")
    odd = Document(letterhead=head, blocks=[{"kind": "paragraph", "runs": [run]}], lang="vi", title="T")
    write(odd, tmp_path / "odd.pdf")
    assert "a\ufffd\ufffd\ufffdb" in pypdf.PdfReader(tmp_path / "odd.pdf").pages[0].extract_text()


def test_a_report_may_have_no_recipients_signer_or_provenance(letterhead, tmp_path):
    head = dataclasses.replace(letterhead, recipients=(), signer="", parent_agency="", draft=False)
    bare = Document(letterhead=head, blocks=[], lang="vi", title="T")
    write(bare, tmp_path / "bare.pdf")
    text = pypdf.PdfReader(tmp_path / "bare.pdf").pages[0].extract_text()
    assert "./." in text
    assert "Nơi nhận" not in text
    assert "DỰ THẢO" not in text


def test_signature_never_stands_alone(letterhead, tmp_path):
    """However far the text runs down the page, its last paragraph is on the page of the signature."""
    words = {"text": "Một dòng chữ.", "bold": False, "italic": False}
    for lines in range(24, 36):
        blocks = [{"kind": "paragraph", "runs": [words]}] * lines
        write(Document(letterhead=letterhead, blocks=blocks, lang="vi", title="T"), tmp_path / "a.pdf")
        last = pypdf.PdfReader(tmp_path / "a.pdf").pages[-1].extract_text()
        assert "Nơi nhận" in last
        assert "Một dòng chữ./." in last


def test_a_missing_font_is_an_error_not_another_font(letterhead, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "font_folder", lambda: tmp_path)
    with pytest.raises(KhaosatError, match="unknown font family: tinos"):
        pdf.write(Document(letterhead=letterhead, blocks=[], lang="vi", title="T"), tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()
