"""Any text as one clean CSV: a row number in front, every record as wide as the header, the rest set aside.

DuckDB reads clean text fast, but after a stray quotation mark it drops rows without a word. So its result is believed
only if it has as many rows as the file has lines; every other file goes through here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LINE_END = "\r\n"
"""Of clean files: only then does :mod:`csv` put quotes around a cell with either of the two in it."""
_LONGEST_RECORD = 200
"""Lines that one quoted record may span before its first line counts as broken."""


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
        return write_clean(_records(lines, delimiter, width=len(header)), header, target)


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


def write_clean(records: Iterable[tuple[list[str], str]], header: Sequence[str], target: Path) -> CleanCSV:
    """Write records (cells and text) that are as wide as the header, and keep the others aside; empty ones are none."""
    width = len(header)
    broken: list[tuple[int, str]] = []
    row = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file, lineterminator=LINE_END).writerow
        for cells, text in records:
            if not text.strip("\r\n "):
                continue
            row += 1
            if len(cells) > width and not any(cells[width:]):
                cells = cells[:width]
            if len(cells) == width:
                if any(cells):  # a sheet goes on as far as anybody has formatted it
                    write([row, *cells])
            else:
                broken.append((row, text.rstrip("\r\n")))
    return CleanCSV(path=target, header=tuple(name.strip() for name in header), broken=broken)
