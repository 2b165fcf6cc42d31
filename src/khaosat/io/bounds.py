"""Files that would grow beyond measure when they are opened: refused before they fill the memory or the disk.

Logs and surveys compress 5 to 50 times; a file made to do harm 1,000 times and more. So a file may have grown
:data:`ROOM` bytes, however small it was, and beyond that :data:`RATIO` times its own size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZipFile

from khaosat.errors import DataError
from khaosat.io.refusals import refusal

ROOM = 1 << 28
RATIO = 200
HELD = 1 << 28
"""Bytes of a workbook's parts that are read whole: texts and styles, not its sheets."""


def bounded(blocks: Iterable[bytes], path: Path, *, file: str) -> Iterator[bytes]:
    """The blocks of an opened file as long as they stay in bounds.

    Raises
    ------
    DataError
        They do not.
    """
    packed, size = path.stat().st_size, 0
    for block in blocks:
        size += len(block)
        check_size(size, packed=packed, file=file)
        yield block


def check_size(size: int, *, packed: int, file: str) -> None:
    """Refuse a file of ``packed`` bytes that is ``size`` bytes when opened, if that is beyond measure."""
    if size > ROOM and size > RATIO * packed:
        raise too_large(file, size=size)


def check_cells(rows: int, columns: int, *, path: Path, file: str) -> None:
    """Refuse a file that says it has more cells than its size can mean, a byte a cell."""
    check_size(rows * columns, packed=path.stat().st_size, file=file)


def check_archive(archive: ZipFile, *, path: Path, file: str) -> None:
    """Refuse a workbook by the sizes of its parts; no part is read beyond the size that the archive tells of it."""
    parts = archive.infolist()
    check_size(sum(part.file_size for part in parts), packed=path.stat().st_size, file=file)
    held = sum(part.file_size for part in parts if not part.filename.startswith("xl/worksheets/"))
    if held > HELD:
        raise too_large(file, size=held)


def too_large(file: str, *, size: int) -> DataError:
    """The error that says so."""
    return refusal("too_large", file, value=f"{size >> 20:,} MiB")
