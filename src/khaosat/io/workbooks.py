"""The sheets of a workbook as clean CSV files. Formulas are read as the values they had, and macros not at all."""

from __future__ import annotations

import datetime as dt
import re
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, count, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from khaosat.errors import DataError
from khaosat.io.bounds import check_archive
from khaosat.io.clean_csv import CleanCSV, write_clean
from khaosat.io.headers import merged_header, padded
from khaosat.io.refusals import refusal

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

_TOP = 10
"""Rows of a sheet in which the header is looked for."""
_LAST_ROW = 1 << 20
"""Of any sheet; a file may claim a row of any number, and the rows above it would be made up one by one."""
_SHOWN_DIGITS = re.compile(r"(0+)(?:\.(0+))?")
"""Number formats such as 000000 and 0.000, under which a sheet shows zeros that the number itself does not have."""


def clean_sheets(
    path: Path, folder: Path, *, file: str, is_header: Callable[[Sequence[str]], bool], knows: Callable[[str], object]
) -> list[tuple[str, CleanCSV]]:
    """Rewrite the sheets of a workbook, with their names; empty sheets are left out, but one there is.

    The header is the row (or the two rows with merged cells) near the top for which ``is_header`` holds and most names
    are known; title rows above it are skipped. If there is none, the first row that is not empty stands for it.

    Raises
    ------
    DataError
        It is no workbook, or damaged, or empty, or would grow beyond measure; faults call it ``file``.
    """
    sheets = []
    with closing(_sheets(path, file)) as found, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles it does not know; data are not styles
        for number, (title, rows) in enumerate(found):
            top = list(islice(rows, _TOP))
            if not any(map(any, top)):
                continue
            header, skipped = _find_header(top, is_header=is_header, knows=knows)
            wide = (padded(cells, len(header)) for cells in chain(top[skipped:], rows))
            body = ((cells, ",".join(cells)) for cells in wide)
            sheets.append((title, write_clean(body, header, folder / f"sheet{number}.csv")))
    if not sheets:
        raise refusal("empty_file", file)
    return sheets


def _sheets(path: Path, file: str) -> Generator[tuple[str, Iterator[list[str]]], None, None]:
    """The name and the rows of each sheet."""
    from openpyxl import load_workbook

    with path.open("rb") as opened:  # by its path, openpyxl goes by the name's ending and not by what the file is
        with _readable(file), ZipFile(opened) as archive:
            check_archive(archive, path=path, file=file)
        with _readable(file):
            book = load_workbook(opened, read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                yield sheet.title, _rows(sheet, file)
        finally:
            book.close()


def _rows(sheet: ReadOnlyWorksheet, file: str) -> Iterator[list[str]]:
    """The rows of a sheet as texts, as far as it has any."""
    sheet.reset_dimensions()  # some programs write a wrong extent
    rows = iter(sheet.iter_rows(max_row=_LAST_ROW + 1))  # type: ignore[misc]  # its stub has another class for self
    for number in count(1):
        with _readable(file):
            row = next(rows, None)
            cells = None if row is None else [_cell(cell) for cell in row]
        if cells is None:
            return
        if number > _LAST_ROW:
            raise refusal("not_text", file)
        yield cells


@contextmanager
def _readable(file: str) -> Iterator[None]:
    """What openpyxl says of a damaged workbook, which may be any error, as one in words."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:
        raise refusal("not_text", file) from error


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
