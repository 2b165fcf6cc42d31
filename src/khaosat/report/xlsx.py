"""The tables of the report as a workbook for further work: one sheet a table, full-precision numbers."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from khaosat.errors import KhaosatError
from khaosat.facts.language import language, say
from khaosat.report.document import Document, caption
from khaosat.show.blocks import ColumnSpec, TableBlock

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

# Excel's limits (Microsoft, "Excel specifications and limits").
_ROWS = 1_048_576
_CHARACTERS = 32_767
_WIDEST = 60  # characters; longer text wraps
_HEAD = 3  # rows above the labels: title, way back, groups
_LINE = 16.5  # points that a line of text takes; set by hand, since not every program fits rows to wrapped text

Formats = Callable[[Mapping[str, object]], "Format"]


@dataclass(frozen=True, kw_only=True)
class _Field:
    """A column of a sheet; an interval column of a table is two of them."""

    spec: ColumnSpec
    source: int
    bound: Literal[0, 1] | None = None

    @property
    def label(self) -> str:
        label = self.spec["label"]
        if self.bound is None:
            return label
        return say("{label} (high)", label=label) if self.bound else say("{label} (low)", label=label)

    @property
    def numeric(self) -> bool:
        return self.spec["type"] not in ("text", "date")

    @property
    def pattern(self) -> str:
        """Excel's number format; Excel itself puts the reader's separators."""
        decimals = self.spec["decimals"] if self.spec["type"] != "int" else 0
        places = "." + "0" * decimals if decimals else ""
        match self.spec["type"]:
            case "text":
                return "@"
            case "date":
                return "dd/mm/yyyy"
            case "percent" | "interval_percent":
                return f"0{places}%"
            case _:
                return f"#,##0{places}"

    def raw(self, row: list[object]) -> object:
        value = row[self.source]
        return value[self.bound] if self.bound is not None and isinstance(value, list) else value


def write(document: Document, path: Path) -> None:
    """Write the annex to ``path``; the same document gives the same bytes.

    Raises
    ------
    KhaosatError
        If a table has more rows than a worksheet.
    """
    import xlsxwriter

    # Nothing in a cell is ever guessed to be a formula or a link: a unit may be called =SUM().
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with language(document.lang), xlsxwriter.Workbook(str(path), options) as book:
        moment = document.moment.replace(tzinfo=None)
        book.set_properties({"title": document.title, "author": document.form["agency"], "created": moment})
        formats = _formats(book)
        _write_contents(book.add_worksheet(say("Contents")), document, formats=formats)
        for table in document.tables:
            _write_table(book.add_worksheet(_sheet_name(table)), table, formats=formats)


def _formats(book: Workbook) -> Formats:
    made: dict[str, Format] = {}

    def get(properties: Mapping[str, object]) -> Format:
        key = repr(sorted(properties.items()))
        if key not in made:
            made[key] = book.add_format(
                {"font_name": "Times New Roman", "font_size": 12, "valign": "vcenter", **properties}
            )
        return made[key]

    return get


def _sheet_name(table: TableBlock) -> str:
    """``Bảng 1``: short, unique and free of the signs Excel forbids, whatever the title."""
    return f"{say('Table')} {table['number']}"


def _write_contents(sheet: Worksheet, document: Document, *, formats: Formats) -> None:
    sheet.set_column(0, 0, 110)
    sheet.write_string(
        0, 0, f"{say('Annex of figures')}: {_short(document.title)}", formats({"bold": True, "font_size": 14})
    )
    link = formats({"font_color": "#00427A", "underline": 1, "text_wrap": True})
    for row, table in enumerate(document.tables, 2):
        sheet.write_url(row, 0, f"internal:'{_sheet_name(table)}'!A1", link, string=_short(caption(table)))
    if document.provenance:
        last = len(document.tables) + 3
        sheet.write_string(last, 0, _short(document.provenance), formats({"font_size": 10, "text_wrap": True}))


def _write_table(sheet: Worksheet, table: TableBlock, *, formats: Formats) -> None:
    fields = _fields(table)
    tail = [*table["notes"], *([table["source"]] if table["source"] else [])]
    if _HEAD + 2 + len(table["cells"]) + len(tail) > _ROWS:
        raise KhaosatError(
            say(
                "Table {number} has {rows} rows; a worksheet holds {limit}. Publish fewer rows.",
                number=table["number"],
                rows=len(table["cells"]),
                limit=_ROWS,
            )
        )
    sheet.write_string(0, 0, _short(caption(table)), formats({"bold": True, "font_size": 13}))
    link = formats({"font_color": "#00427A", "underline": 1})
    sheet.write_url(1, 0, f"internal:'{say('Contents')}'!A1", link, string=say("Back to the contents"))
    _write_head(sheet, fields, formats=formats)
    for y, (raw, cells) in enumerate(zip(table["raw"], table["cells"], strict=True), _HEAD + 1):
        for x, field in enumerate(fields):
            _write_cell(sheet, (y, x), field.raw(raw), field=field, text=cells[field.source], formats=formats)
    small = formats({"font_size": 11, "italic": True})
    for y, note in enumerate(tail, _HEAD + 2 + len(table["cells"])):
        sheet.write_string(y, 0, _short(note), small)
    _set_sizes(sheet, table, fields)
    sheet.freeze_panes(_HEAD + 1, 1 if fields[0].spec["type"] == "text" else 0)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEAD - 1, _HEAD)


def _fields(table: TableBlock) -> list[_Field]:
    fields: list[_Field] = []
    for source, spec in enumerate(table["columns"]):
        if spec["type"] in ("interval", "interval_percent"):
            fields += [_Field(spec=spec, source=source, bound=0), _Field(spec=spec, source=source, bound=1)]
        else:
            fields.append(_Field(spec=spec, source=source))
    return fields


def _write_head(sheet: Worksheet, fields: list[_Field], *, formats: Formats) -> None:
    head = formats({"bold": True, "border": 1, "align": "center", "text_wrap": True, "bg_color": "#EEEEEE"})
    for x, field in enumerate(fields):
        sheet.write_string(_HEAD, x, _short(field.label), head)
    for group, run in groupby(range(len(fields)), key=lambda x: fields[x].spec["group"]):
        members = list(run)
        if group and len(members) > 1:
            sheet.merge_range(_HEAD - 1, members[0], _HEAD - 1, members[-1], "", head)
        if group:
            sheet.write_string(_HEAD - 1, members[0], _short(group), head)


def _write_cell(
    sheet: Worksheet, place: tuple[int, int], value: object, *, field: _Field, text: str, formats: Formats
) -> None:
    """A raw value in its number format; an absent or suppressed one as the sign readers see."""
    style: dict[str, object] = {"border": 1, "num_format": field.pattern}
    if value is None:
        align = "right" if field.numeric else "left" if field.spec["type"] == "text" else "center"
        sheet.write_string(*place, text, formats({**style, "align": align}))
    elif field.numeric:
        sheet.write_number(*place, cast(float, value), formats(style))
    elif field.spec["type"] == "date":
        day = dt.datetime.fromisoformat(str(value)).replace(tzinfo=None)
        sheet.write_datetime(*place, day, formats({**style, "align": "center"}))
    else:
        sheet.write_string(*place, _short(str(value)), formats({**style, "text_wrap": True}))


def _set_sizes(sheet: Worksheet, table: TableBlock, fields: list[_Field]) -> None:
    """Columns as wide as their values, rows as high as their wrapped text."""
    widths = []
    for x, field in enumerate(fields):
        body = max((len(row[field.source]) for row in table["cells"]), default=0)
        word = max((len(word) for word in field.label.split()), default=0)
        widths.append(min(_WIDEST, max(body, word + 2, len(field.label) // 2, 8)))
        sheet.set_column(x, x, widths[x] + 2)
    heads = [_lines(field.label, width) for field, width in zip(fields, widths, strict=True)]
    sheet.set_row(_HEAD, _LINE * max(heads))
    for y, row in enumerate(table["cells"], _HEAD + 1):
        # A line of prose holds a tenth more letters than digits, which a column's width counts.
        sheet.set_row(
            y, _LINE * max(_lines(row[f.source], round(1.1 * w)) for f, w in zip(fields, widths, strict=True))
        )


def _lines(text: str, width: int) -> int:
    """Lines that a text takes when wrapped, at most as many as Excel lets a row be high."""
    return min(len(textwrap.wrap(text, width)) or 1, 24)


def _short(text: str) -> str:
    return text if len(text) <= _CHARACTERS else text[: _CHARACTERS - 1] + "…"
