"""Any text or workbook as one clean CSV: a row number in front, every record as wide as the header, the rest set aside.

DuckDB reads clean text fast, but after a stray quotation mark it drops rows without a word. So its result is believed
only if it has as many rows as the file has lines; every other file goes through here.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from khaosat.io.headers import merged_header

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell

_LONGEST_RECORD = 200
"""Lines that one quoted record may span before its first line counts as broken."""
_TOP = 10
"""Rows of a sheet in which the header is looked for."""
_SHOWN_DIGITS = re.compile(r"(0+)(?:\.(0+))?")
"""Number formats such as 000000 and 0.000, under which a sheet shows zeros that the number itself does not have."""


@dataclass(frozen=True, kw_only=True)
class CleanCSV:
    """A clean CSV file (UTF-8, comma, no header) with a row number before the columns of ``header``.

    ``broken`` holds the records that are wider or narrower than the header, by row number, as they stand in the file.
    """

    path: Path
    header: tuple[str, ...]
    broken: list[tuple[int, str]] = field(default_factory=list)


def clean_text(path: Path, target: Path, *, delimiter: str) -> CleanCSV:
    """Rewrite a UTF-8 text record by record."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = iter(file)
        header = next((cells for cells, _ in _records(lines, delimiter) if any(cells)), [])
        return _write(_records(lines, delimiter, width=len(header)), header, target)


def clean_sheets(
    path: Path, folder: Path, *, is_header: Callable[[Sequence[str]], bool], knows: Callable[[str], object]
) -> Iterator[tuple[str, CleanCSV]]:
    """Rewrite the sheets of a workbook, with their names; empty sheets are left out.

    The header is the row (or the two rows with merged cells) near the top for which ``is_header`` holds and most names
    are known; title rows above it are skipped. If there is none, the first row that is not empty stands for it.
    """
    from openpyxl import load_workbook

    with warnings.catch_warnings():  # openpyxl warns of styles it does not know; data are not styles
        warnings.simplefilter("ignore")
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            for number, sheet in enumerate(book.worksheets):
                sheet.reset_dimensions()  # some programs write a wrong extent
                rows = ([_cell(cell) for cell in row] for row in sheet.iter_rows())
                top = list(islice(rows, _TOP))
                if not any(map(any, top)):
                    continue
                header, skipped = _find_header(top, is_header=is_header, knows=knows)
                body = ((cells, ",".join(cells)) for cells in chain(top[skipped:], rows))
                yield sheet.title, _write(body, header, folder / f"sheet{number}.csv")
        finally:
            book.close()


def _records(lines: Iterator[str], delimiter: str, *, width: int = 0) -> Iterator[tuple[list[str], str]]:
    """Records with their text; a line with an open quote stands alone (without cells) unless lines below complete it.

    A line below that could be a record by itself completes nothing: the quote is a stray one, and to take it for the
    start of a long text would swallow good records.
    """
    waiting: list[str] = []
    while line := waiting.pop(0) if waiting else next(lines, ""):
        if '"' not in line:
            yield line.rstrip("\r\n").split(delimiter), line
            continue
        cells, text, following = _parse(line, delimiter), line, list[str]()
        while cells is None and len(following) < _LONGEST_RECORD:
            more = waiting.pop(0) if waiting else next(lines, "")
            following.append(more)
            text += more
            if not more or (width > 3 and more.count(delimiter) >= width - 1):
                break
            if '"' in more:
                cells = _parse(text, delimiter)
                cells = None if cells and width and len(cells) != width else cells
        if cells is None:
            waiting = [more for more in following if more] + waiting
            yield [], line
        else:
            yield cells, text


def _parse(text: str, delimiter: str) -> list[str] | None:
    """One record, or None while a quote is open or misplaced."""
    try:
        rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _write(records: Iterable[tuple[list[str], str]], header: Sequence[str], target: Path) -> CleanCSV:
    width = len(header)
    broken: list[tuple[int, str]] = []
    row = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file, lineterminator="\n").writerow
        for cells, text in records:
            if not text.strip("\r\n "):
                continue
            row += 1
            if len(cells) > width and not any(cells[width:]):
                cells = cells[:width]
            if len(cells) == width:
                write([row, *cells])
            else:
                broken.append((row, text.rstrip("\r\n")))
    return CleanCSV(path=target, header=tuple(name.strip() for name in header), broken=broken)


def _find_header(
    top: list[list[str]], *, is_header: Callable[[Sequence[str]], bool], knows: Callable[[str], object]
) -> tuple[list[str], int]:
    """The header, and how many rows it and the title above it take; one row is preferred to two that say no more."""
    single = [(row, number + 1) for number, row in enumerate(top)]
    double = [(merged_header(*pair, knows=knows), number + 2) for number, pair in enumerate(pairwise(top))]
    headers = [found for found in (*single, *double) if is_header(found[0])]
    if headers:
        return max(headers, key=lambda found: sum(bool(knows(name)) for name in found[0]))
    return next(found for found in single if any(found[0]))


def _cell(cell: Cell | MergedCell) -> str:
    """A cell as text; a number that is whole is written without decimals, and with the zeros that its format shows."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        digits = _SHOWN_DIGITS.fullmatch(cell.number_format or "")
        shown = f"{value:0{len(digits[0])}.{len(digits[2] or '')}f}" if digits else ""
        if shown and float(shown) == value:
            return shown
        return str(int(value)) if float(value).is_integer() else str(value)
    if isinstance(value, dt.datetime):  # a sheet has no dates without a time of day: midnight is how it writes one
        return value.isoformat(sep=" ") if value.time() != dt.time() else value.date().isoformat()
    return str(value).strip()
