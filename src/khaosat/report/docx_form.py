"""Pages, styles, letterhead and signature of the Word file, in the form of Nghị định 30/2020/NĐ-CP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from khaosat.facts.language import say
from khaosat.report.document import Document, Form
from khaosat.report.ooxml import FONT, add_border, add_page_number, set_cell_margins, set_fonts_and_language
from khaosat.report.paper import BODY, MARGINS, PORTRAIT, in_mm, text_width

if TYPE_CHECKING:
    from docx.document import Document as Word
    from docx.enum.text import WD_ALIGN_PARAGRAPH as Align
    from docx.section import Section
    from docx.styles.style import ParagraphStyle
    from docx.table import _Cell
    from docx.text.paragraph import Paragraph

TABLE_TEXT = "Table Text"
TABLE_NOTE = "Table Note"
NOTE = "Note"
_LEFT = 60.0  # millimetres of the letterhead's left column
_HEADINGS = range(1, 6)


def set_up(word: Word, document: Document) -> None:
    """Page, page number, styles and properties of an empty file."""
    lang = "vi-VN" if document.lang == "vi" else "en-GB"
    _set_styles(word)
    set_fonts_and_language(word.styles.element, lang=lang)
    section = word.sections[0]
    set_page(section, landscape=False)
    section.different_first_page_header_footer = True
    number = section.header.paragraphs[0]
    number.alignment = align_as("CENTER")
    add_page_number(number.add_run())
    properties = word.core_properties
    properties.title, properties.author, properties.language = document.title, document.form["agency"], lang
    properties.created = properties.modified = document.moment
    properties.comments, properties.last_modified_by = "", ""


def set_page(section: Section, *, landscape: bool) -> None:
    """A4, upright or sideways, with the decree's margins."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    size = (Mm(297), Mm(210)) if landscape else (Mm(210), Mm(297))
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = size
    section.top_margin, section.bottom_margin = Mm(MARGINS["top"]), Mm(MARGINS["bottom"])
    section.left_margin, section.right_margin = Mm(MARGINS["left"]), Mm(MARGINS["right"])
    section.header_distance = section.footer_distance = Mm(10)


def add_letterhead(word: Word, form: Form) -> None:
    """Agency and country side by side, then the title."""
    left, right = _columns(word, _LEFT, PORTRAIT - _LEFT, rows=2)
    _line(left[0], form["parent_agency"], size=13, first=True)
    _line(left[0], form["agency"], size=13, bold=True)
    _rule(left[0].add_paragraph(), 22, width=_LEFT)
    _line(right[0], form["nation"], size=13, bold=True, first=True)
    _line(right[0], form["motto"], size=14, bold=True)
    _rule(right[0].add_paragraph(), in_mm(text_width(form["motto"], bold=True), 14), width=PORTRAIT - _LEFT)
    _line(left[1], form["number"], size=13, first=True)
    if form["draft"]:
        _line(left[1], form["draft"], size=13, bold=True)
    _line(right[1], form["place_date"], size=13, italic=True, first=True)
    title = word.add_paragraph(style="Title")
    title.add_run(form["kind"]).add_break()
    title.add_run(form["subject"])
    _rule(word.add_paragraph(), 40, width=PORTRAIT, above=7)


def add_signature(word: Word, form: Form) -> None:
    """Recipients and signature side by side."""
    from docx.shared import Pt

    word.paragraphs[-1].paragraph_format.keep_with_next = True  # no signature alone on a page
    word.add_paragraph().paragraph_format.keep_with_next = True
    left, right = _columns(word, PORTRAIT / 2, PORTRAIT / 2, rows=1)
    if form["recipients"]:
        _line(left[0], say("Recipients:"), size=12, bold=True, italic=True, first=True, align="LEFT")
    for name in form["recipients"]:
        _line(left[0], name, size=11, align="LEFT")
    for place, text in enumerate(form["signer"]):
        _line(right[0], text, size=BODY, bold=True, first=place == 0)
    right[0].paragraphs[-1].paragraph_format.space_after = Pt(64)


def add_provenance(word: Word, document: Document) -> None:
    """How the report was made."""
    if document.provenance:
        paragraph = word.add_paragraph(style=TABLE_NOTE)
        add_border(paragraph, "top", eighths=4, space=4)
        paragraph.add_run(document.provenance)


def _set_styles(word: Word) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Cm, Pt

    for name in (TABLE_TEXT, TABLE_NOTE, NOTE):
        style = word.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = word.styles["Normal"]
    _set_style(word, "Normal", size=BODY, after=0)
    _set_style(word, "Header", size=13, after=0)
    body = _set_style(word, "Body Text", size=BODY, before=3, after=3, align="JUSTIFY")
    body.paragraph_format.first_line_indent, body.paragraph_format.line_spacing = Cm(1), 1.15
    for name in ("List Bullet", "List Number"):
        _set_style(word, name, size=BODY, before=2, after=2, align="JUSTIFY").paragraph_format.line_spacing = 1.1
    for level in _HEADINGS:
        heading = _set_style(word, f"Heading {level}", size=BODY, before=10, after=4, bold=True, italic=level > 2)
        heading.paragraph_format.first_line_indent = Cm(1)
        heading.paragraph_format.keep_with_next = True
    title = _set_style(word, "Title", size=BODY, before=18, after=0, bold=True, align="CENTER")
    for border in title.element.xpath("w:pPr/w:pBdr"):
        border.getparent().remove(border)
    _set_style(word, "Caption", size=12, before=10, after=4, bold=True, align="CENTER")
    _set_style(word, TABLE_TEXT, size=12, after=0)
    _set_style(word, TABLE_NOTE, size=11, before=2, after=2)
    note = _set_style(word, NOTE, size=13, before=3, after=3, align="JUSTIFY")
    note.paragraph_format.left_indent = Pt(12)


def _set_style(
    word: Word,
    name: str,
    *,
    size: float,
    after: float,
    before: float = 0,
    bold: bool = False,
    italic: bool = False,
    align: str = "LEFT",
) -> ParagraphStyle:
    """A style in the report's dress, whatever the template gave it."""
    from docx.oxml.ns import qn
    from docx.shared import Pt

    style: ParagraphStyle = word.styles[name]
    run = style.element.get_or_add_rPr()
    for tag in ("w:color", "w:kern", "w:spacing", "w:szCs"):
        for node in run.findall(qn(tag)):
            run.remove(node)
    style.font.name, style.font.size = FONT, Pt(size)
    style.font.bold, style.font.italic = bold, italic
    place = style.paragraph_format
    place.space_before, place.space_after, place.alignment = Pt(before), Pt(after), align_as(align)
    place.line_spacing = 1.0
    return style


def _columns(word: Word, *widths: float, rows: int) -> list[Sequence[_Cell]]:
    """Columns of cells side by side, without rules or margins."""
    from docx.shared import Mm

    table = word.add_table(rows, len(widths))
    table.autofit = False
    set_cell_margins(table, side_mm=0, top_pt=3)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)
    return [column.cells for column in table.columns]


def _line(
    cell: _Cell,
    text: str,
    *,
    size: float,
    bold: bool = False,
    italic: bool = False,
    first: bool = False,
    align: str = "CENTER",
) -> None:
    """A line of text in a cell; ``first`` uses the empty paragraph that every cell comes with."""
    from docx.shared import Pt

    paragraph = cell.paragraphs[0] if first else cell.add_paragraph()
    paragraph.alignment = align_as(align)
    run = paragraph.add_run(text)
    run.font.size, run.bold, run.italic = Pt(size), bold, italic


def _rule(paragraph: Paragraph, length: float, *, width: float, above: float = 3) -> None:
    """A drawn line of ``length`` mm in the middle of ``width`` mm: the decree forbids underlining instead."""
    from docx.shared import Mm, Pt

    add_border(paragraph, "top", eighths=6)
    place = paragraph.paragraph_format
    place.left_indent = place.right_indent = Mm((width - length) / 2)
    place.space_before, place.line_spacing = Pt(above), Pt(6)


def align_as(name: str) -> Align:
    """An alignment by its name, without loading python-docx at import."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    return cast("Align", getattr(WD_ALIGN_PARAGRAPH, name))
