"""The report as a Word file that an office can edit, sign and number: real styles, captions, lists and alt texts."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.facts.language import language, say
from khaosat.report.document import Document, Form, caption
from khaosat.report.docx_form import (
    NOTE,
    TABLE_NOTE,
    TABLE_TEXT,
    add_letterhead,
    add_provenance,
    add_signature,
    align_as,
    set_page,
    set_up,
)
from khaosat.report.ooxml import (
    Lists,
    add_border,
    describe_table,
    mark_row,
    number_paragraph,
    set_cell_margins,
    shade,
    without_clock,
)
from khaosat.report.paper import LANDSCAPE, PADDING, PORTRAIT, TALLEST, Fit, Sheet, fit, sheets
from khaosat.show.blocks import Block, FigureBlock, ListBlock, NoteBlock, Run, TableBlock
from khaosat.show.head import head_rows

if TYPE_CHECKING:
    from docx.document import Document as Word
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph

_WHOLE = 16  # a table of no more rows moves to the next page rather than break


def write(document: Document, path: Path) -> None:
    """Write the report to ``path``; the same document gives the same bytes."""
    from docx import Document as new_word

    with language(document.lang):
        word = new_word()
        set_up(word, document)
        add_letterhead(word, document.form)
        page = _Page(word=word, lists=Lists(word.part.numbering_part.element), form=document.form)
        for sheet in [*sheets(document.blocks), Sheet(landscape=False, blocks=[])]:
            page.turn(landscape=sheet.landscape)
            for block in sheet.blocks:
                page.add(block)
        add_provenance(word, document)
    file = io.BytesIO()
    word.save(file)
    path.write_bytes(without_clock(file.getvalue()))


@dataclass(kw_only=True)
class _Page:
    """Where the next block goes."""

    word: Word
    lists: Lists
    form: Form
    landscape: bool = False
    break_before: bool = False

    def turn(self, *, landscape: bool) -> None:
        """Go on upright or sideways, on a new page if that is a change."""
        if landscape != self.landscape:
            section = self.word.add_section()
            section.different_first_page_header_footer = False
            set_page(section, landscape=landscape)
            self.landscape, self.break_before = landscape, False

    def add(self, block: Block) -> None:
        match block["kind"]:
            case "heading":
                _add_runs(self.paragraph(f"Heading {block['level']}"), block["runs"])
            case "paragraph":
                _add_runs(self.paragraph("Body Text"), block["runs"])
            case "list":
                self.add_list(block)
            case "note":
                self.add_note(block)
            case "page_break":
                self.break_before = True
            case "table":
                self.add_table(block)
            case "figure":
                self.add_figure(block)
            case "signature":
                add_signature(self.word, self.form)

    def paragraph(self, style: str) -> Paragraph:
        paragraph = self.word.add_paragraph(style=style)
        if self.break_before:
            paragraph.paragraph_format.page_break_before = True
            self.break_before = False
        return paragraph

    def add_list(self, block: ListBlock) -> None:
        number = self.lists.new(ordered=block["ordered"])
        for item in block["items"]:
            paragraph = self.paragraph("List Number" if block["ordered"] else "List Bullet")
            number_paragraph(paragraph, number)
            _add_runs(paragraph, item)

    def add_note(self, block: NoteBlock) -> None:
        title: list[list[Run]] = [[{"text": block["title"], "bold": True, "italic": False}]] if block["title"] else []
        for item in [*title, *block["items"]]:
            paragraph = self.paragraph(NOTE)
            add_border(paragraph, "left", eighths=12, space=6)
            _add_runs(paragraph, item)

    def add_table(self, block: TableBlock) -> None:
        title = self.paragraph("Caption")
        title.add_run(caption(block))
        title.paragraph_format.keep_with_next = True
        place, head = fit(block), head_rows(block["columns"])
        table = self.word.add_table(len(head) + len(block["cells"]), len(block["columns"]), style="Table Grid")
        describe_table(table, block["title"])
        _set_widths(table, place)
        rows = [[_cell(tc, table) for tc in row.tc_lst] for row in table._tbl.tr_lst]
        for y, (row, cells) in enumerate(zip(rows[len(head) :], block["cells"], strict=True), len(head)):
            stay = len(block["cells"]) <= _WHOLE and (y < len(rows) - 1 or bool(block["notes"] or block["source"]))
            for cell, text, column in zip(row, cells, block["columns"], strict=True):
                align = "LEFT" if column["type"] in ("text", "date") else "RIGHT"
                _fill(cell, text, size=place.size, align=align, keep_with_next=stay)
        for y, line in enumerate(head):
            for label in line:
                last = rows[y + label["rowspan"] - 1][label["column"] + label["colspan"] - 1]
                cell = rows[y][label["column"]].merge(last)
                _fill(cell, label["label"], size=place.size, align="CENTER", keep_with_next=True, bold=True)
                shade(cell, "EEEEEE")
        _finish_rows(table, head=len(head))
        self.add_small(block["notes"], block["source"])

    def add_figure(self, block: FigureBlock) -> None:
        from docx.shared import Emu, Mm, Pt

        paragraph = self.paragraph("Normal")
        paragraph.alignment = align_as("CENTER")
        paragraph.paragraph_format.space_before = Pt(10)
        paragraph.paragraph_format.keep_with_next = True
        picture = paragraph.add_run().add_picture(io.BytesIO(base64.b64decode(block["png"])))
        picture._inline.docPr.set("descr", block["alt"])
        for side in ("distT", "distB", "distL", "distR"):  # absent, LibreOffice takes 3 mm and shifts the picture
            picture._inline.set(side, "0")
        width = Mm(LANDSCAPE if self.landscape else PORTRAIT)
        scale = min(1.0, width / picture.width, Mm(TALLEST) / picture.height)
        picture.width, picture.height = Emu(int(picture.width * scale)), Emu(int(picture.height * scale))
        title = self.paragraph("Caption")
        title.add_run(caption(block))
        title.paragraph_format.space_before = Pt(4)
        title.paragraph_format.keep_with_next = bool(block["notes"] or block["source"])
        self.add_small(block["notes"], block["source"])

    def add_small(self, notes: list[str], source: str) -> None:
        lines = [say("Notes:"), *(f"- {note}" for note in notes)] if notes else []
        lines += [source] if source else []
        for place, line in enumerate(lines):
            paragraph = self.paragraph(TABLE_NOTE)
            paragraph.add_run(line).italic = not line.startswith("- ")
            paragraph.paragraph_format.keep_with_next = place < len(lines) - 1


def _add_runs(paragraph: Paragraph, runs: Iterable[Run]) -> None:
    for run in runs:
        part = paragraph.add_run(run["text"])
        part.bold, part.italic = run["bold"] or None, run["italic"] or None


def _cell(tc: object, table: Table) -> _Cell:
    """A cell from its element: ``table.cell`` walks the whole table each time."""
    from docx.table import _Cell

    return _Cell(tc, table)  # type: ignore[arg-type]


def _set_widths(table: Table, place: Fit) -> None:
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.shared import Mm

    table.autofit, table.alignment = False, WD_TABLE_ALIGNMENT.CENTER
    set_cell_margins(table, side_mm=PADDING, top_pt=2)
    for column, width in zip(table._tbl.tblGrid.gridCol_lst, place.widths, strict=True):
        column.w = Mm(width)
    for row in table._tbl.tr_lst:
        for tc, width in zip(row.tc_lst, place.widths, strict=True):
            tc.width = Mm(width)


def _finish_rows(table: Table, *, head: int) -> None:
    for y, row in enumerate(table._tbl.tr_lst):
        mark_row(row, head=y < head)


def _fill(cell: _Cell, text: str, *, size: float, align: str, keep_with_next: bool, bold: bool = False) -> None:
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    paragraph.style = TABLE_TEXT
    paragraph.alignment = align_as(align)
    paragraph.paragraph_format.keep_with_next = keep_with_next or None
    run = paragraph.add_run(text)
    run.font.size, run.bold = Pt(size), bold or None
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
