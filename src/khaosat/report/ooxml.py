"""The few WordprocessingML elements that python-docx has no words for, and archives without a clock."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph
    from docx.text.run import Run

FONT = "Times New Roman"
_AFTER_BORDERS = ("w:shd", "w:tabs", "w:spacing", "w:ind", "w:contextualSpacing", "w:jc", "w:rPr", "w:sectPr")
_AFTER_MARGINS = ("w:tblLook", "w:tblCaption", "w:tblDescription")


def element(tag: str, **attributes: str) -> BaseOxmlElement:
    """An element of the ``w`` namespace with attributes of the same."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    node = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        node.set(qn(f"w:{name}"), value)
    return node


def set_fonts_and_language(root: BaseOxmlElement, *, lang: str) -> None:
    """One font and one language for a whole part; theme fonts would win over names."""
    from docx.oxml.ns import qn

    for fonts in root.iter(qn("w:rFonts")):
        fonts.attrib.clear()
        for script in ("ascii", "hAnsi", "eastAsia", "cs"):
            fonts.set(qn(f"w:{script}"), FONT)
    for node in root.iter(qn("w:lang")):
        node.set(qn("w:val"), lang)


def add_page_number(run: Run) -> None:
    """A field that shows the page's number."""
    for part in ("begin", "instrText", "end"):
        if part == "instrText":
            code = element("instrText")
            code.text = "PAGE"
            run._r.append(code)
        else:
            run._r.append(element("fldChar", fldCharType=part))


def add_border(paragraph: Paragraph, side: str, *, eighths: int, space: int = 0) -> None:
    """A line along one side of a paragraph, ``eighths`` of a point thick."""
    borders = element("pBdr")
    borders.append(element(side, val="single", sz=str(eighths), space=str(space), color="auto"))
    paragraph._p.get_or_add_pPr().insert_element_before(borders, *_AFTER_BORDERS)


def set_cell_margins(table: Table, *, side_mm: float, top_pt: float) -> None:
    """Room between text and rules, the same in every cell."""
    margins = element("tblCellMar")
    for name, points in (
        ("top", top_pt),
        ("left", side_mm * 72 / 25.4),
        ("bottom", top_pt),
        ("right", side_mm * 72 / 25.4),
    ):
        margins.append(element(name, w=str(round(points * 20)), type="dxa"))
    table._tbl.tblPr.insert_element_before(margins, *_AFTER_MARGINS)


def describe_table(table: Table, text: str) -> None:
    """What assistive software says the table is."""
    table._tbl.tblPr.append(element("tblCaption", val=text))


def mark_row(row: BaseOxmlElement, *, head: bool) -> None:
    """A row that never breaks across pages; a head is repeated on each."""
    properties = row.get_or_add_trPr()
    properties.append(element("cantSplit"))
    if head:
        properties.append(element("tblHeader"))


def shade(cell: _Cell, colour: str) -> None:
    """A background for a cell."""
    cell._tc.get_or_add_tcPr().append(element("shd", val="clear", color="auto", fill=colour))


class Lists:
    """The numbering part of a file: dashes, and numbers that start again at 1 in every list."""

    def __init__(self, numbering: BaseOxmlElement) -> None:
        self._root = numbering
        self._next = 1000  # above every id of the template
        self._dash = self._define("bullet", "-")
        self._decimal = self._define("decimal", "%1.")
        self._dashes = self._use(self._dash)

    def new(self, *, ordered: bool) -> int:
        """Id of a list's numbering."""
        return self._use(self._decimal, restart=True) if ordered else self._dashes

    def _define(self, form: str, text: str) -> int:
        self._next += 1
        kind = element("abstractNum", abstractNumId=str(self._next))
        kind.append(element("multiLevelType", val="singleLevel"))
        level = element("lvl", ilvl="0")
        level.append(element("start", val="1"))
        level.append(element("numFmt", val=form))
        level.append(element("lvlText", val=text))
        level.append(element("lvlJc", val="left"))
        place = element("pPr")
        place.append(element("ind", left="907", hanging="340"))  # twentieths of a point: 16 and 6 mm
        level.append(place)
        kind.append(level)
        self._root.insert_element_before(kind, "w:num")
        return self._next

    def _use(self, kind: int, *, restart: bool = False) -> int:
        self._next += 1
        use = element("num", numId=str(self._next))
        use.append(element("abstractNumId", val=str(kind)))
        if restart:
            override = element("lvlOverride", ilvl="0")
            override.append(element("startOverride", val="1"))
            use.append(override)
        self._root.append(use)
        return self._next


def number_paragraph(paragraph: Paragraph, list_id: int) -> None:
    """Make a paragraph an item of a list."""
    numbers = paragraph._p.get_or_add_pPr().get_or_add_numPr()
    numbers.get_or_add_ilvl().val = 0
    numbers.get_or_add_numId().val = list_id


def without_clock(archive: bytes) -> bytes:
    """The same zip archive with fixed dates and system, so that equal content gives equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            info = zipfile.ZipInfo(entry.filename, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            target.writestr(info, source.read(entry))
    return out.getvalue()
